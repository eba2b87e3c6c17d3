/* Interrupted, killed, out of space, as a plain user; directories; and removing. */
#include "config.h"

#include "tests/unit/installer-support.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#define BIG_FILES 400

/* An archive that takes a while: many files of random bytes. */
static void
make_big (Fixture *fixture)
{
  g_autofree guint8 *data = g_malloc (64 * 1024);
  g_autoptr (GRand) rand = g_rand_new_with_seed (7);
  struct archive *archive = archive_begin (fixture, ARCHIVE_FORMAT_TAR_USTAR, ARCHIVE_FILTER_NONE);

  for (gsize i = 0; i < 64 * 1024; i++)
    data[i] = (guint8) g_rand_int (rand);
  put_file (archive, "etc/passwd", "x");
  for (int i = 0; i < BIG_FILES; i++)
    {
      g_autofree char *path = g_strdup_printf ("usr/d%d/f%d", i % 20, i);
      entry_put (archive, entry_new (path, S_IFREG | 0755), data, 64 * 1024);
    }
  archive_end (archive);
}

/* Installs in a child of its own process group. */
static pid_t
install_in_child (Fixture *fixture)
{
  pid_t pid = fork ();

  if (pid == 0)
    {
      BzInstallOptions options = { .source = fixture->archive, .target = fixture->target };
      g_autoptr (GError) error = NULL;

      setpgid (0, 0);
      BzInstallResult *result = bz_installer_run (&options, &error);
      _exit (result != NULL ? 0 : bz_error_exit_status (error));
    }
  assert_true (pid > 0);
  setpgid (pid, pid);
  return pid;
}

/* Waits until the partial tree holds something or the child is done. */
static void
wait_for_partial (Fixture *fixture, pid_t pid)
{
  g_autofree char *begun = g_strdup_printf ("%s.partial/root/usr", fixture->target);
  siginfo_t info = { 0 };

  while (access (begun, F_OK) != 0)
    if (waitid (P_PID, (id_t) pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid == pid)
      return;
}

/* Waits for the child and for whatever it left behind: main made this process their reaper. */
static void
wait_for_all (void)
{
  while (waitpid (-1, NULL, 0) > 0 || errno == EINTR)
    ;
}

static void
interrupting_leaves_nothing (void **state)
{
  Fixture *fixture = *state;
  const int signals[] = { SIGINT, SIGTERM };

  make_big (fixture);
  for (gsize i = 0; i < G_N_ELEMENTS (signals); i++)
    {
      pid_t pid = install_in_child (fixture);
      int status;

      wait_for_partial (fixture, pid);
      kill (-pid, signals[i]);
      assert_int_equal (waitpid (pid, &status, 0), pid);
      assert_true (WIFEXITED (status));
      assert_int_equal (WEXITSTATUS (status), BZ_ERROR_INTERRUPTED);
      assert_nothing_left (fixture);
    }
}

/* The caller is killed at many moments: the installer notices and cleans up. */
static void
killing_the_caller_leaves_nothing (void **state)
{
  Fixture *fixture = *state;

  make_big (fixture);
  for (int i = 0; i < 20; i++)
    {
      pid_t pid = install_in_child (fixture);

      if (i % 2 == 0)
        wait_for_partial (fixture, pid);
      g_usleep ((gulong) i * 500); /* a different moment each time */
      kill (pid, SIGKILL);
      wait_for_all ();
      if (access (fixture->target, F_OK) == 0)
        {
          /* It was done already. */
          assert_content (fixture, "etc/passwd", "x");
          assert_true (bz_installer_remove (fixture->target, NULL, NULL, NULL));
        }
      assert_nothing_left (fixture);
    }
}

/* The only child of a process; 0: none (any more). */
static pid_t
child_of (pid_t pid)
{
  g_autofree char *path = g_strdup_printf ("/proc/%d/task/%d/children", (int) pid, (int) pid);
  g_autofree char *text = NULL;

  if (!g_file_get_contents (path, &text, NULL, NULL))
    {
      print_message ("SKIP: this kernel has no /proc/PID/task/TID/children\n");
      skip ();
    }
  return (pid_t) g_ascii_strtoll (text, NULL, 10);
}

static guint64
status_field (pid_t pid, const char *name, guint base)
{
  g_autofree char *path = g_strdup_printf ("/proc/%d/status", (int) pid);
  g_autofree char *text = NULL;
  const char *line;

  assert_true (g_file_get_contents (path, &text, NULL, NULL));
  line = strstr (text, name);
  assert_non_null (line);
  return g_ascii_strtoull (line + strlen (name), NULL, base);
}

/* The installer is killed: its caller cleans up and says so. Before, it had given up what it does
 * not need. */
static void
killing_the_installer_leaves_nothing (void **state)
{
  const guint64 needed = 1 << 0 | 1 << 1 | 1 << 3 | 1 << 4 | 1 << 27 | G_GUINT64_CONSTANT (1) << 31;
  Fixture *fixture = *state;
  pid_t pid, installer;
  int status;

  make_big (fixture);
  pid = install_in_child (fixture);
  wait_for_partial (fixture, pid);
  installer = child_of (pid);
  assert_true (installer > 0);
  assert_int_equal (kill (installer, SIGSTOP), 0);
  assert_int_equal (status_field (installer, "\nNoNewPrivs:\t", 10), 1);
  assert_int_equal (status_field (installer, "\nCapEff:\t", 16) & ~needed, 0);
  assert_int_equal (status_field (installer, "\nCapPrm:\t", 16) & ~needed, 0);
  assert_int_equal (kill (installer, SIGKILL), 0);
  assert_int_equal (waitpid (pid, &status, 0), pid);
  assert_true (WIFEXITED (status));
  assert_int_equal (WEXITSTATUS (status), BZ_ERROR_FAILED);
  assert_nothing_left (fixture);
}

/* Everybody is killed: the next installation removes what was left and works. */
static void
killing_all_is_mended_by_the_next (void **state)
{
  Fixture *fixture = *state;
  g_autofree char *partial = g_strdup_printf ("%s.partial", fixture->target);
  pid_t pid;

  make_big (fixture);
  pid = install_in_child (fixture);
  wait_for_partial (fixture, pid);
  kill (-pid, SIGKILL);
  wait_for_all ();
  assert_int_equal (access (partial, F_OK), 0);
  assert_int_not_equal (access (fixture->target, F_OK), 0);
  assert_true (install (fixture));
  assert_content (fixture, "etc/passwd", "x");
  assert_true (bz_installer_remove (fixture->target, NULL, NULL, NULL));
  assert_nothing_left (fixture);
}

static void
two_at_once_are_told (void **state)
{
  Fixture *fixture = *state;
  g_autofree char *partial = g_strdup_printf ("%s.partial", fixture->target);
  int fd;

  make_big (fixture);
  assert_int_equal (mkdir (partial, 0700), 0);
  fd = open (partial, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  assert_int_equal (flock (fd, LOCK_EX), 0);
  assert_false (install (fixture));
  assert_true (g_error_matches (fixture->error, BZ_ERROR, BZ_ERROR_LOCKED));
  assert_int_equal (access (partial, F_OK), 0); /* the other's work is not touched */
  close (fd);
}

static void
full_disk_is_told (void **state)
{
  Fixture *fixture = *state;
  g_autofree char *disk = g_build_filename (fixture->directory, "disk", NULL);
  pid_t pid;
  int status;

  skip_unless_root ();
  make_big (fixture);
  assert_int_equal (mkdir (disk, 0755), 0);
  pid = fork ();
  if (pid == 0)
    {
      g_autofree char *target = g_build_filename (disk, "tree", NULL);
      g_autofree char *partial = g_strdup_printf ("%s.partial", target);
      BzInstallOptions options = { .source = fixture->archive, .target = target };
      g_autoptr (GError) error = NULL;

      if (unshare (CLONE_NEWNS) != 0 || mount (NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0
          || mount ("tmpfs", disk, "tmpfs", 0, "size=4m") != 0)
        _exit (77);
      if (bz_installer_run (&options, &error) != NULL)
        _exit (1);
      if (!g_error_matches (error, BZ_ERROR, BZ_ERROR_SPACE)
          || bz_error_parts (error)->hint == NULL)
        _exit (2);
      _exit (access (target, F_OK) != 0 && access (partial, F_OK) != 0 ? 0 : 3);
    }
  assert_int_equal (waitpid (pid, &status, 0), pid);
  if (WEXITSTATUS (status) == 77)
    {
      print_message ("SKIP: can't mount a tmpfs in a namespace\n");
      skip ();
    }
  assert_int_equal (status, 0);
}

/* --- plain users --- */

static void
put_mixed (struct archive *archive)
{
  struct archive_entry *entry = entry_new ("etc/shadow", S_IFREG | 0640);

  archive_entry_set_gid (entry, 42);
  entry_put (archive, entry, "x", 1);
  entry = entry_new ("dev/null", S_IFCHR | 0666);
  archive_entry_set_rdevmajor (entry, 1);
  archive_entry_set_rdevminor (entry, 3);
  entry_put (archive, entry, NULL, 0);
  put_hardlink (archive, "dev/zero", "dev/null");
  put_directory (archive, "etc/tight", 0);
  put_file (archive, "etc/tight/file", "x");
}

/* In a user namespace: `alone` maps one id as nobody would, else 65536 ids as root gives them. */
static int
run_mapped (Fixture *fixture, gboolean alone)
{
  g_autoptr (GArray) ids = g_array_new (FALSE, FALSE, sizeof (BzIdRange));
  BzIdRange range = { 0, 100000, 65536 };
  BzInstallOptions options = {
    .source = fixture->archive, .target = fixture->target, .uids = ids, .gids = ids
  };

  if (alone && (setgid (65534) != 0 || setuid (65534) != 0))
    return 77;
  prctl (PR_SET_DUMPABLE, 1); /* setuid took it: a real plain user's /proc files are his own */
  if (!alone)
    g_array_append_val (ids, range);
  fixture->result = bz_installer_run (&options, &fixture->error);
  if (fixture->result == NULL)
    {
      print_message ("%s\n", fixture->error->message);
      return g_error_matches (fixture->error, BZ_ERROR, BZ_ERROR_HOST) ? 77 : 1;
    }
  if (!has_notice (fixture, "device node left out")
      || !has_notice (fixture, "hard link to something"))
    return 2;
  if (has_notice (fixture, "installing user") != alone)
    return 3;
  if (stat_of (fixture, "etc/shadow").st_gid != (alone ? 65534 : 100042))
    return 4;
  if (!bz_installer_remove (fixture->target, ids, ids, NULL))
    return 5;
  return access (fixture->target, F_OK) != 0 ? 0 : 6;
}

static void
plain_users_get_what_can_be (void **state)
{
  Fixture *fixture = *state;
  struct archive *archive;

  skip_unless_root ();
  archive = archive_begin (fixture, ARCHIVE_FORMAT_TAR_USTAR, ARCHIVE_FILTER_GZIP);
  put_mixed (archive);
  archive_end (archive);
  for (int alone = 0; alone < 2; alone++)
    {
      pid_t pid;
      int status;

      assert_int_equal (chown (fixture->directory, alone ? 65534 : 100000, alone ? 65534 : 100000),
                        0);
      pid = fork ();
      if (pid == 0)
        _exit (run_mapped (fixture, alone));
      assert_int_equal (waitpid (pid, &status, 0), pid);
      if (WIFEXITED (status) && WEXITSTATUS (status) == 77)
        {
          print_message ("SKIP: no user namespace can be made here\n");
          skip ();
        }
      assert_int_equal (status, 0);
      assert_nothing_left (fixture);
    }
}

/* --- directories --- */

static void
directory_is_copied (void **state)
{
  Fixture *fixture = *state;
  g_autofree char *etc = g_build_filename (fixture->archive, "etc", NULL);
  g_autofree char *file = g_build_filename (etc, "file", NULL);
  g_autofree char *again = g_build_filename (etc, "again", NULL);
  g_autofree char *out = g_build_filename (etc, "out", NULL);
  g_autofree char *holes = g_build_filename (etc, "holes", NULL);
  const struct timespec times[2] = { { 5, 6 }, { -5, 7 } };
  int fd;

  assert_int_equal (g_mkdir_with_parents (etc, 0755), 0);
  write_file (file, "content", 7);
  assert_int_equal (chmod (file, 04711), 0);
  assert_int_equal (link (file, again), 0);
  assert_int_equal (symlink ("/etc/passwd", out), 0);
  fd = open (holes, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
  assert_int_equal (pwrite (fd, "x", 1, 3 << 20), 1);
  assert_int_equal (ftruncate (fd, 64 << 20), 0);
  close (fd);
  assert_int_equal (utimensat (AT_FDCWD, file, times, 0), 0);
  assert_true (install (fixture));
  assert_string_equal (fixture->result->source.kind, "directory");
  assert_content (fixture, "etc/file", "content");
  struct stat st = stat_of (fixture, "etc/file"), link = stat_of (fixture, "etc/again");
  assert_int_equal (st.st_mode & 07777, 04711);
  assert_int_equal (st.st_ino, link.st_ino);
  assert_int_equal (st.st_mtim.tv_sec, -5);
  assert_true (S_ISLNK (stat_of (fixture, "etc/out").st_mode));
  assert_int_equal (stat_of (fixture, "etc/holes").st_size, 64 << 20);
  assert_true (stat_of (fixture, "etc/holes").st_blocks < 64);
}

/* --- removing --- */

static void
removing_stays_in_the_tree (void **state)
{
  Fixture *fixture = *state;
  g_autofree char *outside = g_build_filename (fixture->directory, "outside", NULL);
  g_autofree char *precious = g_build_filename (outside, "precious", NULL);
  g_autofree char *link = g_build_filename (fixture->target, "link", NULL);
  g_autofree char *locked = g_build_filename (fixture->target, "locked", NULL);
  g_autofree char *inner = g_build_filename (locked, "inner", NULL);

  assert_int_equal (mkdir (outside, 0755), 0);
  write_file (precious, "x", 1);
  assert_int_equal (g_mkdir_with_parents (inner, 0755), 0);
  assert_int_equal (symlink (outside, link), 0);
  assert_int_equal (chmod (locked, 0), 0);
  assert_true (bz_installer_remove (fixture->target, NULL, NULL, NULL));
  assert_nothing_left (fixture);
  assert_int_equal (access (precious, F_OK), 0);
  assert_true (bz_installer_remove (fixture->target, NULL, NULL, NULL)); /* again */
  assert_int_equal (symlink (outside, fixture->target), 0);
  assert_true (bz_installer_remove (fixture->target, NULL, NULL, NULL));
  assert_int_equal (access (precious, F_OK), 0);
}

static void
removing_goes_ten_thousand_deep (void **state)
{
  Fixture *fixture = *state;
  int fd;

  assert_int_equal (mkdir (fixture->target, 0755), 0);
  fd = open (fixture->target, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  for (int i = 0; i < 10000; i++)
    {
      int next;

      assert_int_equal (mkdirat (fd, "deep", i % 3 == 0 ? 0700 : 0755), 0);
      next = openat (fd, "deep", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
      assert_true (next >= 0);
      close (fd);
      fd = next;
    }
  close (fd);
  assert_true (bz_installer_remove (fixture->target, NULL, NULL, NULL));
  assert_nothing_left (fixture);
}

static void
removing_stops_at_mounts (void **state)
{
  Fixture *fixture = *state;
  g_autofree char *outside = g_build_filename (fixture->directory, "outside", NULL);
  g_autofree char *precious = g_build_filename (outside, "precious", NULL);
  g_autofree char *point = g_build_filename (fixture->target, "etc/point", NULL);
  g_autofree char *file = g_build_filename (fixture->target, "etc/file", NULL);
  pid_t pid;
  int status;

  skip_unless_root ();
  assert_int_equal (mkdir (outside, 0755), 0);
  write_file (precious, "x", 1);
  assert_int_equal (g_mkdir_with_parents (point, 0755), 0);
  write_file (file, "x", 1);
  pid = fork ();
  if (pid == 0)
    {
      g_autoptr (GError) error = NULL;

      if (unshare (CLONE_NEWNS) != 0 || mount (NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0
          || mount (outside, point, NULL, MS_BIND, NULL) != 0)
        _exit (77);
      if (bz_installer_remove (fixture->target, NULL, NULL, &error))
        _exit (1);
      if (strstr (error->message, "etc/point") == NULL
          || strstr (error->message, "mounted") == NULL)
        _exit (2);
      if (access (precious, F_OK) != 0)
        _exit (3);
      _exit (access (file, F_OK) != 0 ? 0 : 4); /* the rest is gone */
    }
  assert_int_equal (waitpid (pid, &status, 0), pid);
  if (WIFEXITED (status) && WEXITSTATUS (status) == 77)
    {
      print_message ("SKIP: can't mount in a namespace\n");
      skip ();
    }
  assert_int_equal (status, 0);
}

static void
removing_tells_of_immutable_files (void **state)
{
  Fixture *fixture = *state;
  g_autofree char *file = g_build_filename (fixture->target, "etc/kept", NULL);
  g_autofree char *other = g_build_filename (fixture->target, "etc/other", NULL);
  g_autofree char *etc = g_build_filename (fixture->target, "etc", NULL);
  int flags = FS_IMMUTABLE_FL, fd;

  assert_int_equal (g_mkdir_with_parents (etc, 0755), 0);
  write_file (file, "x", 1);
  write_file (other, "x", 1);
  fd = open (file, O_RDONLY | O_CLOEXEC);
  if (ioctl (fd, FS_IOC_SETFLAGS, &flags) != 0)
    {
      close (fd);
      print_message ("SKIP: the immutable flag can't be set here\n");
      skip ();
    }
  gboolean removed = bz_installer_remove (fixture->target, NULL, NULL, &fixture->error);
  flags = 0;
  assert_int_equal (ioctl (fd, FS_IOC_SETFLAGS, &flags), 0);
  close (fd);
  assert_false (removed);
  assert_non_null (strstr (fixture->error->message, "immutable"));
  assert_non_null (strstr (fixture->error->message, "etc/kept"));
  assert_int_not_equal (access (other, F_OK), 0);
  assert_true (bz_installer_remove (fixture->target, NULL, NULL, NULL));
}

typedef struct {
  Fixture *fixture;
  guint recognised, progress;
  BzProgress last;
} Told;

static void
on_recognised (const BzSourceInfo *source, gpointer data)
{
  Told *told = data;

  assert_string_equal (source->kind, "tar archive");
  assert_true (source->bytes > 0);
  assert_int_equal (told->progress, 0);
  told->recognised++;
}

static void
on_progress (const BzProgress *progress, gpointer data)
{
  Told *told = data;

  assert_true (progress->done >= told->last.done && progress->done <= progress->total);
  told->last = *progress;
  told->progress++;
}

static void
progress_is_told (void **state)
{
  Fixture *fixture = *state;
  Told told = { .fixture = fixture };

  make_big (fixture);
  assert_true (install_with (fixture, (BzInstallOptions){ .recognised = on_recognised,
                                                          .progress = on_progress,
                                                          .data = &told }));
  assert_int_equal (told.recognised, 1);
  assert_true (told.progress > 0);
  assert_int_equal (told.last.done, told.last.total);
  assert_int_equal (told.last.total, fixture->result->source.bytes);
  assert_int_equal (told.last.files, fixture->result->files);
  assert_true (fixture->result->files > BIG_FILES);
  assert_int_equal (fixture->result->bytes, BIG_FILES * 64 * 1024 + 1);
}

static void
a_missing_installer_is_told (void **state)
{
  Fixture *fixture = *state;
  g_autofree char *before = g_strdup (g_getenv ("BRANDZONE_LIBEXECDIR"));

  make_big (fixture);
  g_setenv ("BRANDZONE_LIBEXECDIR", fixture->directory, TRUE);
  assert_false (install (fixture));
  g_setenv ("BRANDZONE_LIBEXECDIR", before, TRUE);
  assert_refused (fixture, BZ_ERROR_FAILED, "brandzone-install");
}

int
main (void)
{
#define TEST(function) cmocka_unit_test_setup_teardown (function, fixture_setup, fixture_teardown)
  const struct CMUnitTest tests[] = {
    TEST (interrupting_leaves_nothing),
    TEST (killing_the_caller_leaves_nothing),
    TEST (killing_the_installer_leaves_nothing),
    TEST (killing_all_is_mended_by_the_next),
    TEST (two_at_once_are_told),
    TEST (full_disk_is_told),
    TEST (plain_users_get_what_can_be),
    TEST (directory_is_copied),
    TEST (removing_stays_in_the_tree),
    TEST (removing_goes_ten_thousand_deep),
    TEST (removing_stops_at_mounts),
    TEST (removing_tells_of_immutable_files),
    TEST (progress_is_told),
    TEST (a_missing_installer_is_told),
  };

  prctl (PR_SET_CHILD_SUBREAPER, 1);
  return cmocka_run_group_tests (tests, NULL, NULL);
}
