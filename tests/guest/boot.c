/* guest-boot: what boot scripts call: bdflush (S3), syslog (S22), reboot's Ctrl-Alt-Del
 * switch (S24). As the zone's root, and then as an ordinary user of it. */
#include "guest.h"

#define MAGIC_1 0xfee1dead
#define MAGIC_2 672274793
#define CAD_ON 0x89abcdef
#define CAD_OFF 0

static char buffer[8192];

int
guest_main (int argc, char **argv, char **envp)
{
  (void) envp;
  int bdflush = argc > 1 && equal (argv[1], "bdflush");

#ifdef __i386__
  if (bdflush)
    {
      is (call (NR_bdflush, 1, 0), 0, "bdflush(1): update's flush succeeds");
      is (call (NR_bdflush, 2, buffer), 0, "bdflush(2): reading a parameter succeeds");
    }
#else
  (void) bdflush;
#endif
  is (call (NR_syslog, 3, buffer, sizeof buffer), 0, "syslog(READ_ALL): the log is empty");
  is (call (NR_syslog, 4, buffer, sizeof buffer), 0, "syslog(READ_CLEAR)");
  is (call (NR_syslog, 5, 0, 0), 0, "syslog(CLEAR)");
  is (call (NR_syslog, 6, 0, 0), 0, "syslog(CONSOLE_OFF)");
  is (call (NR_syslog, 7, 0, 0), 0, "syslog(CONSOLE_ON)");
  is (call (NR_syslog, 8, 0, 7), 0, "syslog(CONSOLE_LEVEL, 7)");
  is (call (NR_syslog, 8, 0, 99), -E_INVAL, "syslog(CONSOLE_LEVEL, 99) is EINVAL");
  /* These two came with 2.4.10 and 2.6.6. */
  long unread = call (NR_syslog, 9, 0, 0), size = call (NR_syslog, 10, 0, 0);
  ok (unread == 0 || unread == -E_INVAL, "syslog(SIZE_UNREAD): nothing, or not known");
  ok (size > 0 || size == -E_INVAL, "syslog(SIZE_BUFFER): a size, or not known");
  is (call (NR_syslog, 77, 0, 0), -E_INVAL, "syslog(77) is EINVAL");

  is (call (NR_reboot, MAGIC_1, MAGIC_2, CAD_OFF, 0), 0, "reboot(CAD_OFF)");
  is (call (NR_reboot, MAGIC_1, MAGIC_2, CAD_ON, 0), 0, "reboot(CAD_ON)");
  is (call (NR_reboot, 1, MAGIC_2, CAD_OFF, 0), -E_INVAL, "reboot with bad magic is EINVAL");

  if (!become_user ())
    return done ();
  is (call (NR_reboot, MAGIC_1, MAGIC_2, CAD_OFF, 0), -E_PERM, "a user may not reboot");
  is (call (NR_syslog, 5, 0, 0), -E_PERM, "a user may not clear the log");
#ifdef __i386__
  if (bdflush)
    is (call (NR_bdflush, 1, 0), -E_PERM, "a user may not call bdflush");
#endif
  return done ();
}
