/* The keeper's state, shared by its files. */
#pragma once

#include "brand/file-systems.h"
#include "loader/cgroup.h"
#include "loader/hand-over.h"
#include "loader/keeper-console.h"
#include "loader/keeper.h"
#include "loader/message.h"
#include "loader/namespaces.h"
#include "loader/net/attach.h"
#include "syscall-xlat/loop.h"

typedef struct {
  int fd;       /* -1: free */
  guint source; /* watches for the end of its tasks */
} BzKeptListener;

typedef struct {
  BzPartition *partition;
  const BzKeeperOptions *options;
  GMainLoop *loop;
  gint64 started;

  BzCgroup *cgroup;
  int control; /* listening socket */
  int owner;   /* -1 when the owner has gone */
  GArray *clients;  /* of int: connections to the control socket */
  gint32 refresher; /* who waits for this program to go on, or -1 */
  GPtrArray *sessions; /* keeper-sessions.c; NULL: there were none */
  GArray *freezers; /* of int: connections that hold the zone still, or NULL */
  guint owner_source;

  pid_t init;
  int init_pidfd, init_socket;
  int namespaces[BZ_NAMESPACE_COUNT];
  BzAttached *network; /* NULL: nothing of it is on the host */
  int terminal; /* master of the first command's pty, or -1 */
  struct BzUnwatched *unwatched; /* keeper-attach.c; NULL: somebody is attached */
  gboolean command_ended;
  int command_status;
  struct BzLoops *loops; /* keeper-loops.c; NULL: the zone has none */
  GPtrArray *refused; /* of char *: types of file systems whose refusal was told, or NULL */
  BzMessage *pins;    /* open mounts of a zone that boots: nobody can unmount them */
  BzConsole *console; /* NULL: it does not boot */
  guint reboots;      /* one soon after the other */
  gint64 rebooted;    /* when the last one was, monotonic microseconds */
  gboolean stopping;  /* a reboot ends it now */
  guint alone;        /* so many looks, one after the other, found init without children */

  pid_t supervisor; /* 0: none */
  int supervisor_pidfd, supervisor_socket;
  guint supervisor_source, request_source;
  guint supervisor_failures; /* deaths of its own making, one after the other */
  gint64 supervisor_failed;  /* when the last one was, monotonic microseconds */
  int journal;               /* -1: no filter */
  BzKeptListener listeners[BZ_LOOP_LISTENERS];
} BzKeeper;

/* keeper-start.c: makes the partition and starts the command. On failure what was made is ended. */
gboolean bz_keeper_start (BzKeeper *keeper, GError **error);

/* Closes what belongs to a zone that has ended, so that it can be started again. */
void bz_keeper_forget_zone (BzKeeper *keeper);

/* keeper.c: exchanges the caller's streams, which the zone's first process has by now, for
 * /dev/null and the log; held here or by the supervisor they would keep pipes from ending and
 * terminals from closing. */
void bz_keeper_drop_streams (const BzKeeper *keeper);

/* keeper-supervisor.c */
gboolean bz_keeper_start_supervisor (BzKeeper *keeper, GError **error);
void bz_keeper_stop_supervisor (BzKeeper *keeper);
/* Starts another supervisor in the place of one that has ended; ends the zone when that makes no
 * sense. */
void bz_keeper_replace_supervisor (BzKeeper *keeper);

/* Serves one request of the supervisor; FALSE: it has gone. */
gboolean bz_keeper_serve_supervisor (BzKeeper *keeper);

/* Takes ownership of the listener, hands it to the supervisor and watches it. */
gboolean bz_keeper_add_listener (BzKeeper *keeper, int listener, GError **error);

void bz_keeper_close_listeners (BzKeeper *keeper);

/* keeper-mounts.c. */
/* A request of the supervisor about mount(2): "mount", "mount-refused". */
void bz_keeper_serve_mount (BzKeeper *keeper, BzMessage *message);
/* Tells, once for each, why the zone may not have it. */
void bz_keeper_tell_refusal (BzKeeper *keeper, const BzFileSystem *system);

/* keeper-loops.c: loop devices, where the zone may mount images. tree: its tree's mount; devices: its /dev, which nobody
 * uses yet. */
typedef struct BzLoops BzLoops;
void bz_keeper_make_loops (BzKeeper *keeper, int tree, int devices);
void bz_keeper_drop_loops (BzKeeper *keeper);
void bz_keeper_leave_loops (const BzKeeper *keeper, BzHandOver *left);
void bz_keeper_take_loops (BzKeeper *keeper, GVariantDict *values, gboolean *bad);
/* The number of the zone's loop device that somebody has open; -1: it is none, or shows nothing. */
int bz_keeper_find_loop (const BzKeeper *keeper, int device);
/* The supervisor's request "loops" {do, tid, offset, limit, block, flags} + reply, device[, file], which answers with
 * {error, value}[ + device]; error: -1: it is none of these devices. */
void bz_keeper_serve_loops (BzKeeper *keeper, BzMessage *message);

/* keeper-nodes.c: the supervisor's request "node" {name, number} + reply, directory, the empty file of that name whose
 * owner and mode the node gets, and which it replaces. The answer: {error}. */
void bz_keeper_serve_node (BzMessage *message);

/* Watches the supervisor of the program before. listeners: BZ_LOOP_LISTENERS of them. */
void bz_keeper_adopt_supervisor (BzKeeper *keeper, const int *listeners);

/* keeper-refresh.c */
#define BZ_KEEPER_CLIENTS_MAX 1024
/* The request "refresh": returns only when it has failed. */
gboolean bz_keeper_answer_refresh (BzKeeper *keeper, int client, BzMessage *message,
                                   GError **error);
gboolean bz_keeper_take (BzKeeper *keeper, GVariantDict *values, GError **error);
/* Tells who asked that this program, and a supervisor of its own, are at work. */
void bz_keeper_say_refreshed (BzKeeper *keeper);
/* keeper-volumes.c: the requests "mount" and "umount". */
gboolean bz_keeper_answer_give (BzKeeper *keeper, int client, BzMessage *message, GError **error);
gboolean bz_keeper_answer_take (BzKeeper *keeper, int client, BzMessage *message, GError **error);

/* keeper-stop.c: ends the zone, gently and after grace_ms by force. */
void bz_keeper_stop (BzKeeper *keeper, guint grace_ms);

/* keeper-attach.c. Nobody is attached to the command's terminal any more: it is read, so that the
 * command does not wait for a reader. */
void bz_keeper_unwatch (BzKeeper *keeper);
void bz_keeper_leave_unwatched (const BzKeeper *keeper, BzHandOver *left);
void bz_keeper_take_unwatched (BzKeeper *keeper, GVariantDict *values);
/* The request "attach": the client becomes the owner, and gets the terminal with the last text. */
gboolean bz_keeper_answer_attach (BzKeeper *keeper, int client, BzMessage *message, GError **error);

/* keeper-sessions.c: requests of who holds a session, "session" and "session-state", */
gboolean bz_keeper_answer_session (BzKeeper *keeper, int client, BzMessage *message,
                                   GError **error);
gboolean bz_keeper_note_session (BzKeeper *keeper, int client, BzMessage *message, GError **error);
/* and of others: "attach" {session}, "hang-up", "sessions". */
gboolean bz_keeper_attach_session (BzKeeper *keeper, int client, BzMessage *message, guint number,
                                   GError **error);
gboolean bz_keeper_answer_hang_up (BzKeeper *keeper, int client, BzMessage *message,
                                   GError **error);
gboolean bz_keeper_answer_sessions (BzKeeper *keeper, int client, BzMessage *message,
                                    GError **error);
void bz_keeper_forget_session (BzKeeper *keeper, int fd);
guint bz_keeper_left_sessions (const BzKeeper *keeper); /* how many nobody is attached to */
void bz_keeper_leave_sessions (const BzKeeper *keeper, BzHandOver *left);
void bz_keeper_take_sessions (BzKeeper *keeper, GVariantDict *values);

/* keeper-control.c */
/* A signal for the command of a zone that does not boot. */
void bz_keeper_signal (BzKeeper *keeper, int sig);
gboolean bz_keeper_open_control (BzKeeper *keeper, GError **error);
void bz_keeper_serve (BzKeeper *keeper); /* attaches the sockets to the main loop */
void bz_keeper_close_control (BzKeeper *keeper);
