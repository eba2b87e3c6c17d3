/* guest-inodes DIR [long [N]]: a program without large-file support on a directory whose inode
 * numbers need 64 bits (O1, O2), made by tests/e2e/inodes.sh: one, hard (a link to one), abs (a
 * link to /long/d1/two), d1/two, secret/s in a directory of mode 0700. i386 only: other programs
 * hold such numbers.
 *
 * With long, EOVERFLOW is expected: the host's own answers. guest-inodes DIR hold: looks at one
 * until it is told another number, for the test that kills the supervisor. */
#include "guest.h"

#ifdef __i386__
enum {
  NR_chdir = 12,
  NR_oldstat = 18,
  NR_lseek = 19,
  NR_chroot = 61,
  NR_readdir = 89,
  NR_stat = 106,
  NR_lstat = 107,
  NR_fstat = 108,
  NR_llseek = 140,
  NR_getdents = 141,
  NR_stat64 = 195,
  NR_fstat64 = 197,
  NR_getdents64 = 220,
  NR_fstatat64 = 300,
};
enum { O_DIRECTORY = 0200000, E_OVERFLOW = 75, ENTRIES = 16, CLONE_NEWUSER = 0x10000000, SIG_CHILD = 17 };

struct stat_32 {
  u32 dev, ino;
  u16 mode, nlink, uid, gid;
  u32 rdev, size, blksize, blocks, times[6], unused[2];
};

struct stat_old {
  u16 dev, ino, mode, nlink, uid, gid, rdev, hole;
  u32 size, times[3];
};

struct stat_64 {
  u64 dev;
  u32 hole, short_ino, mode, nlink, uid, gid;
  u32 rest[14];
  u64 ino;
} __attribute__ ((packed));

struct entry {
  u32 ino, place;
  char name[16];
};

static struct stat_32 one;
static struct entry entries[ENTRIES];

static void
copy_name (char *to, const char *from)
{
  usize length = length_of (from) < 15 ? length_of (from) : 15;

  memcpy (to, from, length);
  to[length] = '\0';
}

/* What a directory says by getdents or getdents64 with a buffer of that size; how many, or -errno.
 */
static long
list (const char *path, long call_number, u32 size)
{
  static u8 buffer[4096] __attribute__ ((aligned (8)));
  long fd = call (NR_open, path, O_DIRECTORY), got = fd, count = 0;

  while (fd >= 0 && (got = call (call_number, fd, buffer, size)) > 0)
    for (long at = 0; at < got && count < ENTRIES; count++)
      {
        u8 *from = buffer + at;
        int wide = call_number == NR_getdents64;

        memcpy (&entries[count].ino, from, 4);
        memcpy (&entries[count].place, from + (wide ? 8 : 4), 4);
        copy_name (entries[count].name, (const char *) from + (wide ? 19 : 10));
        at += *(u16 *) (from + (wide ? 16 : 8));
      }
  if (fd >= 0)
    call (NR_close, fd);
  return got < 0 ? got : count;
}

static u32
listed (long count, const char *name)
{
  for (long i = 0; i < count; i++)
    if (equal (entries[i].name, name))
      return entries[i].ino;
  return 0;
}

static void
check_stat (void)
{
  struct stat_32 other;
  struct stat_64 wide;
  struct stat_old old;
  long fd = call (NR_open, "one", 0);

  is (call (NR_stat, "one", &one), 0, "stat succeeds");
  ok (one.ino != 0, "there is a number");
  is (one.size, 4, "the size is right");
  is (one.nlink, 2, "so is the number of links");
  is (call (NR_lstat, "hard", &other), 0, "lstat of the other name succeeds");
  ok (other.ino == one.ino && other.dev == one.dev, "hard links compare equal");
  is (call (NR_stat, "d1/two", &other), 0, "stat of another file succeeds");
  ok (other.ino != one.ino, "it has another number");
  is (call (NR_lstat, "abs", &other), 0, "lstat of a link succeeds");
  is (other.mode & 0170000, 0120000, "it is of the link");
  is (call (NR_fstat, fd, &other), 0, "fstat succeeds");
  ok (other.ino == one.ino && other.dev == one.dev, "an open file has the same number");
  /* Newer than Linux 2.2. */
  if (call (NR_stat64, "one", &wide) != -E_NOSYS)
    {
      ok (wide.ino == one.ino && wide.short_ino == one.ino, "stat64 tells the same number");
      is (call (NR_fstat64, fd, &wide), 0, "fstat64 succeeds");
      ok (wide.ino == one.ino, "and tells the same");
    }
  if (call (NR_fstatat64, -100, "one", &wide, 0) != -E_NOSYS)
    ok (wide.ino == one.ino, "fstatat64 tells the same");
  is (call (NR_oldstat, "one", &old), 0, "oldstat succeeds");
  is (old.size, 4, "and tells the size");
  is (call (NR_stat, "nowhere", &other), -E_NOENT, "stat of nothing is ENOENT");
  is (call (NR_stat, "one", 1), -E_FAULT, "stat into nowhere is EFAULT");
  call (NR_close, fd);
}

static void
check_list (void)
{
  long count = list (".", NR_getdents, 4096);
  u32 place;

  ok (count >= 7, "getdents lists the directory");
  ok (listed (count, "one") == one.ino, "a name has its file's number");
  ok (listed (count, "hard") == one.ino, "so has the other name");
  is (list (".", NR_getdents, 40), count, "a small buffer loses nothing");
  long wide = list (".", NR_getdents64, 4096);
  if (wide != -E_NOSYS)
    {
      is (wide, count, "getdents64 lists as many");
      ok (listed (count, "one") == one.ino, "with the same numbers");
    }
  /* back to the place behind the second entry */
  place = entries[1].place;
  char third[16];
  copy_name (third, entries[2].name);
  long fd = call (NR_open, ".", O_DIRECTORY);
  static u8 buffer[512];
  is (call (NR_lseek, fd, place, 0), (long) place, "lseek takes a place that was told");
  ok (call (NR_getdents, fd, buffer, sizeof buffer) > 0
          && equal ((const char *) buffer + 10, third),
      "reading goes on there");
  call (NR_lseek, fd, 0, 0);
  long seen = 0, found = 0;
  while (seen < 100 && call (NR_readdir, fd, buffer, 1) == 1)
    {
      seen++;
      found += equal ((const char *) buffer + 10, "one") && *(u32 *) (void *) buffer == one.ino;
    }
  is (seen, count, "readdir gives one entry after the other");
  is (found, 1, "with the same number");
  is (call (NR_getdents, fd, buffer, 8), 0, "at the end there is nothing");
  call (NR_close, fd);
  is (call (NR_getdents, 77, buffer, 512), -E_BADF, "getdents of no descriptor is EBADF");
  fd = call (NR_open, "one", 0);
  is (call (NR_getdents, fd, buffer, 512), -E_NOTDIR, "getdents of a file is ENOTDIR");
  call (NR_close, fd);
}

/* What the task may not look at, the supervisor does not look at for it. */
static void
check_permissions (void)
{
  struct stat_32 other;

  if (call (NR_stat, "secret/s", &other) == -E_ACCES)
    {
      skip ("a user can't look into another's directory", "not even this zone's root can");
      return;
    }
  long child = guest_fork ();
  if (child == 0)
    {
      call (NR_setuid, 1000);
      long result = call (NR_stat, "secret/s", &other);
      int good = result == -E_ACCES && call (NR_stat, "one", &other) == 0 && other.ino == one.ino;
      call (NR_exit, good ? 0 : 1);
    }
  is (guest_wait (child), 0, "a user can't look into another's directory, but at what all can");
}

/* Its root there has every capability over that namespace, and none over the zone's files. This
 * comes first of what makes one task's look differ from another's. */
static void
check_namespace (void)
{
  struct stat_32 other;
  long child = guest_fork ();

  if (child == 0)
    {
      call (NR_setuid, 1000);
      long inner = call (NR_clone, CLONE_NEWUSER | SIG_CHILD, 0, 0, 0, 0);
      if (inner == 0)
        call (NR_exit, call (NR_stat, "secret/s", &other) == -E_ACCES ? 0 : 1);
      call (NR_exit, inner < 0 ? 3 : guest_wait (inner) != 0);
    }
  long result = guest_wait (child);
  if (result == 3 << 8)
    skip ("the root of a user namespace inside may not look either", "none can be made");
  else
    is (result, 0, "the root of a user namespace inside may not look either");
}

/* A task's root directory counts: for absolute paths and for links. */
static void
check_root (const char *directory)
{
  long child = guest_fork ();

  if (child == 0)
    {
      struct stat_32 other;
      long failed = call (NR_chroot, directory);
      int good = failed == 0 && call (NR_stat, "/one", &other) == 0 && other.ino == one.ino
                 && call (NR_stat, "/abs", &other) == -E_NOENT
                 && call (NR_stat, "/../../one", &other) == 0 && other.ino == one.ino;
      call (NR_exit, failed < 0 ? 2 : good ? 0 : 1);
    }
  is (guest_wait (child), 0, "after chroot, its paths are another tree's");
}

/* Who looks for a task must not keep its root directory busy when it is gone. */
static void
check_release (void)
{
  struct stat_32 other;
  long failed = call (NR_mount, "none", "/mnt", "tmpfs", 0, 0);

  if (failed != 0)
    {
      skip ("a root directory can be unmounted when its task is gone", "no tmpfs can be mounted");
      return;
    }
  call (NR_stat, "/mnt", &other);
  long child = guest_fork ();
  if (child == 0)
    {
      failed = call (NR_chroot, "/mnt");
      call (NR_stat, "/", &other);
      call (NR_exit, failed != 0);
    }
  is (guest_wait (child), 0, "a task looks below another root directory");
  is (call (NR_umount2, "/mnt", 0), 0, "which can be unmounted when it is gone");
}

static void
check_host (void)
{
  struct stat_32 other;

  is (call (NR_stat, "one", &other), -E_OVERFLOW, "stat: Value too large for defined data type");
  is (list (".", NR_getdents, 4096) <= 2, 1, "getdents ends early, or fails");
}

static int
hold (void)
{
  struct stat_32 again;

  is (call (NR_stat, "one", &one), 0, "stat succeeds");
  print ("# ready\n");
  for (u32 i = 0; i < 40000; i++)
    {
      long failed = call (NR_stat, "hard", &again),
           count = i % 16 == 0 ? list (".", NR_getdents, 64) : 9;
      if (failed != 0 || again.ino != one.ino || count < 7)
        {
          print ("# round %u: stat %d, number %u, first %u, entries %d\n", i, (int) failed,
                 again.ino, one.ino, (int) count);
          ok (0, "the same number each time, and every entry");
          return done ();
        }
    }
  ok (1, "the same number each time, and every entry");
  return done ();
}
#endif

int
guest_main (int argc, char **argv, char **envp)
{
  (void) envp;
#ifdef __i386__
  if (argc < 2)
    return 2;
  is (call (NR_chdir, argv[1]), 0, "chdir");
  if (argc > 2 && equal (argv[2], "hold"))
    return hold ();
  if (argc > 2)
    check_host ();
  else
    {
      check_stat ();
      check_list ();
      check_permissions ();
      check_namespace ();
      check_root (argv[1]);
      check_release ();
    }
#else
  (void) argc;
  (void) argv;
  skip ("numbers of 32 bits", "this program holds 64");
#endif
  return done ();
}
