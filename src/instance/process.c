/* The process's mode and its table of instances: lookup, gates, creation, end. */
#include "src/instance/process.h"
#include "src/instance/session_slots.h"

#include "src/os/executor.h"
#include "src/os/host.h"
#include "src/os/memory.h"
#include "src/os/text.h"
#include "src/os/thread.h"

/* Instances that the table has room for; JET_paramMaxInstances is the limit in force. */
#define INSTANCES_MOST 1024u

/* A handle: kind, sequence number, slot + 1. */
#define HANDLE_SLOT_MASK ((uint64_t)0xffff)
#define HANDLE_SEQUENCE_MASK ((uint64_t)0xffffffff)

struct instance_slot {
    struct instance *instance; /* NULL: free */
};

static struct {
    enum process_mode mode;
    bool parameters_ready;
    uint32_t count;    /* instances in the table */
    uint32_t most;     /* how many the mode allows */
    uint32_t sequence; /* of the last instance made */
    uint32_t slots_used;
    struct parameters parameters;
    struct instance_slot slots[INSTANCES_MOST];
} process;

static char parameter_storage[PARAMETER_COUNT][PARAMETER_TEXT_SIZE];
static struct os_mutex process_mutex = OS_MUTEX_INITIALIZER(OS_RANK_PROCESS);
/* Woken when a reference to an instance is given back. */
static struct os_condition reference_released = {PTHREAD_COND_INITIALIZER};

static void process_forget(void)
{
    process.mode = PROCESS_MODE_NONE;
    process.parameters_ready = false;
    process.count = 0;
    process.most = 0;
    process.sequence = 0;
    for (uint32_t i = 0; i < process.slots_used; i++)
        process.slots[i].instance = NULL;
    process.slots_used = 0;
}

void process_lock(void)
{
    os_mutex_lock(&process_mutex);
    if (!process.parameters_ready) {
        parameters_init(&process.parameters, parameter_storage);
        process.parameters_ready = true;
        os_host_on_death(process_forget);
    } else if (process.count == 0) {
        parameters_refresh(&process.parameters);
    }
}

void process_unlock(void)
{
    os_mutex_unlock(&process_mutex);
}

enum process_mode process_mode_locked(void)
{
    ASSERT(os_mutex_is_held(&process_mutex));
    return process.mode;
}

enum process_mode process_mode(void)
{
    process_lock();
    enum process_mode mode = process.mode;
    process_unlock();
    return mode;
}

struct parameters *process_parameters_locked(void)
{
    ASSERT(os_mutex_is_held(&process_mutex));
    return &process.parameters;
}

const struct parameters *process_parameters(void)
{
    process_lock();
    process_unlock();
    return &process.parameters;
}

uint32_t process_instance_count_locked(void)
{
    return process.count;
}

void process_set_mode_locked(enum process_mode mode)
{
    ASSERT(os_mutex_is_held(&process_mutex));
    ASSERT(process.count == 0);
    process.mode = mode;
    process.most = 0;
    if (mode == PROCESS_MODE_ONE_INSTANCE)
        process.most = 1;
    if (mode == PROCESS_MODE_MULTI_INSTANCE) {
        uint64_t most = parameter_number(&process.parameters, JET_paramMaxInstances);
        process.most = most < INSTANCES_MOST ? (uint32_t)most : INSTANCES_MOST;
    }
}

/* --- lookup --- */

struct instance *process_find_locked(JET_INSTANCE handle)
{
    ASSERT(os_mutex_is_held(&process_mutex));
    if (process.mode == PROCESS_MODE_ONE_INSTANCE) {
        /* There is one at most, and callers may hold anything. */
        return process.slots[0].instance;
    }
    if (process.mode != PROCESS_MODE_MULTI_INSTANCE)
        return NULL;
    uint64_t slot = handle & HANDLE_SLOT_MASK;
    if (slot == 0 || slot > process.slots_used)
        return NULL;
    struct instance *instance = process.slots[slot - 1].instance;
    return instance != NULL && instance->handle == handle ? instance : NULL;
}

struct instance *process_only_instance_locked(void)
{
    ASSERT(os_mutex_is_held(&process_mutex));
    return process.mode == PROCESS_MODE_ONE_INSTANCE ? process.slots[0].instance : NULL;
}

static JET_ERR find_legacy_locked(struct instance **instance)
{
    *instance = NULL;
    if (process.mode == PROCESS_MODE_MULTI_INSTANCE)
        return JET_errRunningInMultiInstanceMode;
    *instance = process_only_instance_locked();
    return *instance != NULL ? JET_errSuccess : JET_errInvalidParameter;
}

JET_ERR instance_find(JET_INSTANCE handle, struct instance **instance)
{
    process_lock();
    *instance = process_find_locked(handle);
    if (*instance != NULL)
        (*instance)->references++;
    process_unlock();
    return *instance != NULL ? JET_errSuccess : JET_errInvalidParameter;
}

JET_ERR instance_find_legacy(struct instance **instance)
{
    process_lock();
    JET_ERR err = find_legacy_locked(instance);
    if (err == JET_errSuccess)
        (*instance)->references++;
    process_unlock();
    return err;
}

void instance_release(struct instance *instance)
{
    process_lock();
    ASSERT(instance->references > 0);
    instance->references--;
    os_condition_wake_all(&reference_released);
    process_unlock();
}

/* --- gates --- */

/* The gates of a running instance, under its lock; `any_running`: whatever it answers to others. */
static JET_ERR check_gates(const struct instance *instance, bool any_running)
{
    if (os_atomic_load(&instance->service_stopped) && !any_running)
        return JET_errClientRequestToStopJetService;
    JET_ERR unavailable = instance_unavailable(instance);
    if (unavailable != JET_errSuccess && !any_running)
        return unavailable;
    switch (instance->state) {
    case INSTANCE_RUNNING:
        return JET_errSuccess;
    case INSTANCE_TERMINATING:
        return JET_errTermInProgress;
    case INSTANCE_RESTORING:
        return JET_errRestoreInProgress;
    default:
        return JET_errNotInitialized;
    }
}

static JET_ERR enter_gated(struct instance *instance, bool any_running)
{
    os_mutex_lock(&instance->lock);
    JET_ERR err = check_gates(instance, any_running);
    if (err == JET_errSuccess)
        instance->calls++;
    os_mutex_unlock(&instance->lock);
    return err;
}

JET_ERR instance_enter_found(struct instance *instance)
{
    return enter_gated(instance, true);
}

JET_ERR instance_enter(JET_INSTANCE handle, struct instance **instance)
{
    process_lock();
    struct instance *found = process_find_locked(handle);
    JET_ERR err = found != NULL ? enter_gated(found, false) : JET_errInvalidParameter;
    process_unlock();
    *instance = err == JET_errSuccess ? found : NULL;
    return err;
}

void instance_leave(struct instance *instance)
{
    os_mutex_lock(&instance->lock);
    ASSERT(instance->calls > 0);
    instance->calls--;
    os_condition_wake_all(&instance->changed);
    os_mutex_unlock(&instance->lock);
}

void instance_leave_call(struct instance *instance)
{
    instance_leave(instance);
    /* From here on the instance may end at any time. */
    os_executor_point();
}

JET_ERR instance_enter_start(JET_INSTANCE handle, enum instance_state state, struct instance **instance)
{
    ASSERT(state == INSTANCE_INITIALIZING || state == INSTANCE_RESTORING);
    JET_ERR err = JET_errInvalidParameter;
    process_lock();
    *instance = process_find_locked(handle);
    if (*instance != NULL) {
        os_mutex_lock(&(*instance)->lock);
        switch ((*instance)->state) {
        case INSTANCE_CREATED:
            (*instance)->state = state;
            (*instance)->start_thread = os_thread_id();
            (*instance)->calls++;
            err = JET_errSuccess;
            break;
        case INSTANCE_INITIALIZING:
            err = JET_errInitInProgress;
            break;
        case INSTANCE_RESTORING:
            err = JET_errRestoreInProgress;
            break;
        case INSTANCE_TERMINATING:
            err = JET_errTermInProgress;
            break;
        case INSTANCE_RUNNING:
            /* As recorded from the published engine after an end that was refused because of transactions: as
             * if another instance, with the same paths, were to be started. (By its source it should find
             * this one running; the recording may have lost the handle.) */
            err = (*instance)->term_refused && os_host_is_published() ? JET_errTempPathInUse
                                                                      : JET_errAlreadyInitialized;
            break;
        default:
            err = JET_errAlreadyInitialized;
            break;
        }
        os_mutex_unlock(&(*instance)->lock);
    }
    process_unlock();
    if (err != JET_errSuccess)
        *instance = NULL;
    return err;
}

void instance_leave_start(struct instance *instance, enum instance_state state)
{
    os_mutex_lock(&instance->lock);
    ASSERT(instance->state == INSTANCE_INITIALIZING || instance->state == INSTANCE_RESTORING);
    instance->state = state;
    instance->backup_allowed = state == INSTANCE_RUNNING;
    ASSERT(instance->calls > 0);
    instance->calls--;
    os_condition_wake_all(&instance->changed);
    os_mutex_unlock(&instance->lock);
}

JET_ERR instance_visit(JET_ERR (*visit)(struct instance *instance, void *context), void *context)
{
    JET_ERR err = JET_errSuccess;
    process_lock();
    for (uint32_t i = 0; i < process.slots_used && err >= JET_errSuccess; i++) {
        struct instance *instance = process.slots[i].instance;
        if (instance == NULL)
            continue;
        instance->references++;
        process_unlock();
        err = visit(instance, context);
        process_lock();
        instance->references--;
        os_condition_wake_all(&reference_released);
    }
    process_unlock();
    return err;
}

void process_visit_locked(void (*visit)(struct instance *instance, void *context), void *context)
{
    ASSERT(os_mutex_is_held(&process_mutex));
    for (uint32_t i = 0; i < process.slots_used; i++) {
        if (process.slots[i].instance != NULL)
            visit(process.slots[i].instance, context);
    }
}

void instance_set_unavailable(struct instance *instance, JET_ERR error)
{
    ASSERT(error < JET_errSuccess);
    JET_ERR code = error == JET_errLogDiskFull ? JET_errInstanceUnavailableDueToFatalLogDiskFull
                                               : JET_errInstanceUnavailable;
    uint64_t expected = 0;
    (void)os_atomic_compare_exchange(&instance->unavailable, &expected, (uint64_t)(int64_t)code);
}

/* --- creation and end --- */

static bool same_name(const char *a, const char *b)
{
    if (a == NULL || b == NULL)
        return a == b;
    return strcmp(a, b) == 0;
}

static void instance_destroy(struct instance *instance)
{
    instance_parts_free(instance);
    parameters_done(&instance->parameters);
    os_mutex_destroy(&instance->database_lock);
    os_mutex_destroy(&instance->session_lock);
    os_condition_destroy(&instance->changed);
    os_mutex_destroy(&instance->lock);
    os_free(instance->display_name);
    os_free(instance->name);
    os_free(instance);
    os_host_release();
}

static JET_ERR instance_make(const char *name, const char *display_name, struct instance **out)
{
    JET_ERR err = JET_errSuccess;
    struct instance *instance = os_allocate_zeroed(sizeof(*instance));
    if (instance == NULL)
        return JET_errOutOfMemory;
    os_host_hold();
    os_mutex_init(&instance->lock, OS_RANK_INSTANCE);
    os_condition_init(&instance->changed);
    os_mutex_init(&instance->session_lock, OS_RANK_SESSION);
    os_mutex_init(&instance->database_lock, OS_RANK_DATABASES);
    if (name != NULL && (instance->name = os_duplicate_text(name)) == NULL)
        FAIL(JET_errOutOfMemory);
    if (display_name != NULL && (instance->display_name = os_duplicate_text(display_name)) == NULL)
        FAIL(JET_errOutOfMemory);
    TRY(parameters_copy(&instance->parameters, &process.parameters));
    /* Windows keeps to a format that its older engines read; the published engine takes its newest. */
    if (!process.parameters.values[JET_paramEngineFormatVersion].written && !os_host_is_published())
        parameter_force_number(&instance->parameters, JET_paramEngineFormatVersion,
                               JET_efvExchange2016Cu1Rtm | JET_efvAllowHigherPersistedFormat);
    TRY(instance_parts_make(instance));
    *out = instance;
    return JET_errSuccess;
done:
    instance_destroy(instance);
    return err;
}

static JET_ERR create_locked(const char *name, const char *display_name, JET_INSTANCE *handle)
{
    JET_ERR err = JET_errSuccess;
    struct instance *instance = NULL;
    uint32_t slot;

    if (process.count >= process.most)
        FAIL(JET_errTooManyInstances);
    for (slot = 0; slot < process.slots_used; slot++) {
        if (process.slots[slot].instance != NULL && same_name(name, process.slots[slot].instance->name))
            FAIL(JET_errInstanceNameInUse);
    }
    for (slot = 0; slot < process.slots_used && process.slots[slot].instance != NULL; slot++)
        ;
    ASSERT(slot < INSTANCES_MOST);
    TRY(instance_make(name, display_name, &instance));
    process.sequence++;
    instance->number = slot;
    instance->handle = HANDLE_KIND_INSTANCE | ((process.sequence & HANDLE_SEQUENCE_MASK) << 16) | (slot + 1u);
    process.slots[slot].instance = instance;
    if (slot >= process.slots_used)
        process.slots_used = slot + 1;
    process.count++;
    *handle = instance->handle;
done:
    if (err < JET_errSuccess && process.count == 0)
        process_set_mode_locked(PROCESS_MODE_NONE);
    return err;
}

JET_ERR instance_create(const char *name, const char *display_name, JET_INSTANCE *handle)
{
    JET_ERR err = JET_errSuccess;
    process_lock();
    if (process.mode == PROCESS_MODE_ONE_INSTANCE)
        FAIL(JET_errRunningInOneInstanceMode);
    if (process.mode == PROCESS_MODE_NONE)
        process_set_mode_locked(PROCESS_MODE_MULTI_INSTANCE);
    TRY(create_locked(name, display_name, handle));
done:
    process_unlock();
    return err;
}

JET_ERR instance_create_for_init(bool handle_wanted, JET_INSTANCE *handle)
{
    JET_ERR err = JET_errSuccess;
    process_lock();
    if (process.mode == PROCESS_MODE_MULTI_INSTANCE && !handle_wanted)
        FAIL(JET_errRunningInMultiInstanceMode);
    if (process.mode == PROCESS_MODE_ONE_INSTANCE) /* and there is the one */
        FAIL(JET_errAlreadyInitialized);
    if (process.mode == PROCESS_MODE_NONE)
        process_set_mode_locked(PROCESS_MODE_ONE_INSTANCE);
    TRY(create_locked(NULL, NULL, handle));
done:
    process_unlock();
    return err;
}

JET_ERR instance_create_for_restore(const char *name, JET_INSTANCE *handle)
{
    JET_ERR err = JET_errSuccess;
    process_lock();
    if (process.mode == PROCESS_MODE_NONE)
        process_set_mode_locked(PROCESS_MODE_MULTI_INSTANCE);
    TRY(create_locked(name, NULL, handle));
done:
    process_unlock();
    return err;
}

void instance_free(struct instance *instance)
{
    process_lock();
    ASSERT(process.slots[instance->number].instance == instance);
    process.slots[instance->number].instance = NULL;
    while (instance->references > 0)
        (void)os_condition_wait(&reference_released, &process_mutex, OS_WAIT_FOREVER);
    process.count--;
    bool last = process.count == 0;
    if (last)
        process_set_mode_locked(PROCESS_MODE_NONE);
    process_unlock();
    instance_destroy(instance);
    if (last)
        os_executor_stop();
}

void instance_free_created(JET_INSTANCE handle)
{
    struct instance *instance = NULL;
    if (instance_find(handle, &instance) < JET_errSuccess)
        return;
    os_mutex_lock(&instance->lock);
    const bool taken = instance->state == INSTANCE_CREATED;
    if (taken)
        instance->state = INSTANCE_GONE;
    os_mutex_unlock(&instance->lock);
    instance_release(instance);
    if (taken)
        instance_free(instance);
}
