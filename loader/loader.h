/* Starting a zone, joining a running one, and talking to its keeper.
 *
 * Processes of a zone (doc/GLOSSARY.md):
 *   keeper      outside, one per zone: makes the partition, keeps the listeners,
 *               the journal, the console and the exit status, serves the control socket.
 *               It reads no memory of the zone. `brandzone-keeper`.
 *   supervisor  inside the zone's user namespace, outside its pid namespace: runs the
 *               notification loop. The keeper starts another when it dies.
 *   init        process 1 of the zone.
 */
#pragma once

#include "brand/plan.h"
#include "loader/settings.h"

typedef enum {
  BZ_NETWORK_NONE,    /* loopback alone */
  BZ_NETWORK_HOST,    /* the host's own */
  BZ_NETWORK_PRIVATE, /* an interface on a bridge that zones share (root), or carried by pasta(1) */
  BZ_NETWORK_MACVLAN, /* an interface beside one of the host's */
} BzNetwork;

typedef struct {
  guint32 inside, outside, count;
} BzIdRange;

typedef struct {
  char *source; /* absolute path on the host */
  char *target; /* absolute path in the zone */
  gboolean read_only;
} BzVolume;

/* How the tree's ids become the zone's. */
typedef enum {
  BZ_IDS_MOUNT,   /* idmapped mount: ids on disk are the zone's own (root) */
  BZ_IDS_SHIFTED, /* ids on disk are already the host's (chown fallback; plain users) */
} BzIdStorage;

/* A program to run in a zone. */
typedef struct {
  char **argv;        /* at least one */
  char **environment; /* complete: "K=V" */
  char *directory;    /* working directory in the zone; NULL: the user's home or / */
  char *user;         /* "name", "name:group", "uid", "uid:gid"; NULL: root */
  gboolean interactive; /* -i: stdin is passed on; else it is /dev/null */
  gboolean terminal;  /* -t: a pty of the zone's devpts is its terminal */
  gboolean kept;      /* of one that joins, with a terminal: a session that can be left and come back to */
  gboolean direct;    /* as if there were no zone: it stays in the caller's session and process group, with the
                       * caller's umask and ignored signals (direct.c) */
  gboolean own_ids;   /* a plain user's, of a zone with one id: it sees uid and gid instead of 0 */
  guint32 uid, gid;
} BzCommand;

#define BZ_LOCKS 2

/* What the init of a zone that boots finds at /sys/fs/cgroup, for it to manage. */
typedef enum {
  BZ_CGROUPS_NONE,
  BZ_CGROUPS_UNIFIED, /* the unified hierarchy */
  BZ_CGROUPS_NAMED,   /* a tmpfs, in it one v1 hierarchy without controllers */
} BzCgroupView;

#define BZ_TERMINALS_MAX 6

/* A partition. */
typedef struct {
  char *name;
  char *root;              /* the tree, absolute */
  char **layers;           /* the trees that it lies on, topmost first; it is then what was changed, and "work"
                            * is beside it. NULL: it is whole */
  gboolean throw_away;     /* run --image: changes vanish at the end */
  char *scratch;           /* throw_away: an empty directory on the tree's own file system for the changes, the
                            * caller's to remove; NULL: they go to memory, and directories have other
                            * inode numbers in stat(2) than in readdir(3), which breaks libc5's getcwd */
  BzIdStorage id_storage;
  GArray *uids, *gids;     /* of BzIdRange; empty: the caller's id alone is the zone's 0 */
  gboolean no_cgroup;      /* it stays in the caller's cgroup */
  BzNetwork network;
  char *hostname;          /* NULL: the name */
  GPtrArray *volumes;      /* of BzVolume */
  BzSettings *settings;    /* never NULL */
  char *shadow_dir;        /* cache of rewritten program text; NULL: none is rewritten */
  char *run_dir;           /* /run/brandzone/NAME: made by the keeper, removed at the end */
  int lock_fds[BZ_LOCKS];  /* held locks that the keeper keeps for its life; -1: none */
  BzPlan *plan;
  GBytes *filter;          /* of bz_filter_compile; empty: none is installed */
  BzCommand *command;
  gboolean boot;           /* the command is the distribution's init: it becomes process 1 */
  int halt_signal;         /* boot: what tells init to halt; 0: a program does */
  char **halt_command;     /* boot: that program of the zone; NULL: the signal does */
  gboolean halt_alone;     /* boot: told to halt and without children, init only sleeps */
  guint terminals;         /* boot: how many it has, the console among them; 1: no tty1 */
  BzCgroupView cgroup_view; /* boot */
  char *cgroup_name;       /* boot: of the named hierarchy, or NULL */
  char *console_log;       /* boot: where the console's text is kept (console-log.h) */
  gboolean idle;           /* no command: what it runs joins it, and it ends with its owner (direct.c) */
} BzPartition;

BzPartition *bz_partition_new (void);
/* What is only read of the zone's tree: its layers, and in a throw-away copy the tree itself, topmost
 * first; none when it is one directory that is written to. Owned by the caller. */
char **bz_partition_lowers (const BzPartition *partition);
gboolean bz_partition_is_layered (const BzPartition *partition);
void bz_partition_free (BzPartition *partition);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BzPartition, bz_partition_free)
BzCommand *bz_command_new (void);
void bz_command_free (BzCommand *command);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BzCommand, bz_command_free)
BzVolume *bz_volume_new (const char *source, const char *target, gboolean read_only);
void bz_volume_free (BzVolume *volume);

/* What became of a command. */
typedef struct {
  int wait_status; /* as of waitpid(2) */
  enum { BZ_END_COMMAND, BZ_END_HALTED, BZ_END_REBOOTED, BZ_END_DETACHED } how;
  gboolean stopped; /* somebody asked for the zone's end: bz_loader_stop() */
  guint session;    /* the session that it was part of, or 0 */
} BzEnd;
int bz_end_exit_status (const BzEnd *end); /* 0-255; 128+signal */

/* Starts the zone, runs its command with the caller's standard streams, and waits
 * for its end, passing signals and (with a terminal) window sizes and bytes on. `~.` at the start of a line
 * detaches. The keeper outlives the caller. `on_end` is called before the zone's keeper goes, with the journal mapped
 * (NULL: not wanted), to print counts.
 * Errors: BZ_ERROR_NOT_FOUND, BZ_ERROR_NOT_EXECUTABLE for the command, the others for the partition. */
typedef void (*BzJournalFunc) (int journal_fd, gpointer data);
gboolean bz_loader_run (const BzPartition *partition, BzJournalFunc on_end, gpointer data,
                        BzEnd *end, GError **error);

/* Starts a zone that boots (partition->boot) and returns as soon as its init was executed.
 * Same errors as bz_loader_run. */
gboolean bz_loader_start (const BzPartition *partition, GError **error);

/* Attaches the caller's standard streams to a terminal of a zone that has booted, number 1 being the
 * console, from its last `replay` bytes on, until the zone ends, `~.` is typed or the input ends. follow: text for a
 * reader instead; no input is passed on. *detached (may be NULL): the zone goes on. */
gboolean bz_loader_console (const char *run_dir, guint number, guint replay, gboolean follow,
                            gboolean *detached, GError **error);

/* Starts an idle zone (partition->idle), runs `command` in it as if the caller had executed it (command->direct),
 * and ends the zone. The caller stops when the command stops. Same errors. */
gboolean bz_loader_run_direct (const BzPartition *partition, const BzCommand *command,
                               BzJournalFunc on_end, gpointer data, BzEnd *end, GError **error);

/* Comes back to the terminal of a running zone's command, which somebody detached from: waits for its end as
 * bz_loader_run does. BZ_ERROR_STATE if it has none, or somebody is there. */
gboolean bz_loader_attach (const char *run_dir, BzEnd *end, GError **error);

/* The same for session number `session` of a running zone (bz_loader_sessions); one that has ended tells its
 * exit status and is forgotten. */
gboolean bz_loader_attach_session (const char *run_dir, guint session, BzEnd *end, GError **error);
/* Ends a session that nobody is attached to as a terminal does that hangs up. */
gboolean bz_loader_hang_up_session (const char *run_dir, guint session, GError **error);

/* A command that joined a running zone on a terminal of its own. */
typedef struct {
  guint number;
  char *command;
  char *terminal; /* its name in the zone, "pts/1" */
  gint64 started; /* seconds since the epoch */
  gboolean attached, ended;
  BzEnd end; /* if it has ended */
} BzSession;
GPtrArray *bz_loader_sessions (const char *run_dir, GError **error); /* of BzSession */

/* Runs a command in the running zone whose keeper listens in run_dir. Same waiting, same errors;
 * BZ_ERROR_STATE when no keeper answers. */
gboolean bz_loader_exec (const char *run_dir, const BzCommand *command, BzEnd *end, GError **error);

/* What a running zone's keeper tells. */
typedef struct {
  pid_t keeper, supervisor, init; /* supervisor 0: none needed */
  gint64 started;                 /* seconds since the epoch */
  gboolean terminal;              /* its command has one, to attach to */
  guint sessions;                 /* of what joined it: how many nobody is attached to */
  char version[32];               /* of the brandzone that keeps it */
  gboolean booted;                /* it runs an init, not a command */
  char addresses[128];            /* of its interface; empty: none that are known */
} BzZoneInfo;
gboolean bz_loader_info (const char *run_dir, BzZoneInfo *info, GError **error);

/* Shows files of the host in a running zone: as a volume of its start would be. BZ_ERROR_STATE when the
 * place is another volume's. */
gboolean bz_loader_mount (const char *run_dir, const BzVolume *volume, GError **error);
/* Takes one away again, of its start or given later. BZ_ERROR_INPUT when there is none. */
gboolean bz_loader_umount (const char *run_dir, const char *target, GError **error);

/* The addresses that a running zone's interfaces have now, separated by blanks; "" or NULL: none, or
 * its network is the host's. Owned by the caller. */
char *bz_loader_addresses (const char *run_dir);

/* A read-only descriptor of the zone's journal (bz_journal_map), or -1. */
int bz_loader_journal (const char *run_dir, GError **error);

/* A socket that receives struct BzTraceEvent until the zone ends (then end of file), or -1. */
int bz_loader_trace (const char *run_dir, GError **error);

/* Holds all processes of a running zone still until the returned descriptor is closed. -1 and
 * BZ_ERROR_HOST where the zone has no cgroup that can. */
int bz_loader_freeze (const char *run_dir, GError **error);

#define BZ_KEEPER_PROGRAM "brandzone-keeper"

/* Lets a running zone's keeper and supervisor go on with the program that is installed now; nothing of
 * the zone ends. *version: that program's, owned by the caller. BZ_ERROR_STATE when it does not know
 * the state of the program that runs: that goes on then, as after any failure. */
gboolean bz_loader_refresh (const char *run_dir, char **version, GError **error);
/* Whether that keeper runs the program that is installed; TRUE too when it cannot be told. */
gboolean bz_loader_is_current (pid_t keeper);

/* Ends the zone: its command gets SIGTERM, an init what makes it halt; after `grace_ms` the pid namespace is killed. Waits for the keeper to be gone. */
gboolean bz_loader_stop (const char *run_dir, guint grace_ms, GError **error);

/* Kills and removes what a keeper that was killed has left of the zone. The caller holds the zone's lock. */
void bz_loader_end_left (const char *name, const char *run_dir);

/* Runs `function` in a child inside a new user namespace with the given maps (and a mount
 * namespace of its own), as its root: how a plain user's trees are unpacked and removed. The child must not return
 * to the caller's main loop: its exit status is the function's result. Waits. */
typedef int (*BzInsideFunc) (gpointer data);
gboolean bz_userns_run (const GArray *uids, const GArray *gids, BzInsideFunc function, gpointer data,
                        int *exit_status, GError **error);

/* The maps of a plain user from /etc/subuid and /etc/subgid: 0 is the user, 1 to 65535 (fewer if the range is
 * smaller) are subordinate. Both arrays are emptied when there are none, or newuidmap is missing:
 * *why then tells (owned by the caller). */
gboolean bz_userns_subordinate (GArray *uids, GArray *gids, char **why, GError **error);
