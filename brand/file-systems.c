/* Which file systems are mounted for a zone, and with which options.
 *
 * Problem: in a user namespace the kernel mounts only file systems that were written for it. All
 * others are mounted by the host's root, and what they do with an option, they do as the host's
 * root: ext4's journal_dev, XFS's logdev and btrfs's device name devices of the host.
 *
 * Choice: a list of types, and of each the options that touch nothing but itself. Types whose driver
 * has options or ioctls that reach further, or of which nobody has an old image, are not in it.
 *
 * Limits: a driver that a hostile image breaks is broken in the host's kernel (SECURITY.md). */
#include "config.h"

#include "brand/file-systems.h"

#include <string.h>

#define OWNERS "uid gid umask dmask fmask mode dmode iocharset codepage utf8 "
#define EXT "errors data barrier nobarrier noload norecovery acl noacl user_xattr nouser_xattr resuid resgid "
#define NFS \
  "vers nfsvers minorversion v2 v3 v4 addr mountaddr mounthost mountport mountvers mountproto " \
  "clientaddr port proto udp tcp rsize wsize bsize timeo retrans retry acregmin acregmax acdirmin " \
  "acdirmax actimeo soft softerr hard intr nointr cto nocto ac noac lock nolock nlm local_lock sec " \
  "acl noacl rdirplus nordirplus sharecache nosharecache namlen posix fg resvport noresvport " \
  "lookupcache nconnect"

static const BzFileSystem systems[] = {
  { "ext2", BZ_FILE_SYSTEM_IMAGE, FALSE, EXT },
  { "ext3", BZ_FILE_SYSTEM_IMAGE, FALSE, EXT },
  { "ext4", BZ_FILE_SYSTEM_IMAGE, FALSE, EXT },
  { "minix", BZ_FILE_SYSTEM_IMAGE, FALSE, "" },
  { "msdos", BZ_FILE_SYSTEM_IMAGE, FALSE, OWNERS "check quiet fat" },
  { "vfat", BZ_FILE_SYSTEM_IMAGE, FALSE, OWNERS "check quiet fat shortname flush" },
  { "iso9660", BZ_FILE_SYSTEM_IMAGE, TRUE,
    OWNERS "norock nojoliet check cruft map block session sbsector hide showassoc unhide conv" },
  { "udf", BZ_FILE_SYSTEM_IMAGE, FALSE, OWNERS "bs session lastblock anchor unhide undelete" },
  { "romfs", BZ_FILE_SYSTEM_IMAGE, TRUE, "" },
  { "cramfs", BZ_FILE_SYSTEM_IMAGE, TRUE, "" },
  { "squashfs", BZ_FILE_SYSTEM_IMAGE, TRUE, "errors" },
  { "nfs", BZ_FILE_SYSTEM_NETWORK, FALSE, NFS },
  { "nfs4", BZ_FILE_SYSTEM_NETWORK, FALSE, NFS },
  { "autofs", BZ_FILE_SYSTEM_REFUSED, FALSE, "" },
  { BZ_FILE_SYSTEM_LOOP, BZ_FILE_SYSTEM_REFUSED, FALSE, "" },
};

const BzFileSystem *
bz_file_system_lookup (const char *name)
{
  for (gsize i = 0; i < G_N_ELEMENTS (systems); i++)
    if (strcmp (systems[i].name, name) == 0)
      return &systems[i];
  return NULL;
}

char *
bz_file_system_names (void)
{
  GString *names = g_string_new (NULL);

  for (gsize i = 0; i < G_N_ELEMENTS (systems); i++)
    if (systems[i].kind != BZ_FILE_SYSTEM_REFUSED)
      g_string_append_printf (names, "%s%s", i > 0 ? ", " : "", systems[i].name);
  return g_string_free (names, FALSE);
}

gboolean
bz_file_system_has_option (const BzFileSystem *system, const char *name)
{
  gsize length = strlen (name);

  for (const char *at = system->options; *at != '\0';)
    {
      gsize word = strcspn (at, " ");
      if (word == length && length > 0 && strncmp (at, name, length) == 0)
        return TRUE;
      at += word;
      at += strspn (at, " ");
    }
  return FALSE;
}
