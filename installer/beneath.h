/* Opening names below a directory without ever leaving it. */
#pragma once

#include <glib.h>
#include <sys/types.h>

/* How a path below `dir_fd` is resolved. */
typedef enum {
  BZ_BENEATH_NO_LINKS, /* any symbolic link on the way is ELOOP */
  BZ_BENEATH_LINKS,    /* links are followed while they stay below; else EXDEV */
  BZ_BENEATH_AS_ROOT   /* dir_fd acts as "/": absolute links and ".." stay inside */
} BzBeneath;

/* openat2(2) of `path` (relative, any length, "" is the directory itself).
 * With BZ_BENEATH_NO_LINKS mount points are not crossed either (EXDEV). flags
 * get O_CLOEXEC. Returns a descriptor, or -1 with errno. */
int bz_beneath_open (int dir_fd, const char *path, int flags, mode_t mode, BzBeneath how);
