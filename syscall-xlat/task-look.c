/* Looking at files as a task does.
 *
 * Problem. stat(2) of a task has to be carried out by the supervisor where the kernel's own answer
 * can't be used. It must find the file that the task means (its root, which chroot(2) may have
 * changed, its working directory, links that lead through either), must not find what the task may
 * not look at, and must cost microseconds: ls calls lstat for every file.
 *
 * Facts. /proc/TID/cwd/NAME starts a look-up at the task's working directory, in one call; absolute
 * links and ".." on the way use the looking thread's root. A thread can have a root directory of
 * its own (unshare(CLONE_FS)), and file system ids and capabilities of its own (they are a
 * thread's, glibc only hides that). A directory of /proc stands for its task, not for the number:
 * one of a dead task finds nothing. chroot(2) into a directory of another mount namespace works.
 * Links below /proc/PID need ptrace's permission of who follows them.
 *
 * Choice. A thread takes on the task's root when it has another one, and looks in the task's way.
 * The root that was met first stays for the next call: it is the zone's, which nearly all of its
 * programs have. While no task of the zone has changed its root directory or its user namespace
 * (BZ_EVER_ROOT: those calls are trapped and noted), neither is looked at again: these two looks
 * below /proc took as long as all the rest. Any other is given back at once, for a mount that is somebody's root can't be
 * unmounted. A task that may search every
 * directory and look at every process (a zone's root: CAP_DAC_READ_SEARCH or CAP_DAC_OVERRIDE, and
 * CAP_SYS_PTRACE) is looked for with the supervisor's own capabilities, which are the same: one
 * capget(2) tells. For all others the thread takes on the file system ids, groups and capabilities
 * that /proc/TID/status tells at that moment, for the look-up alone. A task of a user namespace
 * inside the zone's is not looked for: its capabilities are not the zone's.
 *
 * Limits. /proc/self of such a path finds nothing, because the supervisor is not in the zone's pid
 * namespace: the kernel has the call then. A task with more than 64 groups likewise. Where a
 * supervisor that takes over first looks for a task that has done chroot(2), that root is kept. A file system
 * that never answers keeps the thread, as it would the task (loop.c).
 *
 * Cost (an idle machine's, Linux 6.18): 1 us for root, 5 for others; 2 more once a task has changed its root. */
#include "config.h"

#include "syscall-xlat/task-look.h"

#include "syscall-xlat/disguise.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

#ifndef STATX_MNT_ID
#define STATX_MNT_ID 0x1000U
#endif

#define CAPABILITY(capability) (G_GUINT64_CONSTANT (1) << (capability))
#define SEARCHES (CAPABILITY (CAP_DAC_READ_SEARCH) | CAPABILITY (CAP_DAC_OVERRIDE))

/* --- the supervisor's own --- */

static int own_root = -1, own_proc = -1;
static char own_namespace[32];
static _Atomic gboolean used; /* a thread has looked: new ones may inherit what it took on */
static pthread_once_t once = PTHREAD_ONCE_INIT;

/* By the first thread that looks, before it or any other has taken on anything. */
static void
look_at_own (void)
{
  gssize length = readlink ("/proc/self/ns/user", own_namespace, sizeof own_namespace - 1);

  own_namespace[MAX (length, 0)] = '\0';
  own_root = open ("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
  own_proc = open ("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
  bz_disguise_prepare ();
  atomic_store (&used, TRUE);
}

/* --- what a thread keeps and has taken on --- */

#define KEPT 8

typedef struct {
  pid_t tid;                      /* 0: none */
  int directory, process, status; /* /proc/TID, a pidfd, /proc/TID/status, or -1 */
} Kept;

typedef struct {
  guint64 device, inode, mount;
} Place;

static __thread struct {
  gboolean alone; /* the thread shares its root directory with no other */
  gboolean moved; /* its root is `root`, not the supervisor's */
  Place root;
  Kept kept[KEPT];
} look;

static void
close_one (int *fd)
{
  if (*fd >= 0)
    close (*fd);
  *fd = -1;
}

static void
forget (Kept *kept)
{
  if (kept->tid == 0)
    return;
  close_one (&kept->directory);
  close_one (&kept->process);
  close_one (&kept->status);
  kept->tid = 0;
}

static Kept *
place_of (pid_t tid)
{
  return &look.kept[(guint) tid % KEPT];
}

static Kept *
keep (pid_t tid)
{
  Kept *kept = place_of (tid);
  char name[16];

  pthread_once (&once, look_at_own);
  if (kept->tid == tid)
    return kept;
  forget (kept);
  g_snprintf (name, sizeof name, "%d", (int) tid);
  kept->directory = openat (own_proc, name, O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (kept->directory < 0)
    return NULL;
  kept->tid = tid;
  kept->process = kept->status = -1;
  return kept;
}

/* Whether what is kept under the number is a dead task's. */
static gboolean
is_dead (const Kept *kept)
{
  struct stat status;

  return fstatat (kept->directory, "root", &status, AT_SYMLINK_NOFOLLOW) != 0;
}

/* --- root directories --- */

static int
place (int directory, const char *path, Place *answer)
{
  struct statx status;

  if (statx (directory, path, AT_NO_AUTOMOUNT, STATX_INO | STATX_MNT_ID, &status) != 0)
    return errno;
  answer->device = (guint64) status.stx_dev_major << 32 | status.stx_dev_minor;
  answer->inode = status.stx_ino;
  memcpy (&answer->mount, (const guint8 *) &status + 0x90, sizeof answer->mount); /* stx_mnt_id */
  return 0;
}

static gboolean
is_same (const Place *a, const Place *b)
{
  return a->device == b->device && a->inode == b->inode && a->mount == b->mount;
}

static int
change_root (int directory, const char *path)
{
  if (!look.alone && unshare (CLONE_FS) != 0)
    return errno;
  look.alone = TRUE;
  if (fchdir (directory) != 0 || chroot (path) != 0)
    return errno;
  return 0;
}

static gboolean is_usual (const Place *root);

static int
take_root (const Kept *kept, gboolean alike)
{
  Place theirs;

  if (alike && look.moved && is_usual (&look.root))
    return 0;
  int failed = place (kept->directory, "root", &theirs);

  if (failed != 0 || (look.moved && is_same (&theirs, &look.root)))
    return failed;
  /* Another task that shares the root may change it meanwhile: what this thread has now counts. */
  look.moved = TRUE;
  memset (&look.root, 0, sizeof look.root);
  failed = change_root (kept->directory, "root");
  return failed != 0 ? failed : place (AT_FDCWD, "/", &look.root);
}

/* Whether it is the root that was met first in this process. */
static gboolean
is_usual (const Place *root)
{
  static Place usual;
  static _Atomic int state; /* 0: none yet; 1: being written; 2: known */
  int none = 0;

  if (root->inode == 0)
    return FALSE;
  if (atomic_compare_exchange_strong (&state, &none, 1))
    {
      usual = *root;
      atomic_store (&state, 2);
    }
  return atomic_load (&state) == 2 && is_same (root, &usual);
}

static void
leave_root (void)
{
  if (look.moved && change_root (own_root, ".") == 0)
    look.moved = FALSE;
}

/* --- permissions --- */

static int
read_credentials (Kept *kept, BzTaskCredentials *credentials)
{
  char text[4096];

  if (kept->status < 0)
    kept->status = openat (kept->directory, "status", O_RDONLY | O_CLOEXEC | O_NOCTTY);
  gssize got = kept->status >= 0 ? pread (kept->status, text, sizeof text - 1, 0) : -1;
  if (got <= 0)
    return got < 0 ? errno : ESRCH;
  text[got] = '\0';
  memset (credentials, 0, sizeof *credentials);
  if (!bz_task_parse_credentials (text, credentials)
      || credentials->n_groups == G_N_ELEMENTS (credentials->groups))
    return EIO;
  return 0;
}

/* The zone's own user namespace? Only there are a task's capabilities what they seem. */
static int
check_namespace (const Kept *kept)
{
  char theirs[32];
  gssize length = readlinkat (kept->directory, "ns/user", theirs, sizeof theirs - 1);

  if (length < 0)
    return errno;
  theirs[length] = '\0';
  return strcmp (theirs, own_namespace) == 0 ? 0 : EPERM;
}

/* Whether the task may look at everything, as the supervisor may; else its credentials. */
static int
ask_permissions (Kept *kept, gboolean alike, gboolean *may_all, BzTaskCredentials *theirs)
{
  guint64 effective;
  int failed = alike ? 0 : check_namespace (kept);

  if (failed == 0)
    failed = bz_disguise_capabilities (kept->tid, &effective);
  if (failed != 0)
    return failed;
  *may_all = (effective & SEARCHES) != 0 && (effective & CAPABILITY (CAP_SYS_PTRACE)) != 0;
  return *may_all ? 0 : read_credentials (kept, theirs);
}

/* --- looking --- */

typedef struct {
  gboolean alike;
  int directory;
  const char *path;
  guint flags, mask;
  struct statx *status;       /* either */
  BzOwner *owner;             /* with it, or NULL */
  struct statfs *file_system; /* or */
} Request;

/* What was opened to be looked at can't be asked for its attributes: it is opened once more, by the
 * supervisor for itself. Only what can't block or do anything when it is opened. */
static void
read_owner (const struct statx *status, int fd, BzOwner *owner)
{
  char name[32], text[BZ_OWNER_ROOM];

  if (status == NULL || (!S_ISREG (status->stx_mode) && !S_ISDIR (status->stx_mode)))
    return;
  g_snprintf (name, sizeof name, "self/fd/%d", fd);
  int file = openat (own_proc, name, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
  if (file < 0)
    return;
  gssize length = fgetxattr (file, BZ_OWNER_ATTRIBUTE, text, sizeof text);
  close (file);
  if (length > 0)
    bz_owner_parse (text, (gsize) length, owner);
}

static int
status_and_owner (const Request *request, int start, const char *path, int *kept)
{
  gboolean follow = (request->flags & AT_SYMLINK_NOFOLLOW) == 0;
  int fd = openat (start, path, O_PATH | O_CLOEXEC | (follow ? 0 : O_NOFOLLOW));

  if (fd < 0)
    return errno;
  if (statx (fd, "", AT_EMPTY_PATH | AT_NO_AUTOMOUNT, request->mask | STATX_TYPE, request->status)
      != 0)
    {
      int failed = errno;
      close (fd);
      return failed;
    }
  *kept = fd;
  return 0;
}

static int
look_from (const Request *request, int start, const char *path, int *kept)
{
  if (request->owner != NULL)
    return status_and_owner (request, start, path, kept);
  if (request->status != NULL)
    return statx (start, path, (int) request->flags, request->mask, request->status) != 0 ? errno
                                                                                          : 0;
  int fd = openat (start, path, O_PATH | O_CLOEXEC);
  int failed = fd < 0 || fstatfs (fd, request->file_system) != 0 ? errno : 0;
  if (fd >= 0)
    close (fd);
  return failed;
}

/* Whether looking needs the task's root: only a plain name that is not followed does not. */
static gboolean
needs_root (const Request *request)
{
  return (request->flags & AT_SYMLINK_NOFOLLOW) == 0 || strchr (request->path, '/') != NULL
         || strcmp (request->path, "..") == 0;
}

/* Straight from the directory in /proc: one call. */
static int
look_freely (const Kept *kept, const Request *request, int start, int *opened)
{
  char path[4 + PATH_MAX];

  bz_disguise_end ();
  if (start >= 0 || request->path[0] == '/')
    return look_from (request, start >= 0 ? start : AT_FDCWD, request->path, opened);
  if (g_snprintf (path, sizeof path, "cwd/%s", request->path) >= (int) sizeof path)
    return ENAMETOOLONG;
  return look_from (request, kept->directory, path, opened);
}

/* The link in /proc is the supervisor's to follow, not the task's: a task that has changed its ids
 * may not itself (it is not dumpable). */
static int
look_as (const Kept *kept, const BzTaskCredentials *theirs, const Request *request, int start,
         int *opened)
{
  int own = -1;

  if (start < 0 && request->path[0] != '/')
    {
      own = start = openat (kept->directory, "cwd", O_PATH | O_DIRECTORY | O_CLOEXEC);
      if (own < 0)
        return errno;
    }
  int failed = bz_disguise (theirs);
  if (failed == 0)
    failed = look_from (request, start >= 0 ? start : AT_FDCWD, request->path, opened);
  bz_disguise_lift ();
  if (own >= 0)
    close (own);
  return failed;
}

static int
look_at_path (Kept *kept, const Request *request, int start)
{
  BzTaskCredentials theirs;
  gboolean may_all;
  int opened = -1;
  int failed = needs_root (request) ? take_root (kept, request->alike) : 0;

  if (failed == 0)
    failed = ask_permissions (kept, request->alike, &may_all, &theirs);
  if (failed != 0)
    return failed;
  failed = may_all ? look_freely (kept, request, start, &opened)
                   : look_as (kept, &theirs, request, start, &opened);
  if (opened >= 0)
    {
      read_owner (request->status, opened, request->owner);
      close (opened);
    }
  return failed;
}

static int
look_at_fd (Kept *kept, const Request *request, int fd)
{
  int failed = request->alike ? 0 : check_namespace (kept);

  if (failed != 0)
    return failed;
  if (request->status == NULL)
    return fstatfs (fd, request->file_system) != 0 ? errno : 0;
  if (statx (fd, "", (int) request->flags | AT_EMPTY_PATH, request->mask | STATX_TYPE,
             request->status)
      != 0)
    return errno;
  if (request->owner != NULL)
    read_owner (request->status, fd, request->owner);
  return 0;
}

static int
look_once (pid_t tid, const Request *request)
{
  Kept *kept = keep (tid);
  int fd = -1, failed = 0;
  gboolean of_fd = request->path == NULL;

  if (kept == NULL)
    return ESRCH;
  if (of_fd || (request->directory != AT_FDCWD && request->path[0] != '/'))
    failed = bz_task_look_fd (tid, request->directory, &fd);
  if (failed == 0)
    failed = of_fd ? look_at_fd (kept, request, fd) : look_at_path (kept, request, fd);
  if (fd >= 0)
    close (fd);
  return failed;
}

static int
look_at (pid_t tid, const Request *request)
{
  int failed = look_once (tid, request);
  Kept *kept = place_of (tid);

  if (failed != 0 && kept->tid == tid && is_dead (kept))
    {
      forget (kept);
      failed = look_once (tid, request);
    }
  if (look.moved && !is_usual (&look.root))
    leave_root ();
  return failed;
}

int
bz_task_status (pid_t tid, gboolean alike, int directory, const char *path, guint flags,
                guint mask, struct statx *status, BzOwner *owner)
{
  Request request = {
    .alike = alike,
    .directory = directory,
    .path = path,
    .flags = flags,
    .mask = mask,
    .status = status,
    .owner = owner,
  };

  return look_at (tid, &request);
}

int
bz_task_file_system (pid_t tid, gboolean alike, int number, const char *path,
                     struct statfs *answer)
{
  Request request = { .alike = alike,
                      .directory = path != NULL ? AT_FDCWD : number,
                      .path = path,
                      .file_system = answer };

  return look_at (tid, &request);
}

int
bz_task_look_fd (pid_t tid, int number, int *fd)
{
  for (int tries = 0; tries < 2; tries++)
    {
      Kept *kept = keep (tid);

      if (kept == NULL)
        return ESRCH;
      if (kept->process < 0)
        {
          bz_task_look_back ();
          kept->process = bz_task_open (tid);
        }
      if (kept->process < 0)
        return errno;
      *fd = (int) syscall (SYS_pidfd_getfd, kept->process, number, 0);
      if (*fd >= 0)
        return 0;
      if (errno != ESRCH)
        return errno;
      forget (kept);
    }
  return ESRCH;
}

/* --- a thread's life --- */

void
bz_task_look_back (void)
{
  bz_disguise_end ();
  leave_root ();
}

void
bz_task_look_begin (void)
{
  if (!atomic_load (&used))
    return;
  look.moved = TRUE;
  bz_disguise_inherit ();
  bz_task_look_back ();
}

void
bz_task_look_end (void)
{
  for (guint i = 0; i < KEPT; i++)
    forget (&look.kept[i]);
  bz_task_directory_end ();
}
