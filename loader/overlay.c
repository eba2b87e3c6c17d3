/* Overlays.
 *
 * Facts, each seen on Linux 6.18 or read in its documentation:
 * - redirect_dir is what renames directories of a lower layer; without it rename(2) gives EXDEV
 *   (FAILURES P2). It needs trusted.* attributes, so a plain user's overlay, which has userxattr
 *   (Linux 5.11), goes without.
 * - index keeps hard links together when one name is written to, by a directory that lies beside
 *   the upper one and is no part of it. A layer that was an upper directory has lost it: the other
 *   names would show what they had before. So it is off, and what a link loses it loses at once.
 * - metacopy leaves the data of a changed file in the layer below; a copy of the upper directory
 *   alone, or a backup of it, would have no data. Off, whatever the host's default is.
 * - xino=off keeps inode numbers within 32 bits.
 * - An upper directory may lie on an idmapped mount if who mounts has an id that it maps
 *   (EOVERFLOW otherwise): layers then hold the zone's own ids, whichever zone uses them.
 * - A descriptor that was opened for reading follows the file when the first write copies it up (from
 *   Linux 4.19 on; before, rpm told "Rpmdb checksum is invalid", P1), but a shared mapping of it keeps
 *   showing the lower layer's. rpm's Berkeley DB opens its database both ways, and may map what it
 *   opens for reading: the database is copied up before. With 60 packages in the base neither
 *   rpm 4.8 nor its bindings showed anything amiss on 6.18 without that; a mapping does. */
#include "config.h"

#include "loader/overlay.h"

#include "brand/base/error.h"
#include "loader/kernel.h"
#include "loader/loader.h"
#include "loader/message.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define DATABASE_FILES_MAX 256
#define DATABASE_BYTES_MAX ((off_t) 1 << 30) /* of all together */
#define STAGE "/tmp"

static gboolean
make_directory (const char *path, uid_t uid, gid_t gid)
{
  if (mkdir (path, 0755) != 0)
    return errno == EEXIST;
  return chown (path, uid, gid) == 0;
}

static gboolean
attach_lower (const char *stage, guint number, int fd)
{
  g_autofree char *place = g_strdup_printf ("%s/%u", stage, number);

  return mkdir (place, 0755) == 0
         && bz_move_mount (fd, "", AT_FDCWD, place, BZ_MOVE_MOUNT_F_EMPTY_PATH) == 0;
}

gboolean
bz_overlay_attach (const char *stage, const int *lowers, guint count, int upper, uid_t uid,
                   gid_t gid, GError **error)
{
  g_autofree char *changes = g_build_filename (stage, "changes", NULL);
  g_autofree char *root = g_build_filename (changes, BZ_OVERLAY_UPPER, NULL);
  g_autofree char *work = g_build_filename (changes, BZ_OVERLAY_WORK, NULL);
  gboolean good = count <= BZ_OVERLAY_LAYERS_MAX;

  errno = E2BIG;
  for (guint i = 0; good && i < count; i++)
    good = attach_lower (stage, i, lowers[i]);
  good = good && mkdir (changes, 0755) == 0
         && (upper < 0
             || bz_move_mount (upper, "", AT_FDCWD, changes, BZ_MOVE_MOUNT_F_EMPTY_PATH) == 0)
         && make_directory (root, uid, gid) && make_directory (work, uid, gid);
  return good || bz_fail_errno (error, errno, NULL, "cannot prepare the layers of the zone's tree");
}

static char *
lower_option (const char *stage, guint count)
{
  GString *option = g_string_new ("lowerdir=");

  for (guint i = 0; i < count; i++)
    g_string_append_printf (option, "%s%s/%u", i > 0 ? ":" : "", stage, i);
  return g_string_free (option, FALSE);
}

/* Renamed directories of the layers are followed, whatever the host's default is. */
static gboolean
mount_read_only (const char *stage, guint count, const char *target, gboolean user, GError **error)
{
  g_autofree char *lower = lower_option (stage, count);
  g_autofree char *options =
      g_strconcat (lower, user ? ",userxattr" : ",redirect_dir=follow", ",xino=off", NULL);

  return mount ("overlay", target, "overlay", MS_RDONLY | MS_NODEV | MS_NOSUID, options) == 0
         || bz_fail_errno (error, errno, "see `brandzone doctor`, overlay",
                           "cannot mount the layers of the zone's tree");
}

gboolean
bz_overlay_mount (const char *stage, guint count, const char *target, gboolean user, GError **error)
{
  g_autofree char *lower = lower_option (stage, count);
  g_autoptr (GString) options = g_string_new (lower);

  g_string_append_printf (options, ",upperdir=%s/changes/%s,workdir=%s/changes/%s", stage,
                          BZ_OVERLAY_UPPER, stage, BZ_OVERLAY_WORK);
  g_string_append (options, user ? ",userxattr" : ",redirect_dir=on");
  g_string_append (options, ",index=off,metacopy=off,xino=off");
  return mount ("overlay", target, "overlay", MS_NODEV, options->str) == 0
         || bz_fail_errno (error, errno, "see `brandzone doctor`, overlay",
                           "cannot mount the layers of the zone's tree");
}

/* --- a view for who is no zone --- */

typedef struct {
  char *const *lowers;
  const char *upper;
  gboolean user;
  int socket;
} Opening;

/* Paths are longer than the options may be: the layers are attached first. */
static int
open_here (const Opening *opening, GError **error)
{
  int lowers[BZ_OVERLAY_LAYERS_MAX + 1], upper = -1;
  guint count = 0;

  for (char *const *one = opening->lowers; *one != NULL && count < G_N_ELEMENTS (lowers); one++)
    if ((lowers[count++] = bz_open_tree (AT_FDCWD, *one, BZ_OPEN_TREE_CLONE | O_CLOEXEC)) < 0)
      {
        bz_fail_errno (error, errno, NULL, "cannot open %s", *one);
        return -1;
      }
  if (opening->upper != NULL
      && (upper = bz_open_tree (AT_FDCWD, opening->upper, BZ_OPEN_TREE_CLONE | O_CLOEXEC)) < 0)
    {
      bz_fail_errno (error, errno, NULL, "cannot open %s", opening->upper);
      return -1;
    }
  if (mount (NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0
      || mount ("tmpfs", STAGE, "tmpfs", MS_NOSUID | MS_NODEV, "mode=0755") != 0
      || mkdir (STAGE "/view", 0755) != 0)
    {
      bz_fail_errno (error, errno, NULL, "cannot prepare a view of the zone's tree");
      return -1;
    }
  if (!bz_overlay_attach (STAGE, lowers, count, upper, 0, 0, error)
      || !(upper >= 0 ? bz_overlay_mount (STAGE, count, STAGE "/view", opening->user, error)
                      : mount_read_only (STAGE, count, STAGE "/view", opening->user, error)))
    return -1;
  int fd = bz_open_tree (AT_FDCWD, STAGE "/view", BZ_OPEN_TREE_CLONE | O_CLOEXEC);
  if (fd < 0)
    {
      bz_fail_errno (error, errno, NULL, "cannot open the view of the zone's tree");
      return -1;
    }
  int readable = openat (fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (readable < 0)
    bz_fail_errno (error, errno, NULL, "cannot open the view of the zone's tree");
  return readable;
}

static int
open_and_send (gpointer data)
{
  const Opening *opening = data;
  g_autoptr (GError) problem = NULL;
  int fd = open_here (opening, &problem);

  if (fd < 0)
    bz_message_send_error (opening->socket, problem, NULL);
  else
    bz_message_send (opening->socket, "view", NULL, &fd, 1, NULL);
  return fd < 0;
}

static gboolean
open_as_root (Opening *opening, GError **error)
{
  pid_t child = fork ();

  if (child == 0)
    {
      g_autoptr (GError) problem = NULL;
      if (unshare (CLONE_NEWNS) == 0)
        _exit (open_and_send (opening));
      bz_fail_errno (&problem, errno, NULL, "cannot make a mount namespace");
      bz_message_send_error (opening->socket, problem, NULL);
      _exit (1);
    }
  while (child > 0 && waitpid (child, NULL, 0) < 0 && errno == EINTR)
    ;
  return child > 0 || bz_fail_errno (error, errno, NULL, "cannot fork");
}

int
bz_overlay_open (char *const *lowers, const char *upper, const GArray *uids, const GArray *gids,
                 GError **error)
{
  g_autoptr (BzMessage) answer = NULL;
  Opening opening = { lowers, upper, uids != NULL, -1 };
  int pair[2], status;

  if (socketpair (AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
    {
      bz_fail_errno (error, errno, NULL, "cannot make a socket pair");
      return -1;
    }
  opening.socket = pair[1];
  gboolean ran = uids != NULL
                     ? bz_userns_run (uids, gids, open_and_send, &opening, &status, error)
                     : open_as_root (&opening, error);
  close (pair[1]);
  if (ran)
    answer = bz_message_receive (pair[0], NULL, error);
  close (pair[0]);
  return answer != NULL && bz_message_check (answer, error) ? bz_message_take_fd (answer, 0) : -1;
}

/* --- what programs take amiss --- */

/* An archive may have put anything there: many names of a large file, which would become many files. */
static gboolean
is_database (const struct stat *st, off_t left)
{
  return S_ISREG (st->st_mode) && st->st_nlink == 1 && st->st_size <= left;
}

void
bz_overlay_copy_databases (int root)
{
  int fd = bz_openat2 (root, "var/lib/rpm", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0,
                       BZ_RESOLVE_IN_ROOT | BZ_RESOLVE_NO_MAGICLINKS | BZ_RESOLVE_NO_XDEV);
  DIR *dir = fd >= 0 ? fdopendir (fd) : NULL;
  off_t left = DATABASE_BYTES_MAX;
  struct dirent *entry;
  struct stat st;

  if (dir == NULL && fd >= 0)
    close (fd);
  for (guint i = 0; dir != NULL && i < DATABASE_FILES_MAX && (entry = readdir (dir)) != NULL; i++)
    {
      if (fstatat (fd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0 || !is_database (&st, left))
        continue;
      left -= st.st_size;
      int file = openat (fd, entry->d_name, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
      if (file >= 0)
        close (file);
    }
  if (dir != NULL)
    closedir (dir);
}
