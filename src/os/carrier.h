/* What carries the threads of a simulation, of which one runs at a time and hands its turn to the next.
 *
 * Where there is code for the processor (x86-64, AArch64) a simulated thread is a stack of its own in one
 * thread of the system, and a turn passes by changing stacks: some tens of instructions, where two threads of
 * the system would cost a wait and a wake-up. Elsewhere, and under ThreadSanitizer, threads of the system
 * pass a semaphore.
 *
 * Only the thread whose turn it is calls these; none of them is a scheduling point. */
#ifndef OPENESENT_OS_CARRIER_H
#define OPENESENT_OS_CARRIER_H

#include "src/os/sanitizer.h"

#if (defined(__x86_64__) || defined(__aarch64__)) && defined(__linux__) && !defined(OS_THREAD_SANITIZER)
#define OS_CARRIER_STACKS 1
#else
#include <semaphore.h>
#endif

#include <stdbool.h>
#include <stddef.h>

struct os_thread;

struct os_carrier {
#if defined(OS_CARRIER_STACKS)
    void *stack_pointer; /* while it is not its turn */
    void *stack;         /* its lowest address; NULL: the system's, of the first thread */
    /* AddressSanitizer's: where the stack is, and its notes on it */
    const void *bottom;
    size_t size;
    void *notes;
#else
    sem_t turn;
#endif
};

/* The thread that sets the simulation up: it is running. */
void os_carrier_adopt(struct os_thread *thread);
void os_carrier_release(struct os_thread *thread);

/* Gets a carrier for a thread that will begin, with its first turn, in os_carrier_begins(thread), which must
 * end in os_carrier_leave. False: the system has none left. */
bool os_carrier_make(struct os_thread *thread);
_Noreturn void os_carrier_begins(struct os_thread *thread); /* in scheduler.c */

/* It is `next`'s turn; comes back when it is `self`'s again. */
void os_carrier_switch(struct os_thread *self, struct os_thread *next);
/* The same for good. */
_Noreturn void os_carrier_leave(struct os_thread *self, struct os_thread *next);
/* Frees what carried a thread that has left. */
void os_carrier_free(struct os_thread *thread);

#endif
