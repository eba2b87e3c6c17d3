/* guest-hang EXPECTED: files that are slow, endless or never still must hold up nobody else.
 * EXPECTED is what this program's own text is to be, as for guest-vsyscall, which lies beside it
 * and is executed meanwhile.
 *
 * Serves a FUSE file system that answers everything but READ, whose one file claims to be an
 * executable of 1 MiB. One child maps that file for execution, another one executes it. Needs
 * /dev/fuse for this part. */
#include "serve.h"

enum {
  NR_ftruncate = 77,
  NR_unlink = 87,
  NR_pwrite64 = 18,
  NR_rmdir = 84,
  O_RDWR = 2,
  O_CREAT = 0100,
  PROT_READ = 1,
  PROT_EXEC = 4,
  MAP_PRIVATE = 2,
};

static long device;

static void
answer (const struct fuse_in *in, s32 error, const void *body, usize size)
{
  u8 reply[256] __attribute__ ((aligned (8)));
  struct fuse_out *out = (struct fuse_out *) (void *) reply;

  *out = (struct fuse_out){ (u32) (sizeof *out + size), error, in->unique };
  memcpy (reply + sizeof *out, body, size);
  call (NR_write, device, reply, sizeof *out + size);
}

static void
answer_init (const struct fuse_in *in)
{
  u32 init[16] = { 7, 31 };

  init[5] = 4096; /* max_write */
  answer (in, 0, init, sizeof init);
}

static void
fill (struct fuse_attributes *attributes, u64 node)
{
  memset (attributes, 0, sizeof *attributes);
  attributes->inode = node;
  attributes->size = node == 1 ? 0 : 1 << 20;
  attributes->mode = node == 1 ? 040755 : 0100755;
  attributes->links = 1;
}

static void
serve (void)
{
  static u8 request[1 << 17] __attribute__ ((aligned (8)));
  const struct fuse_in *in = (const struct fuse_in *) (const void *) request;
  struct {
    u64 node, generation, valid[2];
    u32 nanoseconds[2];
    struct fuse_attributes attributes;
  } entry;
  struct {
    u64 valid;
    u32 nanoseconds, padding;
    struct fuse_attributes attributes;
  } got;
  u64 opened[2] = { 1, 0 };

  for (;;)
    {
      long n = call (NR_read, device, request, sizeof request);
      if (n == -E_INTR)
        continue;
      if (n < (long) sizeof *in)
        return;
      switch (in->opcode)
        {
        case FUSE_INIT:
          answer_init (in);
          break;
        case FUSE_LOOKUP:
          memset (&entry, 0, sizeof entry);
          entry.node = 2;
          fill (&entry.attributes, 2);
          answer (in, 0, &entry, sizeof entry);
          break;
        case FUSE_GETATTR:
          memset (&got, 0, sizeof got);
          fill (&got.attributes, in->node);
          answer (in, 0, &got, sizeof got);
          break;
        case FUSE_OPEN:
          answer (in, 0, opened, sizeof opened);
          break;
        case FUSE_RELEASE:
        case FUSE_FLUSH:
          answer (in, 0, NULL, 0);
          break;
        case FUSE_READ:
        case FUSE_FORGET:
        case FUSE_BATCH_FORGET:
        case FUSE_INTERRUPT:
          break;
        default:
          answer (in, -E_NOSYS, NULL, 0);
        }
    }
}

static void
append (char *text, u32 number)
{
  char digits[12];
  int n = 0;
  u32 rest;
  usize at = length_of (text);

  do
    {
      number = (u32) divide (number, 10, &rest);
      digits[n++] = (char) ('0' + rest);
    }
  while (number != 0);
  while (n > 0)
    text[at++] = digits[--n];
  text[at] = '\0';
}

static char program[300], *expected, **environment;

/* As many as are wanted, or what a slow machine can do in five seconds. */
static int
is_wanted (int done_yet, int wanted, u64 begin)
{
  return done_yet < wanted && (done_yet < 10 || monotonic_ns () - begin < 5000000000);
}

/* Others of the zone start meanwhile, and are put right. */
static void
measure (const char *name)
{
  char *words[] = { program, expected, (char *) "quiet", NULL };
  u64 slowest = 0, begin = monotonic_ns ();
  int good = 0, all = 0;
  u32 rest;

  for (; is_wanted (all, 100, begin); all++)
    {
      u64 start = monotonic_ns ();
      long child = guest_fork ();
      if (child == 0)
        {
          call (NR_execve, program, words, environment);
          call (NR_exit_group, 9);
        }
      good += guest_wait (child) == 0;
      if (monotonic_ns () - start > slowest)
        slowest = monotonic_ns () - start;
    }
  is (good, all, name);
  u32 ms = (u32) divide (slowest, 0xffff, &rest); /* a little less than they are */
  print ("# the slowest start took %u units of 65 us\n", ms);
  ok (ms < 16000, "within a second each");
}

static long
start (const char *path, int execute)
{
  long child = guest_fork ();

  if (child != 0)
    return child;
  char *words[] = { (char *) path, NULL };
  if (execute)
    call (NR_execve, path, words, environment);
  long fd = call (NR_open, path, 0, 0);
  call (NR_mmap, 0, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);
  call (NR_exit_group, 0);
  return 0;
}

static void
check_fuse (void)
{
  char options[128] = "rootmode=40000,user_id=0,group_id=0,fd=";
  int status;

  device = call (NR_open, "/dev/fuse", O_RDWR, 0);
  if (device < 0)
    {
      skip ("a file that is never read", "there is no /dev/fuse in the zone");
      return;
    }
  append (options, (u32) device);
  call (NR_mkdir, "/tmp/hang", 0755);
  long result = call (NR_mount, "guest", "/tmp/hang", "fuse", 0, options);
  is (result, 0, "the zone's root mounts FUSE");
  if (result != 0)
    return;
  long server = guest_fork ();
  if (server == 0)
    {
      serve ();
      call (NR_exit_group, 0);
    }
  call (NR_close, device);
  long mapper = start ("/tmp/hang/program", 0), runner = start ("/tmp/hang/program", 1);
  guest_sleep_us (200000);
  is (call (NR_wait4, runner, &status, 1, 0), 0,
      "one task hangs in execve of a file that is never read");
  measure ("meanwhile others are executed, and put right");
  call (NR_kill, server, 9);
  is (guest_wait (server), 9, "the server ends");
  ok (guest_wait (mapper) >= 0 && guest_wait (runner) >= 0, "and so do they that waited for it");
  call (NR_umount2, "/tmp/hang", 2);
  call (NR_rmdir, "/tmp/hang");
}

/* Far more than any disk has. */
static void
check_sparse (void)
{
  static u8 head[64];
  long fd = call (NR_open, program, 0, 0);

  call (NR_read, fd, head, sizeof head);
  call (NR_close, fd);
  fd = call (NR_open, "/tmp/sparse", O_RDWR | O_CREAT, 0755);
  call (NR_pwrite64, fd, head, sizeof head, 0);
  long size = 0;
  for (int bits = 40; bits >= 30 && size == 0; bits--) /* file systems differ in what they allow */
    if (call (NR_ftruncate, fd, 1l << bits) == 0)
      size = 1l << bits;
  print ("# sparse: %ld bytes\n", size);
  ok (size > 0, "a sparse file");
  u64 begin = monotonic_ns ();
  word mapped = (word) call (NR_mmap, 0, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);
  ok (mapped < (word) -4096 && memcmp ((void *) mapped, head, sizeof head) == 0,
      "is mapped for execution as it is");
  ok (monotonic_ns () - begin < 2000000000, "and at once");
  call (NR_close, fd);
  call (NR_unlink, "/tmp/sparse");
}

/* One child writes to a copy of the program all the time, and cuts it off, while it is mapped. */
static void
check_changing (void)
{
  static u8 whole[1 << 16];
  long fd = call (NR_open, program, 0, 0), size = call (NR_read, fd, whole, sizeof whole), bad = 0;

  call (NR_close, fd);
  fd = call (NR_open, "/tmp/changing", O_RDWR | O_CREAT, 0755);
  call (NR_pwrite64, fd, whole, size, 0);
  long child = guest_fork ();
  if (child == 0)
    for (long i = 0;; i++)
      {
        call (NR_ftruncate, fd, i % 3 == 0 ? 100 : size);
        call (NR_pwrite64, fd, whole + i % size, size - i % size, i % size);
      }
  u64 begin = monotonic_ns ();
  for (int i = 0; is_wanted (i, 300, begin); i++)
    {
      long mine = call (NR_open, "/tmp/changing", 0, 0);
      word mapped = (word) call (NR_mmap, 0, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, mine, 0);
      bad += mapped > (word) -4096;
      call (NR_munmap, mapped, 4096);
      call (NR_close, mine);
    }
  is (bad, 0, "a file that changes all the time is mapped again and again");
  measure ("and others are executed, and put right");
  call (NR_kill, child, 9);
  guest_wait (child);
  call (NR_pwrite64, fd, whole, size, 0);
  call (NR_close, fd);
  char *words[] = { (char *) "/tmp/changing", expected, (char *) "quiet", NULL };
  child = guest_fork ();
  if (child == 0)
    {
      call (NR_execve, "/tmp/changing", words, environment);
      call (NR_exit_group, 9);
    }
  is (guest_wait (child), 0, "and when it is still, it is put right");
  call (NR_unlink, "/tmp/changing");
}

int
guest_main (int argc, char **argv, char **envp)
{
  usize n = length_of (argv[0]);

  if (argc < 2)
    return 2;
  expected = argv[1];
  environment = envp;
  while (n > 0 && argv[0][n - 1] != '/')
    n--;
  memcpy (program, argv[0], n);
  memcpy (program + n, "vsyscall-x86_64", sizeof "vsyscall-x86_64");
  check_sparse ();
  check_changing ();
  check_fuse ();
  return done ();
}
