/* guest-sysctl RELEASE VERSION: _sysctl(2) by name vector (S1, E33). `guest-sysctl host`: the host
 * has none any more. */
#include "guest.h"

struct sysctl_args {
  s32 *name;
  s32 count;
  void *old;
  usize *old_length;
  void *new;
  usize new_length;
  word unused[4];
};

static char value[512];
static usize length;

static long
get (s32 a, s32 b, usize room)
{
  s32 name[] = { a, b };
  struct sysctl_args args = { name, 2, value, &length, NULL, 0, { 0 } };

  memset (value, 0x55, sizeof value);
  length = room;
  long result = call (NR_sysctl, &args);
  return result;
}

static void
is_string (s32 number, const char *expected, const char *name)
{
  is (get (1, number, sizeof value - 1), 0, name);
  value[sizeof value - 1] = '\0';
  is_text (value, expected, name);
  ok (length == length_of (expected) || length == length_of (expected) + 1, "its length is told");
}

int
guest_main (int argc, char **argv, char **envp)
{
  static struct utsname_new u;
  s32 name[] = { 1, 2 };

  (void) envp;
  if (argc < 2)
    return 2;
  if (equal (argv[1], "host"))
    {
      is (get (1, 2, sizeof value), -E_NOSYS, "_sysctl is gone");
      return done ();
    }
  if (argc < 3)
    return 2;
  call (NR_uname, &u);
  is_string (1, "Linux", "KERN_OSTYPE");
  is_string (2, argv[1], "KERN_OSRELEASE");
  is_string (4, argv[2], "KERN_VERSION");
  is_string (7, u.nodename, "KERN_NODENAME");

  is (get (1, 15, sizeof value), 0, "KERN_PANIC");
  is ((long) length, 4, "a number has four bytes");

  is (get (1, 2, 3), 0, "a short buffer is no error");
  ok (length <= 3 && memcmp (value, argv[1], 2) == 0 && value[4] == 0x55, "and is not overrun");

  is (get (1, 7654, sizeof value), -E_NOTDIR, "an unknown name is ENOTDIR");
  is (get (99, 1, sizeof value), -E_NOTDIR, "an unknown branch is ENOTDIR");

  struct sysctl_args none = { name, 0, value, &length, NULL, 0, { 0 } };
  is (call (NR_sysctl, &none), -E_NOTDIR, "an empty name is ENOTDIR");
  struct sysctl_args bad = { (s32 *) 1, 2, value, &length, NULL, 0, { 0 } };
  is (call (NR_sysctl, &bad), -E_FAULT, "a bad name address is EFAULT");
  is (call (NR_sysctl, 1), -E_FAULT, "a bad argument address is EFAULT");
  length = sizeof value;
  struct sysctl_args bad_old = { name, 2, (void *) 1, &length, NULL, 0, { 0 } };
  is (call (NR_sysctl, &bad_old), -E_FAULT, "a bad buffer address is EFAULT");
  return done ();
}
