/* What a program leaves to the one that is executed in its place: values, and descriptors, which keep
 * their numbers. */
#pragma once

#include <glib.h>

typedef struct {
  GVariantDict values;
  GArray *fds; /* of int: those that the next program gets */
} BzHandOver;

void bz_hand_over_init (BzHandOver *left);
void bz_hand_over_clear (BzHandOver *left);

/* fd may be -1. */
void bz_hand_over_fd (BzHandOver *left, const char *key, int fd);
void bz_hand_over_fds (BzHandOver *left, const char *key, const int *fds, guint count);
void bz_hand_over_text (BzHandOver *left, const char *key, const char *text); /* text may be NULL */

/* Writes all of it to a memfd, which the next program gets, too; -1 and error. */
int bz_hand_over_write (BzHandOver *left, GError **error);

/* Lets the descriptors pass an execve(2), or not. */
void bz_hand_over_open (const BzHandOver *left, gboolean passes);

/* The next program's side. NULL with error. */
GVariantDict *bz_hand_over_read (int fd, GError **error);

/* Takes a descriptor: it is close-on-exec again. -1: none was left. Sets *bad when one that was left
 * is not open. */
int bz_hand_over_take_fd (GVariantDict *values, const char *key, gboolean *bad);

/* Takes at most `count` into fds, and fills the rest with -1. Returns how many there were. */
guint bz_hand_over_take_fds (GVariantDict *values, const char *key, int *fds, guint count,
                             gboolean *bad);
