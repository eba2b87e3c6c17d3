/* What the finder says about real files: the archives of $BRANDZONE_USERLANDS, read in memory. */
#include "config.h"

#include "loader/shadow/rewrite.h"

#include <archive.h>
#include <archive_entry.h>
#include <string.h>
#include <sys/stat.h>

#include "tests/unit/cmocka-all.h"

#define MOST_BYTES (64 * 1024 * 1024)

/* A file with uses; all others have none. */
typedef struct {
  const char *name; /* the path's end */
  guint edits, left;
} File;

typedef struct {
  const char *archive;
  guint images;  /* x86-64 programs and libraries */
  File files[8]; /* the first without a name ends them */
} Tree;

static const Tree trees[] = {
  { "centos5-x86_64-glibc2.5-libs/c5-lib64.tar.xz",
    37,
    { { "/libc.so.6", 2, 0 }, { "/libpthread.so.0", 6, 0 } } },
  { "centos6.8-x86_64/centos6.8-core.tar.xz",
    1225,
    { { "/libc-2.12.so", 2, 1 },
      { "/libpthread-2.12.so", 6, 0 },
      { "sbin/ldconfig", 2, 0 },
      { "sbin/sln", 1, 0 },
      { "sbin/insmod.static", 1, 0 },
      { "/glibc_post_upgrade.x86_64", 1, 0 },
      { "/build-locale-archive", 2, 0 } } },
  { "centos7-x86_64-glibc2.17-libs/c7-lib64.tar.xz", 23, { { "/libc-2.17.so", 0, 3 } } },
  { "rhel7-bin/rhel7-bin.tar.xz", 27, { { NULL, 0, 0 } } },
  { "kaios-wheezy-x86_64-glibc2.13/kaios-root.tar.xz",
    21,
    { { "/libc.so.6", 2, 1 }, { "/libpthread.so.0", 6, 0 }, { "sbin/busybox", 2, 0 } } },
  { "docker-busybox-2013-x86_64-uclibc/rootfs-2013.08.1.tar",
    32,
    { { "/libpthread-0.9.33.2.so", 1, 0 } } },
  { "cirros-0.4.0-uclibc/rootfs-x86_64.tar.xz", 106, { { "/libpthread-0.9.33.2.so", 1, 0 } } },
  { "alpine-3.6-musl/alpine-minirootfs-3.6.5-x86_64.tar.gz", 13, { { NULL, 0, 0 } } },
};

static const File *
expected (const Tree *tree, const char *path)
{
  static const File none = { "", 0, 0 };

  for (const File *file = tree->files; file->name != NULL; file++)
    if (g_str_has_suffix (path, file->name))
      return file;
  return &none;
}

static void
check_file (const Tree *tree, const char *path, const guint8 *data, gsize size, guint *images,
            guint *with_uses)
{
  const File *file = expected (tree, path);
  g_auto (BzRewrite) rewrite = { 0 };
  g_autoptr (GError) error = NULL;

  if (!bz_rewrite_find (data, size, &rewrite, &error))
    fail_msg ("%s %s: %s", tree->archive, path, error->message);
  *images += rewrite.is_x86_64;
  *with_uses += rewrite.n + rewrite.n_left > 0;
  if (rewrite.n != file->edits || rewrite.n_left != file->left || rewrite.n_refused != 0)
    fail_msg ("%s %s: %u edits, %u left, %u refused", tree->archive, path, rewrite.n,
              rewrite.n_left, rewrite.n_refused);
}

static void
check_entry (const Tree *tree, struct archive *archive, struct archive_entry *entry, guint *images,
             guint *with_uses)
{
  gint64 size = archive_entry_size (entry);

  if (archive_entry_filetype (entry) != AE_IFREG || size < 64 || size > MOST_BYTES)
    return;
  g_autofree guint8 *data = g_malloc ((gsize) size);
  if (archive_read_data (archive, data, (gsize) size) != size)
    fail_msg ("%s: %s", tree->archive, archive_error_string (archive));
  check_file (tree, archive_entry_pathname (entry), data, (gsize) size, images, with_uses);
}

static void
check_tree (void **state)
{
  const Tree *tree = *state;
  const char *userlands = g_getenv ("BRANDZONE_USERLANDS");
  g_autofree char *path =
      g_build_filename (userlands != NULL ? userlands : ".", tree->archive, NULL);
  struct archive *archive = archive_read_new ();
  struct archive_entry *entry;
  guint images = 0, with_uses = 0, files = 0;

  archive_read_support_format_tar (archive);
  archive_read_support_filter_all (archive);
  if (archive_read_open_filename (archive, path, 65536) != ARCHIVE_OK)
    {
      archive_read_free (archive);
      print_message ("%s is missing (set BRANDZONE_USERLANDS)\n", path);
      skip ();
    }
  while (archive_read_next_header (archive, &entry) == ARCHIVE_OK)
    check_entry (tree, archive, entry, &images, &with_uses);
  archive_read_free (archive);
  while (tree->files[files].name != NULL)
    files++;
  assert_int_equal (images, tree->images);
  assert_int_equal (with_uses, files);
}

int
main (void)
{
  struct CMUnitTest tests[G_N_ELEMENTS (trees)];

  for (gsize i = 0; i < G_N_ELEMENTS (trees); i++)
    tests[i] = (struct CMUnitTest){ trees[i].archive, check_tree, NULL, NULL, (void *) &trees[i] };
  return _cmocka_run_group_tests ("rewrite-trees", tests, G_N_ELEMENTS (tests), NULL, NULL);
}
