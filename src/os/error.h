/* The error idiom and the assertion macros of the whole tree.
 *
 * A function that can fail returns JET_ERR: negative = error, zero = success, positive = warning. Inside, one
 * variable `err`, one label `done` that frees what was acquired, one return at the end:
 *
 *     JET_ERR err = JET_errSuccess;
 *     TRY(first());
 *     TRY(second());
 * done:
 *     free_things();
 *     return err;
 */
#ifndef OPENESENT_OS_ERROR_H
#define OPENESENT_OS_ERROR_H

#include "include/esent.h"

/* Evaluates a call into `err` and leaves through `done` if it is an error. Warnings go on. */
#define TRY(call)                                                                                            \
    do {                                                                                                     \
        if ((err = (call)) < JET_errSuccess)                                                                 \
            goto done;                                                                                       \
    } while (0)

/* Leaves through `done` with the error `code`. */
#define FAIL(code)                                                                                           \
    do {                                                                                                     \
        err = (code);                                                                                        \
        goto done;                                                                                           \
    } while (0)

/* Reports a broken invariant and aborts the process. Never returns. */
_Noreturn void os_assertion_failed(const char *expression, const char *file, int line);

/* An invariant of our own code: on in tests and fuzzing (ESENT_ASSERTIONS), never used to check input. */
#if defined(ESENT_ASSERTIONS)
#define ASSERT(expression) ((expression) ? (void)0 : os_assertion_failed(#expression, __FILE__, __LINE__))
#elif defined(ESENT_COVERAGE)
/* A type, not an operand: of an operand, even of sizeof, the branches would be counted. */
#define ASSERT(expression) ((void)(__typeof__(!(expression)))0)
#else
#define ASSERT(expression) ((void)sizeof(!(expression)))
#endif

/* Defensive code: a condition that our own invariants make always true, or never. No input, damage, fault or
 * misuse may reach the other side; where one can, the code is tested instead of marked. The checked builds
 * assert it, the builds of users keep the defence, and the coverage build, which counts what tests reach,
 * leaves it out - unevaluated: an operand has no side effects.
 */
#if defined(ESENT_COVERAGE)
#define ALWAYS(expression) ((__typeof__(!(expression)))1)
#define NEVER(expression) ((__typeof__(!(expression)))0)
#elif defined(ESENT_ASSERTIONS)
#define ALWAYS(expression) ((expression) ? 1 : (os_assertion_failed(#expression, __FILE__, __LINE__), 0))
#define NEVER(expression)                                                                                    \
    ((expression) ? (os_assertion_failed("never: " #expression, __FILE__, __LINE__), 1) : 0)
#else
#define ALWAYS(expression) (expression)
#define NEVER(expression) (expression)
#endif

/* TRY of a call that cannot fail here, by what was checked before. The call is made in every build. */
#define TRY_SOUND(call)                                                                                      \
    do {                                                                                                     \
        err = (call);                                                                                        \
        if (NEVER(err < JET_errSuccess))                                                                     \
            goto done;                                                                                       \
    } while (0)

/* The same where there is nothing to leave: the call cannot fail here. */
#define SOUND(call)                                                                                          \
    do {                                                                                                     \
        const JET_ERR sound = (call);                                                                        \
        ASSERT(sound >= JET_errSuccess);                                                                     \
    } while (0)

#endif
