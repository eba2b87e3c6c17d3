/* guest-intrude FAMILY...: tries to make the supervisor do with a task's memory what the task may not:
 * fill a page that it can only read, write below or beyond what is mapped, at addresses of the kernel, or in a
 * library's text; and, as an ordinary user of the zone, have carried out what is its root's. The families are those of
 * the brand that answers them: uname, sysinfo, statfs, affinity, sysctl, modules, syslog, clock, reboot, vhangup. */
#include "guest.h"

#define PAGE 4096
#define PROT_READ 1

#ifdef __i386__
enum { NR_statfs = 99, NR_sched_getaffinity = 242, NR_vhangup = 111, NR_mprotect = 125 };
#define KERNEL 0xfffff000ul
#else
enum { NR_statfs = 137, NR_sched_getaffinity = 204, NR_vhangup = 153, NR_mprotect = 10 };
#define KERNEL 0xffffffff81000000ul
#endif

/* One to write, one that can only be read, one that is not mapped. */
static u8 pages[3 * PAGE] __attribute__ ((aligned (PAGE)));

static void
map_pages (void)
{
  memset (pages, 0x5a, 2 * PAGE);
  call (NR_munmap, pages + 2 * PAGE, PAGE);
  call (NR_mprotect, pages + PAGE, PAGE, PROT_READ);
}

static int
untouched (void)
{
  for (u32 i = PAGE; i < 2 * PAGE; i++)
    if (pages[i] != 0x5a)
      return 0;
  return 1;
}

/* A call that writes to `at`. */
typedef long (*writer) (u8 *at);

static long
to_uname (u8 *at)
{
  return call (NR_uname, at);
}

static long
to_sysinfo (u8 *at)
{
  return call (NR_sysinfo, at);
}

static long
to_statfs (u8 *at)
{
  return call (NR_statfs, "/", at);
}

static long
to_affinity (u8 *at)
{
  long got = call (NR_sched_getaffinity, 0, 8, at);

  return got < 0 ? got : 0;
}

static long
to_sysctl (u8 *at)
{
  static s32 name[2] = { 1, 4 }; /* CTL_KERN, KERN_VERSION */
  word length = 64;
  word arguments[10] = { W (name), 2, W (at), W (&length), 0, 0 };

  return call (NR_sysctl, arguments);
}

static long
to_modules (u8 *at)
{
  return call (NR_query_module, 0, 1, at, 64, at); /* QM_MODULES */
}

static void
each_address (writer write, const char *name)
{
  static const word bad[] = { 1, 8, KERNEL, ~0ul - 3 };
  int good = 1;

  if (write (pages) == -E_NOSYS)
    {
      skip (name, "the brand's kernel did not have it");
      return;
    }
  for (u32 i = 0; i < COUNT (bad); i++)
    {
      long got = write ((u8 *) bad[i]);
      if (got != -E_FAULT)
        {
          print ("# %s to %lx: %ld\n", name, bad[i], got);
          good = 0;
        }
    }
  ok (good, name);
  ok (write (pages + PAGE) == -E_FAULT && untouched (), "a page that can only be read is EFAULT, and stays");
  ok (write (pages + PAGE - 2) == -E_FAULT && untouched (), "one that begins before it, too");
  ok (write (pages + 2 * PAGE - 2) == -E_FAULT && untouched (), "and one that ends where nothing is");
  ok (write ((u8 *) map_pages) == -E_FAULT, "the program's own text is EFAULT");
}

/* --- as an ordinary user --- */

static void
refused (long got, const char *name)
{
  if (got != -E_PERM && got != -E_ACCES)
    print ("# got %ld\n", got);
  ok (got == -E_PERM || got == -E_ACCES, name);
}

static void
clock (void)
{
  word now[2] = { 1000000000, 0 };

  refused (call (NR_settimeofday, now, 0), "a user does not set the time");
  long got = call (NR_clock_settime, 0, now);
  refused (got == -E_NOSYS ? -E_PERM : got, "nor the clock");
}

static void
sysctl_write (void)
{
  static s32 name[2] = { 1, 7 }; /* CTL_KERN, KERN_NODENAME */
  static char wanted[] = "taken";
  word arguments[10] = { W (name), 2, 0, 0, W (wanted), sizeof wanted - 1 };
  struct utsname_new names;

  refused (call (NR_sysctl, arguments), "a user does not write by _sysctl");
  call (NR_uname, &names);
  ok (!equal (names.nodename, wanted), "and nothing was written");
}

static void
modules (void)
{
  refused (call (NR_delete_module, "none", 0), "a user removes no module");
}

static void
syslog (void)
{
  refused (call (NR_syslog, 5, 0, 0), "a user does not clear the kernel's log");
}

static void
restart (void)
{
  refused (call (NR_reboot, 0xfee1dead, 672274793, 0x01234567, 0), "a user does not restart the zone");
  refused (call (NR_reboot, 0xfee1dead, 672274793, 0x89abcdef, 0), "nor sets what Ctrl-Alt-Del does");
}

static void
hang_up (void)
{
  refused (call (NR_vhangup), "a user does not hang up a terminal");
}

static const struct {
  const char *family;
  writer write;
  void (*as_user) (void);
} families[] = {
  { "uname", to_uname, NULL },     { "sysinfo", to_sysinfo, NULL },
  { "statfs", to_statfs, NULL },   { "affinity", to_affinity, NULL },
  { "sysctl", to_sysctl, sysctl_write }, { "modules", to_modules, modules },
  { "syslog", NULL, syslog },      { "clock", NULL, clock },
  { "reboot", NULL, restart },     { "vhangup", NULL, hang_up },
};

static int
asked (int argc, char **argv, const char *family)
{
  for (int i = 1; i < argc; i++)
    if (equal (argv[i], family))
      return 1;
  return 0;
}

int
guest_main (int argc, char **argv, char **envp)
{
  (void) envp;
  map_pages ();
  for (u32 i = 0; i < COUNT (families); i++)
    if (families[i].write != NULL && asked (argc, argv, families[i].family))
      each_address (families[i].write, families[i].family);
  if (become_user ())
    for (u32 i = 0; i < COUNT (families); i++)
      if (families[i].as_user != NULL && asked (argc, argv, families[i].family))
        families[i].as_user ();
  return done ();
}
