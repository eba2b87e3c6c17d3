/* What one program needs: its interpreter and libraries, as the tree's dynamic linker would find
 * them.
 *
 * Limits: the usual directories are searched, not /etc/ld.so.conf, RPATH or LD_LIBRARY_PATH; of two
 * libraries of one name the first of the right ABI counts. What a program opens by dlopen is not
 * known. */
#include "config.h"

#include "zone/check-private.h"

#include "brand/tree.h"

#include <string.h>

#define LIBRARY_BYTES ((gsize) 64 << 20)
#define MOST_LIBRARIES 256

static const char *const directories[] = {
  "lib64",
  "usr/lib64",
  "lib/x86_64-linux-gnu",
  "usr/lib/x86_64-linux-gnu",
  "lib/i386-linux-gnu",
  "usr/lib/i386-linux-gnu",
  "lib",
  "usr/lib",
  "lib32",
  "usr/lib32",
};

static gboolean
same_abi (const BzScan *one, const BzScan *other)
{
  return other->kind == BZ_SCAN_ELF && one->elf.bits == other->elf.bits
         && one->elf.machine == other->elf.machine;
}

static gboolean
read_image (int tree_fd, const char *path, GHashTable *names, BzScan *scan)
{
  g_autoptr (GBytes) bytes = NULL;

  if (!bz_tree_read (tree_fd, path, LIBRARY_BYTES, &bytes))
    return FALSE;
  bz_scan_read (bytes, names, scan);
  return TRUE;
}

/* Looks a name up; its path, owned by the caller, or NULL. */
static char *
find_library (int tree_fd, const char *name, const BzScan *program, GHashTable *names, BzScan *scan)
{
  gboolean is_path = strchr (name, '/') != NULL;

  for (guint i = 0; i < (is_path ? 1 : G_N_ELEMENTS (directories)); i++)
    {
      g_autofree char *path = is_path ? g_strdup (name + strspn (name, "/"))
                                      : g_build_filename (directories[i], name, NULL);

      if (!read_image (tree_fd, path, names, scan))
        continue;
      if (same_abi (program, scan))
        return g_steal_pointer (&path);
      bz_scan_clear (scan);
    }
  return NULL;
}

static void
want (const BzScan *scan, GHashTable *seen, GQueue *queue)
{
  if (scan->interpreter != NULL && g_hash_table_add (seen, g_strdup (scan->interpreter)))
    g_queue_push_tail (queue, g_strdup (scan->interpreter));
  for (guint i = 0; i < scan->needed->len; i++)
    {
      const char *name = g_ptr_array_index (scan->needed, i);
      if (g_hash_table_add (seen, g_strdup (name)))
        g_queue_push_tail (queue, g_strdup (name));
    }
}

void
bz_check_libraries (int tree_fd, const BzScan *program, GHashTable *names, BzLibraryFunc func,
                    gpointer data)
{
  g_autoptr (GHashTable) seen = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  GQueue queue = G_QUEUE_INIT;
  gboolean go_on = TRUE;

  want (program, seen, &queue);
  for (guint i = 0; go_on && i < MOST_LIBRARIES && !g_queue_is_empty (&queue); i++)
    {
      g_autofree char *name = g_queue_pop_head (&queue);
      g_auto (BzScan) scan = { .kind = BZ_SCAN_NONE };
      g_autofree char *path = find_library (tree_fd, name, program, names, &scan);

      if (path == NULL)
        continue;
      go_on = func (path, &scan, data);
      want (&scan, seen, &queue);
    }
  g_queue_clear_full (&queue, g_free);
}

/* After a death */

static gboolean
note_vsyscall (const char *path G_GNUC_UNUSED, const BzScan *scan, gpointer data)
{
  gboolean *calls = data;

  *calls = scan->vsyscall_calls > 0;
  return !*calls;
}

gboolean
bz_check_is_cut_off (int tree_fd, const char *program)
{
  g_autoptr (GBytes) bytes = NULL;
  g_auto (BzScan) scan = { .kind = BZ_SCAN_NONE };

  if (!bz_tree_read (tree_fd, program, LIBRARY_BYTES, &bytes) || g_bytes_get_size (bytes) >= LIBRARY_BYTES)
    return FALSE;
  bz_scan_read (bytes, NULL, &scan);
  return scan.kind == BZ_SCAN_ELF && scan.cut_off;
}

gboolean
bz_check_calls_vsyscall (int tree_fd, const char *program)
{
  g_auto (BzScan) scan = { .kind = BZ_SCAN_NONE };
  g_autofree char *interpreter = NULL;
  gboolean calls = FALSE;

  if (!read_image (tree_fd, program, NULL, &scan))
    return FALSE;
  if (scan.kind == BZ_SCAN_SCRIPT)
    {
      interpreter = g_steal_pointer (&scan.interpreter);
      bz_scan_clear (&scan);
      if (!read_image (tree_fd, interpreter, NULL, &scan))
        return FALSE;
    }
  if (scan.kind != BZ_SCAN_ELF || scan.vsyscall_calls > 0)
    return scan.vsyscall_calls > 0;
  bz_check_libraries (tree_fd, &scan, NULL, note_vsyscall, &calls);
  return calls;
}
