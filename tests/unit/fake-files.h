/* The one file and the one directory of a made-up task (fake-call.h). */
#pragma once

#include "syscall-xlat/files.h"

typedef struct {
  struct statx status; /* of every path and descriptor */
  BzOwner owner; /* that is remembered of it */
  struct statfs file_system;
  int error;       /* of every look */
  char path[4096]; /* what was looked at last; "": a descriptor */
  int directory;
  guint flags;
  guint8 entries[4096]; /* as of getdents64(2) */
  gsize length;
  guint64 place; /* where it stands */
  guint looks, seeks;
} BzFakeFiles;

extern const BzFileClass bz_fake_file_class;

/* Puts an entry behind those that are there. */
void bz_fake_entry (BzFakeFiles *files, guint64 inode, guint64 offset, const char *name);
/* An empty table, the same memory at each call. */
BzFold *bz_fake_fold (void);
