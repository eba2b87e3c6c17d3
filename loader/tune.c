/* sysctl values and the interface with a fixed address.
 *
 * Facts: below /proc/sys a process sees the values of the namespaces that it is in, whatever
 * /proc it looks through. Those of the ipc namespace belong to the host's root on older kernels, to
 * the namespace's root on recent ones (seen on 6.18), and not to both: the host's root tries one id
 * after the other. A licence manager of the nineties asks eth0 for its address
 * (SIOCGIFHWADDR) and sends nothing: a tap interface whose other end nobody holds is enough, and
 * unlike rtnetlink's dummy it needs no further module. It is made by a child that enters the
 * zone's namespaces, never by a program of the zone. */
#include "config.h"

#include "loader/tune.h"

#include "brand/base/error.h"
#include "loader/kernel.h"
#include "loader/message.h"
#include "loader/userns.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define INTERFACE "eth0"

/* 0 or an errno. The kernel asks for the permission at open and again at write. */
static int
write_as_it_is (const char *path, const char *value)
{
  int fd = open (path, O_WRONLY | O_CLOEXEC);
  gsize length = strlen (value);

  if (fd < 0)
    return errno;
  int failed = write (fd, value, length) == (gssize) length ? 0 : errno;
  close (fd);
  return failed;
}

/* Writes as the caller, then as the zone's root. 0 or an errno. */
static int
write_value (const char *path, const char *value, uid_t zone_root)
{
  int failed = write_as_it_is (path, value);

  if ((failed != EACCES && failed != EPERM) || geteuid () != 0 || zone_root == (uid_t) -1
      || seteuid (zone_root) != 0)
    return failed;
  failed = write_as_it_is (path, value);
  if (seteuid (0) != 0)
    _exit (BZ_EXIT_BRANDZONE);
  return failed;
}

static gboolean
set_sysctl (const char *setting, uid_t zone_root, GError **error)
{
  g_auto (GStrv) parts = g_strsplit (setting, "=", 2);

  if (parts[0] == NULL || parts[1] == NULL)
    return bz_fail (error, BZ_ERROR_INPUT, "it has no value", NULL, "the sysctl %s", setting);
  g_autofree char *relative = g_strdelimit (g_strdup (parts[0]), ".", '/');
  g_autofree char *path = g_build_filename ("/proc/sys", relative, NULL);
  int failed = write_value (path, parts[1], zone_root);

  if (failed == 0)
    return TRUE;
  return bz_fail_errno (error, failed,
                        failed == EACCES || failed == EPERM
                            ? geteuid () == 0
                                  ? "this kernel has it for the whole machine, or only shows it"
                                  : "only recent kernels let a zone of a plain user have it"
                        : failed == ENOENT ? "this kernel has no such value"
                                           : "is the value in its range?",
                        "cannot set %s of the zone to %s", parts[0], parts[1]);
}

static gboolean
parse_mac (const char *text, struct sockaddr *address)
{
  g_auto (GStrv) bytes = g_strsplit (text, ":", -1);
  guint64 byte;

  *address = (struct sockaddr){ .sa_family = ARPHRD_ETHER };
  if (g_strv_length (bytes) != 6)
    return FALSE;
  for (guint i = 0; i < 6; i++)
    {
      if (!g_ascii_string_to_unsigned (bytes[i], 16, 0, 255, &byte, NULL))
        return FALSE;
      address->sa_data[i] = (char) byte;
    }
  return TRUE;
}

static gboolean
make_interface (const char *mac, GError **error)
{
  struct ifreq request = { .ifr_name = INTERFACE, .ifr_flags = IFF_TAP | IFF_NO_PI };
  int tun = open ("/dev/net/tun", O_RDWR | O_CLOEXEC);
  int one = socket (AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  gboolean good = tun >= 0 && one >= 0 && ioctl (tun, TUNSETIFF, &request) == 0
                  && ioctl (tun, TUNSETPERSIST, 1) == 0;
  int saved = errno;

  if (!good)
    bz_fail_errno (error, saved,
                   saved == EACCES ? "the host's /dev/net/tun is usually open to all: chmod 666"
                                   : "it needs /dev/net/tun of the host: modprobe tun",
                   "cannot make the zone's interface " INTERFACE);
  else if (!parse_mac (mac, &request.ifr_hwaddr))
    good = bz_fail (error, BZ_ERROR_INPUT, "it is malformed", NULL, "the address %s", mac);
  else if (ioctl (one, SIOCSIFHWADDR, &request) != 0)
    good = bz_fail_errno (error, errno, "the first of its bytes must be even, and not all be zero",
                          "cannot give the zone's " INTERFACE " the address %s", mac);
  if (tun >= 0)
    close (tun);
  if (one >= 0)
    close (one);
  return good;
}

static gboolean
tune (const BzPartition *partition, const int namespaces[BZ_NAMESPACE_COUNT], GError **error)
{
  guint set = 1u << BZ_NAMESPACE_IPC | 1u << BZ_NAMESPACE_UTS | 1u << BZ_NAMESPACE_NET;
  const BzSettings *settings = partition->settings;
  gboolean root = geteuid () == 0;
  int failed = 0;

  if (!root)
    set |= 1u << BZ_NAMESPACE_USER;
  if (!bz_namespaces_enter (namespaces, set, error))
    return FALSE;
  if (!root && (failed = bz_userns_become_root ()) != 0)
    return bz_fail_errno (error, failed, NULL, "cannot become the zone's root");
  for (char **one = settings->sysctls; *one != NULL; one++)
    {
      g_auto (GStrv) parts = g_strsplit (*one, "=", 2);
      const char *why =
          bz_sysctl_check (parts[0] != NULL ? parts[0] : "", namespaces[BZ_NAMESPACE_NET] >= 0);
      if (why != NULL)
        return bz_fail (error, BZ_ERROR_INPUT, why, NULL, "the sysctl %s", *one);
      if (!set_sysctl (*one, root ? bz_userns_root_id (partition->uids) : (uid_t) -1, error))
        return FALSE;
    }
  return settings->mac_address == NULL || partition->network != BZ_NETWORK_NONE
         || make_interface (settings->mac_address, error);
}

gboolean
bz_tune (const BzPartition *partition, const int namespaces[BZ_NAMESPACE_COUNT], GError **error)
{
  const BzSettings *settings = partition->settings;
  int pair[2], status = 0;
  gboolean ended = FALSE;

  if (settings->sysctls[0] == NULL && settings->mac_address == NULL)
    return TRUE;
  /* Entering the host's own network by mistake would set the host's values. */
  if (settings->mac_address != NULL && namespaces[BZ_NAMESPACE_NET] < 0)
    return bz_fail (error, BZ_ERROR_INPUT, "the zone uses the host's interfaces",
                    "choose another network", "the address %s", settings->mac_address);
  if (socketpair (AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
    return bz_fail_errno (error, errno, NULL, "cannot make a socket pair");
  pid_t child = fork ();
  if (child == 0)
    {
      g_autoptr (GError) problem = NULL;
      if (tune (partition, namespaces, &problem))
        _exit (0);
      bz_message_send_error (pair[1], problem, NULL);
      _exit (1);
    }
  int saved = errno;
  close (pair[1]);
  if (child < 0)
    {
      close (pair[0]);
      return bz_fail_errno (error, saved, NULL, "cannot fork");
    }
  g_autoptr (BzMessage) problem = bz_message_receive (pair[0], &ended, NULL);
  close (pair[0]);
  while (waitpid (child, &status, 0) < 0 && errno == EINTR)
    ;
  if (problem != NULL)
    return bz_message_check (problem, error);
  if (WIFEXITED (status) && WEXITSTATUS (status) == 0)
    return TRUE;
  return bz_fail (error, BZ_ERROR_FAILED, "the process that does it died", NULL,
                  "cannot set the values of the zone's namespaces");
}
