/* Whether memory is all zero: what files hold where nobody has written yet. */
#ifndef OPENESENT_OS_ZERO_H
#define OPENESENT_OS_ZERO_H

#include <stdbool.h>
#include <stddef.h>

/* Any size, 0 included (true), and any alignment. As quick as reading the first words where one of them
 * tells.
 */
bool os_is_zero(const void *bytes, size_t size);

#endif
