/* A private copy of a file that others can change or cut off while it is read. */
#pragma once

#include <glib.h>

/* Copies a regular file into a sealed memfd (no writing, growing, shrinking) and returns that, or
 * -1. fd: any descriptor of the file, also a task's own (pidfd_getfd) or of O_PATH; its position is
 * left alone. limit: bytes; a longer file, sparse or not, is refused before anything is read.
 * Errors: BZ_ERROR_INPUT (no regular file, too long), BZ_ERROR_STATE (it changed while it was read,
 * or took longer than 10 seconds). Can block as long as the file's file system does: call it on a
 * worker. */
int bz_image_copy (int fd, guint64 limit, GError **error);

/* Whether a copy can hold uses of the vsyscall page: it is an x86-64 ELF image, and the low halves
 * of its addresses occur somewhere. Most files say no, and then there is nothing to rewrite. TRUE
 * when it can't be read. */
gboolean bz_image_may_call_vsyscall (int memfd);

/* SHA-256 of a file's bytes and of `salt`, in 64 hexadecimal digits owned by the caller; NULL and
 * error. */
char *bz_image_checksum (int fd, const char *salt, GError **error);

/* Copies `size` bytes; holes of `from` stay holes. fresh: `from` has a position of its own to be
 * moved. */
gboolean bz_image_transfer (int from, int to, guint64 size, gboolean fresh, GError **error);
