/* Time: real, or simulated (moves only when somebody sleeps or waits, or the host moves it). Milliseconds
 * throughout. */
#ifndef OPENESENT_OS_CLOCK_H
#define OPENESENT_OS_CLOCK_H

#include "src/os/base.h"

/* Wall clock: milliseconds since 1970-01-01 UTC. */
int64_t os_clock_now(void);

/* A clock that never goes back; its origin is arbitrary. */
uint64_t os_clock_ticks(void);

/* Sleeps; a scheduling point. In a simulation the clock jumps when nobody else can run. Holding locks is an
 * error. */
void os_sleep(uint32_t milliseconds);

/* The wall clock in the engine's calendar form (UTC, flagged so). */
struct log_time os_clock_log_time(void);

/* Conversions; `milliseconds` as os_clock_now. A zero log_time gives 0. */
struct log_time os_log_time_from_clock(int64_t milliseconds);
int64_t os_log_time_to_clock(const struct log_time *time);

/* Time since 1601-01-01 UTC in units of 100 ns (FILETIME), and days since 1899-12-30 (JET's
 * DateTime). */
int64_t os_clock_to_file_time(int64_t milliseconds);
double os_clock_to_date(int64_t milliseconds);

#endif
