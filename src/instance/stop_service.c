/* JetStopService*: the instance stops taking calls and gets ready to end (engine source: `jetapi.cxx`). */
#include "src/instance/instance.h"
#include "src/log/log.h"
#include "src/os/host.h"

#define RESUMABLE_BITS ((JET_GRBIT)(JET_bitStopServiceBackgroundUserTasks | JET_bitStopServiceQuiesceCaches))
#define KNOWN_BITS (RESUMABLE_BITS | JET_bitStopServiceStopAndEmitLog | JET_bitStopServiceResume)
/* JET_paramCheckpointDepthMax after the older calls: next to nothing is left to write at the end. */
#define DEPTH_WHEN_STOPPED 16384u
/* How "everything" (JET_bitStopServiceAll, zero) is remembered. */
#define STOPPED_ALL 0x1u

static JET_ERR resume(struct instance *instance, JET_GRBIT grbit)
{
    const JET_GRBIT stopped = os_atomic_load(&instance->stopped_bits);
    JET_GRBIT bits = grbit & ~JET_bitStopServiceResume;
    if (bits == 0)
        bits = stopped;
    if ((bits & KNOWN_BITS & ~RESUMABLE_BITS) != 0)
        return JET_errInvalidGrbit;
    if ((bits & ~RESUMABLE_BITS) != 0)
        return JET_errClientRequestToStopJetService;
    os_atomic_store(&instance->stopped_bits, stopped & ~bits);
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

/* `noted`: a resume is to find out what was stopped. */
static JET_ERR stop_service(struct instance *instance, JET_GRBIT grbit, bool noted)
{
    JET_ERR err = JET_errSuccess;
    os_mutex_lock(&instance->lock);
    if ((grbit & ~KNOWN_BITS) != 0)
        FAIL(JET_errInvalidGrbit);
    if (instance->state != INSTANCE_RUNNING)
        FAIL(instance->state == INSTANCE_TERMINATING ? JET_errTermInProgress : JET_errNotInitialized);
    if ((grbit & JET_bitStopServiceResume) != 0) {
        err = resume(instance, grbit);
        goto done;
    }
    if ((grbit & JET_bitStopServiceStopAndEmitLog) != 0) {
        err = stop_log(instance, grbit);
        goto done;
    }
    if (grbit == JET_bitStopServiceAll)
        os_atomic_store(&instance->service_stopped, true);
    const JET_GRBIT stops = grbit == JET_bitStopServiceAll ? STOPPED_ALL | RESUMABLE_BITS : grbit;
    if (noted)
        os_atomic_store(&instance->stopped_bits, os_atomic_load(&instance->stopped_bits) | stops);
done:
    os_mutex_unlock(&instance->lock);
    return err;
}

JET_ERR instance_stop_service(struct instance *instance, JET_GRBIT grbit)
{
    return stop_service(instance, grbit, true);
}

/* In the published engine the older calls leave no note for a resume, which then has nothing to do, and bring
 * the checkpoint near by writing the parameter. */
JET_ERR instance_stop_whole_service(struct instance *instance)
{
    bool published = os_host_is_published();
    JET_ERR err = stop_service(instance, JET_bitStopServiceAll, !published);
    if (err >= JET_errSuccess && published)
        parameter_force_number(&instance->parameters, JET_paramCheckpointDepthMax, DEPTH_WHEN_STOPPED);
    return err;
}
