/* The notification loop: one thread per listener, blocked in RECV. */
#pragma once

#include "syscall-xlat/journal.h"

typedef struct BzLoop BzLoop;

/* The plan and the journal must outlive the loop. The process must already be in the zone's
 * user, uts and network namespaces, with every capability in the user namespace. */
BzLoop *bz_loop_new (const BzPlan *plan, BzJournal *journal, GError **error);

/* Before the first listener: who answers calls that execute or map program text (images.h). Not
 * owned. */
struct BzImages;
void bz_loop_set_images (BzLoop *loop, struct BzImages *images);

/* Likewise: who mounts what the zone can't (mounter.h). */
struct BzMounter;
void bz_loop_set_mounter (BzLoop *loop, struct BzMounter *mounter);

/* Takes ownership of listener. Index is the keeper's number for it, below
 * BZ_LOOP_LISTENERS, and finds its slots in the journal again: calls that a
 * predecessor received on it are answered first. Starts the thread. */
#define BZ_LOOP_LISTENERS 64
gboolean bz_loop_add (BzLoop *loop, guint index, int listener, GError **error);

/* Ends the listener's thread (all its tasks are gone: the keeper saw POLLHUP) and frees the index.
 */
void bz_loop_remove (BzLoop *loop, guint index);

/* Takes ownership of a SOCK_SEQPACKET or SOCK_DGRAM socket: every answered call is sent to it as
 * one struct BzTraceEvent without waiting; what does not fit is counted in `lost`. Ends when the
 * peer closes. */
void bz_loop_subscribe (BzLoop *loop, int socket);

typedef struct {
  guint32 size; /* of this structure */
  guint32 tid;
  guint32 abi; /* BzAbi */
  gint32 nr;
  guint64 args[6];
  guint32 verdict; /* BzVerdictKind */
  guint32 pretended;
  gint64 value;
  guint64 nanoseconds;
  guint64 lost;  /* events not sent to this subscriber so far */
  char comm[16]; /* the task's name, NUL-terminated */
} BzTraceEvent;

/* Ends all threads and frees the loop; used by tests. A supervisor just exits. */
void bz_loop_free (BzLoop *loop);
