/* The bridge of private networks, and who is on it.
 *
 * Problem: bridge, table and name server belong to all running zones together and to none alone; any of the
 * processes may be killed, and keepers know nothing of each other.
 *
 * Choice: no process owns them. The zones' own interfaces are the references: the kernel removes a pair of
 * interfaces with the zone's network namespace, however that comes to its end. A directory holds a
 * file for each zone (its address, its ports); a file whose interface has gone is stale. Whoever works on
 * the network locks the directory, forgets what is stale, and makes everything fit the rest, or removes it
 * when nobody is left: so a killed process costs nothing but the time until the next start, stop or
 * list. The subnet is written down before the bridge is made.
 *
 * The directory is that of the network namespace, by its number, not of a place of state (--root): two of
 * those would share the bridge. It is in /run itself, where the name server can read it as nobody. */
#include "config.h"

#include "loader/net/host.h"

#include "brand/base/error.h"
#include "loader/net/attach.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#define GROUP "Network"
#define SUBNET "subnet"
#define MEMBER_PREFIX "zone-"

/* Where our subnet is looked for when none is asked for: the first of these 256 that is free. */
#define POOL "10.213.0.0/24"
#define POOL6 "fd62:7a00::/64" /* with 40 bits of the machine's own in it */

char *
bz_member_link (const char *id)
{
  return g_strdup_printf ("bz%.12s", id);
}

static void
member_free (gpointer data)
{
  BzMember *member = data;

  g_free (member->id);
  g_free (member->name);
  g_free (member->hostname);
  if (member->publish != NULL)
    g_ptr_array_unref (member->publish);
  g_free (member);
}

/* --- the directory --- */

/* Opens and locks it; one that was removed meanwhile is made again. */
static int
lock_directory (const char *dir, GError **error)
{
  struct stat opened, there;

  for (;;)
    {
      if (g_mkdir_with_parents (dir, 0755) != 0)
        break;
      int fd = open (dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
      if (fd < 0 && errno == ENOENT)
        continue;
      if (fd < 0 || flock (fd, LOCK_EX) != 0 || fstat (fd, &opened) != 0)
        {
          int saved = errno;
          if (fd >= 0)
            close (fd);
          errno = saved;
          break;
        }
      if (stat (dir, &there) == 0 && there.st_ino == opened.st_ino && there.st_dev == opened.st_dev)
        return fd;
      close (fd);
    }
  bz_fail_errno (error, errno, NULL, "cannot lock %s", dir);
  return -1;
}

static char *
member_path (const BzHostNet *host, const char *id)
{
  g_autofree char *base = g_strconcat (MEMBER_PREFIX, id, NULL);

  return g_build_filename (host->dir, base, NULL);
}

static gboolean
get_address (GKeyFile *file, const char *key, int family, BzAddress *address)
{
  g_autofree char *text = g_key_file_get_string (file, GROUP, key, NULL);

  *address = (BzAddress){ 0 };
  return text == NULL || text[0] == '\0' || bz_address_parse (text, family, address);
}

static void
set_address (GKeyFile *file, const char *key, const BzAddress *address)
{
  g_autofree char *text = address->family != 0 ? bz_address_text_prefix (address) : NULL;

  if (text != NULL)
    g_key_file_set_string (file, GROUP, key, text);
}

static BzMember *
read_member (const BzHostNet *host, const char *id)
{
  g_autoptr (GKeyFile) file = g_key_file_new ();
  g_autofree char *path = member_path (host, id);
  BzMember *member = g_new0 (BzMember, 1);
  gboolean good = g_key_file_load_from_file (file, path, G_KEY_FILE_NONE, NULL);

  member->id = g_strdup (id);
  member->publish = g_ptr_array_new_with_free_func ((GDestroyNotify) bz_publish_free);
  member->name = g_key_file_get_string (file, GROUP, "Name", NULL);
  member->hostname = g_key_file_get_string (file, GROUP, "Hostname", NULL);
  g_autofree char *mac = g_key_file_get_string (file, GROUP, "Mac", NULL);
  g_auto (GStrv) ports = g_key_file_get_string_list (file, GROUP, "Publish", NULL, NULL);
  good = good && member->name != NULL && member->hostname != NULL && mac != NULL
         && bz_mac_parse (mac, member->mac)
         && get_address (file, "Address", AF_INET, &member->address)
         && get_address (file, "Address6", AF_INET6, &member->address6);
  for (char **port = ports; good && port != NULL && *port != NULL; port++)
    good = bz_publish_parse (*port, member->publish) == NULL;
  if (good)
    return member;
  member_free (member);
  return NULL;
}

static gboolean
save (GKeyFile *file, const char *path, GError **error)
{
  g_autoptr (GError) cause = NULL;

  return g_key_file_save_to_file (file, path, &cause)
         || bz_fail_file (error, cause, NULL, "writing %s", path);
}

static gboolean
write_member (const BzHostNet *host, const BzMember *member, GError **error)
{
  g_autoptr (GKeyFile) file = g_key_file_new ();
  g_autoptr (GPtrArray) ports = g_ptr_array_new_with_free_func (g_free);
  g_autofree char *path = member_path (host, member->id);
  const guint8 *mac = member->mac;
  g_autofree char *mac_text = g_strdup_printf ("%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1],
                                               mac[2], mac[3], mac[4], mac[5]);

  for (guint i = 0; i < member->publish->len; i++)
    g_ptr_array_add (ports, bz_publish_text (g_ptr_array_index (member->publish, i)));
  g_key_file_set_string (file, GROUP, "Name", member->name);
  g_key_file_set_string (file, GROUP, "Hostname", member->hostname);
  g_key_file_set_string (file, GROUP, "Mac", mac_text);
  set_address (file, "Address", &member->address);
  set_address (file, "Address6", &member->address6);
  if (ports->len > 0)
    g_key_file_set_string_list (file, GROUP, "Publish", (const char *const *) ports->pdata,
                                ports->len);
  return save (file, path, error);
}

/* A file without its interface is what a zone that has gone has left. */
static void
read_members (BzHostNet *host)
{
  g_autoptr (GDir) dir = g_dir_open (host->dir, 0, NULL);
  const char *base;

  while (dir != NULL && (base = g_dir_read_name (dir)) != NULL)
    {
      if (!g_str_has_prefix (base, MEMBER_PREFIX))
        continue;
      const char *id = base + strlen (MEMBER_PREFIX);
      g_autofree char *link = bz_member_link (id);
      BzMember *member = if_nametoindex (link) != 0 ? read_member (host, id) : NULL;
      g_autofree char *path = member_path (host, id);
      if (member != NULL)
        g_ptr_array_add (host->members, member);
      else if (unlink (path) == 0)
        host->stale = TRUE;
    }
}

static void
read_subnet (BzHostNet *host)
{
  g_autoptr (GKeyFile) file = g_key_file_new ();
  g_autofree char *path = g_build_filename (host->dir, SUBNET, NULL);

  if (!g_key_file_load_from_file (file, path, G_KEY_FILE_NONE, NULL)
      || !get_address (file, "Address", AF_INET, &host->address)
      || !get_address (file, "Address6", AF_INET6, &host->address6))
    host->address = host->address6 = (BzAddress){ 0 };
}

static gboolean
write_subnet (const BzHostNet *host, GError **error)
{
  g_autoptr (GKeyFile) file = g_key_file_new ();
  g_autofree char *path = g_build_filename (host->dir, SUBNET, NULL);

  set_address (file, "Address", &host->address);
  set_address (file, "Address6", &host->address6);
  return save (file, path, error);
}

BzHostNet *
bz_host_net_open (GError **error)
{
  g_autoptr (BzHostNet) host = g_new0 (BzHostNet, 1);

  host->lock = -1;
  host->members = g_ptr_array_new_with_free_func (member_free);
  host->dir = bz_network_place ();
  if ((host->netlink = bz_netlink_open (error)) == NULL
      || (host->lock = lock_directory (host->dir, error)) < 0)
    return NULL;
  host->bridge = if_nametoindex (BZ_BRIDGE);
  read_members (host);
  if (host->bridge != 0)
    read_subnet (host);
  return g_steal_pointer (&host);
}

void
bz_host_net_close (BzHostNet *host)
{
  if (host == NULL)
    return;
  bz_netlink_close (host->netlink);
  if (host->lock >= 0)
    close (host->lock);
  g_ptr_array_unref (host->members);
  g_free (host->dir);
  g_free (host);
}

/* --- the subnet --- */

static gboolean
is_free (const GArray *networks, const BzAddress *network)
{
  for (guint i = 0; i < networks->len; i++)
    if (bz_address_overlap (&g_array_index (networks, BzAddress, i), network))
      return FALSE;
  return TRUE;
}

static gboolean
pick_subnet (BzHostNet *host, const char *wanted, GError **error)
{
  g_autoptr (GArray) networks = bz_netlink_networks (host->netlink, AF_INET, 0, error);
  BzAddress network;

  if (networks == NULL)
    return FALSE;
  if (wanted != NULL)
    {
      if (!bz_address_parse (wanted, AF_INET, &network) || network.prefix > 29
          || network.prefix < 8)
        return bz_fail (error, BZ_ERROR_INPUT, "it is no network such as 10.1.2.0/24", NULL,
                        "the subnet %s of zones", wanted);
      network = bz_address_network (&network);
      if (!is_free (networks, &network))
        return bz_fail (error, BZ_ERROR_INPUT, "a route of the host leads there already",
                        "choose another Subnet= in network.conf", "the subnet %s of zones",
                        wanted);
      host->address = bz_address_host (&network, 1);
      return TRUE;
    }
  if (!bz_address_parse (POOL, AF_INET, &network))
    return FALSE;
  for (guint i = 0; i < 256; i++)
    {
      network.bytes[2] = (guint8) i;
      if (is_free (networks, &network))
        {
          host->address = bz_address_host (&network, 1);
          return TRUE;
        }
    }
  return bz_fail (error, BZ_ERROR_HOST, "the host has routes to all that are tried",
                  "choose one: Subnet= in network.conf", "cannot find a subnet for zones");
}

/* A site's own prefix is to be random (RFC 4193), and the same after the next start. */
static void
add_machine (BzAddress *network)
{
  g_autofree char *machine = NULL;
  g_autoptr (GChecksum) sum = g_checksum_new (G_CHECKSUM_SHA256);
  guint8 digest[32];
  gsize length = sizeof digest;

  if (!g_file_get_contents ("/etc/machine-id", &machine, NULL, NULL))
    machine = g_strdup (g_get_host_name ());
  g_checksum_update (sum, (const guchar *) "brandzone", -1);
  g_checksum_update (sum, (const guchar *) machine, -1);
  g_checksum_get_digest (sum, digest, &length);
  memcpy (network->bytes + 1, digest, 5);
}

static gboolean
pick_subnet6 (BzHostNet *host, const char *wanted, GError **error)
{
  g_autofree char *off = NULL;
  BzAddress network;

  host->address6 = (BzAddress){ 0 };
  if (!g_file_get_contents ("/proc/sys/net/ipv6/conf/default/disable_ipv6", &off, NULL, NULL)
      || off[0] != '0')
    return wanted == NULL
           || bz_fail (error, BZ_ERROR_HOST, "the host has IPv6 switched off", NULL,
                       "the subnet %s of zones", wanted);
  if (wanted != NULL && g_str_equal (wanted, "none"))
    return TRUE;
  if (!bz_address_parse (wanted != NULL ? wanted : POOL6, AF_INET6, &network)
      || network.prefix > 120)
    return bz_fail (error, BZ_ERROR_INPUT, "it is no network such as fd12:3456:789a::/64", NULL,
                    "the subnet %s of zones", wanted);
  if (wanted == NULL)
    add_machine (&network);
  host->address6 = bz_address_host (&network, 1);
  return TRUE;
}

/* What the first zone has chosen counts as long as there is one. */
static gboolean
check_subnet (const char *wanted, const BzAddress *have, GError **error)
{
  BzAddress network;

  if (wanted == NULL || g_str_equal (wanted, "none"))
    return TRUE;
  if (bz_address_parse (wanted, have->family, &network) && network.prefix == have->prefix
      && bz_address_within (have, &network))
    return TRUE;
  g_autofree char *text = bz_address_text_prefix (have);
  g_autofree char *why = g_strdup_printf ("running zones use %s", text);
  return bz_fail (error, BZ_ERROR_STATE, why, "stop them first: all share one bridge",
                  "the subnet %s of zones", wanted);
}

/* --- the bridge --- */

/* Of our own interface, never of another. */
static void
set_own (const char *family, const char *name, const char *value)
{
  g_autofree char *path = g_build_filename ("/proc/sys/net", family, "conf", BZ_BRIDGE, name, NULL);
  int fd = open (path, O_WRONLY | O_CLOEXEC);

  if (fd < 0)
    return;
  (void) !write (fd, value, strlen (value));
  close (fd);
}

/* DHCP clients read raw packets; old ones take one whose checksum is left to the hardware, which a
 * bridge has not, for a broken one. */
static void
complete_checksums (void)
{
  struct ethtool_value off = { .cmd = ETHTOOL_STXCSUM, .data = 0 };
  struct ifreq request = { .ifr_name = BZ_BRIDGE, .ifr_data = (char *) &off };
  int fd = socket (AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

  if (fd < 0)
    return;
  (void) !ioctl (fd, SIOCETHTOOL, &request);
  close (fd);
}

static gboolean
make_bridge (BzHostNet *host, GError **error)
{
  const guint8 mac[BZ_MAC_BYTES] = { 0x02, 0x62, 0x7a, host->address.bytes[1],
                                     host->address.bytes[2], host->address.bytes[3] };

  if (!write_subnet (host, error)
      || !bz_netlink_add_bridge (host->netlink, BZ_BRIDGE, mac, error))
    return FALSE;
  host->bridge = if_nametoindex (BZ_BRIDGE);
  /* 127.0.0.0/8 through it is for ports of the host alone: the table keeps zones from it. */
  set_own ("ipv4", "forwarding", "1");
  set_own ("ipv4", "route_localnet", "1");
  set_own ("ipv6", "accept_ra", "0");
  set_own ("ipv6", "forwarding", "1");
  complete_checksums ();
  return bz_netlink_add_address (host->netlink, host->bridge, &host->address, error)
         && (host->address6.family == 0
             || bz_netlink_add_address (host->netlink, host->bridge, &host->address6, error));
}

gboolean
bz_host_net_make (BzHostNet *host, const BzNetSettings *settings, GError **error)
{
  if (host->bridge != 0 && host->members->len == 0)
    {
      /* Left by zones that were killed, or half made. */
      if (host->address.family == 0)
        return bz_fail (error, BZ_ERROR_STATE, "brandzone did not make it",
                        "remove it: ip link delete " BZ_BRIDGE, "the bridge " BZ_BRIDGE);
      if (!bz_netlink_delete (host->netlink, host->bridge, error))
        return FALSE;
      host->bridge = 0;
    }
  if (host->bridge != 0)
    return check_subnet (settings->subnet, &host->address, error)
           && check_subnet (settings->subnet6, &host->address6, error);
  return pick_subnet (host, settings->subnet, error)
         && pick_subnet6 (host, settings->subnet6, error) && make_bridge (host, error);
}

/* --- members --- */

gboolean
bz_host_net_add (BzHostNet *host, BzMember *member, GError **error)
{
  gboolean written = write_member (host, member, error);

  g_ptr_array_add (host->members, member);
  return written;
}

void
bz_host_net_drop (BzHostNet *host, const char *id)
{
  g_autofree char *path = member_path (host, id);
  g_autofree char *link = bz_member_link (id);
  guint index = if_nametoindex (link);

  if (index != 0)
    bz_netlink_delete (host->netlink, index, NULL);
  unlink (path);
  for (guint i = 0; i < host->members->len; i++)
    {
      const BzMember *member = g_ptr_array_index (host->members, i);
      if (g_str_equal (member->id, id))
        {
          g_ptr_array_remove_index (host->members, i);
          return;
        }
    }
}

/* All of it: nobody is left. */
static gboolean
remove_all (BzHostNet *host, GError **error)
{
  g_autofree char *subnet = g_build_filename (host->dir, SUBNET, NULL);

  bz_names_remove (host);
  if (host->bridge != 0 && host->address.family != 0
      && (!bz_nat_remove (error) || !bz_netlink_delete (host->netlink, host->bridge, error)))
    return FALSE;
  unlink (subnet);
  rmdir (host->dir);
  return TRUE;
}

gboolean
bz_host_net_apply (BzHostNet *host, GError **error)
{
  if (host->members->len == 0)
    return remove_all (host, error);
  /* Nothing passes a new bridge before there is a table to keep things in order. */
  return bz_nat_apply (host, error) && bz_netlink_up (host->netlink, host->bridge, error)
         && bz_names_apply (host, error);
}
