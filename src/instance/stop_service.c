/* JetStopService*: the instance stops taking calls and gets ready to end (engine source: `jetapi.cxx`). */
#include "src/instance/instance.h"
#include "src/log/log.h"

#define RESUMABLE_BITS ((JET_GRBIT)(JET_bitStopServiceBackgroundUserTasks | JET_bitStopServiceQuiesceCaches))
#define KNOWN_BITS (RESUMABLE_BITS | JET_bitStopServiceStopAndEmitLog | JET_bitStopServiceResume)
/* How "everything" (JET_bitStopServiceAll, zero) is remembered. */
#define STOPPED_ALL 0x1u

static JET_ERR resume(struct instance *instance, JET_GRBIT grbit)
{
    JET_GRBIT bits = grbit & ~JET_bitStopServiceResume;
    if (bits == 0)
        bits = instance->stopped_bits;
    if ((bits & KNOWN_BITS & ~RESUMABLE_BITS) != 0)
        return JET_errInvalidGrbit;
    if ((bits & ~RESUMABLE_BITS) != 0)
        return JET_errClientRequestToStopJetService;
    instance->stopped_bits &= ~bits;
    return JET_errSuccess;
}

static JET_ERR stop_log(struct instance *instance, JET_GRBIT grbit)
{
    if (grbit != JET_bitStopServiceStopAndEmitLog)
        return JET_errInvalidGrbit;
    if (instance->recovery_on)
        log_stop_service(instance->log);
    return JET_wrnCallbackNotRegistered;
}

JET_ERR instance_stop_service(struct instance *instance, JET_GRBIT grbit)
{
    JET_ERR err = JET_errSuccess;
    os_mutex_lock(&instance->lock);
    if (instance->state != INSTANCE_RUNNING)
        FAIL(instance->state == INSTANCE_TERMINATING ? JET_errTermInProgress : JET_errNotInitialized);
    if ((grbit & ~KNOWN_BITS) != 0)
        FAIL(JET_errInvalidGrbit);
    if ((grbit & JET_bitStopServiceResume) != 0) {
        err = resume(instance, grbit);
        goto done;
    }
    if ((grbit & JET_bitStopServiceStopAndEmitLog) != 0) {
        err = stop_log(instance, grbit);
        goto done;
    }
    if (grbit == JET_bitStopServiceAll) {
        instance->stopped_bits |= STOPPED_ALL;
        os_atomic_store(&instance->service_stopped, true);
    }
    instance->stopped_bits |= grbit == JET_bitStopServiceAll ? RESUMABLE_BITS : grbit;
done:
    os_mutex_unlock(&instance->lock);
    return err;
}
