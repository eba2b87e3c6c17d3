/* guest-sizes DIR [long]: sizes of a file system of 20 TiB in a program of 32 bits (O3), and the
 * processors it may use (O6). With long, EOVERFLOW is expected: the host's own answer.
 * guest-sizes processors: asks for them as a program does that knows no more than a word holds. */
#include "guest.h"

#ifdef __i386__
enum { NR_statfs = 99, NR_fstatfs = 100, NR_sched_getaffinity = 242, E_OVERFLOW = 75 };
#else
enum { NR_sched_getaffinity = 204 };
#endif

static int
check_processors (void)
{
  word mask = 0;

  is (call (NR_sched_getaffinity, 0, sizeof mask, &mask), (long) sizeof mask, "O6: a mask of one word");
  ok (mask != 0, "there is a processor");
  return done ();
}

#ifdef __i386__

struct statfs_32 {
  u32 type, bsize, blocks, bfree, bavail, files, ffree, fsid[2], namelen, frsize, flags, spare[4];
};

static void
check (const struct statfs_32 *sizes)
{
  s32 kilobytes = (s32) (sizes->blocks * (sizes->bsize / 1024));

  print ("# %u blocks of %u, %u free, %u files\n", sizes->blocks, sizes->bsize, sizes->bavail,
         sizes->files);
  ok (kilobytes > 1 << 30, "in KiB, it is about 2 TiB in a signed number");
  ok ((s32) (sizes->bavail * (sizes->bsize / 1024)) > 1 << 30, "so is what is free");
  ok (sizes->bavail <= sizes->blocks, "no more is free than there is");
  is (sizes->namelen, 255, "names are as long as they are");
}
#endif

int
guest_main (int argc, char **argv, char **envp)
{
  (void) envp;
  if (argc > 1 && equal (argv[1], "processors"))
    return check_processors ();
#ifdef __i386__
  struct statfs_32 sizes;
  u32 mask[32];

  if (argc < 2)
    return 2;
  long fd = call (NR_open, argv[1], 0);
  if (argc > 2)
    {
      is (call (NR_statfs, argv[1], &sizes), -E_OVERFLOW, "statfs: Value too large");
      return done ();
    }
  is (call (NR_statfs, argv[1], &sizes), 0, "statfs succeeds");
  check (&sizes);
  is (call (NR_fstatfs, fd, &sizes), 0, "fstatfs succeeds");
  check (&sizes);
  is (call (NR_statfs, "/nowhere", &sizes), -E_NOENT, "statfs of nothing is ENOENT");
  is (call (NR_statfs, "/proc", &sizes), 0, "a small file system is the kernel's to tell");
  long length = call (NR_sched_getaffinity, 0, sizeof mask, mask);
  if (length != -E_NOSYS)
    ok (length >= 4 && mask[0] != 0, "there is a processor");
#else
  (void) argc;
  (void) argv;
  skip ("sizes of 32 bits", "this program holds 64");
#endif
  return done ();
}
