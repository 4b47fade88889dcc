/* Faults: each allocation and each I/O asks here whether it must fail.
 *
 * For each kind there is a counter of points passed and, if armed, the count at which to fail. Public names
 * and meaning: include/esent_host.h. Armed faults and counters are process-wide; the background's points
 * count too. */
#ifndef OPENESENT_OS_FAULT_H
#define OPENESENT_OS_FAULT_H

#include "include/esent_host.h"
#include "src/os/base.h"

typedef enum ESENT_HOST_FAULT os_fault_kind;

/* Passes a point of this kind: true if the operation must fail. */
bool os_fault_point(os_fault_kind kind);

/* Points of this kind passed since the last reset. */
uint64_t os_fault_count(os_fault_kind kind);

/* Suspends faults on this thread (counting too) until the matching resume: for clean-up that must not fail.
 * Nests. */
void os_fault_suspend(void);
void os_fault_resume(void);

#endif
