#include "src/os/carrier.h"

#include <stdlib.h>

#include "src/os/internal.h"
#include "src/os/trace.h"

OS_UNTRACED_BEGIN

#if defined(OS_CARRIER_STACKS)

#include <sys/mman.h>

#if defined(OS_ADDRESS_SANITIZER)
#include <sanitizer/common_interface_defs.h>
#include <sanitizer/lsan_interface.h>
#endif

/* ---- the processor's part */

/* Puts what a function must keep on the stack, notes where that is in *save, and goes on where `load` was
 * noted. */
void os_carrier_change_stack(void **save, void *load);
/* Where a new stack goes on: calls os_carrier_entered. */
void os_carrier_entry(void);

#if defined(__x86_64__)

#define KEPT_WORDS 6u
#define ALL_WORDS 7u /* with the place to go on at */
#define PLACE_WORD 6u

__asm__(".text\n"
        ".p2align 4\n"
        ".globl os_carrier_change_stack\n"
        ".hidden os_carrier_change_stack\n"
        ".type os_carrier_change_stack,@function\n"
        "os_carrier_change_stack:\n"
        "  push %rbp\n"
        "  push %rbx\n"
        "  push %r12\n"
        "  push %r13\n"
        "  push %r14\n"
        "  push %r15\n"
        "  mov %rsp, (%rdi)\n"
        "  mov %rsi, %rsp\n"
        "  pop %r15\n"
        "  pop %r14\n"
        "  pop %r13\n"
        "  pop %r12\n"
        "  pop %rbx\n"
        "  pop %rbp\n"
        "  ret\n"
        ".size os_carrier_change_stack,.-os_carrier_change_stack\n"
        ".globl os_carrier_entry\n"
        ".hidden os_carrier_entry\n"
        ".type os_carrier_entry,@function\n"
        "os_carrier_entry:\n"
        "  .cfi_startproc\n"
        "  .cfi_undefined rip\n" /* nobody called it: whoever walks the stack ends here */
        "  call os_carrier_entered\n"
        "  ud2\n"
        "  .cfi_endproc\n"
        ".size os_carrier_entry,.-os_carrier_entry\n");

#else

#define KEPT_WORDS 20u
#define ALL_WORDS 20u
#define PLACE_WORD 11u /* the link register's */

__asm__(".text\n"
        ".p2align 4\n"
        ".globl os_carrier_change_stack\n"
        ".hidden os_carrier_change_stack\n"
        ".type os_carrier_change_stack,%function\n"
        "os_carrier_change_stack:\n"
        "  sub sp, sp, #160\n"
        "  stp x19, x20, [sp, #0]\n"
        "  stp x21, x22, [sp, #16]\n"
        "  stp x23, x24, [sp, #32]\n"
        "  stp x25, x26, [sp, #48]\n"
        "  stp x27, x28, [sp, #64]\n"
        "  stp x29, x30, [sp, #80]\n"
        "  stp d8, d9, [sp, #96]\n"
        "  stp d10, d11, [sp, #112]\n"
        "  stp d12, d13, [sp, #128]\n"
        "  stp d14, d15, [sp, #144]\n"
        "  mov x9, sp\n"
        "  str x9, [x0]\n"
        "  mov sp, x1\n"
        "  ldp x19, x20, [sp, #0]\n"
        "  ldp x21, x22, [sp, #16]\n"
        "  ldp x23, x24, [sp, #32]\n"
        "  ldp x25, x26, [sp, #48]\n"
        "  ldp x27, x28, [sp, #64]\n"
        "  ldp x29, x30, [sp, #80]\n"
        "  ldp d8, d9, [sp, #96]\n"
        "  ldp d10, d11, [sp, #112]\n"
        "  ldp d12, d13, [sp, #128]\n"
        "  ldp d14, d15, [sp, #144]\n"
        "  add sp, sp, #160\n"
        "  ret\n"
        ".size os_carrier_change_stack,.-os_carrier_change_stack\n"
        ".globl os_carrier_entry\n"
        ".hidden os_carrier_entry\n"
        ".type os_carrier_entry,%function\n"
        "os_carrier_entry:\n"
        "  .cfi_startproc\n"
        "  .cfi_undefined x30\n"
        "  bl os_carrier_entered\n"
        "  brk #0\n"
        "  .cfi_endproc\n"
        ".size os_carrier_entry,.-os_carrier_entry\n");

#endif

/* ---- stacks */

#define STACK_BYTES (1u << 20)
#define GUARD_BYTES (64u << 10) /* the largest size of a system's page */
#define POOL_MAX 8u

OS_NOT_COPIED static void *pool[POOL_MAX]; /* stacks that wait for their next use */
OS_NOT_COPIED static size_t pool_count;
OS_NOT_COPIED static bool pool_begun;

static void *stack_map(void)
{
    void *stack = mmap(NULL, STACK_BYTES, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
    if (stack == MAP_FAILED)
        return NULL;
    if (mprotect(stack, GUARD_BYTES, PROT_NONE) != 0) {
        munmap(stack, STACK_BYTES);
        return NULL;
    }
    return stack;
}

/* The first one fills the pool: from then on the n-th thread of a program finds its stack in the same way in
 * every run, and fuzzers that watch the code's edges see the same. */
static void *stack_take(void)
{
    while (!pool_begun && pool_count < POOL_MAX) {
        void *stack = stack_map();
        if (stack == NULL)
            break;
        pool[pool_count++] = stack;
    }
    pool_begun = true;
    return pool_count > 0 ? pool[--pool_count] : stack_map();
}

static void stack_give(void *stack)
{
    if (pool_count < POOL_MAX)
        pool[pool_count++] = stack;
    else
        munmap(stack, STACK_BYTES);
}

/* ---- turns */

static struct os_thread *left; /* whose turn ended last */

/* Before and after a change of stacks. `notes` NULL: for good. */
static void announce(struct os_thread *next, void **notes)
{
#if defined(OS_ADDRESS_SANITIZER)
    __sanitizer_start_switch_fiber(notes, next->carrier.bottom, next->carrier.size);
#else
    (void)next;
    (void)notes;
#endif
}

static void arrive(struct os_thread *self)
{
#if defined(OS_ADDRESS_SANITIZER)
    const void *bottom = NULL;
    size_t size = 0;
    __sanitizer_finish_switch_fiber(self->carrier.notes, &bottom, &size);
    if (left->carrier.stack == NULL && left->carrier.bottom == NULL) { /* only the sanitizer knows it */
        left->carrier.bottom = bottom;
        left->carrier.size = size;
    }
#endif
    left->costs = os_thread_costs;
    os_thread_costs = self->costs;
    os_thread_set_self(self);
}

__attribute__((used)) _Noreturn void os_carrier_entered(void)
{
    struct os_thread *self = os_sim.running;
    arrive(self);
    os_carrier_begins(self);
}

void os_carrier_switch(struct os_thread *self, struct os_thread *next)
{
    left = self;
    announce(next, &self->carrier.notes);
    os_carrier_change_stack(&self->carrier.stack_pointer, next->carrier.stack_pointer);
    arrive(self);
}

void os_carrier_leave(struct os_thread *self, struct os_thread *next)
{
    left = self;
    announce(next, NULL);
    os_carrier_change_stack(&self->carrier.stack_pointer, next->carrier.stack_pointer);
    abort();
}

void os_carrier_adopt(struct os_thread *thread)
{
    thread->carrier = (struct os_carrier){0};
}

void os_carrier_release(struct os_thread *thread)
{
    (void)thread;
}

bool os_carrier_make(struct os_thread *thread)
{
    uint8_t *stack = stack_take();
    if (stack == NULL)
        return false;
    uint8_t *bottom = stack + GUARD_BYTES;
    const size_t size = STACK_BYTES - GUARD_BYTES;
    /* Behind the frame, so many bytes that the first function finds the alignment that it expects. */
    void **frame = (void **)(void *)(stack + STACK_BYTES - 64) - ALL_WORDS;
    memset(frame, 0, ALL_WORDS * sizeof *frame);
    void (*entry)(void) = os_carrier_entry;
    memcpy(&frame[PLACE_WORD], &entry, sizeof entry);
    thread->carrier =
        (struct os_carrier){.stack_pointer = frame, .stack = stack, .bottom = bottom, .size = size};
#if defined(OS_ADDRESS_SANITIZER)
    __lsan_register_root_region(bottom, size);
#endif
    return true;
}

void os_carrier_free(struct os_thread *thread)
{
#if defined(OS_ADDRESS_SANITIZER)
    __lsan_unregister_root_region(thread->carrier.bottom, thread->carrier.size);
    __asan_unpoison_memory_region(thread->carrier.bottom, thread->carrier.size); /* frames that were left */
#endif
    stack_give(thread->carrier.stack);
    thread->carrier.stack = NULL;
}

#else

/* Each thread's semaphore carries its turn, and with it the memory order. (Semaphores, because waiting for
 * one is the same code however long it takes: fuzzers that watch the code's edges see the same run.) */

static void wait_for_turn(struct os_thread *self)
{
    while (sem_wait(&self->carrier.turn) != 0) { /* only a signal of the operating system's interrupts it */
    }
}

static void *carrier_main(void *argument)
{
    struct os_thread *self = argument;
    os_thread_set_self(self);
    wait_for_turn(self);
    os_carrier_begins(self);
}

void os_carrier_switch(struct os_thread *self, struct os_thread *next)
{
    sem_post(&next->carrier.turn);
    wait_for_turn(self);
}

void os_carrier_leave(struct os_thread *self, struct os_thread *next)
{
    (void)self;
    sem_post(&next->carrier.turn);
    pthread_exit(NULL);
}

void os_carrier_adopt(struct os_thread *thread)
{
    sem_init(&thread->carrier.turn, 0, 0);
}

void os_carrier_release(struct os_thread *thread)
{
    sem_destroy(&thread->carrier.turn);
}

bool os_carrier_make(struct os_thread *thread)
{
    sem_init(&thread->carrier.turn, 0, 0);
    if (pthread_create(&thread->native, NULL, carrier_main, thread) == 0)
        return true;
    sem_destroy(&thread->carrier.turn);
    return false;
}

void os_carrier_free(struct os_thread *thread)
{
    pthread_join(thread->native, NULL);
    sem_destroy(&thread->carrier.turn);
}

#endif

OS_UNTRACED_END
