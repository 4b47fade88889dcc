/* Pages of a database that a `short` write left half written. */
#ifndef OPENESENT_FUZZ_TORN_PAGE_H
#define OPENESENT_FUZZ_TORN_PAGE_H

#include "fuzz/program/program.h"

/* Such a page is as lost as one that a machine tore (docs/faults.md): the next start answers -1018, and each
 * check of the files after that names this page alone. Answers the line of that start; the count of lines if
 * the transcript, whose line `hit` met the fault, does not say so. */
size_t torn_page_line(const struct program *transcript, size_t hit);

#endif
