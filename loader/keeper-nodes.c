/* Device nodes that harm nobody, made for a zone by the host's root (catalogue row S17).
 *
 * Problem: MAKEDEV, udev's packages and start scripts remove /dev/null and make it anew; without
 * the device the rest of the zone's life is errors.
 *
 * Choice: null, zero, full, random, urandom, tty and ptmx are nobody's: a zone of root gets them where it
 * asks for them. The task has made an empty file there (syscall-xlat/task-node.c): a child of the
 * keeper makes the node beside it, with its owner and mode, puts the one in the place of the other,
 * and removes what then is the empty file. It does that with the owner's id for files, for a tree's
 * mount knows the zone's ids alone, and keeps the host's capabilities.
 *
 * Limit: the trees themselves are mounted without devices; only the zone's /dev has them. There
 * such a node shows its number, and opening it is EACCES. */
#include "config.h"

#include "loader/keeper-private.h"
#include "loader/mounter.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/securebits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/time.h>
#include <sys/wait.h>

typedef struct {
  const char *name;
  guint32 number;
  int directory, file;
} Job;

static gboolean
is_file (const Job *job, const char *name, const struct stat *file)
{
  struct stat status;

  return fstatat (job->directory, name, &status, AT_SYMLINK_NOFOLLOW) == 0
         && status.st_ino == file->st_ino && status.st_dev == file->st_dev;
}

/* The zone may have put another thing under the name meanwhile: it is given back. */
static int
put_in_place (const Job *job, const char *made, const struct stat *file)
{
  if (renameat2 (job->directory, made, job->directory, job->name, RENAME_EXCHANGE) != 0)
    return errno;
  if (is_file (job, made, file))
    return 0;
  renameat2 (job->directory, made, job->directory, job->name, RENAME_EXCHANGE);
  return EEXIST;
}

static int
work (const Job *job)
{
  char made[40];
  struct stat file;
  dev_t device = makedev (job->number >> 8, job->number & 0xff);

  if (fstat (job->file, &file) != 0)
    return errno;
  if (!S_ISREG (file.st_mode) || job->name[0] == '\0' || strchr (job->name, '/') != NULL
      || !bz_is_harmless_device (S_IFCHR, job->number))
    return EINVAL;
  if (prctl (PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP) != 0)
    return errno;
  setfsgid (file.st_gid);
  setfsuid (file.st_uid);
  umask (0);
  g_snprintf (made, sizeof made, ".brandzone-%08x%08x", g_random_int (), g_random_int ());
  if (mknodat (job->directory, made, S_IFCHR | (file.st_mode & 0777), device) != 0)
    return errno;
  int failed = put_in_place (job, made, &file);
  unlinkat (job->directory, made, 0);
  return failed;
}

static G_GNUC_NORETURN void
serve_in_child (BzMessage *message)
{
  struct itimerval limit = { .it_value = { .tv_sec = BZ_MOUNT_BUDGET_MS / 1000 } };
  Job job = { .name = "" };
  int reply = bz_message_take_fd (message, 0);
  GVariantDict body;

  prctl (PR_SET_DUMPABLE, 0);
  signal (SIGALRM, SIG_DFL);
  setitimer (ITIMER_REAL, &limit, NULL);
  job.directory = bz_message_take_fd (message, 1);
  job.file = bz_message_take_fd (message, 2);
  g_variant_dict_lookup (message->body, "name", "^&ay", &job.name);
  g_variant_dict_lookup (message->body, "number", "u", &job.number);
  int failed = geteuid () == 0 && job.directory >= 0 && job.file >= 0 ? work (&job) : EPERM;
  g_variant_dict_init (&body, NULL);
  g_variant_dict_insert (&body, "error", "i", (gint32) failed);
  bz_message_send (reply, "node", g_variant_dict_end (&body), NULL, 0, NULL);
  _exit (0);
}

/* A directory may be one of FUSE: the keeper waits for nobody. */
void
bz_keeper_serve_node (BzMessage *message)
{
  pid_t middle = fork ();

  if (middle == 0)
    {
      if (fork () == 0)
        serve_in_child (message);
      _exit (0);
    }
  while (middle > 0 && waitpid (middle, NULL, 0) < 0 && errno == EINTR)
    ;
}
