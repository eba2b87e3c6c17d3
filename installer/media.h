/* Where the files of a package repository come from. */
#pragma once

#include "installer/job.h"

typedef struct {
  BzJob *job;
  int dir_fd;        /* of a directory; -1: the caller fetches (installer/requests.h) */
  int requests_fd;   /* to the caller; -1: nobody is there */
  const char *label; /* how the source is called in errors; borrowed */
} BzMedia;

/* Opens a file of the repository for reading. -1 with *missing set and no error: there is none. */
int bz_media_open (BzMedia *media, const char *path, gboolean *missing, GError **error);

/* Names in a directory of the repository that end in `suffix`, sorted; of a server those that its
 * list of the directory links to. NULL without an error: there is no such directory. */
GPtrArray *bz_media_list (BzMedia *media, const char *path, const char *suffix, GError **error);

/* TRUE when the caller has keys to check signatures with. */
gboolean bz_media_has_keys (BzMedia *media, gboolean *has, GError **error);
/* Has the caller check a detached signature of what data_fd holds. *told (may be NULL): whose it
 * is. */
gboolean bz_media_verify (BzMedia *media, int data_fd, int signature_fd, const char *what,
                          char **told, GError **error);
