/* The probe on the host that runs the test: what it must leave alone, and what it must agree with.
 */
#include "config.h"

#include "brand/base/error.h"
#include "brand/host-cache.h"
#include "brand/host-probe.h"
#include "tests/unit/cmocka-all.h"
#include "tests/unit/made-up-tree.h"

#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static void
test_leaves_the_caller_alone (void **state)
{
  g_autofree char *before = g_file_read_link ("/proc/self/ns/user", NULL);
  g_autofree char *mounts_before = NULL, *mounts_after = NULL;
  g_autoptr (GError) error = NULL;

  (void) state;
  g_file_get_contents ("/proc/self/mounts", &mounts_before, NULL, NULL);
  int privileges = prctl (PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0);
  g_autoptr (BzHost) host = bz_host_probe (NULL, &error);
  assert_non_null (host);

  g_autofree char *after = g_file_read_link ("/proc/self/ns/user", NULL);
  g_file_get_contents ("/proc/self/mounts", &mounts_after, NULL, NULL);
  assert_string_equal (before, after);
  assert_string_equal (mounts_before, mounts_after);
  assert_int_equal (prctl (PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), privileges);
  assert_int_equal (waitpid (-1, NULL, WNOHANG), -1); /* no child is left */
  assert_true (host->release >= BZ_RELEASE (2, 6, 0));
  assert_int_equal (host->root, geteuid () == 0);
}

/* What is fixed by the release where the kernel is built as usual. */
static void
test_agrees_with_the_kernel (void **state)
{
  g_autoptr (BzHost) host = bz_host_probe (NULL, NULL);
  g_autofree char *maps = NULL;

  (void) state;
  assert_int_equal (host->has[BZ_FEATURE_KERNEL], host->release >= BZ_RELEASE (5, 14, 0));
  if (host->release < BZ_RELEASE (5, 19, 0))
    assert_false (host->has[BZ_FEATURE_WAIT_KILLABLE]);
  else
    assert_int_equal (host->has[BZ_FEATURE_WAIT_KILLABLE], host->has[BZ_FEATURE_USER_NOTIFY]);
  if (host->release >= BZ_RELEASE (6, 6, 0))
    assert_int_equal (host->has[BZ_FEATURE_SYNC_WAKE_UP], host->has[BZ_FEATURE_USER_NOTIFY]);
  g_file_get_contents ("/proc/self/maps", &maps, NULL, NULL);
  assert_int_equal (host->has[BZ_FEATURE_VSYSCALL], strstr (maps, "[vsyscall]") != NULL);
}

static void
test_cached_probe (void **state)
{
  char *dir = tree_new ();
  g_autoptr (BzHost) first = bz_host_probe (dir, NULL);
  gint64 start = g_get_monotonic_time ();
  g_autoptr (BzHost) second = bz_host_probe (dir, NULL);

  (void) state;
  print_message ("cached probe: %ld us\n", (long) (g_get_monotonic_time () - start));
  assert_memory_equal (first->has, second->has, sizeof first->has);
  tree_remove (dir);
}

/* Whether the cache in dir says that the host runs i386 programs. */
static gboolean
cache_says_ia32 (const char *dir)
{
  gboolean cached[BZ_FEATURE_COUNT] = { [BZ_FEATURE_IA32] = TRUE };
  BzHost host = { 0 };

  bz_host_cache_read (dir, cached, &host);
  assert_false (host.has[BZ_FEATURE_OVERLAY]); /* not asked for */
  return host.has[BZ_FEATURE_IA32];
}

static void
test_cache (void **state)
{
  char *dir = tree_new ();
  g_autofree char *base = g_strdup_printf ("host-%u", (guint) geteuid ());
  g_autofree char *file = g_build_filename (dir, base, NULL);
  g_autofree char *text = NULL;
  gboolean cached[BZ_FEATURE_COUNT] = { [BZ_FEATURE_IA32] = TRUE, [BZ_FEATURE_OVERLAY] = TRUE };
  BzHost host = { 0 };

  (void) state;
  assert_false (cache_says_ia32 (dir));
  host.has[BZ_FEATURE_IA32] = host.has[BZ_FEATURE_OVERLAY] = TRUE;
  bz_host_cache_write (dir, cached, &host);
  assert_true (cache_says_ia32 (dir));
  assert_true (g_file_get_contents (file, &text, NULL, NULL));

  /* Of another boot, writable by others, damaged, a FIFO, a link: not used. */
  g_autoptr (GKeyFile) keys = g_key_file_new ();
  g_key_file_load_from_data (keys, text, strlen (text), G_KEY_FILE_NONE, NULL);
  g_key_file_set_string (keys, "Host", "Identity", "another boot");
  g_autofree char *changed = g_key_file_to_data (keys, NULL, NULL);
  tree_write (dir, base, changed);
  assert_false (cache_says_ia32 (dir));
  tree_write (dir, base, text);
  assert_true (cache_says_ia32 (dir));
  g_chmod (file, 0666);
  assert_false (cache_says_ia32 (dir));
  tree_write (dir, base, "not a key file \xff");
  assert_false (cache_says_ia32 (dir));
  g_remove (file);
  tree_fifo (dir, base);
  assert_false (cache_says_ia32 (dir));
  g_remove (file);
  tree_write (dir, "elsewhere", text);
  tree_link (dir, base, "elsewhere");
  assert_false (cache_says_ia32 (dir));
  tree_remove (dir);
}

static gboolean
says_yes (const char *path G_GNUC_UNUSED)
{
  return TRUE;
}

static gboolean
says_no (const char *path G_GNUC_UNUSED)
{
  return FALSE;
}

static gboolean
dies (const char *path G_GNUC_UNUSED)
{
  raise (SIGKILL);
  return TRUE;
}

static void
test_children (void **state)
{
  (void) state;
  assert_true (bz_probe_in_child (says_yes, NULL));
  assert_false (bz_probe_in_child (says_no, NULL));
  assert_false (bz_probe_in_child (dies, NULL));
}

/* A shell that ignores SIGCHLD hands that down. */
static void
test_ignored_children (void **state)
{
  g_autoptr (BzHost) usual = bz_host_probe (NULL, NULL);

  (void) state;
  signal (SIGCHLD, SIG_IGN);
  g_autoptr (BzHost) host = bz_host_probe (NULL, NULL);
  signal (SIGCHLD, SIG_DFL);
  assert_memory_equal (usual->has, host->has, sizeof host->has);
}

static void
test_unwritable_cache (void **state)
{
  (void) state;
  g_autoptr (BzHost) host = bz_host_probe ("/proc/no/such/directory", NULL);
  assert_non_null (host);
}

static void
test_check_and_mask (void **state)
{
  BzHost host = { .release = BZ_RELEASE (5, 13, 19), .release_text = (char *) "5.13.19" };
  g_autoptr (GError) error = NULL;
  BzFeature feature;

  (void) state;
  for (guint i = 0; i < BZ_FEATURE_COUNT; i++)
    host.has[i] = i != BZ_FEATURE_KERNEL;
  assert_false (bz_host_check (&host, &error));
  assert_int_equal (error->code, BZ_ERROR_HOST);
  assert_string_equal (
      error->message,
      "this host runs Linux 5.13.19: brandzone needs Linux 5.14 or later (boot a newer kernel)");
  g_clear_error (&error);

  host.has[BZ_FEATURE_KERNEL] = TRUE;
  assert_true (bz_host_check (&host, NULL));
  assert_true (bz_host_mask (&host, "sync-wake-up", NULL));
  assert_true (bz_host_check (&host, NULL)); /* not required */
  assert_true (bz_host_mask (&host, "user-namespaces", NULL));
  assert_false (bz_host_check (&host, &error));
  assert_non_null (strstr (error->message, "user-namespaces"));
  g_clear_error (&error);
  assert_false (bz_host_mask (&host, "flight", &error));
  assert_int_equal (error->code, BZ_ERROR_USAGE);

  for (guint i = 0; i < BZ_FEATURE_COUNT; i++)
    {
      assert_true (bz_feature_lookup (bz_feature_name ((BzFeature) i), &feature));
      assert_int_equal (feature, i);
      assert_non_null (bz_feature_mend (feature));
      g_free (host.detail[i]);
    }
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_leaves_the_caller_alone),
    cmocka_unit_test (test_agrees_with_the_kernel),
    cmocka_unit_test (test_cache),
    cmocka_unit_test (test_cached_probe),
    cmocka_unit_test (test_children),
    cmocka_unit_test (test_unwritable_cache),
    cmocka_unit_test (test_check_and_mask),
    cmocka_unit_test (test_ignored_children),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
