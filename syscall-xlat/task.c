#include "config.h"

#include "syscall-xlat/task.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

/* /proc/TID/status with many groups fits; what does not is cut off, and the parsers see to that. */
#define STATUS_SIZE 4096

/* Closes the descriptor. */
static int
read_text (int fd, char *buffer, gsize size)
{
  if (fd < 0)
    return errno;
  gssize got = read (fd, buffer, size - 1);
  int failed = got < 0 ? errno : 0;
  close (fd);
  buffer[MAX (got, 0)] = '\0';
  return failed;
}

static int
read_fact (pid_t tid, const char *name, char *buffer, gsize size)
{
  char path[48];

  g_snprintf (path, sizeof path, "/proc/%d/%s", (int) tid, name);
  return read_text (open (path, O_RDONLY | O_CLOEXEC | O_NOCTTY), buffer, size);
}

static gboolean
parse_number (const char *text, guint base, guint64 *value)
{
  char *end;

  if (!g_ascii_isxdigit (*text)) /* strtoull would take a sign */
    return FALSE;
  errno = 0;
  *value = g_ascii_strtoull (text, &end, base);
  return end != text && errno == 0;
}

/* Fields as in proc(5): the second is the name in brackets, and may hold brackets and spaces
 * itself. */
gboolean
bz_task_parse_stat_field (const char *text, guint field, guint64 *value)
{
  const char *at = strrchr (text, ')');

  if (at == NULL || field < 3)
    return FALSE;
  for (guint i = 2; i < field; i++)
    {
      at = strchr (at, ' ');
      if (at == NULL)
        return FALSE;
      at++;
    }
  return parse_number (at, 10, value);
}

/* The value after a key such as "\nCapEff:\t". A name with a newline in it is shown escaped. */
static const char *
find_status (const char *text, const char *key)
{
  const char *at = strstr (text, key);

  if (at == NULL)
    return NULL;
  at += strlen (key);
  return at + strspn (at, "\t ");
}

gboolean
bz_task_parse_status (const char *text, const char *key, guint base, guint64 *value)
{
  const char *at = find_status (text, key);

  return at != NULL && parse_number (at, base, value);
}

int
bz_task_start_brk (pid_t tid, guint64 *value)
{
  char text[1024], name[32];

  /* The thread's own file: the process's adds up the times of all its threads. */
  g_snprintf (name, sizeof name, "task/%d/stat", (int) tid);
  int failed = read_fact (tid, name, text, sizeof text);
  if (failed != 0)
    return failed;
  return bz_task_parse_stat_field (text, 47, value) ? 0 : EIO;
}

/* What uname and brk look at each time is kept open: reading /proc/TID/personality again costs 0.4
 * us, opening it 1.8. Such a file or directory stands for its task, not for the number: when the task
 * is dead it gives an error, whoever has the number by then, and is opened anew. */
#define KEPT 16
typedef enum { KEPT_PERSONALITY, KEPT_NAMESPACES, KEPT_FILES } KeptFile;
static struct {
  pid_t tid;       /* 0: none */
  int fd[KEPT_FILES]; /* or -1: not opened yet, or there is none */
} kept[KEPT];
static pthread_mutex_t kept_lock = PTHREAD_MUTEX_INITIALIZER;

static const struct {
  const char *name;
  int flags;
} kept_file[KEPT_FILES] = {
  [KEPT_PERSONALITY] = { "personality", O_RDONLY | O_CLOEXEC },
  [KEPT_NAMESPACES] = { "ns", O_PATH | O_DIRECTORY | O_CLOEXEC },
};

static void
make_room (guint place, pid_t tid)
{
  for (KeptFile file = 0; file < KEPT_FILES; file++)
    {
      if (kept[place].tid != 0 && kept[place].fd[file] >= 0)
        close (kept[place].fd[file]);
      kept[place].fd[file] = -1;
    }
  kept[place].tid = tid;
}

static void
open_kept (guint place, KeptFile file)
{
  char path[48];

  g_snprintf (path, sizeof path, "/proc/%d/%s", (int) kept[place].tid, kept_file[file].name);
  kept[place].fd[file] = open (path, kept_file[file].flags);
}

static gssize
read_kept_place (guint place, KeptFile file, const char *name, char *text, gsize size)
{
  int fd = kept[place].fd[file];

  return file == KEPT_PERSONALITY ? pread (fd, text, size, 0) : readlinkat (fd, name, text, size);
}

/* 0 or errno; text is NUL-terminated. name: of the link in the directory. */
static int
read_kept (pid_t tid, KeptFile file, const char *name, char text[32])
{
  guint place = (guint) tid % KEPT;
  gssize got = -1;

  pthread_mutex_lock (&kept_lock);
  if (kept[place].tid != tid)
    make_room (place, tid);
  if (kept[place].fd[file] >= 0)
    got = read_kept_place (place, file, name, text, 31);
  if (got <= 0)
    {
      if (kept[place].fd[file] >= 0) /* of a dead task that had this number */
        make_room (place, tid);
      open_kept (place, file);
      got = read_kept_place (place, file, name, text, 31);
    }
  int failed = got >= 0 ? 0 : errno == EBADF ? ENOENT : errno;
  pthread_mutex_unlock (&kept_lock);
  text[MAX (got, 0)] = '\0';
  return failed;
}

int
bz_task_personality (pid_t tid, guint64 *value)
{
  char text[32];
  int failed = read_kept (tid, KEPT_PERSONALITY, NULL, text);

  if (failed != 0)
    return failed;
  return parse_number (text, 16, value) ? 0 : EIO;
}

typedef enum { NAMESPACE_USER, NAMESPACE_UTS, NAMESPACES } Namespace;

static const char *const namespace_name[NAMESPACES] = { "user", "uts" };

/* The supervisor's own, looked at once: it enters the zone's before its first call and stays. */
static char own_namespace[NAMESPACES][32];
static pthread_once_t own_namespaces_once = PTHREAD_ONCE_INIT;

static void
look_at_own_namespaces (void)
{
  char path[32];

  for (Namespace kind = 0; kind < NAMESPACES; kind++)
    {
      g_snprintf (path, sizeof path, "/proc/self/ns/%s", namespace_name[kind]);
      gssize length = readlink (path, own_namespace[kind], sizeof own_namespace[kind] - 1);
      own_namespace[kind][MAX (length, 0)] = '\0';
    }
}

/* Whether the task's namespace of this kind is the supervisor's own: 0, or a positive errno.
 * The link's text ("uts:[4026531838]") tells them apart as stat(2) would, for a third of its 2.2
 * us. */
static int
compare_namespace (pid_t tid, Namespace kind, gboolean *shared)
{
  char theirs[32];

  pthread_once (&own_namespaces_once, look_at_own_namespaces);
  int failed = read_kept (tid, KEPT_NAMESPACES, namespace_name[kind], theirs);
  *shared = failed == 0 && strcmp (theirs, own_namespace[kind]) == 0;
  return failed;
}

int
bz_task_capabilities (pid_t tid, guint64 *value)
{
  char text[STATUS_SIZE];
  gboolean shared;
  int failed = compare_namespace (tid, NAMESPACE_USER, &shared);

  if (failed != 0)
    return failed;
  if (!shared)
    {
      *value = 0;
      return 0;
    }
  failed = read_fact (tid, "status", text, sizeof text);
  if (failed != 0)
    return failed;
  return bz_task_parse_status (text, "\nCapEff:", 16, value) ? 0 : EIO;
}

int
bz_task_name (pid_t tid, char name[16])
{
  int failed = read_fact (tid, "comm", name, 16);

  if (failed == 0)
    name[strcspn (name, "\n")] = '\0';
  return failed;
}

int
bz_own_uts_names (BzUtsNames *names)
{
  struct utsname own;

  if (uname (&own) != 0)
    return errno;
  _Static_assert(sizeof own.nodename == sizeof names->nodename, "uname(2)'s layout");
  memcpy (names->nodename, own.nodename, sizeof names->nodename);
  memcpy (names->domainname, own.domainname, sizeof names->domainname);
  return 0;
}

/* A thread may change its own UTS namespace: this one visits the task's and comes back. The zone's
 * root owns every namespace that is made inside, and the supervisor has its capabilities. */
static int
foreign_uts_names (pid_t tid, BzUtsNames *names)
{
  char path[48];

  g_snprintf (path, sizeof path, "/proc/%d/ns/uts", (int) tid);
  int theirs = open (path, O_RDONLY | O_CLOEXEC);
  if (theirs < 0)
    return errno;
  int ours = open ("/proc/thread-self/ns/uts", O_RDONLY | O_CLOEXEC);
  int failed = ours < 0 ? errno : 0;
  if (failed == 0 && setns (theirs, CLONE_NEWUTS) != 0)
    failed = errno;
  else if (failed == 0)
    {
      failed = bz_own_uts_names (names);
      if (setns (ours, CLONE_NEWUTS) != 0)
        abort (); /* its successor will tell the truth again; this thread would not */
    }
  close (theirs);
  if (ours >= 0)
    close (ours);
  return failed;
}

int
bz_task_uts_names (pid_t tid, BzUtsNames *names)
{
  gboolean shared;
  int failed = compare_namespace (tid, NAMESPACE_UTS, &shared);

  /* A task that can't be looked at gets the zone's names rather than an error that uname(2) doesn't
   * know. */
  return failed != 0 || shared ? bz_own_uts_names (names) : foreign_uts_names (tid, names);
}

/* "Uid:" and "Gid:" are followed by the real, effective, saved and file system ids. */
static gboolean
parse_fsid (const char *text, const char *key, guint32 *id)
{
  const char *at = find_status (text, key);
  guint64 number = 0;

  for (guint field = 0; field < 4; field++)
    {
      char *end = NULL;

      if (at == NULL)
        return FALSE;
      number = g_ascii_strtoull (at, &end, 10);
      if (end == at || number > G_MAXUINT32)
        return FALSE;
      at = end;
    }
  *id = (guint32) number;
  return TRUE;
}

gboolean
bz_task_parse_credentials (const char *text, BzTaskCredentials *credentials)
{
  const char *at = find_status (text, "\nGroups:");
  guint64 mask = 022;

  credentials->n_groups = 0;
  bz_task_parse_status (text, "\nUmask:", 8, &mask); /* Linux 4.7 */
  credentials->umask = mask & 0777;
  if (!parse_fsid (text, "\nUid:", &credentials->uid)
      || !parse_fsid (text, "\nGid:", &credentials->gid)
      || !bz_task_parse_status (text, "\nCapEff:", 16, &credentials->capabilities))
    return FALSE;
  while (at != NULL && g_ascii_isdigit (*at)
         && credentials->n_groups < G_N_ELEMENTS (credentials->groups))
    {
      char *end;

      credentials->groups[credentials->n_groups++] = (guint32) g_ascii_strtoull (at, &end, 10);
      at = end + strspn (end, " ");
    }
  return TRUE;
}

int
bz_task_credentials (int directory, BzTaskCredentials *credentials)
{
  char text[STATUS_SIZE], theirs[32];
  int failed = read_text (openat (directory, "status", O_RDONLY | O_CLOEXEC), text, sizeof text);

  if (failed != 0)
    return failed;
  if (!bz_task_parse_credentials (text, credentials)
      || credentials->n_groups == G_N_ELEMENTS (credentials->groups))
    return EIO;
  gssize length = readlinkat (directory, "ns/user", theirs, sizeof theirs - 1);
  if (length < 0)
    return errno;
  theirs[length] = '\0';
  pthread_once (&own_namespaces_once, look_at_own_namespaces);
  credentials->nested = strcmp (theirs, own_namespace[NAMESPACE_USER]) != 0;
  if (credentials->nested)
    credentials->capabilities = 0;
  return 0;
}
