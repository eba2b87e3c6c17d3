/* A file system of a disk or a server, mounted for a zone by the host's root.
 *
 * Problem: a user namespace mounts no ext4 and no NFS; old userlands mount both at boot.
 *
 * Facts: the kernel wants CAP_SYS_ADMIN of the initial user namespace for these, also when the context
 * is made in the zone's (6.10 refuses that altogether). What was mounted is a detached mount, which
 * any namespace can be given. An idmapped mount (5.12) shows ids on disk as the zone's own, where the
 * file system can do that; NFS, ISO 9660 and some more can't: the zone sees nobody's files, and a
 * server sees the zone's ids as the host has them.
 *
 * Choice: a child of the keeper, in the zone's network namespace for a server, makes the mount with
 * nodev (and nosuid where ids are not mapped), locks these flags (mount-lock.c), and only then enters
 * the zone's namespaces and puts it on the mount point, with no more than the zone's rights. An image
 * in a regular file gets a loop device that goes with its last user. Options are those of a list
 * (file-systems.c). An alarm ends what takes longer than the call may.
 *
 * Limits: a driver reads what the zone can change meanwhile (SECURITY.md). A server that takes more than
 * four seconds is ETIMEDOUT. No autofs: its daemon's pipe and process group are the zone's. */
#include "config.h"

#include "loader/mount-broker.h"

#include "brand/file-systems.h"
#include "loader/kernel.h"
#include "loader/loop-device.h"
#include "loader/mount-lock.h"
#include "loader/mounter.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>

typedef struct {
  const BzFileSystem *system;
  const char *name; /* the zone's */
  const char *source;
  char **options;
  guint64 flags; /* MS_ */
  int place, mount_namespace, image; /* image: or -1 */
  int loop; /* which of the zone's loop devices the image is, or -1 */
  const int *namespaces;
  guint64 offset, limit; /* of the image's bytes; limit 0: all */
} Job;

/* --- options --- */

/* What mount(8) itself understands, and flags that came as words; the kernel is not to see them. */
static gboolean
is_for_mount_program (const char *option)
{
  static const char *const words[] = { "rw",   "loop",  "defaults", "auto",  "noauto", "user",
                                       "nouser", "users", "owner",  "_netdev" };

  for (guint i = 0; i < G_N_ELEMENTS (words); i++)
    if (strcmp (words[i], option) == 0)
      return TRUE;
  return g_str_has_prefix (option, "loop=");
}

/* TRUE: it says which part of the image is meant. */
static gboolean
take_part (Job *job, const char *name, const char *value)
{
  guint64 *where = strcmp (name, "offset") == 0      ? &job->offset
                   : strcmp (name, "sizelimit") == 0 ? &job->limit
                                                     : NULL;

  return job->image >= 0 && where != NULL && value != NULL
         && g_ascii_string_to_unsigned (value, 10, 0, G_MAXINT64, where, NULL);
}

static int
set_option (Job *job, int context, const char *option)
{
  g_auto (GStrv) pair = g_strsplit (option, "=", 2);

  if (strcmp (option, "ro") == 0)
    job->flags |= MS_RDONLY;
  if (option[0] == '\0' || strcmp (option, "ro") == 0 || is_for_mount_program (option) || take_part (job, pair[0], pair[1]))
    return 0;
  if (!bz_file_system_has_option (job->system, pair[0]))
    {
      g_autofree char *safe = g_strescape (pair[0], NULL);
      g_printerr ("brandzone: %s: mount of %s: the option %.64s is not for zones (B12)\n", job->name,
                  job->system->name, safe);
      return EINVAL;
    }
  if (pair[1] != NULL)
    return bz_fsconfig (context, BZ_FSCONFIG_SET_STRING, pair[0], pair[1]) != 0 ? errno : 0;
  return bz_fsconfig (context, BZ_FSCONFIG_SET_FLAG, pair[0], NULL) != 0 ? errno : 0;
}

static gboolean
is_read_only (const Job *job)
{
  return job->system->read_only || (job->flags & MS_RDONLY) != 0;
}

static int
configure (Job *job, int context)
{
  int failed = 0;

  for (char **one = job->options; failed == 0 && *one != NULL; one++)
    failed = set_option (job, context, *one);
  if (failed == 0 && is_read_only (job) && bz_fsconfig (context, BZ_FSCONFIG_SET_FLAG, "ro", NULL) != 0)
    failed = errno;
  if (failed == 0 && (job->flags & MS_SYNCHRONOUS) != 0
      && bz_fsconfig (context, BZ_FSCONFIG_SET_FLAG, "sync", NULL) != 0)
    failed = errno;
  return failed;
}

/* --- the source --- */

/* The name that the zone has for it, which its /proc/mounts will tell, and its umount(8) clear: in a /dev that
 * only this process sees. */
static void
name_device (const Job *job, dev_t number, char path[32])
{
  g_snprintf (path, 32, "/dev/loop%d", job->loop);
  if (job->loop < 0 || unshare (CLONE_NEWNS) != 0
      || mount (NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0
      || mount ("none", "/dev", "tmpfs", MS_NOSUID | MS_NOEXEC, "mode=700") != 0
      || mknod (path, S_IFBLK | 0600, number) != 0)
    g_snprintf (path, 32, "/proc/self/fd/%d", job->image);
}

/* Names the source to the kernel. *device: to be kept until the file system is there, or -1. */
static int
set_source (Job *job, int context, int *device)
{
  char path[32];
  struct stat status;

  *device = -1;
  if (job->image < 0)
    return bz_fsconfig (context, BZ_FSCONFIG_SET_STRING, "source", job->source) != 0 ? errno : 0;
  if (fstat (job->image, &status) != 0)
    return errno;
  BzLoopImage image = { .image = job->image,
                        .offset = job->offset,
                        .limit = job->limit,
                        .read_only = is_read_only (job) };
  if (S_ISBLK (status.st_mode))
    name_device (job, status.st_rdev, path);
  else if ((*device = bz_loop_device_attach (&image, path)) < 0)
    return errno == ENOENT || errno == ENXIO ? ENODEV : errno;
  return bz_fsconfig (context, BZ_FSCONFIG_SET_STRING, "source", path) != 0 ? errno : 0;
}

/* --- the mount --- */

/* What the driver says goes to the zone's log. */
static void
tell_reasons (const Job *job, int context)
{
  char text[256];
  gssize length;

  while ((length = read (context, text, sizeof text - 1)) > 0)
    {
      text[length] = '\0';
      g_autofree char *safe = g_strescape (g_strchomp (text), NULL);
      g_printerr ("brandzone: %s: mount of %s: %s\n", job->name, job->system->name, safe);
    }
}

static unsigned
attributes_of (const Job *job)
{
  return BZ_MOUNT_ATTR_NODEV | (is_read_only (job) ? BZ_MOUNT_ATTR_RDONLY : 0)
         | ((job->flags & MS_NOSUID) != 0 ? BZ_MOUNT_ATTR_NOSUID : 0)
         | ((job->flags & MS_NOEXEC) != 0 ? BZ_MOUNT_ATTR_NOEXEC : 0)
         | ((job->flags & MS_NOATIME) != 0 ? BZ_MOUNT_ATTR_NOATIME : 0);
}

/* The zone's ids; where the file system has no such mounts, nobody's, and no set-uid programs. */
static int
map_ids (const Job *job, int mount, gboolean *mapped)
{
  struct bz_mount_attr map = { .attr_set = BZ_MOUNT_ATTR_IDMAP,
                               .userns_fd = (uint64_t) job->namespaces[BZ_NAMESPACE_USER] };
  struct bz_mount_attr plain = { .attr_set = BZ_MOUNT_ATTR_NOSUID };

  *mapped = bz_mount_setattr (mount, "", AT_EMPTY_PATH, &map) == 0;
  return *mapped || bz_mount_setattr (mount, "", AT_EMPTY_PATH, &plain) == 0 ? 0 : errno;
}

static int
make_by (Job *job, const char *driver, int *mount, gboolean *mapped)
{
  int context = bz_fsopen (driver), device = -1;

  if (context < 0)
    return errno;
  /* Which part of the image is meant is among the options. */
  int failed = configure (job, context);
  if (failed == 0)
    failed = set_source (job, context, &device);
  if (failed == 0 && bz_fsconfig (context, BZ_FSCONFIG_CMD_CREATE, NULL, NULL) != 0)
    failed = errno;
  if (failed == 0 && (*mount = bz_fsmount (context, attributes_of (job))) < 0)
    failed = errno;
  if (failed == 0)
    failed = map_ids (job, *mount, mapped);
  if (failed != 0)
    tell_reasons (job, context);
  if (device >= 0)
    close (device);
  close (context);
  return failed;
}

/* Today's ext2 and ext3 are names of ext4's driver, which maps ids by its own name alone. What it has mounted by theirs is
 * one of them, and is mounted by that. */
static int
make_mount (Job *job, int *mount)
{
  gboolean mapped = FALSE;
  int failed = make_by (job, job->system->name, mount, &mapped), again = -1;

  if (failed != 0 || mapped
      || (strcmp (job->system->name, "ext2") != 0 && strcmp (job->system->name, "ext3") != 0))
    return failed;
  close (*mount);
  if (make_by (job, "ext4", &again, &mapped) != 0)
    return make_by (job, job->system->name, mount, &mapped);
  *mount = again;
  return 0;
}

/* The last step: from here on this process has the zone's rights alone. */
static int
put_in_place (const Job *job, int mount)
{
  if (setns (job->namespaces[BZ_NAMESPACE_USER], CLONE_NEWUSER) != 0
      || setns (job->mount_namespace, CLONE_NEWNS) != 0
      || bz_move_mount (mount, "", job->place, "",
                        BZ_MOVE_MOUNT_F_EMPTY_PATH | BZ_MOVE_MOUNT_T_EMPTY_PATH)
             != 0)
    return errno;
  return 0;
}

static int
work (Job *job)
{
  g_autoptr (GError) error = NULL;
  int network = job->namespaces[BZ_NAMESPACE_NET], mount = -1;

  if (job->system->kind == BZ_FILE_SYSTEM_NETWORK && network >= 0 && setns (network, CLONE_NEWNET) != 0)
    return errno;
  int failed = make_mount (job, &mount);
  if (failed != 0)
    return failed;
  if (!bz_mounts_lock (&mount, 1, job->namespaces[BZ_NAMESPACE_USER], &error))
    {
      g_printerr ("brandzone: %s: %s\n", job->name, error->message);
      return EIO;
    }
  return put_in_place (job, mount);
}

/* --- the process --- */

static gboolean
read_job (BzMessage *message, Job *job)
{
  const char *type = NULL;
  g_autofree char *options = NULL;

  job->place = bz_message_take_fd (message, 1);
  job->mount_namespace = bz_message_take_fd (message, 2);
  job->image = bz_message_take_fd (message, 3);
  g_variant_dict_lookup (message->body, "type", "&s", &type);
  g_variant_dict_lookup (message->body, "source", "^&ay", &job->source);
  g_variant_dict_lookup (message->body, "options", "^ay", &options);
  g_variant_dict_lookup (message->body, "flags", "t", &job->flags);
  job->system = type != NULL ? bz_file_system_lookup (type) : NULL;
  job->options = options != NULL ? g_strsplit (options, ",", -1) : NULL;
  return job->place >= 0 && job->mount_namespace >= 0 && job->source != NULL && job->options != NULL
         && job->system != NULL && job->system->kind != BZ_FILE_SYSTEM_REFUSED
         && (job->image >= 0) == (job->system->kind == BZ_FILE_SYSTEM_IMAGE);
}

static G_GNUC_NORETURN void
serve_in_child (BzMessage *message, const int *namespaces, const char *name, int loop)
{
  struct itimerval limit = { .it_value = { .tv_sec = BZ_MOUNT_BUDGET_MS / 1000 } };
  Job job = { .name = name, .namespaces = namespaces, .loop = loop };
  int reply = bz_message_take_fd (message, 0);
  GVariantDict body;

  prctl (PR_SET_DUMPABLE, 0); /* it enters namespaces of the zone with what the keeper holds */
  signal (SIGALRM, SIG_DFL);
  setitimer (ITIMER_REAL, &limit, NULL);
  int failed = read_job (message, &job) ? work (&job) : EINVAL;
  g_variant_dict_init (&body, NULL);
  g_variant_dict_insert (&body, "error", "i", (gint32) failed);
  bz_message_send (reply, "mount", g_variant_dict_end (&body), NULL, 0, NULL);
  _exit (0);
}

void
bz_mount_broker_serve (BzMessage *message, const int namespaces[BZ_NAMESPACE_COUNT], const char *name,
                       int loop)
{
  /* Twice: the keeper waits for nobody. */
  pid_t middle = fork ();

  if (middle == 0)
    {
      if (fork () == 0)
        serve_in_child (message, namespaces, name, loop);
      _exit (0);
    }
  while (middle > 0 && waitpid (middle, NULL, 0) < 0 && errno == EINTR)
    ;
}
