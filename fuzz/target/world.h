/* Copies of the whole simulated process - the engine, its files, the runner, the model - between two calls of
 * a program, and going back to them: the next program that begins alike need not run its beginning again.
 *
 * The memory is the targets' heap (heap.h), which serves our own malloc as well while a program runs, and our
 * variables, which the linker puts together (world.lds): their pages are write-protected until they are first
 * written, so that only those that ever change are copied. Nothing else may hold state: no thread but one
 * (EsentHostMemoryIsCopied), nothing on the stack (runner.h, run_open), no block of the C library (then no
 * copy is made). The counters of edges that the run has visited go along: a run that begins at a copy is seen
 * as a whole one.
 *
 * Needs lld, and neither MemorySanitizer nor ThreadSanitizer. One world in a process; not thread-safe. */
#ifndef OPENESENT_FUZZ_TARGET_WORLD_H
#define OPENESENT_FUZZ_TARGET_WORLD_H

#include <stdbool.h>
#include <stddef.h>

#define WORLD_IMAGES_MAX 128u

/* An image of the world; given back with world_forget. */
struct world_image;

/* Begins to watch the variables; call between programs, with the heap in use and nothing in it. The state of
 * now is what world_go_back(NULL) goes back to. False: not in this build, or not now. The first call decides.
 */
bool world_begin(void);

/* NULL if this state can not be copied (see above), is too large to be worth it, or
 * if there are as many images as there may be. */
struct world_image *world_copy(void);
/* Everything is as it was when the image was made, or as at world_begin (NULL). */
void world_go_back(const struct world_image *image);
/* The run that went back is over: the counters are of all that the input did, its reading included. */
void world_is_done(void);
void world_forget(struct world_image *image);

#endif
