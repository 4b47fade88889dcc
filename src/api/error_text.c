/* Descriptions of error codes, and JetGetErrorInfo (engine source: `errorhierarchy.cxx`). */
#include "src/api/error_text.h"

#include <stdio.h>

/* The parent of each category; the root is its own. */
static const uint8_t category_parents[JET_errcatMax] = {
    [JET_errcatUnknown] = JET_errcatUnknown,    [JET_errcatError] = JET_errcatError,
    [JET_errcatOperation] = JET_errcatError,    [JET_errcatFatal] = JET_errcatOperation,
    [JET_errcatIO] = JET_errcatOperation,       [JET_errcatResource] = JET_errcatOperation,
    [JET_errcatMemory] = JET_errcatResource,    [JET_errcatQuota] = JET_errcatResource,
    [JET_errcatDisk] = JET_errcatResource,      [JET_errcatData] = JET_errcatError,
    [JET_errcatCorruption] = JET_errcatData,    [JET_errcatInconsistent] = JET_errcatData,
    [JET_errcatFragmentation] = JET_errcatData, [JET_errcatApi] = JET_errcatError,
    [JET_errcatUsage] = JET_errcatApi,          [JET_errcatState] = JET_errcatApi,
    [JET_errcatObsolete] = JET_errcatApi,
};

/* Fills the path from the root to `category`; returns its length. */
static size_t hierarchy(uint8_t category, uint8_t path[8])
{
    size_t depth = category_parents[category] == category ? 0 : hierarchy(category_parents[category], path);
    path[depth] = category;
    return depth + 1;
}

/* "JET_errInvalidName" in words: "Invalid Name". */
static void name_in_words(const char *name, char *words, size_t size)
{
    size_t used = 0;
    const char *rest = name + sizeof("JET_err") - 1; /* or JET_wrn */
    for (; *rest != '\0'; rest++) {
        ASSERT(used + 2 < size);
        if (used > 0 && *rest >= 'A' && *rest <= 'Z' && rest[-1] >= 'a' && rest[-1] <= 'z')
            words[used++] = ' ';
        words[used++] = *rest;
    }
    words[used] = '\0';
}

JET_ERR error_text(JET_ERR error, char *text, size_t size)
{
    char words[128];
    int length;
    const struct error_description *description = error_describe(error);
    if (description == NULL) {
        length = snprintf(text, size, "Unknown error, %d", (int)error);
    } else {
        name_in_words(description->name, words, sizeof(words));
        length = snprintf(text, size, "%s, %s", description->name, words);
    }
    return NEVER(length < 0 || (size_t)length >= size) ? JET_errBufferTooSmall : JET_errSuccess;
}

JET_ERR JET_API JetGetErrorInfoW(void *pvContext, void *pvResult, uint32_t cbMax, uint32_t InfoLevel,
                                 JET_GRBIT grbit)
{
    if (InfoLevel != JET_ErrorInfoSpecificErr || pvContext == NULL || pvResult == NULL || grbit != 0)
        return JET_errInvalidParameter;
    if (cbMax < sizeof(JET_ERRINFOBASIC_W))
        return JET_errInvalidBufferSize;
    JET_ERR error;
    memcpy(&error, pvContext, sizeof(error));
    const struct error_description *description = error_describe(error);
    if (description == NULL)
        return JET_errInvalidParameter;
    JET_ERRINFOBASIC_W *info = pvResult;
    memset(info, 0, sizeof(*info));
    info->cbStruct = sizeof(*info);
    info->errValue = error;
    info->errcatMostSpecific = description->category;
    hierarchy((uint8_t)description->category, info->rgCategoricalHierarchy);
    return JET_errSuccess;
}
