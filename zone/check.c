/* Collects the troubles of a tree: all files with the same one make one line. */
#include "config.h"

#include "zone/check-private.h"

#include "brand/tree-facts.h"

#include <stdlib.h>
#include <string.h>
#include <sys/statfs.h>

#define MOST_TROUBLES 2000
#define XFS_SHORT (G_GUINT64_CONSTANT (512) << 30) /* as brand/inodes.c has it */

static void
trouble_free (gpointer data)
{
  BzTrouble *trouble = data;

  g_free (trouble->detail);
  g_free (trouble->how);
  g_ptr_array_unref (trouble->paths);
  g_free (trouble);
}

static guint32
number_of_file (const char *path)
{
  g_autofree char *text = NULL;

  return g_file_get_contents (path, &text, NULL, NULL) ? (guint32) strtoul (text, NULL, 10) : 0;
}

BzCheck *
bz_check_new (const BzHost *host, const BzPlan *plan, int tree_fd, const char *cpuinfo)
{
  BzCheck *check = g_new0 (BzCheck, 1);
  g_autofree char *own = NULL;
  BzTreeFacts facts;

  if (cpuinfo == NULL && g_file_get_contents ("/proc/cpuinfo", &own, NULL, NULL))
    cpuinfo = own;
  check->host = host;
  check->plan = plan;
  check->tree_fd = tree_fd;
  check->cpu = cpuinfo != NULL ? bz_isa_of_cpu (cpuinfo) : 0;
  check->lowest_map = number_of_file ("/proc/sys/vm/mmap_min_addr");
  check->strict_memory = number_of_file ("/sys/fs/selinux/enforce") != 0;
  bz_tree_facts_read (tree_fd, &facts);
  check->foreign = facts.found && facts.foreign;
  check->old_uclibc =
      facts.libc == BZ_LIBC_UCLIBC && facts.has_version && facts.version < BZ_RELEASE (0, 9, 27);
  bz_tree_facts_clear (&facts);
  check->troubles = g_ptr_array_new_with_free_func (trouble_free);
  check->rewrites =
      g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify) g_ptr_array_unref);
  check->names = bz_check_names ();
  check->by_key = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  check->interpreters = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  return check;
}

void
bz_check_free (BzCheck *check)
{
  if (check == NULL)
    return;
  g_ptr_array_unref (check->troubles);
  g_hash_table_unref (check->rewrites);
  g_hash_table_unref (check->names);
  g_hash_table_unref (check->by_key);
  g_hash_table_unref (check->interpreters);
  g_free (check);
}

void
bz_check_add (BzCheck *check, BzFinding finding, const char *row, const char *detail, BzCover cover,
              char *owned_how, const char *path)
{
  g_autofree char *how = owned_how;
  g_autofree char *key = g_strdup_printf ("%d %d %s", finding, cover, detail != NULL ? detail : "");
  BzTrouble *trouble = g_hash_table_lookup (check->by_key, key);

  if (trouble == NULL && check->troubles->len >= MOST_TROUBLES)
    {
      /* A tree made to have endless kinds of trouble: the rest goes under one of them. */
      trouble = g_ptr_array_index (check->troubles, MOST_TROUBLES - 1);
    }
  else if (trouble == NULL)
    {
      trouble = g_new0 (BzTrouble, 1);
      trouble->finding = finding;
      trouble->detail = g_strdup (detail);
      trouble->row = row != NULL ? row : bz_finding_row (finding);
      trouble->cover = cover;
      trouble->how = g_steal_pointer (&how);
      trouble->hint = cover == BZ_COVERED ? NULL : bz_finding_hint (finding);
      trouble->paths = g_ptr_array_new_with_free_func (g_free);
      g_ptr_array_add (check->troubles, trouble);
      g_hash_table_insert (check->by_key, g_steal_pointer (&key), trouble);
    }
  if (trouble->paths->len == 0
      || strcmp (g_ptr_array_index (trouble->paths, trouble->paths->len - 1), path) != 0)
    g_ptr_array_add (trouble->paths, g_strdup (path));
}

void
bz_check_add_row (BzCheck *check, BzFinding finding, const char *row, const char *detail,
                  const char *path)
{
  char *how;
  BzCover cover = bz_finding_cover (finding, row, check->host, check->plan, &how);

  bz_check_add (check, finding, row, detail, cover, how, path);
}

static void
met (const char *path, const struct stat *status, const BzScan *scan, gpointer data)
{
  bz_check_image (data, path, status, scan);
}

void
bz_check_tree (BzCheck *check)
{
  bz_scan_tree (check->tree_fd, check->names, met, check, &check->counts);
}

/* Of what a file needs only its own troubles count. */
static gboolean
met_library (const char *path, const BzScan *scan, gpointer data)
{
  struct stat status = { .st_mode = S_IFREG | 0755 };
  BzCheck *check = data;

  check->counts.files++;
  check->counts.images++;
  bz_check_image (check, path, &status, scan);
  return TRUE;
}

gboolean
bz_check_file (BzCheck *check, int dir_fd, const char *name, const char *path, gboolean *image)
{
  g_auto (BzScan) scan = { .kind = BZ_SCAN_NONE };
  struct stat status;

  if (!bz_scan_file (dir_fd, name, check->names, &scan, &status, &check->counts))
    return FALSE;
  check->counts.files++;
  check->counts.wide_inodes += (guint64) status.st_ino > G_MAXUINT32;
  /* Who asks about a file means to run it. */
  status.st_mode |= 0111;
  *image = scan.kind != BZ_SCAN_NONE;
  check->counts.images += *image;
  bz_check_image (check, path, &status, &scan);
  if (scan.kind == BZ_SCAN_ELF)
    bz_check_libraries (check->tree_fd, &scan, check->names, met_library, check);
  return TRUE;
}

gboolean
bz_inodes_may_be_wide (guint64 type, guint64 bytes)
{
  static const guint64 types[] = {
    0x9123683e, /* btrfs */ 0x794c7630, /* overlayfs with xino */
    0x6969,     /* NFS */ 0xff534d42,   /* CIFS */
    0xfe534d42, /* SMB2 */ 0x01021997,  /* 9p */
    0x00c36400, /* Ceph */ 0x65735546,  /* FUSE */
    0xca451a4e,                         /* bcachefs */
  };

  /* XFS numbers inodes by their place on the disk. */
  if (type == 0x58465342)
    return bytes >= XFS_SHORT;
  for (guint i = 0; i < G_N_ELEMENTS (types); i++)
    if (types[i] == type)
      return TRUE;
  return FALSE;
}

/* O1 is no trouble where inode numbers are small. */
static void
judge_inodes (BzCheck *check, int fd)
{
  gboolean wide = check->counts.wide_inodes > 0, may = wide;
  struct statfs status;

  if (!wide && fstatfs (fd, &status) == 0)
    may = bz_inodes_may_be_wide ((guint64) status.f_type & G_MAXUINT32,
                                 (guint64) status.f_blocks * (guint64) status.f_bsize);
  for (guint i = check->troubles->len; i-- > 0;)
    {
      BzTrouble *trouble = g_ptr_array_index (check->troubles, i);

      if (trouble->finding != BZ_FINDING_INODES || trouble->cover == BZ_COVERED)
        continue;
      if (!may)
        g_ptr_array_remove_index (check->troubles, i);
      else if (!wide)
        {
          trouble->cover = BZ_PERHAPS;
          g_free (trouble->how);
          trouble->how = g_strdup ("no such number was seen yet");
        }
    }
}

static int
by_path (gconstpointer a, gconstpointer b)
{
  return strcmp (*(char *const *) a, *(char *const *) b);
}

static int
worst_first (gconstpointer a, gconstpointer b)
{
  const BzTrouble *one = *(BzTrouble *const *) a, *other = *(BzTrouble *const *) b;

  if (one->cover != other->cover)
    return (int) other->cover - (int) one->cover;
  if (one->finding != other->finding)
    return (int) one->finding - (int) other->finding;
  return g_strcmp0 (one->detail, other->detail);
}

void
bz_check_finish (BzCheck *check, int fd)
{
  judge_inodes (check, fd);
  bz_check_refine (check);
  g_hash_table_remove_all (check->by_key);
  for (guint i = 0; i < check->troubles->len; i++)
    g_ptr_array_sort (((BzTrouble *) g_ptr_array_index (check->troubles, i))->paths, by_path);
  g_ptr_array_sort (check->troubles, worst_first);
}
