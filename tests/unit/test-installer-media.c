/* Disks and old media: minix file systems, qcow2, logical partitions, ISO 9660. */
#include "config.h"

#include "tests/unit/installer-support.h"

#include <string.h>
#include <unistd.h>

/* --- a minix file system of 64 blocks, written by hand --- */

#define BLOCK 1024
#define MINIX_BLOCKS 1200
#define FIRST_DATA 6 /* boot, super, two maps, two blocks of inodes */

typedef struct {
  guint8 bytes[MINIX_BLOCKS * BLOCK];
  gsize entry; /* 16 or 32 */
  guint16 next;
} Minix;

static void
put16 (guint8 *at, guint16 value)
{
  at[0] = (guint8) value;
  at[1] = (guint8) (value >> 8);
}

static void
put32 (guint8 *at, guint32 value)
{
  put16 (at, (guint16) value);
  put16 (at + 2, (guint16) (value >> 16));
}

static void
put_be (guint8 *at, guint64 value, int size)
{
  for (int i = 0; i < size; i++)
    at[i] = (guint8) (value >> (8 * (size - 1 - i)));
}

static guint8 *
inode_at (Minix *minix, guint16 number)
{
  return minix->bytes + 4 * BLOCK + (number - 1) * 32;
}

static guint8 *
block_at (Minix *minix, guint16 number)
{
  return minix->bytes + number * BLOCK;
}

static void
put_inode (Minix *minix, guint16 number, guint16 mode, guint32 size, guint8 links)
{
  guint8 *inode = inode_at (minix, number);

  put16 (inode, mode);
  put16 (inode + 2, 0);
  put32 (inode + 4, size);
  put32 (inode + 8, 700000000);
  inode[13] = links;
}

static void
put_zone (Minix *minix, guint16 number, int index, guint16 zone)
{
  put16 (inode_at (minix, number) + 14 + 2 * index, zone);
}

static void
put_name (Minix *minix, guint16 block, int index, guint16 number, const char *name)
{
  guint8 *at = block_at (minix, block) + (gsize) index * minix->entry;

  put16 (at, number);
  memcpy (at + 2, name, MIN (strlen (name), minix->entry - 2));
}

/* / has etc, and etc a file with a hole and an indirect block, a second link to it, a symbolic
 * link and a name of full length. */
static Minix *
make_minix (gsize entry)
{
  Minix *minix = g_new0 (Minix, 1);
  guint8 *super = block_at (minix, 1);

  minix->entry = entry;
  put16 (super, 64);
  put16 (super + 2, MINIX_BLOCKS);
  put16 (super + 4, 1);
  put16 (super + 6, 1);
  put16 (super + 8, FIRST_DATA);
  put16 (super + 16, entry == 16 ? 0x137f : 0x138f);
  put_inode (minix, 1, S_IFDIR | 0755, (guint32) entry * 3, 3);
  put_zone (minix, 1, 0, 6);
  put_name (minix, 6, 0, 1, ".");
  put_name (minix, 6, 1, 1, "..");
  put_name (minix, 6, 2, 2, "etc");
  put_inode (minix, 2, S_IFDIR | 0755, (guint32) entry * 6, 2);
  put_zone (minix, 2, 0, 7);
  put_name (minix, 7, 0, 3, "first");
  put_name (minix, 7, 1, 3, "second");
  put_name (minix, 7, 2, 4, "link");
  put_name (minix, 7, 3, 0, "deleted");
  put_name (minix, 7, 4, 5, entry == 16 ? "fourteen-bytes" : "thirty-bytes-are-a-long-name-9");
  put_name (minix, 7, 5, 6, "null");
  put_inode (minix, 3, S_IFREG | 04711, 8 * BLOCK + 4, 2); /* block 0 is a hole, 8 is indirect */
  put_zone (minix, 3, 1, 8);
  put_zone (minix, 3, 7, 9);
  memcpy (block_at (minix, 8), "one", 3);
  put16 (block_at (minix, 9) + 2, 10);
  memcpy (block_at (minix, 10), "last", 4);
  put_inode (minix, 4, S_IFLNK | 0777, 5, 1);
  put_zone (minix, 4, 0, 11);
  memcpy (block_at (minix, 11), "first", 5);
  put_inode (minix, 5, S_IFREG | 0600, 0, 1);
  put_inode (minix, 6, S_IFIFO | 0666, 0, 1);
  return minix;
}

static void
write_minix (Fixture *fixture, const Minix *minix)
{
  write_file (fixture->archive, minix->bytes, sizeof minix->bytes);
}

static void
check_minix_tree (Fixture *fixture, gsize entry)
{
  g_autofree char *path = g_build_filename (fixture->target, "etc/first", NULL);
  g_autofree char *link = g_build_filename (fixture->target, "etc/link", NULL);
  g_autofree char *target = g_file_read_link (link, NULL);
  g_autofree char *content = NULL;
  struct stat first = stat_of (fixture, "etc/first"), second = stat_of (fixture, "etc/second");
  gsize size;

  assert_true (g_file_get_contents (path, &content, &size, NULL));
  assert_int_equal (size, 8 * BLOCK + 4);
  assert_int_equal (content[0], 0);
  assert_memory_equal (content + BLOCK, "one", 4);
  assert_memory_equal (content + 8 * BLOCK, "last", 4);
  assert_int_equal (first.st_mode & 07777, 04711);
  assert_int_equal (first.st_mtime, 700000000);
  assert_int_equal (first.st_ino, second.st_ino);
  assert_string_equal (target, "first");
  stat_of (fixture, entry == 16 ? "etc/fourteen-bytes" : "etc/thirty-bytes-are-a-long-name-9");
  assert_true (S_ISFIFO (stat_of (fixture, "etc/null").st_mode));
  assert_absent (fixture, "etc/deleted");
}

static void
minix_images_arrive (void **state)
{
  Fixture *fixture = *state;

  for (gsize entry = 16; entry <= 32; entry += 16)
    {
      g_autofree Minix *minix = make_minix (entry);

      write_minix (fixture, minix);
      assert_true (install (fixture));
      assert_string_equal (fixture->result->source.kind, "minix image");
      check_minix_tree (fixture, entry);
      assert_true (bz_installer_remove (fixture->target, NULL, NULL, NULL));
    }
}

/* Each damages the good image in one place. */
static void
refuse_minix (Fixture *fixture, const Minix *minix, const char *why)
{
  write_minix (fixture, minix);
  assert_false (install_with (fixture, (BzInstallOptions){ 0 }));
  assert_refused (fixture, BZ_ERROR_INPUT, why);
}

static void
hostile_minix_images_are_refused (void **state)
{
  Fixture *fixture = *state;
  g_autofree Minix *minix = g_new0 (Minix, 1);
  g_autofree Minix *good = make_minix (16);

  *minix = *good;
  put_zone (minix, 3, 1, MINIX_BLOCKS);
  refuse_minix (fixture, minix, "not in the file system");
  *minix = *good;
  put_zone (minix, 3, 1, 2); /* its own maps */
  refuse_minix (fixture, minix, "not in the file system");
  *minix = *good;
  put_name (minix, 7, 2, 1, "root"); /* a directory in itself */
  refuse_minix (fixture, minix, "twice");
  *minix = *good;
  put_name (minix, 7, 2, 4, "../../../up");
  refuse_minix (fixture, minix, "name that can't be");
  *minix = *good;
  put_name (minix, 7, 2, 65, "beyond");
  refuse_minix (fixture, minix, "does not exist");
  *minix = *good;
  put_inode (minix, 2, S_IFDIR | 0755, MINIX_BLOCKS * BLOCK + 1, 2);
  refuse_minix (fixture, minix, "larger than the file system");
  *minix = *good;
  put_inode (minix, 3, S_IFREG | 0644, G_MAXUINT32, 1);
  refuse_minix (fixture, minix, "larger than a file can be");
  *minix = *good;
  put_inode (minix, 4, S_IFLNK | 0777, 5000, 1);
  refuse_minix (fixture, minix, "target makes no sense");
  *minix = *good;
  put16 (block_at (minix, 1), 65535); /* inodes over the data */
  refuse_minix (fixture, minix, "super block");
}

/* --- qcow2 --- */

enum { CLUSTER = 4096, CLUSTER_BITS = 12 };

typedef struct {
  GByteArray *bytes;
  guint32 version;
} Qcow2;

static guint64
append (Qcow2 *image, const void *data, gsize size)
{
  guint64 at = image->bytes->len;
  g_autofree guint8 *cluster = g_malloc0 (CLUSTER);

  memcpy (cluster, data, size);
  g_byte_array_append (image->bytes, cluster, CLUSTER);
  return at;
}

/* One L2 table's worth (2 MiB) of `disk` as qcow2: clusters of zeros are left out, and in version 3
 * every second of those is marked as zeros. */
static GByteArray *
make_qcow2 (const guint8 *disk, gsize size, guint32 version)
{
  Qcow2 image = { g_byte_array_new (), version };
  guint8 head[CLUSTER] = { 0 }, l1[CLUSTER] = { 0 }, l2[CLUSTER] = { 0 };

  put_be (head, 0x514649fb, 4);
  put_be (head + 4, version, 4);
  put_be (head + 20, CLUSTER_BITS, 4);
  put_be (head + 24, size, 8);
  put_be (head + 36, 1, 4);
  put_be (head + 40, CLUSTER, 8);
  put_be (head + 100, 104, 4);
  append (&image, head, CLUSTER);
  put_be (l1, 2 * CLUSTER | G_GUINT64_CONSTANT (1) << 63, 8);
  append (&image, l1, CLUSTER);
  append (&image, l2, CLUSTER);
  for (gsize i = 0; i * CLUSTER < size; i++)
    {
      gsize length = MIN ((gsize) CLUSTER, size - i * CLUSTER);
      const guint8 *data = disk + i * CLUSTER;
      guint64 at = version == 3 && i % 2 == 0 ? 1 : 0;

      if (data[0] != 0 || memcmp (data, data + 1, length - 1) != 0)
        at = append (&image, data, length) | G_GUINT64_CONSTANT (1) << 63;
      put_be (l2 + 8 * i, at, 8);
    }
  memcpy (image.bytes->data + 2 * CLUSTER, l2, CLUSTER);
  return image.bytes;
}

static void
qcow2_images_arrive (void **state)
{
  Fixture *fixture = *state;
  g_autofree Minix *minix = make_minix (16);

  for (guint32 version = 2; version <= 3; version++)
    {
      g_autoptr (GByteArray) image = make_qcow2 (minix->bytes, sizeof minix->bytes, version);

      write_file (fixture->archive, image->data, image->len);
      assert_true (install (fixture));
      assert_string_equal (fixture->result->source.kind, "minix image (qcow2)");
      check_minix_tree (fixture, 16);
      assert_true (bz_installer_remove (fixture->target, NULL, NULL, NULL));
    }
}

/* The same from the program that everybody makes them with: compressed, by both ways. */
static void
compressed_qcow2_images_arrive (void **state)
{
  Fixture *fixture = *state;
  g_autofree Minix *minix = make_minix (16);
  g_autofree char *raw = g_build_filename (fixture->directory, "raw", NULL);
  const char *types[] = { "compression_type=zlib", "compression_type=zstd" };

  write_file (raw, minix->bytes, sizeof minix->bytes);
  for (gsize i = 0; i < G_N_ELEMENTS (types); i++)
    {
      const char *convert[] = { "qemu-img", "convert", "-c", "-f", "raw", "-O", "qcow2",
                                "-o",       types[i],  raw,  fixture->archive, NULL };

      run_or_skip (convert);
      assert_true (install (fixture));
      check_minix_tree (fixture, 16);
      assert_true (bz_installer_remove (fixture->target, NULL, NULL, NULL));
    }
}

static void
refuse_qcow2 (Fixture *fixture, const GByteArray *good, gsize at, guint64 value, int size,
              const char *why)
{
  g_autofree guint8 *bad = g_memdup2 (good->data, good->len);

  put_be (bad + at, value, size);
  write_file (fixture->archive, bad, good->len);
  assert_false (install_with (fixture, (BzInstallOptions){ 0 }));
  assert_refused (fixture, BZ_ERROR_INPUT, why);
}

static void
qcow2_images_that_need_more_are_refused (void **state)
{
  Fixture *fixture = *state;
  g_autofree Minix *minix = make_minix (16);
  g_autoptr (GByteArray) good = make_qcow2 (minix->bytes, sizeof minix->bytes, 3);

  refuse_qcow2 (fixture, good, 8, 512, 8, "backing file");
  refuse_qcow2 (fixture, good, 32, 1, 4, "encrypted");
  refuse_qcow2 (fixture, good, 4, 1, 4, "version");
  refuse_qcow2 (fixture, good, 20, 31, 4, "cluster size");
  refuse_qcow2 (fixture, good, 24, G_MAXUINT64, 8, "first table");
  refuse_qcow2 (fixture, good, 24, 1 << 30, 8, "first table");
  refuse_qcow2 (fixture, good, 72, 2, 8, "corrupt");
  refuse_qcow2 (fixture, good, 72, 4, 8, "another file");
  refuse_qcow2 (fixture, good, 72, 16, 8, "subclusters");
  refuse_qcow2 (fixture, good, 72, 1 << 20, 8, "does not know");
  /* Tables that lead out of the file: to the second table, and to one cluster of a file. */
  refuse_qcow2 (fixture, good, CLUSTER, G_GUINT64_CONSTANT (1) << 40, 8, "end of the file");
  refuse_qcow2 (fixture, good, 2 * CLUSTER + 8 * 2, G_GUINT64_CONSTANT (1) << 40, 8, "end of the file");
}

/* --- partitions --- */

static void
put_partition (guint8 *sector, int index, guint8 type, guint32 start, guint32 size)
{
  guint8 *entry = sector + 446 + 16 * index;

  entry[4] = type;
  put32 (entry + 8, start);
  put32 (entry + 12, size);
  sector[510] = 0x55;
  sector[511] = 0xaa;
}

/* A swap partition, and in the extended one a file system without a tree before the one with. */
static guint8 *
make_disk (gsize *size)
{
  enum { EXTENDED = 128, FIRST = 130, SECOND_TABLE = 2600, SECOND = 2602 };
  g_autofree Minix *minix = make_minix (16), *other = make_minix (16);
  guint8 *disk;

  put_name (other, 6, 2, 2, "mail");
  *size = SECOND * 512 + sizeof minix->bytes;
  disk = g_malloc0 (*size);
  put_partition (disk, 0, 0x82, 63, 60);
  put_partition (disk, 1, 0x05, EXTENDED, (guint32) (*size / 512 - EXTENDED));
  put_partition (disk + EXTENDED * 512, 0, 0x81, FIRST - EXTENDED, MINIX_BLOCKS * 2);
  put_partition (disk + EXTENDED * 512, 1, 0x05, SECOND_TABLE - EXTENDED, MINIX_BLOCKS * 2 + 2);
  put_partition (disk + SECOND_TABLE * 512, 0, 0x81, SECOND - SECOND_TABLE, MINIX_BLOCKS * 2);
  memcpy (disk + FIRST * 512, other->bytes, sizeof other->bytes);
  memcpy (disk + SECOND * 512, minix->bytes, sizeof minix->bytes);
  return disk;
}

static void
partition_with_the_userland_is_taken (void **state)
{
  Fixture *fixture = *state;
  gsize size;
  g_autofree guint8 *disk = make_disk (&size);

  write_file (fixture->archive, disk, size);
  assert_true (install (fixture));
  assert_string_equal (fixture->result->source.kind, "minix image in partition 6 (MBR)");
  check_minix_tree (fixture, 16);
}

static void
partitions_in_qcow2_are_found (void **state)
{
  Fixture *fixture = *state;
  g_autofree char *raw = g_build_filename (fixture->directory, "raw", NULL);
  const char *convert[] = { "qemu-img", "convert", "-f", "raw", "-O", "qcow2", raw,
                            fixture->archive, NULL };
  gsize size;
  g_autofree guint8 *disk = make_disk (&size);

  write_file (raw, disk, size);
  run_or_skip (convert);
  assert_true (install (fixture));
  assert_string_equal (fixture->result->source.kind, "minix image in partition 6 (MBR, qcow2)");
  check_minix_tree (fixture, 16);
}

static void
disks_without_a_file_system_say_what_they_hold (void **state)
{
  Fixture *fixture = *state;
  g_autofree guint8 *disk = g_malloc0 (1 << 20);

  put_partition (disk, 0, 0x83, 64, 1000);
  memcpy (disk + 64 * 512, "XFSB", 4);
  put_partition (disk, 2, 0x83, 1100, 100);
  write_file (fixture->archive, disk, 1 << 20);
  assert_false (install_with (fixture, (BzInstallOptions){ 0 }));
  assert_refused (fixture, BZ_ERROR_INPUT, "partition 1 XFS image, partition 3 something unknown");
}

/* --- ISO 9660 --- */

static void
iso_images_arrive (void **state)
{
  Fixture *fixture = *state;
  struct archive *archive =
      archive_begin (fixture, ARCHIVE_FORMAT_ISO9660, ARCHIVE_FILTER_NONE);
  struct archive_entry *file = entry_new ("bin/program", S_IFREG | 04755);

  archive_entry_set_uid (file, 7);
  put_directory (archive, "bin", 0755);
  entry_put (archive, file, "text", 4);
  put_symlink (archive, "bin/sh", "program");
  put_file (archive, "etc/A name Of The.many-kinds", "x");
  archive_end (archive);
  assert_true (install (fixture));
  assert_string_equal (fixture->result->source.kind, "ISO 9660 image");
  assert_content (fixture, "bin/program", "text");
  assert_content (fixture, "bin/sh", "text");
  assert_content (fixture, "etc/A name Of The.many-kinds", "x");
  if (geteuid () == 0)
    {
      assert_int_equal (stat_of (fixture, "bin/program").st_mode & 07777, 0555); /* its writer takes the rest */
      assert_int_equal (stat_of (fixture, "bin/program").st_uid, 7);
    }
}

static void
later_minix_versions_are_named (void **state)
{
  Fixture *fixture = *state;
  g_autofree Minix *minix = make_minix (16);

  put16 (block_at (minix, 1) + 16, 0x2468);
  write_minix (fixture, minix);
  assert_false (install_with (fixture, (BzInstallOptions){ 0 }));
  assert_refused (fixture, BZ_ERROR_INPUT, "version 2 or 3");
}

#define MEDIA_TEST(function) \
  cmocka_unit_test_setup_teardown (function, fixture_setup, fixture_teardown)

int
main (void)
{
  const struct CMUnitTest tests[] = {
    MEDIA_TEST (minix_images_arrive),
    MEDIA_TEST (hostile_minix_images_are_refused),
    MEDIA_TEST (later_minix_versions_are_named),
    MEDIA_TEST (qcow2_images_arrive),
    MEDIA_TEST (compressed_qcow2_images_arrive),
    MEDIA_TEST (qcow2_images_that_need_more_are_refused),
    MEDIA_TEST (partition_with_the_userland_is_taken),
    MEDIA_TEST (partitions_in_qcow2_are_found),
    MEDIA_TEST (disks_without_a_file_system_say_what_they_hold),
    MEDIA_TEST (iso_images_arrive),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
