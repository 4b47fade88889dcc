/* Calls of the backup family that are not built yet: each answers JET_errFeatureNotAvailable. A call that
 * gets built leaves this file. */
#include "include/esent.h"

/* Nothing is done with what these are given. */
#pragma GCC diagnostic ignored "-Wunused-parameter"

