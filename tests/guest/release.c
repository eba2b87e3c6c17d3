/* guest-release RELEASE VERSION MACHINE [MACHINE32]: uname(2) and its elders tell these, in every
 * thread, and /proc agrees. MACHINE32: what a linux32 task is told. */
#include "guest.h"

static const char *release, *version, *machine;

/* Linux 1.0's structure, without domainname: olduname(2). */
struct utsname_old {
  char sysname[65], nodename[65], release[65], version[65], machine[65];
};

/* Linux 0.01's: oldolduname(2). The kernel cuts at eight characters. */
struct utsname_oldest {
  char sysname[9], nodename[9], release[9], version[9], machine[9];
};

static void
is_cut (const char *got, const char *whole, const char *name)
{
  char cut[9] = { 0 };

  for (usize i = 0; i < 8 && whole[i] != '\0'; i++)
    cut[i] = whole[i];
  is_text (got, cut, name);
}

static void
check_uname (const char *who)
{
  static struct utsname_new u;

  print ("# %s\n", who);
  memset (&u, 'x', sizeof u);
  is (call (NR_uname, &u), 0, "uname succeeds");
  is_text (u.sysname, "Linux", "uname: sysname");
  is_text (u.release, release, "uname: release");
  is_text (u.version, version, "uname: version");
  is_text (u.machine, machine, "uname: machine");
  ok (length_of (u.domainname) < sizeof u.domainname, "uname: domainname ends");
  is (call (NR_uname, 1), -E_FAULT, "uname of a bad address is EFAULT");
}

static void
check_elders (void)
{
#ifdef __i386__
  static struct utsname_old old;
  static struct utsname_oldest oldest;

  memset (&old, 'x', sizeof old);
  is (call (NR_uname_2, &old), 0, "olduname succeeds");
  is_text (old.sysname, "Linux", "olduname: sysname");
  is_text (old.release, release, "olduname: release");
  is_text (old.version, version, "olduname: version");
  is_text (old.machine, machine, "olduname: machine");
  is (call (NR_uname_2, 1), -E_FAULT, "olduname of a bad address is EFAULT");

  memset (&oldest, 'x', sizeof oldest);
  is (call (NR_olduname, &oldest), 0, "oldolduname succeeds");
  is_cut (oldest.sysname, "Linux", "oldolduname: sysname");
  is_cut (oldest.release, release, "oldolduname: release");
  is_cut (oldest.version, version, "oldolduname: version");
  is_cut (oldest.machine, machine, "oldolduname: machine");
  is (call (NR_olduname, 1), -E_FAULT, "oldolduname of a bad address is EFAULT");
#else
  (void) is_cut;
#endif
}

static long
second_thread (void *data)
{
  (void) data;
  check_uname ("in a second thread");
  return 1;
}

static void
check_file (const char *path, const char *expected)
{
  static char text[4096];
  long length = read_file (path, text, sizeof text);

  if (length < 0)
    print ("# %s: errno %ld\n", path, -length);
  is_text (length < 0 ? "" : text, expected, path);
}

/* "Linux version RELEASE (by whom) (compiler) VERSION". */
static void
check_proc_version (void)
{
  static char text[4096];
  long length = read_file ("/proc/version", text, sizeof text);
  const char *after = text + length_of ("Linux version ");

  if (length < 0)
    text[0] = '\0';
  print ("# /proc/version: %s\n", text);
  ok (starts_with (text, "Linux version ") && starts_with (after, release)
          && after[length_of (release)] == ' ',
      "/proc/version names the release");
  usize n = length_of (text), m = length_of (version);
  ok (n > m && equal (text + n - m, version), "/proc/version ends with the version");
}

int
guest_main (int argc, char **argv, char **envp)
{
  struct thread thread;
  static struct utsname_new u;

  (void) envp;
  if (argc < 4)
    return 2;
  release = argv[1], version = argv[2], machine = argv[3];
  check_uname ("in the first thread");
  check_elders ();
  /* Both threads print: this one not before the other has ended. */
  int started = thread_start (&thread, second_thread, NULL);
  long ended = started == 0 ? thread_wait (&thread) : 0;
  is (started, 0, "a second thread starts");
  is (ended, 1, "and ends");

  check_file ("/proc/sys/kernel/ostype", "Linux");
  check_file ("/proc/sys/kernel/osrelease", release);
  check_file ("/proc/sys/kernel/version", version);
  check_proc_version ();
  call (NR_uname, &u);
  check_file ("/proc/sys/kernel/hostname", u.nodename);

  if (argc > 4)
    {
      call (NR_personality, 8); /* PER_LINUX32 */
      call (NR_uname, &u);
      is_text (u.machine, argv[4], "a linux32 task sees the i386 machine");
      is_text (u.release, release, "and the same release");
    }
  return done ();
}
