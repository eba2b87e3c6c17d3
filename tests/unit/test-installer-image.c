/* Images and layers: ext2/3/4, zip with an image, OCI layouts, docker archives. */
#include "config.h"

#include "tests/unit/installer-support.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static char *
path_in (Fixture *fixture, const char *name)
{
  return g_build_filename (fixture->directory, name, NULL);
}

/* A tree on the host from which images are made. */
static char *
make_tree (Fixture *fixture)
{
  char *tree = path_in (fixture, "made");
  g_autofree char *etc = g_build_filename (tree, "etc", NULL);
  g_autofree char *bin = g_build_filename (tree, "bin", NULL);
  g_autofree char *file = g_build_filename (etc, "hostname", NULL);
  g_autofree char *again = g_build_filename (etc, "hostname.link", NULL);
  g_autofree char *holes = g_build_filename (bin, "holes", NULL);
  g_autofree char *shortlink = g_build_filename (bin, "sh", NULL);
  g_autofree char *longlink = g_build_filename (bin, "long", NULL);
  g_autofree char *name = g_strnfill (200, 'l');
  int fd;

  assert_int_equal (g_mkdir_with_parents (etc, 0755), 0);
  assert_int_equal (g_mkdir_with_parents (bin, 0755), 0);
  write_file (file, "image\n", 6);
  assert_int_equal (chmod (file, 0640), 0);
  assert_int_equal (link (file, again), 0);
  assert_int_equal (symlink ("busybox", shortlink), 0);
  assert_int_equal (symlink (name, longlink), 0);
  fd = open (holes, O_CREAT | O_WRONLY | O_CLOEXEC, 0755);
  assert_int_equal (pwrite (fd, "end", 3, 5 << 20), 3);
  close (fd);
  return tree;
}

static void
make_image (Fixture *fixture, const char *type, const char *image)
{
  g_autofree char *tree = make_tree (fixture);
  const char *argv[] = { "mke2fs", "-q", "-F", "-t", type, "-d", tree, image, "16M", NULL };

  run_or_skip (argv);
  assert_true (bz_installer_remove (tree, NULL, NULL, NULL));
}

static void
check_image_tree (Fixture *fixture)
{
  g_autofree char *link = g_build_filename (fixture->target, "bin/long", NULL);
  g_autofree char *target = g_file_read_link (link, NULL);
  struct stat file = stat_of (fixture, "etc/hostname");
  struct stat again = stat_of (fixture, "etc/hostname.link");
  struct stat holes = stat_of (fixture, "bin/holes");

  assert_content (fixture, "etc/hostname", "image\n");
  assert_int_equal (file.st_mode & 07777, 0640);
  assert_int_equal (file.st_ino, again.st_ino);
  assert_int_equal (holes.st_size, (5 << 20) + 3);
  assert_true (holes.st_blocks < 64);
  assert_int_equal (strlen (target), 200);
}

static void
ext_images_arrive (void **state)
{
  Fixture *fixture = *state;
  const char *types[] = { "ext2", "ext3", "ext4" };

  for (gsize i = 0; i < G_N_ELEMENTS (types); i++)
    {
      make_image (fixture, types[i], fixture->archive);
      assert_true (install (fixture));
      assert_true (g_str_has_prefix (fixture->result->source.kind, types[i]));
      check_image_tree (fixture);
      assert_true (bz_installer_remove (fixture->target, NULL, NULL, NULL));
    }
}

static void
image_in_a_partition_arrives (void **state)
{
  Fixture *fixture = *state;
  g_autofree char *image = path_in (fixture, "image");
  g_autofree char *content = NULL;
  g_autofree guint8 *disk = NULL;
  gsize size;

  make_image (fixture, "ext2", image);
  assert_true (g_file_get_contents (image, &content, &size, NULL));
  disk = g_malloc0 (size + 32256);
  disk[446 + 4] = 0x83;
  disk[446 + 8] = 63; /* sectors before it, as fdisk of 1999 left them */
  disk[446 + 14] = 1; /* 65536 sectors */
  disk[510] = 0x55;
  disk[511] = 0xaa;
  memcpy (disk + 32256, content, size);
  write_file (fixture->archive, disk, size + 32256);
  assert_true (install (fixture));
  assert_string_equal (fixture->result->source.kind, "ext2 image in partition 1 (MBR)");
  check_image_tree (fixture);
}

static void
damaged_images_are_refused (void **state)
{
  Fixture *fixture = *state;
  struct stat st;

  make_image (fixture, "ext4", fixture->archive);
  assert_int_equal (stat (fixture->archive, &st), 0);
  assert_int_equal (truncate (fixture->archive, 8192), 0);
  assert_false (install (fixture));
  assert_refused (fixture, BZ_ERROR_INPUT, "");
}

/* The image gzipped, inside a zip with other files: BasicLinux's form. */
static void
compressed_image_in_a_zip_arrives (void **state)
{
  Fixture *fixture = *state;
  g_autofree char *image = path_in (fixture, "image");
  g_autofree char *zipped = path_in (fixture, "image.gz");
  g_autofree char *content = NULL;
  gsize size;
  struct archive *archive;

  make_image (fixture, "ext2", image);
  const char *gzip[] = { "gzip", "-n", image, NULL };
  run_or_skip (gzip);
  assert_true (g_file_get_contents (zipped, &content, &size, NULL));
  archive = archive_begin (fixture, ARCHIVE_FORMAT_ZIP, ARCHIVE_FILTER_NONE);
  put_file (archive, "README.TXT", "how to start\n");
  entry_put (archive, entry_new ("ROOT.GZ", S_IFREG | 0644), content, size);
  archive_end (archive);
  assert_true (install (fixture));
  assert_string_equal (fixture->result->source.kind, "ext2 image in a zip archive");
  check_image_tree (fixture);
  assert_absent (fixture, "README.TXT");

  /* The same image alone. */
  assert_true (bz_installer_remove (fixture->target, NULL, NULL, NULL));
  assert_true (install_with (fixture, (BzInstallOptions){ .source = zipped }));
  assert_string_equal (fixture->result->source.kind, "ext2 image (gz)");
  check_image_tree (fixture);
}

/* --- layers --- */

static char *
sha256 (const char *path)
{
  g_autofree char *content = NULL;
  gsize size;

  assert_true (g_file_get_contents (path, &content, &size, NULL));
  return g_compute_checksum_for_data (G_CHECKSUM_SHA256, (const guchar *) content, size);
}

/* Two layers: `filter` compresses them. Their paths go to out. */
static void
make_layers (Fixture *fixture, int filter, char *out[2])
{
  Fixture layer = *fixture;
  struct archive *archive;

  out[0] = path_in (fixture, "layer0");
  layer.archive = out[0];
  archive = archive_begin (&layer, ARCHIVE_FORMAT_TAR_PAX_RESTRICTED, filter);
  put_directory (archive, "etc", 0755);
  put_file (archive, "etc/kept", "lower");
  put_file (archive, "etc/gone", "lower");
  put_file (archive, "etc/changed", "lower");
  put_file (archive, "opaque/lower", "lower");
  put_file (archive, "opaque/both/lower", "lower");
  put_directory (archive, "usr/lib", 0755);
  put_symlink (archive, "lib", "usr/lib");
  put_symlink (archive, "out", "/../../..");
  archive_end (archive);

  out[1] = path_in (fixture, "layer1");
  layer.archive = out[1];
  archive = archive_begin (&layer, ARCHIVE_FORMAT_TAR_PAX_RESTRICTED, filter);
  put_file (archive, "etc/.wh.gone", "");
  put_file (archive, "etc/changed", "upper");
  put_file (archive, "opaque/upper", "upper");
  put_file (archive, "opaque/both/upper", "upper");
  put_file (archive, "opaque/.wh..wh..opq", "");
  put_file (archive, "lib/library", "through the lower layer's link");
  put_file (archive, "out/inside", "x");
  archive_end (archive);
}

static void
check_layers (Fixture *fixture)
{
  g_autofree char *above = path_in (fixture, "inside");

  assert_content (fixture, "etc/kept", "lower");
  assert_content (fixture, "etc/changed", "upper");
  assert_absent (fixture, "etc/gone");
  assert_absent (fixture, "etc/.wh.gone");
  assert_absent (fixture, "opaque/lower");
  assert_absent (fixture, "opaque/both/lower");
  assert_absent (fixture, "opaque/.wh..wh..opq");
  assert_content (fixture, "opaque/upper", "upper");
  assert_content (fixture, "opaque/both/upper", "upper");
  assert_content (fixture, "usr/lib/library", "through the lower layer's link");
  assert_content (fixture, "inside", "x"); /* ".." at the root is the root */
  assert_int_not_equal (access (above, F_OK), 0);
}

/* Puts a file among the blobs; returns its digest. */
static char *
add_blob (const char *layout, const char *content, gsize size)
{
  g_autofree char *sum =
      g_compute_checksum_for_data (G_CHECKSUM_SHA256, (const guchar *) content, size);
  g_autofree char *directory = g_build_filename (layout, "blobs/sha256", NULL);
  g_autofree char *path = g_build_filename (directory, sum, NULL);

  assert_int_equal (g_mkdir_with_parents (directory, 0755), 0);
  write_file (path, content, size);
  return g_strdup_printf ("sha256:%s", sum);
}

/* An OCI layout with an arm64 image that can't be read and an amd64 one. Returns its directory. */
static char *
make_layout (Fixture *fixture, int filter)
{
  char *layout = path_in (fixture, "layout");
  char *layers[2];
  g_autoptr (GString) list = g_string_new (NULL);
  const char *config =
      "{\"os\":\"linux\",\"architecture\":\"amd64\",\"rootfs\":{\"type\":\"layers\"}}";

  make_layers (fixture, filter, layers);
  for (int i = 0; i < 2; i++)
    {
      g_autofree char *content = NULL;
      gsize size;

      assert_true (g_file_get_contents (layers[i], &content, &size, NULL));
      g_autofree char *digest = add_blob (layout, content, size);
      g_string_append_printf (list, "%s{\"mediaType\":\"x\",\"digest\":\"%s\",\"size\":%zu}",
                              i == 0 ? "" : ",", digest, size);
      g_free (layers[i]);
    }
  g_autofree char *config_digest = add_blob (layout, config, strlen (config));
  g_autofree char *manifest = g_strdup_printf (
      "{\"schemaVersion\":2,\"config\":{\"digest\":\"%s\",\"size\":%zu},\"layers\":[%s]}",
      config_digest, strlen (config), list->str);
  g_autofree char *digest = add_blob (layout, manifest, strlen (manifest));
  g_autofree char *absent = g_strnfill (64, '0');
  g_autofree char *index = g_strdup_printf ("{\"schemaVersion\":2,\"manifests\":["
                                            "{\"digest\":\"sha256:%s\",\"size\":1,\"platform\":{"
                                            "\"os\":\"linux\",\"architecture\":\"arm64\"}},"
                                            "{\"digest\":\"%s\",\"size\":%zu,\"platform\":{\"os\":"
                                            "\"linux\",\"architecture\":\"amd64\"}}]}",
                                            absent, digest, strlen (manifest));
  g_autofree char *index_path = g_build_filename (layout, "index.json", NULL);
  g_autofree char *mark = g_build_filename (layout, "oci-layout", NULL);
  write_file (index_path, index, strlen (index));
  write_file (mark, "{\"imageLayoutVersion\":\"1.0.0\"}", 30);
  return layout;
}

static void
oci_layout_arrives (void **state)
{
  Fixture *fixture = *state;
  const int filters[] = { ARCHIVE_FILTER_NONE, ARCHIVE_FILTER_GZIP, ARCHIVE_FILTER_ZSTD };

  for (gsize i = 0; i < G_N_ELEMENTS (filters); i++)
    {
      g_autofree char *layout = make_layout (fixture, filters[i]);

      if (!install_with (fixture, (BzInstallOptions){ .source = layout }))
        fail_msg ("%s", fixture->error->message);
      assert_string_equal (fixture->result->source.kind, "OCI layout");
      check_layers (fixture);
      assert_true (bz_installer_remove (fixture->target, NULL, NULL, NULL));
      assert_true (bz_installer_remove (layout, NULL, NULL, NULL));
    }
}

static void
oci_archive_arrives (void **state)
{
  Fixture *fixture = *state;
  g_autofree char *layout = make_layout (fixture, ARCHIVE_FILTER_GZIP);
  const char *tar[] = { "tar",   "-C",         layout,       "-cf", fixture->archive,
                        "blobs", "index.json", "oci-layout", NULL };

  run_or_skip (tar);
  assert_true (install (fixture));
  assert_string_equal (fixture->result->source.kind, "OCI layout in a tar archive");
  check_layers (fixture);
}

static void
wrong_digest_is_refused (void **state)
{
  Fixture *fixture = *state;
  g_autofree char *layout = make_layout (fixture, ARCHIVE_FILTER_NONE);
  g_autofree char *first = path_in (fixture, "layer0");
  g_autofree char *sum = sha256 (first);
  g_autofree char *blob = g_build_filename (layout, "blobs/sha256", sum, NULL);
  int fd = open (blob, O_RDWR | O_CLOEXEC);

  assert_true (fd >= 0);
  assert_int_equal (pwrite (fd, "Z", 1, 1024), 1);
  close (fd);
  assert_false (install_with (fixture, (BzInstallOptions){ .source = layout }));
  assert_refused (fixture, BZ_ERROR_INPUT, "digest");
}

static void
docker_archive_arrives (void **state)
{
  Fixture *fixture = *state;
  char *layers[2];
  g_autofree char *config = NULL;
  struct archive *archive;
  const char *manifest = "[{\"Config\":\"config.json\",\"RepoTags\":[\"made:up\"],"
                         "\"Layers\":[\"one/layer.tar\",\"two/layer.tar\"]}]";

  make_layers (fixture, ARCHIVE_FILTER_NONE, layers);
  g_autofree char *sum0 = sha256 (layers[0]), *sum1 = sha256 (layers[1]);
  for (int good = 1; good >= 0; good--)
    {
      g_free (config);
      config =
          g_strdup_printf ("{\"os\":\"linux\",\"architecture\":\"386\",\"rootfs\":{\"diff_ids\":"
                           "[\"sha256:%s\",\"sha256:%s\"]}}",
                           sum0, good ? sum1 : sum0);
      archive = archive_begin (fixture, ARCHIVE_FORMAT_TAR_PAX_RESTRICTED, ARCHIVE_FILTER_GZIP);
      for (int i = 0; i < 2; i++)
        {
          g_autofree char *content = NULL;
          gsize size;

          assert_true (g_file_get_contents (layers[i], &content, &size, NULL));
          entry_put (archive,
                     entry_new (i == 0 ? "one/layer.tar" : "two/layer.tar", S_IFREG | 0644),
                     content, size);
        }
      put_file (archive, "config.json", config);
      put_file (archive, "manifest.json", manifest);
      archive_end (archive);
      if (good)
        {
          assert_true (install (fixture));
          assert_string_equal (fixture->result->source.kind, "docker archive");
          check_layers (fixture);
          assert_true (bz_installer_remove (fixture->target, NULL, NULL, NULL));
        }
      else
        {
          assert_false (install (fixture));
          assert_refused (fixture, BZ_ERROR_INPUT, "digest");
        }
    }
  g_free (layers[0]);
  g_free (layers[1]);
}

static void
hostile_descriptions_are_refused (void **state)
{
  Fixture *fixture = *state;
  g_autofree char *deep = g_strnfill (100000, '[');
  const char *manifests[] = {
    "[{\"Config\":\"../../etc/passwd\",\"Layers\":[]}]",
    "[{\"Config\":\"c\",\"Layers\":[\"../../../etc/passwd\"]}]",
    "[{\"Config\":7,\"Layers\":{}}]",
    "[]",
    "{}",
    "not json",
    deep,
  };

  for (gsize i = 0; i < G_N_ELEMENTS (manifests); i++)
    {
      struct archive *archive =
          archive_begin (fixture, ARCHIVE_FORMAT_TAR_USTAR, ARCHIVE_FILTER_GZIP);

      put_file (archive, "manifest.json", manifests[i]);
      archive_end (archive);
      assert_false (install (fixture));
      assert_refused (fixture, BZ_ERROR_INPUT, "");
    }
}

int
main (void)
{
#define TEST(function) cmocka_unit_test_setup_teardown (function, fixture_setup, fixture_teardown)
  const struct CMUnitTest tests[] = {
    TEST (ext_images_arrive),
    TEST (image_in_a_partition_arrives),
    TEST (damaged_images_are_refused),
    TEST (compressed_image_in_a_zip_arrives),
    TEST (oci_layout_arrives),
    TEST (oci_archive_arrives),
    TEST (wrong_digest_is_refused),
    TEST (docker_archive_arrives),
    TEST (hostile_descriptions_are_refused),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
