/* guest-newer DIRECTORY: fchmodat2(2) without flags, as a kernel that has it answers it; for one that lacks it (S7), it is
 * carried out by the supervisor, which must do it as the task: with the task's root and working directory, and with no
 * right that the task does not have. */
#include "guest.h"

#define CREATE 0101 /* O_WRONLY | O_CREAT */
#define CLONE_NEWUSER 0x10000000
#define HERE (-100) /* AT_FDCWD */

#ifdef __i386__
enum { NR_chdir = 12, NR_unlink = 10, NR_chmod = 15, NR_symlink = 83, NR_chroot = 61, NR_chown = 212, NR_unshare = 310, NR_statx = 383 };
#else
enum { NR_chdir = 80, NR_unlink = 87, NR_chmod = 90, NR_symlink = 88, NR_chroot = 161, NR_chown = 92, NR_unshare = 272, NR_statx = 332 };
#endif
enum { NR_fchmodat2 = 452 };

static long
mode_of (const char *path)
{
  static u8 status[256];
  u16 mode;

  long failed = call (NR_statx, HERE, path, 0, 2, status);
  if (failed < 0)
    return failed;
  memcpy (&mode, status + 28, sizeof mode);
  return mode & 07777;
}

static long
change (long directory, const char *path, u32 mode)
{
  return call (NR_fchmodat2, directory, path, mode, 0);
}

static void
make_file (const char *path)
{
  call (NR_unlink, path);
  call (NR_close, call (NR_open, path, CREATE, 0644));
  call (NR_chmod, path, 0644);
}

static void
make_files (void)
{
  call (NR_mkdir, "d", 0755);
  call (NR_mkdir, "closed", 0700);
  make_file ("f");
  make_file ("d/g");
  make_file ("closed/h");
  make_file ("user");
  call (NR_symlink, "f", "link");
  call (NR_symlink, "/f", "d/absolute");
}

static void
as_root (void)
{
  long d = call (NR_open, "d", 0, 0), f = call (NR_open, "f", 0, 0);

  is (change (HERE, "f", 0640), 0, "S7: fchmodat2 without flags");
  is (mode_of ("f"), 0640, "the mode is set");
  is (change (HERE, "link", 04711), 0, "by a link");
  is (mode_of ("f"), 04711, "which is followed");
  is (change (d, "g", 0604), 0, "below a descriptor");
  is (mode_of ("d/g"), 0604, "the file there");
  is (change (HERE, "none", 0600), -E_NOENT, "no such file");
  is (change (HERE, "", 0600), -E_NOENT, "no path");
  is (change (HERE, "f/x", 0600), -E_NOTDIR, "below a file");
  is (change (f, "x", 0600), -E_NOTDIR, "below a file's descriptor");
  is (change (99, "x", 0600), -E_BADF, "below no descriptor");
  is (change (HERE, (const char *) 1, 0600), -E_FAULT, "a path that is not there");
  call (NR_close, d);
  call (NR_close, f);
}

/* Its root is d: neither /f nor what a link names as that is the zone's. */
static void
in_a_root (void)
{
  long child = guest_fork ();

  if (child == 0)
    {
      long failed = call (NR_chroot, "d");
      if (failed == 0)
        failed = call (NR_chdir, "/");
      if (failed != 0)
        call (NR_exit, 10);
      call (NR_exit, (change (HERE, "/f", 0777) == -E_NOENT ? 0 : 1) + (change (HERE, "absolute", 0777) == -E_NOENT ? 0 : 2)
                         + (change (HERE, "../f", 0777) == -E_NOENT ? 0 : 4) + (change (HERE, "/g", 0611) == 0 ? 0 : 8));
    }
  is (guest_wait (child) >> 8, 0, "a task with a root of its own reaches nothing outside");
  is (mode_of ("d/g"), 0611, "and what is inside");
}

static void
as_user (void)
{
  call (NR_chmod, "f", 0644);
  call (NR_chown, "user", 1000, 5);
  if (!become_user ())
    return;
  is (change (HERE, "f", 0666), -E_PERM, "a user does not change what is another's");
  is (mode_of ("f"), 0644, "and it is not changed");
  is (change (HERE, "closed/h", 0666), -E_ACCES, "nor looks into a closed directory");
  is (change (HERE, "user", 02755), 0, "a user's own file");
  is (mode_of ("user"), 0755, "without the set-group-id bit of a group that the user is not in");
  if (call (NR_unshare, CLONE_NEWUSER) != 0)
    {
      skip ("the root of a user namespace inside", "the zone's users may not make one");
      return;
    }
  ok (change (HERE, "f", 0666) < 0, "the root of a user namespace inside does not change what is another's");
  is (mode_of ("f"), 0644, "and it stays as it is");
}

int
guest_main (int argc, char **argv, char **envp)
{
  (void) envp;
  if (argc != 2 || call (NR_chdir, argv[1]) != 0)
    return 2;
  make_files ();
  as_root ();
  in_a_root ();
  as_user ();
  return done ();
}
