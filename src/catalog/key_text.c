/* Sort keys of Unicode text, from ICU. */
#include "src/catalog/key.h"

#include <unicode/ucol.h>
#include <unicode/uloc.h>

#include "src/os/error.h"
#include "src/os/lock.h"
#include "src/os/memory.h"
#include "src/os/sanitizer.h"

#define IGNORE_CASE 0x00000001u
#define IGNORE_NONSPACE 0x00000002u
#define IGNORE_SYMBOLS 0x00000004u
#define LINGUISTIC_IGNORE_CASE 0x00000010u

#define COLLATOR_SLOTS 16
#define LOCALE_SIZE 96

/* Open collators, kept for the life of the process: opening one costs more than all else. */
struct collator_slot {
    char locale[LOCALE_SIZE];
    uint32_t flags;
    UCollator *collator;
};
OS_NOT_COPIED static struct collator_slot slots[COLLATOR_SLOTS];
OS_NOT_COPIED static unsigned slot_count;
static struct os_mutex slots_lock = OS_MUTEX_INITIALIZER(OS_RANK_LEAF);

static bool locale_to_ascii(const uint16_t *locale, char *out)
{
    size_t i = 0;
    for (; locale != NULL && locale[i] != 0; i++) {
        if (i + 1 >= LOCALE_SIZE || locale[i] >= 0x80)
            return false;
        out[i] = (char)locale[i];
    }
    out[i] = 0;
    return true;
}

static UCollator *collator_open(const char *locale, uint32_t flags)
{
    UErrorCode status = U_ZERO_ERROR;
    os_library_begins();
    UCollator *collator = ucol_open(locale, &status);
    os_library_ends(NULL, 0);
    if (U_FAILURE(status))
        return NULL;
    UCollationStrength strength = UCOL_TERTIARY;
    if (flags & IGNORE_NONSPACE)
        strength = UCOL_PRIMARY;
    else if (flags & (IGNORE_CASE | LINGUISTIC_IGNORE_CASE))
        strength = UCOL_SECONDARY;
    ucol_setStrength(collator, strength);
    if (flags & IGNORE_SYMBOLS)
        ucol_setAttribute(collator, UCOL_ALTERNATE_HANDLING, UCOL_SHIFTED, &status);
    else
        ucol_setAttribute(collator, UCOL_ALTERNATE_HANDLING, UCOL_NON_IGNORABLE, &status);
    ucol_setAttribute(collator, UCOL_NORMALIZATION_MODE, UCOL_ON, &status);
    return collator;
}

/* The length of the text's sort key; it is made unless `out` is NULL. */
static int32_t make_key(const UCollator *collator, const UChar *text, uint32_t size, uint8_t *out,
                        int32_t available)
{
    os_library_begins();
    const int32_t length = ucol_getSortKey(collator, text, (int32_t)(size / sizeof(UChar)), out, available);
    os_library_ends(out, length < available ? (size_t)length : (size_t)available);
    return length;
}

/* The collator for a locale, from the slots or newly opened; *shared says whether it stays in a slot. Under
 * the lock. */
static UCollator *collator_get(const char *locale, uint32_t flags, bool *shared)
{
    *shared = true;
    for (unsigned i = 0; i < slot_count; i++) {
        if (slots[i].flags == flags && strcmp(slots[i].locale, locale) == 0)
            return slots[i].collator;
    }
    UCollator *collator = collator_open(locale, flags);
    *shared = collator != NULL && slot_count < COLLATOR_SLOTS;
    if (*shared) {
        struct collator_slot *slot = &slots[slot_count++];
        memcpy(slot->locale, locale, strlen(locale) + 1);
        slot->flags = flags;
        slot->collator = collator;
    }
    return collator;
}

JET_ERR key_map_text(const uint16_t *locale, uint32_t map_flags, const uint8_t *text, uint32_t size,
                     uint8_t *out, uint32_t available, uint32_t *written, bool *truncated)
{
    JET_ERR err = JET_errSuccess;
    char name[LOCALE_SIZE];
    UChar *copy = NULL;
    uint8_t *whole = NULL;
    UCollator *collator = NULL;
    bool shared = true;
    if (!locale_to_ascii(locale, name))
        FAIL(JET_errInvalidLanguageId);
    if (size < sizeof(UChar))
        FAIL(JET_errUnicodeTranslationFail); /* half a character */
    if ((copy = os_allocate(size + sizeof(UChar))) == NULL)
        FAIL(JET_errOutOfMemory);
    memcpy(copy, text, size);
    os_mutex_lock(&slots_lock);
    collator = collator_get(name, map_flags, &shared);
    int32_t length = 0;
    if (collator != NULL) {
        length = make_key(collator, copy, size, NULL, 0);
        if (length > 0 && (whole = os_allocate((size_t)length)) != NULL)
            make_key(collator, copy, size, whole, length);
    }
    os_mutex_unlock(&slots_lock);
    if (collator == NULL || length <= 0)
        FAIL(JET_errUnicodeNormalizationNotSupported);
    if (whole == NULL)
        FAIL(JET_errOutOfMemory);
    *truncated = (uint32_t)length > available;
    *written = *truncated ? available : (uint32_t)length;
    memcpy(out, whole, *written);
done:
    if (!shared && collator != NULL)
        ucol_close(collator);
    os_free(copy);
    os_free(whole);
    return err;
}

bool key_locale_is_valid(const uint16_t *locale)
{
    char name[LOCALE_SIZE];
    if (!locale_to_ascii(locale, name))
        return false;
    if (name[0] == 0)
        return true;
    UErrorCode status = U_ZERO_ERROR;
    char language[16] = {0};
    os_library_begins();
    uloc_getLanguage(name, language, sizeof(language), &status);
    const char *three = uloc_getISO3Language(name);
    os_library_ends(language, sizeof(language));
    return !U_FAILURE(status) && language[0] != 0 && three[0] != 0;
}
