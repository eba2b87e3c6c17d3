/* The release that one program of a zone is told instead of the zone's. */
#pragma once

#include "syscall-xlat/call.h"

/* Fills `release` (at least 65 bytes) and returns TRUE where the plan's quirk program-release gives
 * the calling program another release than the zone's; see program-release.c. */
gboolean bz_program_release (BzCall *call, char *release, gsize size);

/* The least kernel that the ABI note of an ELF image names: `head` are the image's first bytes.
 * FALSE: it has none there. Pure, for tests and fuzzers. */
gboolean bz_program_note (const guint8 *head, gsize size, guint32 part[3]);

/* The value of `name` in an environment as execve(2) left it: strings, each with its NUL. Borrowed,
 * or NULL; a value that is cut off does not count. */
const char *bz_program_variable (const char *environment, gsize size, const char *name);
