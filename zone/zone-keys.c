#include "config.h"

#include "zone/zone-keys.h"

#include "zone/names.h"

#include <stddef.h>
#include <string.h>

#define ZONE(field) offsetof (BzZoneFile, field)
#define MOUNT(field) offsetof (BzZoneMount, field)
#define DEVICE(field) offsetof (BzZoneDevice, field)

/* clang-format off */
const BzZoneKey bz_zone_keys[] = {
  { "Zone", "Format", "1", "1", "The format of the file",
    0, bz_take_format },
  { "Zone", "Description", "TEXT", NULL, "A line for people",
    ZONE (description), bz_take_text },
  { "Zone", "Hostname", "NAME", "the zone's name", "The zone's host name",
    ZONE (hostname), bz_take_hostname },
  { "Zone", "HostId", "HEX", "what its tree says",
    "What gethostid(3) answers: up to eight hexadecimal digits, shown as /etc/hostid",
    ZONE (host_id), bz_take_host_id },
  { "Zone", "MachineId", "HEX", "what its tree says",
    "32 hexadecimal digits, shown as /etc/machine-id and /var/lib/dbus/machine-id",
    ZONE (machine_id), bz_take_machine_id },
  { "Zone", "Environment", "NAME=VALUE;...", NULL,
    "Variables of every command that run and exec start; -e goes over them",
    ZONE (environment), bz_take_environment },
  { "Brand", "Name", "BRAND", "what install found", "The brand",
    ZONE (brand), bz_take_brand },
  { "Brand", "Release", "RELEASE", "the brand's", "The kernel release that the zone sees",
    ZONE (release), bz_take_release },
  { "Brand", "Abi", "i386|x86_64", "what install found", "The ABI of the zone's programs",
    ZONE (abi), bz_take_abi },
  { "Brand", "Strict", "yes|no", "no",
    "Kill a program whose call the host lacks, and say which call it was",
    ZONE (strict), bz_take_bool },
  { "Storage", "Volumes", "/SRC:/DST[:ro];...", NULL,
    "Files and directories of the host that the zone sees; see also [Mount NAME]",
    ZONE (volumes), bz_take_volumes },
  { "Storage", "Mounts", "TYPE;...", "what a user namespace may mount",
    "File systems that the zone's own mount(8) may have besides: nfs, ext4, iso9660, ...; the host's "
    "root mounts them for it; root's zones only",
    ZONE (own_mounts), bz_take_mounts },
  { "Storage", "Copy", "auto|overlay|btrfs|reflink|copy", "auto",
    "How clone, snapshot and rollback come to another tree: the best that its file system has, or this",
    ZONE (copy), bz_take_copy_way },
  { "Storage", "FoldInodes", "auto|yes|no", "auto",
    "Give 32-bit programs inode numbers that fit: auto where a file system needs it",
    ZONE (fold_inodes), bz_take_fold_mode },
  { "Storage", "RememberOwners", "yes|no", "no",
    "In a zone with one id, keep the owners that files should have, and device nodes, and show them",
    ZONE (remember_owners), bz_take_bool },
  { "Network", "Mode", "none|host|private|macvlan", "none; private where Publish is given",
    "Loopback alone, the host's own network, an interface on a network that zones share, or one "
    "beside an interface of the host",
    ZONE (network), bz_take_network },
  { "Network", "Publish", "[ADDRESS:]HOST:ZONE[/udp];...", NULL,
    "Ports of the host that lead to ports of the zone; ranges are written 8000-8009:80-89",
    ZONE (net.publish), bz_take_publish },
  { "Network", "Configure", "start|dhcp|none", "start",
    "Who gives the interface its addresses: brandzone before the zone starts, a DHCP client of the "
    "zone (IPv6 by brandzone), or the zone as it likes",
    ZONE (net.configure), bz_take_configure },
  { "Network", "Address", "ADDRESS[/PREFIX]", "one of the network's, by the zone's name",
    "The IPv4 address; macvlan and Bridge have none without it, and want the prefix",
    ZONE (net.address), bz_take_address },
  { "Network", "Address6", "ADDRESS[/PREFIX]", "one of the network's, by the zone's name",
    "The IPv6 address",
    ZONE (net.address6), bz_take_address6 },
  { "Network", "Gateway", "ADDRESS", "the host, on a private network",
    "Where IPv4 beyond the network goes",
    ZONE (net.gateway), bz_take_gateway },
  { "Network", "Gateway6", "ADDRESS", "the host, on a private network",
    "Where IPv6 beyond the network goes",
    ZONE (net.gateway6), bz_take_gateway6 },
  { "Network", "DNS", "ADDRESS;...", "the private network's own, else the host's",
    "Name servers, shown as /etc/resolv.conf",
    ZONE (net.dns), bz_take_dns },
  { "Network", "Interface", "NAME", "eth0", "The name of the zone's interface",
    ZONE (net.interface), bz_take_interface },
  { "Network", "Bridge", "NAME", NULL,
    "A bridge of the host's that a private zone is put on, instead of brandzone's own; root's zones only",
    ZONE (net.bridge), bz_take_interface },
  { "Network", "Parent", "NAME", NULL,
    "The interface of the host's that a macvlan zone lies beside; root's zones only",
    ZONE (net.parent), bz_take_interface },
  { "Network", "MacAddress", "XX:XX:XX:XX:XX:XX", "one that the zone's name gives",
    "The address of the zone's interface; with Mode=none the zone then has an eth0 that leads "
    "nowhere, for programs whose licence asks for it",
    ZONE (mac_address), bz_take_mac },
  { "Mount", "Source", "/PATH", NULL, "A file or directory of the host; needed",
    MOUNT (source), bz_take_source },
  { "Mount", "Target", "/PATH", NULL, "Where it is seen in the zone; needed",
    MOUNT (target), bz_take_target },
  { "Mount", "ReadOnly", "yes|no", "no", "Whether the zone can only read it",
    MOUNT (read_only), bz_take_bool },
  { "Device", "Source", "/dev/PATH", NULL,
    "A device node of the host, or a directory of them (/dev/snd); needed",
    DEVICE (source), bz_take_source },
  { "Device", "Target", "/dev/PATH", "the source's path", "Its path in the zone",
    DEVICE (target), bz_take_device_target },
  { "Device", "Mode", "OCTAL", "0600", "Permissions of the node; root's zones only",
    DEVICE (mode), bz_take_mode },
  { "Device", "User", "NUMBER", "0", "The zone's user id that owns it; root's zones only",
    DEVICE (uid), bz_take_id },
  { "Device", "Group", "NUMBER", "0", "The zone's group id that owns it; root's zones only",
    DEVICE (gid), bz_take_id },
  { "Resources", "Memory", "SIZE", "no limit", "Memory that the zone may use: bytes, or 512M, 2G",
    ZONE (memory), bz_take_bytes },
  { "Resources", "Cpus", "NUMBER", "no limit", "Processors that it may use, such as 1.5",
    ZONE (cpu_percent), bz_take_cpus },
  { "Resources", "CpuSet", "LIST", "all of them",
    "Processors that it is kept on, by number, such as 0-3,8; programs of the zone see no others (row O6)",
    ZONE (processors), bz_take_processors },
  { "Resources", "Processes", "NUMBER", "no limit", "Processes and threads that it may have",
    ZONE (processes), bz_take_count },
  { "Resources", "Descriptors", "SOFT[:HARD]", "the brand's",
    "Files that a process may have open (RLIMIT_NOFILE)",
    ZONE (descriptors), bz_take_descriptors },
  { "Resources", "DropCapabilities", "CAP_NAME;...", NULL,
    "Capabilities that no program of the zone can have",
    ZONE (capabilities_dropped), bz_take_capabilities },
  { "Resources", "KeepCapabilities", "CAP_NAME;...", NULL,
    "Capabilities that a zone has not by default (CAP_SYS_RAWIO, CAP_MAC_ADMIN, CAP_MAC_OVERRIDE, "
    "CAP_WAKE_ALARM, CAP_BLOCK_SUSPEND, CAP_PERFMON, CAP_BPF, CAP_CHECKPOINT_RESTORE)",
    ZONE (capabilities_kept), bz_take_capabilities },
  { "Boot", "Autostart", "yes|no", "no",
    "Boot the zone with the host: start --autostart, which brandzone.service runs",
    ZONE (autostart), bz_take_bool },
  { "Boot", "Init", "/PATH", "/sbin/init, /etc/init or /bin/init",
    "The program of the zone that becomes process 1; start --init goes over it",
    ZONE (boot_init), bz_take_source },
  { "Boot", "Arguments", "WORD ...", NULL,
    "What it is given, with blanks between; words after the name at start go over it",
    ZONE (boot_arguments), bz_take_text },
  { "Boot", "Single", "yes|no", "no", "Boot for one user, as start --single",
    ZONE (boot_single), bz_take_bool },
  { "Boot", "AsItIs", "yes|no", "no", "Leave the zone's files as they are, as start --no-edits",
    ZONE (boot_as_it_is), bz_take_bool },
  { "Sysctl", NULL, "TEXT", "the kernel's",
    "A value of the zone's own namespaces, by its name: kernel.shmmax, kernel.sem, "
    "net.ipv4.ip_forward",
    ZONE (sysctls), NULL },
  { NULL, NULL, NULL, NULL, NULL, 0, NULL }
};
/* clang-format on */

static gpointer
make_mount (void)
{
  return g_new0 (BzZoneMount, 1);
}

static gpointer
make_device (void)
{
  return g_new0 (BzZoneDevice, 1);
}

static const BzZoneNamedGroup named_groups[] = {
  { "Mount", "a file or directory of the host", ZONE (mounts), make_mount },
  { "Device", "a device of the host", ZONE (devices), make_device },
};

const BzZoneNamedGroup *
bz_zone_named_group (const char *group)
{
  for (gsize i = 0; i < G_N_ELEMENTS (named_groups); i++)
    {
      if (g_str_equal (named_groups[i].group, group))
        return &named_groups[i];
    }
  return NULL;
}

gboolean
bz_zone_group_known (const char *group)
{
  for (const BzZoneKey *row = bz_zone_keys; row->group != NULL; row++)
    {
      if (g_str_equal (row->group, group))
        return TRUE;
    }
  return FALSE;
}

const BzZoneKey *
bz_zone_key_lookup (const char *group, const char *key)
{
  for (const BzZoneKey *row = bz_zone_keys; row->group != NULL; row++)
    {
      if (g_str_equal (row->group, group) && (row->key == NULL || g_str_equal (row->key, key)))
        return row;
    }
  return NULL;
}

const char *
bz_zone_key_nearest (const char *group, const char *key)
{
  g_autoptr (GPtrArray) candidates = g_ptr_array_new ();

  for (const BzZoneKey *row = bz_zone_keys; row->group != NULL; row++)
    {
      if (g_str_equal (row->group, group) && row->key != NULL)
        g_ptr_array_add (candidates, (gpointer) row->key);
    }
  g_ptr_array_add (candidates, NULL);
  return bz_name_nearest (key, (const char *const *) candidates->pdata);
}

/* A dot at the start of a line would be a request. */
static void
append_sentence (GString *text, const char *sentence)
{
  g_string_append_printf (text, "%s%c%s.\n", sentence[0] == '.' ? "\\&" : "",
                          g_ascii_toupper (sentence[0]), sentence + 1);
}

char *
bz_zone_keys_manual (void)
{
  GString *text = g_string_new (NULL);
  const char *group = NULL;

  for (const BzZoneKey *row = bz_zone_keys; row->group != NULL; row++)
    {
      const BzZoneNamedGroup *named = bz_zone_named_group (row->group);

      if (group == NULL || !g_str_equal (group, row->group))
        {
          g_string_append_printf (text, "%s.Ss [%s%s]\n", group != NULL ? ".El\n" : "", row->group,
                                  named != NULL ? " NAME" : "");
          if (named != NULL)
            g_string_append_printf (text, "Any number of such groups, each with a name: %s.\n",
                                    named->help);
          g_string_append (text, ".Bl -tag -width Ds\n");
        }
      group = row->group;
      g_string_append_printf (text, ".It Cm %s Ns = Ns Ar %s\n",
                              row->key != NULL ? row->key : "NAME", row->value);
      append_sentence (text, row->help);
      if (row->fallback != NULL)
        g_string_append_printf (text, "Default: %s.\n", row->fallback);
    }
  g_string_append (text, ".El\n");
  return g_string_free (text, FALSE);
}
