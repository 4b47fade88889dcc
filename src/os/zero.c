#include "src/os/zero.h"

#include <stdint.h>

#include "src/os/sanitizer.h"

/* As many bytes as a line of the processor's cache; at any address, over memory of any type. */
typedef uint64_t words __attribute__((vector_size(64), aligned(1), may_alias));
#define GROUP_BYTES (4 * sizeof(words))

OS_RANGE_CHECKED static bool is_zero(const uint8_t *bytes, size_t size)
{
    const uint8_t *end = bytes + size;
    for (; (size_t)(end - bytes) >= GROUP_BYTES; bytes += GROUP_BYTES) {
        const words *group = (const void *)bytes;
        const words any = group[0] | group[1] | group[2] | group[3];
        if ((any[0] | any[1] | any[2] | any[3] | any[4] | any[5] | any[6] | any[7]) != 0)
            return false;
    }
    for (; bytes < end; bytes++) {
        if (*bytes != 0)
            return false;
    }
    return true;
}

bool os_is_zero(const void *bytes, size_t size)
{
    const uint8_t *byte = bytes;
    if (size > 0 && byte[0] != 0)
        return false;
    os_check_readable(bytes, size);
    return is_zero(byte, size);
}
