#if !defined(_GNU_SOURCE)
#define _GNU_SOURCE 1
#endif

#include "fuzz/sweep/apart.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define JOBS_OF_A_CHILD 400
#define NOTE_MAX (64 * 1024)
#define SAID_MAX 4000

/* Shared with the children. */
static char *note;

struct header {
    uint32_t index;
    uint32_t size;
};

struct child {
    pid_t pid;
    int answers; /* the pipe's end */
    int said;    /* a file in memory: its standard error */
};

static void make_note_room(void)
{
    if (note != NULL)
        return;
    note = mmap(NULL, NOTE_MAX, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (note == MAP_FAILED)
        abort();
}

void apart_note(const struct text *text)
{
    make_note_room();
    size_t size = text->size < NOTE_MAX - 1 ? text->size : NOTE_MAX - 1;
    if (size > 0)
        memcpy(note, text->bytes, size);
    note[size] = '\0';
}

const char *apart_last_note(void)
{
    make_note_room();
    return note;
}

static void write_all(int file, const void *bytes, size_t size)
{
    const char *at = bytes;
    while (size > 0) {
        ssize_t written = write(file, at, size);
        if (written <= 0)
            _exit(3);
        at += written;
        size -= (size_t)written;
    }
}

static _Noreturn void be_child(const struct apart_jobs *jobs, size_t first, int answers)
{
    for (size_t i = first; i < jobs->count && i < first + JOBS_OF_A_CHILD; i++) {
        struct text answer = {0};
        jobs->work(jobs->context, i, &answer);
        struct header header = {(uint32_t)i, (uint32_t)answer.size};
        write_all(answers, &header, sizeof header);
        write_all(answers, answer.bytes, answer.size);
        text_free(&answer);
    }
    _exit(0);
}

static bool start_child(const struct apart_jobs *jobs, size_t first, struct child *child)
{
    int ends[2];
    child->said = memfd_create("said", 0);
    if (child->said < 0 || pipe(ends) != 0)
        return false;
    fflush(NULL);
    child->pid = fork();
    if (child->pid < 0)
        return false;
    if (child->pid == 0) {
        close(ends[0]);
        dup2(child->said, 2);
        be_child(jobs, first, ends[1]);
    }
    close(ends[1]);
    child->answers = ends[0];
    return true;
}

/* 1 read, 0 the child has ended, -1 too late. */
static int read_all(const struct child *child, unsigned timeout, void *bytes, size_t size)
{
    char *at = bytes;
    while (size > 0) {
        struct pollfd wait_for = {.fd = child->answers, .events = POLLIN};
        int ready = poll(&wait_for, 1, (int)timeout * 1000);
        if (ready == 0)
            return -1;
        if (ready < 0 && errno == EINTR)
            continue;
        ssize_t got = read(child->answers, at, size);
        if (got <= 0)
            return 0;
        at += got;
        size -= (size_t)got;
    }
    return 1;
}

static void end_child(struct child *child, bool hangs)
{
    if (hangs)
        kill(child->pid, SIGKILL);
    close(child->answers);
    waitpid(child->pid, NULL, 0);
}

/* One child's jobs from `*next` on. */
static bool run_child(const struct apart_jobs *jobs, size_t *next)
{
    struct child child;
    if (!start_child(jobs, *next, &child))
        return false;
    bool go_on = true;
    int state = 1;
    const size_t end = *next + JOBS_OF_A_CHILD < jobs->count ? *next + JOBS_OF_A_CHILD : jobs->count;
    while (go_on && *next < end) {
        struct header header;
        char *answer = NULL;
        state = read_all(&child, jobs->timeout, &header, sizeof header);
        if (state == 1) {
            answer = calloc(1, (size_t)header.size + 1);
            state = answer == NULL ? 0 : read_all(&child, jobs->timeout, answer, header.size);
        }
        if (state == 1)
            go_on = jobs->take(jobs->context, (*next)++, NULL, answer, header.size);
        free(answer);
        if (state != 1)
            break;
    }
    end_child(&child, state == -1 || !go_on);
    if (go_on && *next < end) {
        char said[SAID_MAX + 1];
        ssize_t got = pread(child.said, said, SAID_MAX, 0);
        said[got > 0 ? got : 0] = '\0';
        go_on = jobs->take(jobs->context, (*next)++, state == -1 ? "hang" : "crash", said, strlen(said));
    }
    close(child.said);
    return go_on;
}

bool apart_run(const struct apart_jobs *jobs)
{
    make_note_room();
    size_t next = 0;
    while (next < jobs->count) {
        if (!run_child(jobs, &next))
            return false;
    }
    return true;
}
