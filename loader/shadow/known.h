/* The files that a supervisor has looked at: what of their text must be put right. */
#pragma once

#include "brand/release.h"

#include <glib.h>
#include <sys/stat.h>

/* Identifies a file's content for as long as nobody changes it. */
typedef struct {
  guint64 device, inode, size;
  gint64 changed; /* ctime in nanoseconds */
} BzFileKey;

void bz_file_key (const struct stat *st, BzFileKey *key);

typedef struct {
  guint64 address; /* as linked */
  guint8 length;
  guint8 before[16], after[16];
} BzTextEdit;

/* One file, counted. Once it is known only its descriptors change, under the table's lock: they are closed when
 * many others have been in use since. */
typedef struct {
  gatomicrefcount users;
  BzFileKey key;
  BzTextEdit *edits;
  guint edit_count;
  gboolean refused;  /* it calls the vsyscall page from places that can't be rewritten */
  gboolean copied;   /* there is a rewritten copy */
  int copy;          /* it, on its read-only mount, or -1 */
  int shared;        /* the same, opened once more for all linkers of the zone, or -1 */
  GList open;        /* in the list of those whose descriptors are open */
  guint64 entry;     /* e_entry of an ELF file */
  guint64 lowest;    /* lowest address of its segments */
  gboolean elf64;    /* an x86-64 ELF file */
  BzRelease wants;   /* the kernel that its ABI note asks for; 0: none */
  char *interpreter; /* PT_INTERP, or of a script's first line; NULL: none */
  gint64 doubtful; /* monotonic microseconds when it could not be examined, and may be later; 0: all
                      is known */
} BzKnownFile;

/* The caller's, with no copy. */
BzKnownFile *bz_known_file_new (void);
BzKnownFile *bz_known_file_ref (BzKnownFile *file); /* NULL: none */
void bz_known_file_unref (BzKnownFile *file);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BzKnownFile, bz_known_file_unref)

typedef struct BzKnownFiles BzKnownFiles;
BzKnownFiles *bz_known_files_new (void);

/* A reference, the caller's. NULL: not known. */
BzKnownFile *bz_known_files_find (BzKnownFiles *files, const BzFileKey *key);

/* Takes the reference to file, and returns one to what is known then: if another thread was faster, to that one's, unless
 * that is doubtful. A full table (65536 files) is emptied; what others still use stays valid. */
BzKnownFile *bz_known_files_add (BzKnownFiles *files, BzKnownFile *file);

/* A duplicate of the file's copy, or of the one that is shared: the caller's to close. -1: there is none, or
 * it is no longer known and has to be looked at again. */
int bz_known_files_open (BzKnownFiles *files, BzKnownFile *file, gboolean shared);
