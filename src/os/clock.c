#if !defined(_GNU_SOURCE)
#define _GNU_SOURCE 1
#endif

#include "src/os/clock.h"

#include <errno.h>
#include <time.h>

#include "src/os/internal.h"

/* Simulated time: milliseconds since the simulation began, and when that was. */
static os_atomic_64 elapsed;
static int64_t start_time;

void os_clock_simulate(int64_t start)
{
    start_time = start;
    os_atomic_store(&elapsed, 0);
    os_host.simulated_clock = true;
}

void os_clock_real(void)
{
    os_host.simulated_clock = false;
}

void os_clock_advance(uint64_t milliseconds)
{
    os_atomic_add(&elapsed, milliseconds);
    if (os_host.simulated)
        os_scheduler_clock_moved();
}

void os_clock_rewind(void)
{
    os_atomic_store(&elapsed, 0);
}

static uint64_t read_clock(clockid_t which)
{
    struct timespec now;
    clock_gettime(which, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

int64_t os_clock_now(void)
{
    if (os_host.simulated_clock)
        return start_time + (int64_t)os_atomic_load(&elapsed);
    return (int64_t)read_clock(CLOCK_REALTIME);
}

uint64_t os_clock_ticks(void)
{
    if (os_host.simulated_clock)
        return os_atomic_load(&elapsed);
    return read_clock(CLOCK_MONOTONIC);
}

void os_sleep(uint32_t milliseconds)
{
    ASSERT(os_lock_none_held());
    if (os_host.simulated) {
        if (milliseconds == 0)
            os_scheduler_point_slow(true);
        else
            os_scheduler_block(NULL, "sleep", true, os_clock_ticks() + milliseconds);
        return;
    }
    if (os_host.simulated_clock) {
        os_clock_advance(milliseconds);
        return;
    }
    struct timespec rest = {milliseconds / 1000, (long)(milliseconds % 1000) * 1000000};
    while (nanosleep(&rest, &rest) != 0 && errno == EINTR) {
    }
}

/* Days since 1970-01-01 of a date in the Gregorian calendar, and back (years 1900 to 2155 are asked for). */
static int64_t days_from_date(int64_t year, int64_t month, int64_t day)
{
    if (month <= 2)
        year--;
    int64_t era = year / 400;
    int64_t year_of_era = year - era * 400;
    int64_t day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + day_of_era - 719468;
}

static void date_from_days(int64_t days, int64_t *year, int64_t *month, int64_t *day)
{
    days += 719468;
    int64_t era = days / 146097;
    int64_t day_of_era = days - era * 146097;
    int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t shifted_month = (5 * day_of_year + 2) / 153;
    *day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    *month = shifted_month < 10 ? shifted_month + 3 : shifted_month - 9;
    *year = year_of_era + era * 400 + (*month <= 2);
}

#define MILLISECONDS_PER_DAY 86400000

struct log_time os_log_time_from_clock(int64_t milliseconds)
{
    int64_t days = milliseconds / MILLISECONDS_PER_DAY;
    int64_t rest = milliseconds % MILLISECONDS_PER_DAY;
    if (rest < 0) {
        rest += MILLISECONDS_PER_DAY;
        days--;
    }
    int64_t year, month, day;
    date_from_days(days, &year, &month, &day);
    uint32_t fraction = (uint32_t)(rest % 1000);
    int64_t seconds = rest / 1000;
    struct log_time time = {
        .seconds = (uint8_t)(seconds % 60),
        .minutes = (uint8_t)(seconds / 60 % 60),
        .hours = (uint8_t)(seconds / 3600),
        .day = (uint8_t)day,
        .month = (uint8_t)month,
        .year = (uint8_t)(year - 1900),
        .milliseconds1 = (uint8_t)(1u | (fraction & 0x7f) << 1),
        .milliseconds2 = (uint8_t)((fraction >> 7) << 1),
    };
    return time;
}

int64_t os_log_time_to_clock(const struct log_time *time)
{
    if (time->month == 0 || time->day == 0)
        return 0;
    int64_t days = days_from_date(1900 + (int64_t)time->year, time->month, time->day);
    int64_t seconds = days * 86400 + time->hours * 3600 + time->minutes * 60 + time->seconds;
    return seconds * 1000 + (time->milliseconds1 >> 1) + ((int64_t)(time->milliseconds2 >> 1 & 7) << 7);
}

struct log_time os_clock_log_time(void)
{
    return os_log_time_from_clock(os_clock_now());
}

int64_t os_clock_to_file_time(int64_t milliseconds)
{
    return (milliseconds + INT64_C(11644473600000)) * 10000;
}

double os_clock_to_date(int64_t milliseconds)
{
    return (double)milliseconds / MILLISECONDS_PER_DAY + 25569.0;
}
