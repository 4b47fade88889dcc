#include "fuzz/target/transcript.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The run before: what went in, what came out. */
struct memory {
    bool filled;
    uint64_t input;
    struct text said;
};

bool fuzz_transcripts_wanted(void)
{
    return getenv("ESENT_FUZZ_TRANSCRIPTS") != NULL;
}

static uint64_t fnv(const uint8_t *bytes, size_t size)
{
    uint64_t hash = 0xcbf29ce484222325;
    for (size_t i = 0; i < size; i++)
        hash = (hash ^ bytes[i]) * 0x100000001b3;
    return hash;
}

static bool same(const struct text *a, const struct text *b)
{
    return a->size == b->size && memcmp(a->bytes, b->bytes, a->size) == 0;
}

static void append(const struct text *text)
{
    FILE *file = fopen(getenv("ESENT_FUZZ_TRANSCRIPTS"), "ab");
    const bool good = file != NULL && fwrite(text->bytes, 1, text->size, file) == text->size;
    if (file == NULL || fclose(file) != 0 || !good) {
        perror("ESENT_FUZZ_TRANSCRIPTS");
        abort();
    }
}

void fuzz_write_transcript(const uint8_t *input, size_t size, const struct program *transcript,
                           uint64_t files_hash)
{
    static struct memory before;
    const uint64_t number = fnv(input, size);
    struct text text = {0};
    text_print(&text, "# input %016llx files %016llx\n", (unsigned long long)number,
               (unsigned long long)files_hash);
    program_print(transcript, &text);
    const bool again = before.filled && before.input == number;
    if (again && !same(&before.said, &text)) {
        fprintf(stderr, "the same input ran otherwise than before\n--- before\n%s--- now\n%s",
                before.said.bytes, text.bytes);
        abort();
    }
    if (!again)
        append(&text);
    text_free(&before.said);
    before = (struct memory){.filled = true, .input = number, .said = text};
}
