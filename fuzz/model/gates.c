/* The first checks of most calls: is there such an instance or session, and may it be entered? */
#include "fuzz/model/state.h"

struct model_instance *model_the_one(struct model *model)
{
    for (size_t i = 0; i < model->instance_count; i++) {
        if (model->instances[i]->alive)
            return model->instances[i];
    }
    return NULL;
}

struct model_instance *model_gate(struct model *model, bool legacy, bool enter)
{
    struct model_reference reference = {0};
    struct model_instance *instance = NULL;
    if (!legacy)
        reference = model_reference(model);
    if (legacy && model->mode == MODE_MULTI) {
        model_want(model, JET_errRunningInMultiInstanceMode);
        return NULL;
    }
    if (model->mode == MODE_ONE)
        instance = model_the_one(model);
    else if (!legacy && reference.kind == OBJECT_INSTANCE &&
             ((struct model_instance *)reference.pointer)->alive)
        instance = reference.pointer;
    if (instance == NULL) {
        model_want(model, JET_errInvalidParameter);
        model->expect.rule = "I12";
        return NULL;
    }
    if (instance->lost)
        model_no_opinion(model);
    if (!enter)
        return instance;
    if (instance->service_stopped) {
        model_want(model, JET_errClientRequestToStopJetService);
        return NULL;
    }
    if (!instance->initialised) {
        model_want(model, JET_errNotInitialized);
        return NULL;
    }
    return instance;
}

/* The kind of the call's argument behind the session. */
static char second_kind(const struct model *model)
{
    const char *kinds = model->line->op->arguments + 1;
    return *kinds == '?' ? kinds[1] : *kinds;
}

/* What a call answers once the service is stopped: handles are looked at before that is. */
static void want_stopped(struct model *model, const struct model_session *session)
{
    const char kind = second_kind(model);
    const size_t next = model->next;
    const struct model_reference handle = model_reference(model);
    model->next = next;
    const struct model_cursor *cursor = kind == 't' && handle.kind == OBJECT_CURSOR ? handle.pointer : NULL;
    const bool no_cursor = kind == 't' && cursor == NULL;
    const bool foreign = cursor != NULL && cursor->session != session;
    if (no_cursor || (cursor != NULL && !cursor->alive))
        model_want(model, JET_errInvalidTableId);
    if (kind == 'd' && handle.kind != OBJECT_DATABASE)
        model_want(model, JET_errInvalidDatabaseId);
    if (foreign)
        model_want(model, JET_errSesidTableIdMismatch);
    /* A dead cursor's session may have had the same number. */
    if (foreign ? !cursor->alive : !no_cursor)
        model_want(model, JET_errClientRequestToStopJetService);
}

/* The session of a data or database call; NULL: what the call answers was added. `stopped_too`: the call goes
 * on when the service is stopped. */
static struct model_session *session_gate(struct model *model, bool stopped_too)
{
    struct model_reference reference = model_reference(model);
    struct model_session *session = reference.kind == OBJECT_SESSION ? reference.pointer : NULL;
    if (session != NULL && (session->instance->lost || session->foreign))
        model_no_opinion(model);
    if (session == NULL || !session->alive) {
        model_want(model, JET_errInvalidSesid);
        return NULL;
    }
    if (session->instance->service_stopped && !stopped_too) {
        want_stopped(model, session);
        return NULL;
    }
    if (session->level > 0 && session->thread != model->line->thread)
        model_no_opinion(model); /* another thread's transaction: not every call looks */
    return session;
}

struct model_session *model_session_gate(struct model *model)
{
    return session_gate(model, false);
}

struct model_session *model_ending_session_gate(struct model *model)
{
    return session_gate(model, true);
}

bool model_has_transaction(const struct model *model, const struct model_instance *instance)
{
    for (size_t i = 0; i < model->session_count; i++) {
        if (model->sessions[i]->alive && model->sessions[i]->instance == instance &&
            model->sessions[i]->level > 0)
            return true;
    }
    return false;
}
