/* System parameters: by number, with type, default, range, scope, and when they may be written.
 *
 * Global parameters live in one set of the process; the others in one set of each instance, which starts as a
 * copy of the process's set (what was set before the instance was made). Values are text (UTF-8, owned by the
 * set) or 64-bit numbers. The table follows the published engine's (`sysparamtable.g.cxx`, `sysparam.xml`);
 * where the profiles differ the default depends on the profile in force when the process's set was
 * initialised. docs/parameters.md lists all.
 *
 * Thread-safety: writes under the process lock; numbers may be read at any time; texts are read by start-up
 * (which excludes writes) and under the process lock. */
#ifndef OPENESENT_INSTANCE_PARAMETERS_H
#define OPENESENT_INSTANCE_PARAMETERS_H

#include "src/os/atomic.h"
#include "src/os/error.h"

#define PARAMETER_COUNT JET_paramMaxValueInvalid

enum parameter_type {
    PARAMETER_ILLEGAL, /* no such parameter: JET_errInvalidParameter */
    PARAMETER_BOOLEAN,
    PARAMETER_GRBIT,
    PARAMETER_INTEGER,
    PARAMETER_BLOCK_SIZE, /* a power of two */
    PARAMETER_POINTER,
    PARAMETER_STRING,
    PARAMETER_PATH,   /* of a file; made absolute when set with an instance that starts */
    PARAMETER_FOLDER, /* of a directory; has a separator at its end */
    PARAMETER_CUSTOM, /* own code: see parameter_special.c */
};

enum parameter_flags {
    PARAMETER_GLOBAL = 0x01,               /* one value for the process */
    PARAMETER_FIXED_BY_GLOBAL_INIT = 0x02, /* not writable once the process mode is chosen */
    PARAMETER_FIXED_BY_INIT = 0x04,        /* not writable in an instance that runs */
    PARAMETER_ADVANCED = 0x08,  /* tuned by JET_paramConfiguration; ignored unless JET_paramEnableAdvanced */
    PARAMETER_IGNORED = 0x10,   /* checked and stored, without any effect */
    PARAMETER_SPECIAL = 0x40,   /* has code of its own in parameters.c */
    PARAMETER_READ_ONLY = 0x20, /* JET_errInvalidParameter on a write */
};

struct parameter_definition {
    const char *name;       /* without JET_param; NULL for an illegal number */
    uint8_t type;           /* enum parameter_type */
    uint8_t flags;          /* enum parameter_flags */
    uint64_t low;           /* least value, or least length of a text */
    uint64_t high;          /* greatest value, or greatest length of a text (bytes) */
    uint64_t small_default; /* JET_paramConfiguration small */
    uint64_t default_value; /* JET_paramConfiguration legacy: the normal one */
    const char *default_text;
};

/* The definition of a parameter; type PARAMETER_ILLEGAL for a number that is none. */
const struct parameter_definition *parameter_definition(uint32_t number);

struct parameter {
    os_atomic_64 number;
    char *text;   /* NULL: the default */
    bool written; /* set by a caller */
};

/* JET_paramUnicodeIndexDefault: locale en-US; sort key, ignoring case, kana type and width. */
#define PARAMETER_UNICODE_LOCALE 0x409u
#define PARAMETER_UNICODE_FLAGS 0x30401u
struct parameter_unicode_default {
    uint32_t locale_id;
    uint32_t map_flags;
};

/* Room for a text in the process's set, whose texts must outlive all instances without being allocated. */
#define PARAMETER_TEXT_SIZE 1056u

struct parameters {
    struct parameter values[PARAMETER_COUNT];
    bool unicode_default_set; /* JET_paramUnicodeIndexDefault was given */
    struct parameter_unicode_default unicode_default;
    char (*storage)[PARAMETER_TEXT_SIZE]; /* PARAMETER_COUNT texts; NULL: texts are allocated */
};

/* Fills a set with the defaults of the profile in force; `storage` may be NULL. */
void parameters_init(struct parameters *set, char (*storage)[PARAMETER_TEXT_SIZE]);
/* The profile has changed: defaults that depend on it and were not written follow. */
void parameters_refresh(struct parameters *set);
/* Copies everything, texts too. On failure (JET_errOutOfMemory) `to` is as after parameters_done. */
JET_ERR parameters_copy(struct parameters *to, const struct parameters *from);
/* Frees the texts. */
void parameters_done(struct parameters *set);

/* Reads. `number` must be of a fitting type (asserted). */
uint64_t parameter_number(const struct parameters *set, uint32_t number);
static inline bool parameter_is_on(const struct parameters *set, uint32_t number)
{
    return parameter_number(set, number) != 0;
}
const char *parameter_text(const struct parameters *set, uint32_t number);

/* What an instance needs to know about who writes. */
struct parameter_writer {
    bool mode_chosen; /* the process is in one-instance or multi-instance mode */
    bool running;     /* the parameter's instance is initialised (or initialises) */
    bool advanced;    /* JET_paramEnableAdvanced is on */
};

/* JET_errInvalidParameter for bits that no commit may have by default (JET_paramCommitDefault). */
JET_ERR parameter_check_commit_default(uint64_t value);

/* Checks and sets; `value` for numbers, `text` for texts (NULL: JET_errInvalidParameter for a text). Errors:
 * JET_errInvalidParameter (unknown number, out of range), JET_errAlreadyInitialized (too late). */
JET_ERR parameter_set(struct parameters *set, uint32_t number, uint64_t value, const char *text,
                      const struct parameter_writer *writer);
/* Formats, as JET_paramEngineFormatVersion numbers them, from which on there is something new. */
#define FORMAT_VERSION_BIRTHS 9120u      /* logs have records of pages' births */
#define FORMAT_VERSION_VALUE_KINDS 9520u /* MSysLocales has columns for more kinds of values */
/* Whether the instance's format is that one or newer. */
bool parameters_format_reaches(const struct parameters *set, uint32_t wanted);
/* The format that JET_efvUseEngineDefault stands for. */
uint32_t parameters_newest_format(void);
/* Sets without checks and without marking it written: the engine's own corrections at start-up. */
JET_ERR parameter_force_text(struct parameters *set, uint32_t number, const char *text);
void parameter_force_number(struct parameters *set, uint32_t number, uint64_t value);

#endif
