/* esent.h: the Extensible Storage Engine's API for portable programs.
 *
 * Names, constants, structure layouts and error numbers are those of the public header on 64-bit Windows, so
 * that a program written for esent.dll compiles unchanged and a foreign-function binding meets the same ABI.
 * `long` has 32 bits there, hence the fixed-width types. Text is UTF-8 `char` in ...A calls and UTF-16
 * `WCHAR` in ...W calls; both are always there, and the un-suffixed name is a macro (define JET_UNICODE
 * before inclusion for the wide ones).
 *
 * Handles are opaque: every handle is looked up, so a stale or invented one answers an error code. */
#ifndef OPENESENT_ESENT_H
#define OPENESENT_ESENT_H
#define _JET_INCLUDED

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The newest version of the interface; everything is always declared. */
#ifndef JET_VERSION
#define JET_VERSION 0x0A01
#endif

/* Calling conventions mean nothing here. */
#define JET_API
#define JET_NODSAPI

typedef uint64_t JET_API_PTR;
typedef int32_t JET_ERR;

typedef JET_API_PTR JET_INSTANCE;
typedef JET_API_PTR JET_SESID;
typedef JET_API_PTR JET_TABLEID;
typedef JET_API_PTR JET_HANDLE; /* a file of a backup */
typedef JET_API_PTR JET_LS;     /* local storage: a value of the program's own */
typedef JET_API_PTR JET_OSSNAPID;

typedef uint32_t JET_DBID;
typedef uint32_t JET_COLUMNID;
typedef uint32_t JET_OBJTYP;
typedef uint32_t JET_COLTYP;
typedef uint32_t JET_GRBIT;
typedef uint32_t JET_SNP;
typedef uint32_t JET_SNT;
typedef uint32_t JET_CBTYP;
typedef uint32_t JET_ENGINEFORMATVERSION;
typedef double JET_DATESERIAL; /* days since 1899-12-30 */

typedef uint16_t WCHAR; /* a UTF-16 code unit; u"..." literals fit */
typedef char *JET_PSTR;
typedef const char *JET_PCSTR;
typedef WCHAR *JET_PWSTR;
typedef const WCHAR *JET_PCWSTR;

#include "esent/constants.h"
#include "esent/errors.h"
#include "esent/parameters.h"
#include "esent/structures.h"
#include "esent/recovery_structures.h"
#include "esent/schema_structures.h"
#include "esent/functions.h"
#include "esent/names.h"

#ifdef __cplusplus
}
#endif

#endif
