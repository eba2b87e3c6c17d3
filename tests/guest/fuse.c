/* guest-fuse RELEASE [NAME-VECTOR]: one task's translated call hangs on a file that the zone itself
 * serves, and never answers; another task's uname is answered all the same, and does not wait for that one's limit of
 * seconds. On a busy machine any task may wait for a processor for some hundredths of a second.
 *
 * Mounts a file system of its own over /proc/sys/kernel: speaks just enough of the FUSE protocol
 * (Linux 3.15 and later) to be mounted, then takes requests and leaves them. A child calls
 * _sysctl(KERN_PANIC), which is answered from there. Needs /dev/fuse in the zone. */
#include "serve.h"

static long
serve_init (long fd)
{
  static u8 request[1 << 17] __attribute__ ((aligned (8)));
  struct {
    struct fuse_out head;
    struct fuse_init init;
  } reply;
  const struct fuse_in *in = (const struct fuse_in *) (const void *) request;

  long n = call (NR_read, fd, request, sizeof request);
  if (n < (long) sizeof *in || in->opcode != FUSE_INIT)
    return n < 0 ? n : -E_INVAL;
  memset (&reply, 0, sizeof reply);
  reply.head = (struct fuse_out){ sizeof reply, 0, in->unique };
  reply.init.major = 7;
  reply.init.minor = 31;
  reply.init.max_write = 4096;
  n = call (NR_write, fd, &reply, sizeof reply);
  return n < 0 ? n : 0;
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

/* The child's call: a file below /proc/sys/kernel by its name vector. */
static long
hanging_call (void)
{
  s32 name[] = { 1, 15 }; /* CTL_KERN, KERN_PANIC */
  char value[64];
  usize length = sizeof value;
  struct {
    s32 *name;
    s32 count;
    void *old;
    usize *old_length;
    void *new;
    usize new_length;
    word unused[4];
  } args = { name, 2, value, &length, NULL, 0, { 0 } };

  return call (NR_sysctl, &args);
}

static void
measure (const char *release)
{
  struct utsname_new u;
  u64 slowest = 0;
  u32 wrong = 0, rest;

  for (int i = 0; i < 200; i++)
    {
      u64 start = monotonic_ns ();
      memset (&u, 0, sizeof u);
      wrong += call (NR_uname, &u) != 0 || !equal (u.release, release);
      u64 took = monotonic_ns () - start;
      if (took > slowest)
        slowest = took;
      guest_sleep_us (500);
    }
  is ((long) wrong, 0, "meanwhile uname is answered rightly, 200 times");
  u32 us = (u32) divide (slowest, 1000, &rest);
  print ("fuse: slowest-us %u\n", us);
  ok (us < 500000, "and waits for nobody");
}

int
guest_main (int argc, char **argv, char **envp)
{
  char options[128] = "rootmode=40000,user_id=0,group_id=0,fd=";

  (void) envp;
  if (argc < 2)
    return 2;
  long fd = call (NR_open, "/dev/fuse", 2, 0);
  if (fd < 0)
    {
      skip ("a hanging file of the zone", "there is no /dev/fuse in the zone");
      return done ();
    }
  append (options, (u32) fd);
  long result = call (NR_mount, "guest", "/proc/sys/kernel", "fuse", 0, options);
  is (result, 0, "the zone's root mounts FUSE over /proc/sys/kernel");
  if (result != 0)
    return done ();
  is (serve_init (fd), 0, "the kernel starts the protocol");

  long child = guest_fork ();
  if (child == 0)
    {
      call (NR_close, fd);
      long got = hanging_call ();
      print ("# the hanging call ended with %ld\n", got);
      call (NR_exit, 0);
    }
  guest_sleep_us (200000);
  int status;
  is (call (NR_wait4, child, &status, 1, 0), 0, "one task hangs in its call");
  measure (argv[1]);

  /* The end of the server ends the hanging call. */
  call (NR_close, fd);
  is (guest_wait (child), 0, "when the file system ends, so does the call");
  call (NR_umount2, "/proc/sys/kernel", 2);
  return done ();
}
