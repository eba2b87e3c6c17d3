/* The lock of a zone, and what it tells about the zone's condition. See bz_state_lock. */
#include "config.h"

#include "brand/base/error.h"
#include "zone/state.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define POLL_US 5000

/* Whether the file that was locked is still the one that others will find. `remove` unlinks it. */
static gboolean
is_current (int fd, const char *path)
{
  struct stat held, found;

  return fstat (fd, &held) == 0 && stat (path, &found) == 0 && held.st_dev == found.st_dev
         && held.st_ino == found.st_ino;
}

/* One attempt: a descriptor, -1 (errno EWOULDBLOCK: held by another), with errno EAGAIN-like
 * retries inside. */
static int
try_lock (const char *path)
{
  for (;;)
    {
      int fd = open (path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY, 0600);

      if (fd < 0)
        return -1;
      if (flock (fd, LOCK_EX | LOCK_NB) != 0)
        {
          int saved = errno;
          close (fd);
          errno = saved;
          return -1;
        }
      if (is_current (fd, path))
        return fd;
      close (fd);
    }
}

static int
fail_locked (const char *name, BzZoneCondition condition, GError **error)
{
  if (condition == BZ_ZONE_RUNNING)
    {
      g_autofree char *hint =
          g_strdup_printf ("join it: brandzone exec %s -- COMMAND; end it: brandzone stop %s", name,
                           name);
      bz_fail (error, BZ_ERROR_STATE, "it is running", hint, "zone %s", name);
    }
  else
    bz_fail (error, BZ_ERROR_LOCKED, "another brandzone works on it", "try again when that is done",
             "zone %s", name);
  return -1;
}

static gboolean
answers (const BzDirs *dirs, const char *name, BzZoneInfo *info)
{
  g_autofree char *run_dir = bz_dirs_run (dirs, name);
  BzZoneInfo unused;

  return g_file_test (run_dir, G_FILE_TEST_IS_DIR)
         && bz_loader_info (run_dir, info != NULL ? info : &unused, NULL);
}

int
bz_state_lock (const BzDirs *dirs, const char *name, guint wait_ms, GError **error)
{
  g_autofree char *path = bz_dirs_hidden (dirs, name, "lock");
  gint64 until = g_get_monotonic_time () + (gint64) wait_ms * 1000;

  for (;;)
    {
      int fd = try_lock (path);

      if (fd >= 0)
        return fd;
      if (errno != EWOULDBLOCK)
        {
          bz_fail_errno (error, errno,
                         errno == EACCES || errno == EPERM ? "run as root, or leave --system out"
                                                           : NULL,
                         "locking zone %s", name);
          return -1;
        }
      if (answers (dirs, name, NULL))
        return fail_locked (name, BZ_ZONE_RUNNING, error);
      /* flock has no time limit. The holder is a zone that is ending, or a `list` that looks. */
      if (g_get_monotonic_time () >= until)
        return fail_locked (name, BZ_ZONE_BUSY, error);
      g_usleep (POLL_US);
    }
}

BzZoneCondition
bz_state_condition (const BzDirs *dirs, const char *name, BzZoneInfo *info)
{
  g_autofree char *path = bz_dirs_hidden (dirs, name, "lock");
  int fd = open (path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY);
  gboolean held;

  if (fd < 0)
    return BZ_ZONE_STOPPED;
  /* A shared lock, so that two lookers do not take each other for a worker. */
  held = flock (fd, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
  close (fd);
  if (!held)
    return BZ_ZONE_STOPPED;
  return answers (dirs, name, info) ? BZ_ZONE_RUNNING : BZ_ZONE_BUSY;
}

const char *
bz_zone_condition_name (BzZoneCondition condition)
{
  static const char *const names[] = {
    [BZ_ZONE_STOPPED] = "stopped", [BZ_ZONE_BUSY] = "busy", [BZ_ZONE_RUNNING] = "running"
  };

  return names[condition];
}
