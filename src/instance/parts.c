/* Parts of an instance that live as long as itself. */
#include "src/backup/backup.h"
#include "src/backup/snapshot.h"
#include "src/instance/engine.h"
#include "src/instance/process.h"

JET_ERR instance_parts_make(struct instance *instance)
{
    return backup_context_create(&instance->backup);
}

void instance_parts_free(struct instance *instance)
{
    if (instance->backup != NULL)
        snapshot_drop(instance->backup);
    engine_close(instance);
    backup_context_free(instance->backup);
}

uint64_t instance_parameter(const struct instance *instance, uint32_t number)
{
    bool global = (parameter_definition(number)->flags & PARAMETER_GLOBAL) != 0;
    return parameter_number(global ? process_parameters() : &instance->parameters, number);
}

const char *instance_parameter_text(const struct instance *instance, uint32_t number)
{
    bool global = (parameter_definition(number)->flags & PARAMETER_GLOBAL) != 0;
    return parameter_text(global ? process_parameters() : &instance->parameters, number);
}
