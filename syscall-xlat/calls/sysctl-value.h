/* Names and values of _sysctl(2), apart from any effect. */
#pragma once

#include <glib.h>

typedef enum {
  BZ_SYSCTL_INTS,
  BZ_SYSCTL_WORDS,
  BZ_SYSCTL_STRING,
  BZ_SYSCTL_UUID,
  BZ_SYSCTL_OSTYPE,
  BZ_SYSCTL_RELEASE,
  BZ_SYSCTL_VERSION,
  BZ_SYSCTL_NODENAME,
  BZ_SYSCTL_DOMAINNAME
} BzSysctlKind;

#define BZ_SYSCTL_DEPTH 10 /* CTL_MAXNAME */

typedef struct {
  BzSysctlKind kind;
  const char *file; /* below /proc/sys */
  gboolean writable;
  gint32 name[4]; /* ends with 0 */
} BzSysctlName;

/* NULL when there is no such name (of a value: a directory's is none). */
const BzSysctlName *bz_sysctl_find (const gint32 *name, gsize length);

/* Whether the kernel keeps it as a string: read with a NUL behind it. */
gboolean bz_sysctl_is_string (BzSysctlKind kind);

/* A file's text as the binary value; word is 4 or 8. Returns its length, at most size; 0: the text
 * is no such value. */
gsize bz_sysctl_to_binary (BzSysctlKind kind, const char *text, gsize length, gsize word,
                           void *value, gsize size);

/* A binary value as a file's text, NUL-terminated. FALSE: it is too long or not a value of this
 * kind. */
gboolean bz_sysctl_to_text (BzSysctlKind kind, const void *value, gsize length, gsize word,
                            char *text, gsize size);
