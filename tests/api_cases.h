/* Tables of calls with the codes they must answer. A test goes through all of its calls before it fails, so
 * that one wrong code does not hide the others. Include after cmocka.h. */
#ifndef OPENESENT_TESTS_API_CASES_H
#define OPENESENT_TESTS_API_CASES_H

#include <stdio.h>

#include "include/esent.h"

static int cases_wrong;

static inline void case_check(JET_ERR expected, JET_ERR answer, const char *call, int line)
{
    if (answer == expected)
        return;
    print_message("line %d: %s answers %d, not %d\n", line, call, (int)answer, (int)expected);
    cases_wrong++;
}

/* The call must answer this code. */
#define EXPECT(expected, call) case_check((expected), (call), #call, __LINE__)

static inline void case_equal(uint64_t expected, uint64_t value, const char *text, int line)
{
    if (value == expected)
        return;
    print_message("line %d: %s is %lld, not %lld\n", line, text, (long long)value, (long long)expected);
    cases_wrong++;
}

/* The number must be this one. */
#define EXPECT_EQUAL(expected, value) case_equal((uint64_t)(expected), (uint64_t)(value), #value, __LINE__)

/* Ends a table. */
static inline void cases_end(void)
{
    int wrong = cases_wrong;
    cases_wrong = 0;
    assert_int_equal(wrong, 0);
}

#endif
