/* Families of inits: their files, which one fits a tree, and what it asks for. */
#include "config.h"

#include "brand/base/error.h"
#include "tests/unit/cmocka-all.h"
#include "zone/boot-family.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

static BzBootFamily *
family_of (const char *text, GError **error)
{
  g_autofree char *dir = g_dir_make_tmp ("brandzone-boot-XXXXXX", NULL);
  g_autofree char *path = g_build_filename (dir, "one.edits", NULL);

  assert_true (g_file_set_contents (path, text, -1, NULL));
  BzBootFamily *family = bz_boot_family_read (path, error);
  g_unlink (path);
  g_rmdir (dir);
  return family;
}

#define USUAL "[Init]\nTitle=t\nOrder=1\nContains=c\nHalt=signal TERM\n"

static void
test_defaults (void **state G_GNUC_UNUSED)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (BzBootFamily) family = family_of (USUAL, &error);

  assert_non_null (family);
  assert_int_equal (family->terminals, BZ_TERMINALS_MAX);
  assert_null (family->environment[0]);
  assert_int_equal (bz_boot_family_cgroups (family, NULL)->view, BZ_CGROUPS_NONE);
}

static void
test_surroundings (void **state G_GNUC_UNUSED)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (BzBootFamily) family =
      family_of (USUAL "Terminals=1\nEnvironment=container=lxc; a=b\nCgroups=unified\n"
                       "[Argument old=1]\nCgroups=named systemd\n",
                 &error);
  char *words[] = { (char *) "single", (char *) "old=1", NULL };

  assert_non_null (family);
  assert_int_equal (family->terminals, 1);
  assert_string_equal (family->environment[1], "a=b");
  assert_int_equal (bz_boot_family_cgroups (family, NULL)->view, BZ_CGROUPS_UNIFIED);
  assert_int_equal (bz_boot_family_cgroups (family, words)->view, BZ_CGROUPS_NAMED);
  assert_string_equal (bz_boot_family_cgroups (family, words)->name, "systemd");
  words[1] = (char *) "old=10";
  assert_int_equal (bz_boot_family_cgroups (family, words)->view, BZ_CGROUPS_UNIFIED);
}

static void
test_wrong (void **state G_GNUC_UNUSED)
{
  static const char *const wrong[] = {
    "Terminals=0\n",          "Terminals=7\n",          "Terminals=x\n",
    "Environment=lxc\n",      "Environment=a=b;c\n",    "Cgroups=v1\n",
    "Cgroups=named \n",       "Cgroups=named a/b\n",    "Cgroups=named ..\n",
    "Cgroups=named a,b\n",    "[Argument a]\nCgroups=named\n", "[Edit x]\nFile=/a\n",
  };

  for (gsize i = 0; i < G_N_ELEMENTS (wrong); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autofree char *text = g_strconcat (USUAL, wrong[i], NULL);
      g_autoptr (BzBootFamily) family = family_of (text, &error);

      assert_null (family);
      assert_int_equal (error->code, BZ_ERROR_INPUT);
    }
}

/* Of the files that are installed: the inits of our trees, by the texts that they hold. */
static void
test_families (void **state G_GNUC_UNUSED)
{
  static const struct {
    const char *program, *family;
  } cases[] = {
    { "systemd 247 running in %ssystem mode. cgroup2", "systemd" },
    { "systemd 219 running in %ssystem mode.", "systemd-v1" },
    { "/dev/initctl", "sysvinit" },
    { "/run/initctl", "sysvinit" },
    { "com.ubuntu.Upstart", "upstart" },
    { "BusyBox v1.26", "busybox" },
    { "something else", NULL },
  };
  g_autofree char *tree = g_dir_make_tmp ("brandzone-boot-XXXXXX", NULL);
  g_autofree char *init = g_build_filename (tree, "init", NULL);
  int fd = open (tree, O_PATH | O_DIRECTORY | O_CLOEXEC);

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (BzBootFamily) family = NULL;

      assert_true (g_file_set_contents (init, cases[i].program, -1, NULL));
      assert_true (bz_boot_family_find (fd, "/init", &family, &error));
      if (cases[i].family == NULL)
        assert_null (family);
      else
        assert_string_equal (family->name, cases[i].family);
    }
  close (fd);
  g_unlink (init);
  g_rmdir (tree);
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_defaults),
    cmocka_unit_test (test_surroundings),
    cmocka_unit_test (test_wrong),
    cmocka_unit_test (test_families),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
