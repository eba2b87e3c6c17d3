/* The name server of private networks: dnsmasq, for DHCP and for the zones' names.
 *
 * Each zone has its address before it starts, chosen by its name; dnsmasq gives the same one to a DHCP client
 * of the zone, which it knows by the interface's MAC address. What it is told lies in files that it
 * reads again at SIGHUP; it is started for the first zone and ended with the last. It asks the servers of
 * the host's /etc/resolv.conf about everything else. One that was killed is started again the next time
 * that a zone comes or goes. */
#include "config.h"

#include "loader/net/host.h"

#include "brand/base/error.h"
#include "loader/kernel.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

static const char *const files[] = { "hosts", "dhcp", "leases", "dnsmasq.pid" };
enum { HOSTS, DHCP, LEASES, PID };

static char *
path_of (const BzHostNet *host, guint which)
{
  return g_build_filename (host->dir, files[which], NULL);
}

static char *
find_dnsmasq (void)
{
  static const char *const places[] = { "/usr/sbin/dnsmasq", "/usr/local/sbin/dnsmasq", "/sbin/dnsmasq" };
  char *found = g_find_program_in_path ("dnsmasq");

  for (gsize i = 0; found == NULL && i < G_N_ELEMENTS (places); i++)
    if (g_file_test (places[i], G_FILE_TEST_IS_EXECUTABLE))
      found = g_strdup (places[i]);
  return found;
}

gboolean
bz_names_there (void)
{
  g_autofree char *program = find_dnsmasq ();

  return program != NULL;
}

/* --- what it is told --- */

static void
append_host (GString *hosts, const BzMember *member, const BzAddress *address)
{
  if (address->family == 0)
    return;
  g_autofree char *text = bz_address_text (address);
  g_string_append_printf (hosts, "%s %s", text, member->name);
  if (!g_str_equal (member->name, member->hostname))
    g_string_append_printf (hosts, " %s", member->hostname);
  g_string_append_c (hosts, '\n');
}

static gboolean
write_file (const char *path, const GString *text, GError **error)
{
  g_autoptr (GError) cause = NULL;

  return g_file_set_contents_full (path, text->str, (gssize) text->len,
                                   G_FILE_SET_CONTENTS_CONSISTENT, 0644, &cause)
         || bz_fail_file (error, cause, NULL, "writing %s", path);
}

static gboolean
write_files (const BzHostNet *host, GError **error)
{
  g_autoptr (GString) hosts = g_string_new (NULL), dhcp = g_string_new (NULL);
  g_autofree char *hosts_path = path_of (host, HOSTS);
  g_autofree char *dhcp_path = path_of (host, DHCP);

  for (guint i = 0; i < host->members->len; i++)
    {
      const BzMember *member = g_ptr_array_index (host->members, i);
      const guint8 *mac = member->mac;
      g_autofree char *address = bz_address_text (&member->address);

      append_host (hosts, member, &member->address);
      append_host (hosts, member, &member->address6);
      g_string_append_printf (dhcp, "%02x:%02x:%02x:%02x:%02x:%02x,%s\n", mac[0], mac[1], mac[2],
                              mac[3], mac[4], mac[5], address);
    }
  return write_file (hosts_path, hosts, error) && write_file (dhcp_path, dhcp, error);
}

/* --- the process --- */

/* A descriptor of the one that runs, or -1. A number may be another's by now. */
static int
open_process (const BzHostNet *host)
{
  g_autofree char *pid_path = path_of (host, PID);
  g_autofree char *text = NULL, *cmdline = NULL;
  guint64 pid;
  gsize length;

  if (!g_file_get_contents (pid_path, &text, NULL, NULL)
      || !g_ascii_string_to_unsigned (g_strchomp (text), 10, 1, G_MAXINT, &pid, NULL))
    return -1;
  int fd = bz_pidfd_open ((pid_t) pid);
  if (fd < 0)
    return -1;
  g_autofree char *proc = g_strdup_printf ("/proc/%d/cmdline", (int) pid);
  if (g_file_get_contents (proc, &cmdline, &length, NULL)
      && memmem (cmdline, length, pid_path, strlen (pid_path)) != NULL)
    return fd;
  close (fd);
  return -1;
}

gboolean
bz_names_alive (const BzHostNet *host)
{
  int process = open_process (host);

  if (process >= 0)
    close (process);
  return process >= 0 || !bz_names_there ();
}

static GPtrArray *
arguments (const BzHostNet *host, char *program)
{
  GPtrArray *argv = g_ptr_array_new_with_free_func (g_free);
  g_autofree char *address = bz_address_text (&host->address);
  g_autofree char *hosts = path_of (host, HOSTS), *dhcp = path_of (host, DHCP);
  g_autofree char *leases = path_of (host, LEASES), *pid = path_of (host, PID);
  BzAddress mask = { .family = AF_INET, .bytes = { 255, 255, 255, 255 }, .prefix = host->address.prefix };

  mask = bz_address_network (&mask);
  g_autofree char *mask_text = bz_address_text (&mask);
  /* What it says goes to the host's log: a file, and be it /dev/null, is given to dnsmasq's own user (2.89). */
  static const char *const fixed[] = {
    "--conf-file=", "--no-hosts", "--bind-interfaces", "--except-interface=lo",
    "--domain-needed", "--bogus-priv", "--no-ping", "--no-negcache",
    "--dhcp-authoritative", "--dhcp-no-override", "--dhcp-lease-max=1024", "--quiet-dhcp",
  };

  g_ptr_array_add (argv, program);
  for (gsize i = 0; i < G_N_ELEMENTS (fixed); i++)
    g_ptr_array_add (argv, g_strdup (fixed[i]));
  g_ptr_array_add (argv, g_strdup ("--interface=" BZ_BRIDGE));
  g_ptr_array_add (argv, g_strconcat ("--addn-hosts=", hosts, NULL));
  g_ptr_array_add (argv, g_strconcat ("--dhcp-hostsfile=", dhcp, NULL));
  g_ptr_array_add (argv, g_strconcat ("--dhcp-leasefile=", leases, NULL));
  g_ptr_array_add (argv, g_strconcat ("--pid-file=", pid, NULL));
  /* static: those of the file alone get an address */
  g_ptr_array_add (argv, g_strdup_printf ("--dhcp-range=%s,static,%s,1h", address, mask_text));
  g_ptr_array_add (argv, NULL);
  return argv;
}

/* It serves all zones: the service manager must not end it with the unit of the one that was the first
 * to need it. In the child. */
static void
leave_unit (gpointer data G_GNUC_UNUSED)
{
  static const char *const roots[] = { "/sys/fs/cgroup/cgroup.procs",
                                       "/sys/fs/cgroup/unified/cgroup.procs",
                                       "/sys/fs/cgroup/systemd/cgroup.procs" };

  for (gsize i = 0; i < G_N_ELEMENTS (roots); i++)
    {
      int fd = open (roots[i], O_WRONLY | O_CLOEXEC);
      if (fd < 0)
        continue;
      (void) !write (fd, "0", 1);
      close (fd);
    }
}

static gboolean
start (const BzHostNet *host, GError **error)
{
  g_autofree char *complaint = NULL;
  g_autoptr (GError) problem = NULL;
  char *program = host->nameless ? NULL : find_dnsmasq ();
  int status = 0;

  if (program == NULL)
    return TRUE;
  g_autoptr (GPtrArray) argv = arguments (host, program);
  if (!g_spawn_sync ("/", (char **) argv->pdata, NULL, G_SPAWN_STDOUT_TO_DEV_NULL, leave_unit, NULL, NULL,
                     &complaint, &status, &problem))
    return bz_fail (error, BZ_ERROR_HOST, problem->message, NULL, "cannot start dnsmasq");
  return status == 0
         || bz_fail (error, BZ_ERROR_HOST, g_strstrip (complaint),
                     "does another name server listen on every address?",
                     "dnsmasq refused to serve zones");
}

gboolean
bz_names_apply (const BzHostNet *host, GError **error)
{
  int process = open_process (host);

  if (!write_files (host, error))
    {
      if (process >= 0)
        close (process);
      return FALSE;
    }
  if (process < 0)
    return start (host, error);
  bz_pidfd_send_signal (process, SIGHUP);
  close (process);
  return TRUE;
}

void
bz_names_remove (const BzHostNet *host)
{
  int process = open_process (host);

  if (process >= 0)
    {
      struct pollfd end = { process, POLLIN, 0 };
      bz_pidfd_send_signal (process, SIGTERM);
      if (poll (&end, 1, 2000) == 0)
        bz_pidfd_send_signal (process, SIGKILL);
      close (process);
    }
  for (guint i = 0; i < G_N_ELEMENTS (files); i++)
    {
      g_autofree char *path = path_of (host, i);
      unlink (path);
    }
}
