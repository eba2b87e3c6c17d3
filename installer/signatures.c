/* Signatures: what the beginning of a stream says.
 *
 * Facts: file systems leave the first 1024 bytes free and put two or four magic bytes behind them,
 * so a tar can look like one by chance; two bytes also prove little. A tar header has a checksum.
 * Choice: a tar header that sums up goes first; ext and minix super blocks must make sense beyond
 * their magic. */
#include "config.h"

#include "installer/recognise.h"

#include <string.h>

typedef struct {
  gsize offset;
  const char *magic;
  gsize size;
  const char *name;
} Signature;

#define SIGNATURE(offset, magic, name) \
  { \
    offset, magic, sizeof magic - 1, name \
  }

/* Told by name, so that nobody wonders why "not an archive". */
static const Signature refused[] = {
  SIGNATURE (0, "hsqs", "squashfs image"),
  SIGNATURE (0, "sqsh", "squashfs image"),
  SIGNATURE (0, "XFSB", "XFS image"),
  SIGNATURE (65600, "_BHRfS_M", "btrfs image"),
  SIGNATURE (1024, "\x10\x20\xf5\xf2", "F2FS image"),
  SIGNATURE (1024, "\xe2\xe1\xf5\xe0", "EROFS image"),
  SIGNATURE (65588, "ReIsEr", "ReiserFS image"),
  SIGNATURE (32768, "JFS1", "JFS image"),
  SIGNATURE (0, "\x45\x3d\xcd\x28", "cramfs image"),
  SIGNATURE (0, "-rom1fs-", "romfs image"),
  SIGNATURE (0, "\x85\x19", "JFFS2 image"),
  SIGNATURE (0, "UBI#", "UBI image"),
  SIGNATURE (54, "FAT1", "FAT image"),
  SIGNATURE (82, "FAT32", "FAT image"),
  SIGNATURE (3, "NTFS    ", "NTFS image"),
  SIGNATURE (512, "LABELONE", "LVM physical volume"),
  SIGNATURE (0, "LUKS\xba\xbe", "LUKS (encrypted) image"),
  SIGNATURE (4086, "SWAPSPACE2", "swap space image"),
  SIGNATURE (4086, "SWAP-SPACE", "swap space image"),
  SIGNATURE (0, "KDMV", "VMDK disk image"),
  SIGNATURE (0, "\xed\xab\xee\xdb", "RPM package"),
  SIGNATURE (0, "!<arch>\ndebian", "Debian package"),
  SIGNATURE (0, "!<arch>\n", "ar archive"),
  SIGNATURE (0, "7z\xbc\xaf\x27\x1c", "7-Zip archive"),
  SIGNATURE (0, "Rar!\x1a\x07", "RAR archive"),
  SIGNATURE (0,
             "\x7f"
             "ELF",
             "ELF program"),
};

static guint16
le16 (const guint8 *at)
{
  return (guint16) (at[0] | at[1] << 8);
}

static guint32
le32 (const guint8 *at)
{
  return (guint32) le16 (at) | (guint32) le16 (at + 2) << 16;
}

static gboolean
is_tar (const guint8 *head, gsize size)
{
  guint32 sum = 0, told = 0;
  gsize i = 148;

  if (size < 512 || head[0] == 0)
    return FALSE;
  for (gsize j = 0; j < 512; j++)
    sum += j >= 148 && j < 156 ? ' ' : head[j];
  while (i < 156 && head[i] == ' ')
    i++;
  for (; i < 156 && head[i] >= '0' && head[i] <= '7'; i++)
    told = told * 8 + (head[i] - '0');
  return sum == told;
}

static const char *
ext_name (const guint8 *head, gsize size)
{
  const guint8 *super = head + 1024;
  guint32 compat, incompat;

  if (size < 2048 || le16 (super + 56) != 0xef53 || le32 (super) == 0 || le32 (super + 4) == 0
      || le32 (super + 24) > 6 || le32 (super + 76) > 1)
    return NULL;
  compat = le32 (super + 92);
  incompat = le32 (super + 96);
  if (le32 (super + 76) == 0)
    return "ext2 image";
  if ((incompat & (0x40 | 0x80 | 0x200)) != 0 || (le32 (super + 100) & 0x478) != 0)
    return "ext4 image";
  return (compat & 0x4) != 0 ? "ext3 image" : "ext2 image";
}

/* Version 1, which installer/minix.c reads; *other: one of the later versions. */
static gboolean
is_minix (const guint8 *head, gsize size, gboolean *other)
{
  const guint8 *super = head + 1024;
  guint16 magic;

  *other = FALSE;
  if (size < 2048)
    return FALSE;
  magic = le16 (super + 16);
  *other = (le16 (super + 24) == 0x4d5a && le32 (super) != 0)
           || ((magic == 0x2468 || magic == 0x2478) && le16 (super) != 0 && le16 (super + 8) != 0
               && le16 (super + 10) == 0);
  return (magic == 0x137f || magic == 0x138f) && le16 (super) != 0 && le16 (super + 2) != 0
         && le16 (super + 8) != 0 && le16 (super + 10) == 0;
}

/* An MBR makes sense when all its flags do and one entry leads somewhere; libblkid says the rest.
 */
static gboolean
has_partitions (const guint8 *head, gsize size)
{
  gboolean used = FALSE;

  if (size < 512 || head[510] != 0x55 || head[511] != 0xaa)
    return FALSE;
  if (size >= 520 && memcmp (head + 512, "EFI PART", 8) == 0)
    return TRUE;
  for (int i = 0; i < 4; i++)
    {
      const guint8 *entry = head + 446 + 16 * i;

      if (entry[0] != 0 && entry[0] != 0x80)
        return FALSE;
      used = used || (entry[4] != 0 && le32 (entry + 8) != 0);
    }
  return used;
}

static BzBytes
disk_bytes (const guint8 *head, gsize size, const char **name)
{
  if (size >= 4 && memcmp (head, "QFI\xfb", 4) == 0)
    *name = "qcow2 disk image";
  else if (has_partitions (head, size))
    *name = "disk image with partitions";
  return *name == NULL ? BZ_BYTES_UNKNOWN : BZ_BYTES_DISK;
}

BzBytes
bz_recognise_bytes (const guint8 *head, gsize size, const char **name)
{
  gboolean other;

  *name = NULL;
  if (is_tar (head, size))
    return BZ_BYTES_TAR;
  if ((*name = ext_name (head, size)) != NULL)
    return BZ_BYTES_EXT;
  if (is_minix (head, size, &other))
    {
      *name = "minix image";
      return BZ_BYTES_MINIX;
    }
  if (size >= 32774 && memcmp (head + 32769, "CD001", 5) == 0)
    {
      *name = "ISO 9660 image";
      return BZ_BYTES_ISO;
    }
  if (other)
    {
      *name = "minix image of version 2 or 3";
      return BZ_BYTES_REFUSED;
    }
  for (gsize i = 0; i < G_N_ELEMENTS (refused); i++)
    if (size >= refused[i].offset + refused[i].size
        && memcmp (head + refused[i].offset, refused[i].magic, refused[i].size) == 0)
      {
        *name = refused[i].name;
        return BZ_BYTES_REFUSED;
      }
  return disk_bytes (head, size, name);
}

gboolean
bz_recognise_path (const char *path)
{
  static const char *const known[] = { "bin",     "sbin", "etc",  "lib", "lib32", "lib64",
                                       "libexec", "usr",  "dev",  "var", "home",  "root",
                                       "boot",    "opt",  "proc", "sys", "mnt" };

  for (int depth = 0; depth < 3; depth++)
    {
      gsize length;

      while (*path == '/' || (path[0] == '.' && path[1] == '/'))
        path++;
      length = strcspn (path, "/");
      for (gsize i = 0; i < G_N_ELEMENTS (known); i++)
        if (strlen (known[i]) == length && memcmp (known[i], path, length) == 0)
          return TRUE;
      path += length;
    }
  return FALSE;
}
