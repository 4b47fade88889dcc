/* Lists of instances with their databases, as JetGetInstanceInfo and the snapshot calls give them out: one
 * block that the program frees with JetFreeBuffer. */
#ifndef OPENESENT_API_INSTANCE_INFO_H
#define OPENESENT_API_INSTANCE_INFO_H

#include "src/instance/instance.h"

/* What is gathered before the block is made. Starts as {NULL, 0}; freed with instance_info_free. */
struct instance_info {
    struct instance_info_entry *entries;
    size_t count;
};

/* Adds an instance with its attached, loggable databases. */
JET_ERR instance_info_add(struct instance_info *info, struct instance *instance);
void instance_info_free(struct instance_info *info);

/* Makes the block. No entry: 0 and NULL. */
JET_ERR instance_info_out(const struct instance_info *info, uint32_t *count, JET_INSTANCE_INFO_A **block);
JET_ERR instance_info_out_wide(const struct instance_info *info, uint32_t *count,
                               JET_INSTANCE_INFO_W **block);

#endif
