/* Families of inits: their files, which one fits a tree, and what it asks for. */
#include "config.h"

#include "brand/base/error.h"
#include "tests/unit/cmocka-all.h"
#include "zone/boot-edits.h"
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

/* A tree with one file of network scripts: which line of it is edited, if any. */
static guint
edited_line (const char *directory, const char *base, const char *text)
{
  g_autofree char *tree = g_dir_make_tmp ("brandzone-boot-XXXXXX", NULL);
  g_autofree char *dir = g_build_filename (tree, directory, NULL);
  g_autofree char *path = g_build_filename (dir, base, NULL);
  g_autofree char *left = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (BzBootFamily) edits = bz_boot_network_edits (&error);
  guint line = 0;

  assert_non_null (edits);
  assert_int_equal (g_mkdir_with_parents (dir, 0755), 0);
  assert_true (g_file_set_contents (path, text, -1, NULL));
  int fd = open (tree, O_PATH | O_DIRECTORY | O_CLOEXEC);
  g_autoptr (GPtrArray) made = bz_boot_edits (fd, edits, BZ_EDITS_MAKE, &error);
  assert_non_null (made);
  for (guint i = 0; i < made->len; i++)
    {
      const BzEditResult *result = g_ptr_array_index (made, i);
      if (result->state == BZ_EDIT_NEEDED)
        line = result->line;
    }
  g_autoptr (GPtrArray) undone = bz_boot_edits (fd, edits, BZ_EDITS_UNDO, &error);
  assert_non_null (undone);
  assert_true (g_file_get_contents (path, &left, NULL, NULL));
  assert_string_equal (left, text);
  close (fd);
  g_unlink (path);
  for (char *at = dir; strlen (at) >= strlen (tree); *strrchr (at, '/') = '\0')
    g_rmdir (at);
  return line;
}

static void
test_network_edits (void **state G_GNUC_UNUSED)
{
  static const char ifcfg[] = "/etc/sysconfig/network-scripts", debian[] = "/etc/network";

  assert_int_equal (edited_line (ifcfg, "ifcfg-eth0", "DEVICE=eth0\nONBOOT=yes\nIPADDR=10.9.9.9\n"), 2);
  assert_int_equal (edited_line (ifcfg, "ifcfg-eth0", "ONBOOT=\"yes\"\nBOOTPROTO=none\n"), 1);
  assert_int_equal (edited_line (ifcfg, "ifcfg-eth0", "ONBOOT=yes\nBOOTPROTO=\"dhcp\"\n"), 0);
  assert_int_equal (edited_line (ifcfg, "ifcfg-eth0", "ONBOOT=no\n"), 0);
  assert_int_equal (edited_line (ifcfg, "ifcfg-eth1", "ONBOOT=yes\n"), 0);
  assert_int_equal (edited_line (debian, "interfaces", "auto lo\n  auto eth0\niface eth0 inet static\n"), 2);
  assert_int_equal (edited_line (debian, "interfaces", "auto eth0\niface eth0 inet dhcp\n"), 0);
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_defaults),
    cmocka_unit_test (test_surroundings),
    cmocka_unit_test (test_wrong),
    cmocka_unit_test (test_families),
    cmocka_unit_test (test_network_edits),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
