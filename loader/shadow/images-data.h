/* The state behind BzImages, and its parts; for loader/shadow only. */
#pragma once

#include "loader/shadow/hold.h"
#include "loader/shadow/images.h"
#include "loader/shadow/known.h"
#include "loader/shadow/start.h"

#include <pthread.h>
#include <stdatomic.h>

typedef struct {
  BzImages base;
  int broker;
  BzRelease release;       /* the zone's */
  _Atomic guint32 *newer;  /* the journal's */
  BzKnownFiles *files;
  BzExecContext *context;
  pthread_mutex_t lock;
  GHashTable *late; /* set of tids whose programs are to be looked at when they have begun */
  _Atomic guint late_count;
  _Atomic guint64 in_copy; /* bytes of large files that are being looked at */
  gboolean last_resort;    /* this host's kernel does not serve the vsyscall page */
  BzHoldClass hold;
} BzImagesState;

/* examine.c: what is known of the file behind a descriptor, which is examined when it is new; the
 * second one's was only found (O_PATH). NULL: it is no regular file, or may not be read. call: its
 * notifier may be NULL. The result is the caller's reference. */
BzKnownFile *bz_images_look (BzImagesState *images, BzCall *call, int fd);
BzKnownFile *bz_images_look_at_found (BzImagesState *images, BzCall *call, int found);

/* late.c: the tasks whose programs could not be put right at their start. bz_late_forget returns
 * whether the task was one. */
void bz_late_remember (BzImagesState *images, pid_t tid);
gboolean bz_late_forget (BzImagesState *images, pid_t tid);

/* programs.c: BzImagesClass's `execute` and `begun`. */
BzVerdict bz_programs_execute (BzImages *base, BzCall *call, int directory, guint64 address,
                               guint flags);
BzVerdict bz_programs_begun (BzImages *base, BzCall *call);
/* The target maps text with places that can't be rewritten: its process comes under the tracer of
 * last resort. */
void bz_programs_cover (BzImagesState *images, BzCall *call);
/* BzHoldClass's `edit` and `lost`; data is the BzImagesState. */
void bz_programs_edit_held (gpointer data, pid_t pid, gboolean traced);
void bz_programs_lose_held (gpointer data, pid_t pid);
