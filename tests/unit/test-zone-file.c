/* Zone files: what is read, what is warned of, what is refused, and on which line. */
#include "config.h"

#include "brand/base/error.h"
#include "tests/unit/cmocka-all.h"
#include "zone/key-name.h"
#include "zone/zone-keys.h"

#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>

static BzZoneFile *
parse (const char *text, GError **error)
{
  g_autoptr (BzZoneFile) file = bz_zone_file_new ();

  if (!bz_zone_file_parse (file, text, strlen (text), "z.zone", error))
    return NULL;
  return g_steal_pointer (&file);
}

static void
test_all_keys (void **state G_GNUC_UNUSED)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (BzZoneFile) file =
      parse ("# a comment\n[Zone]\nFormat=1\nDescription=An old one\nHostname=attic\n"
             "[Brand]\nName=el6\nRelease=2.6.32-754.el6\nAbi=i386\n"
             "[Storage]\nVolumes=/src:/usr/src:ro; /a:/b ;\n[Network]\nMode=host\n",
             &error);

  assert_null (error);
  assert_string_equal (file->description, "An old one");
  assert_string_equal (file->hostname, "attic");
  assert_string_equal (file->brand, "el6");
  assert_string_equal (file->release, "2.6.32-754.el6");
  assert_true (file->abi.set);
  assert_int_equal (file->abi.value, BZ_ABI_I386);
  assert_int_equal (g_strv_length (file->volumes), 2);
  assert_string_equal (file->volumes[1], "/a:/b");
  assert_true (file->network.set);
  assert_int_equal (file->network.value, BZ_NETWORK_HOST);
  assert_int_equal (file->warnings->len, 0);
}

static void
test_machine_keys (void **state G_GNUC_UNUSED)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (BzZoneFile) file =
      parse ("[Zone]\nHostId=0x7f0101\nMachineId=0123456789abcdef0123456789abcdef\n"
             "Environment=A=1; B=x=y ;\n[Network]\nMacAddress=02:00:5e:10:20:30\n"
             "[Mount data]\nSource=/srv\nTarget=/data\nReadOnly=yes\n"
             "[Mount b]\nSource=/b\nTarget=/c\n"
             "[Device d]\nSource=/dev/parport0\nMode=0660\nGroup=7\n"
             "[Resources]\nMemory=512M\nCpus=1.5\nCpuSet=0-3,8\nProcesses=99\nDescriptors=1024:4096\n"
             "DropCapabilities=CAP_NET_RAW;cap_mknod\n"
             "[Sysctl]\nkernel.shmmax=33554432\nkernel.sem=250 32000 32 128\n",
             &error);

  assert_null (error);
  assert_int_equal (file->warnings->len, 0);
  assert_true (file->host_id.set);
  assert_int_equal (file->host_id.value, 0x7f0101);
  assert_int_equal (g_strv_length (file->environment), 2);
  assert_string_equal (file->environment[1], "B=x=y");
  assert_string_equal (file->mac_address, "02:00:5e:10:20:30");
  assert_int_equal (file->mounts->len, 2);
  const BzZoneMount *mount = g_ptr_array_index (file->mounts, 0);
  assert_string_equal (mount->name, "data");
  assert_string_equal (mount->target, "/data");
  assert_true (mount->read_only);
  assert_int_equal (file->devices->len, 1);
  const BzZoneDevice *device = g_ptr_array_index (file->devices, 0);
  assert_int_equal (device->mode, 0660);
  assert_int_equal (device->gid, 7);
  assert_int_equal (file->memory, 512 * 1024 * 1024);
  assert_int_equal (file->cpu_percent, 150);
  assert_string_equal (file->processors, "0-3,8");
  assert_int_equal (file->processes, 99);
  assert_true (file->descriptors.set);
  assert_int_equal (file->descriptors.hard, 4096);
  assert_int_equal (file->capabilities_dropped, 1 << 13 | 1 << 27);
  assert_int_equal (file->sysctls->len, 2);
  assert_string_equal (g_ptr_array_index (file->sysctls, 1), "kernel.sem=250 32000 32 128");
  assert_true (bz_zone_file_check (file, "z.zone", &error));
}

/* What a later line or drop-in says counts; its text is what `config get` shows. */
static void
test_values_that_count (void **state G_GNUC_UNUSED)
{
  g_autoptr (BzZoneFile) file = parse ("[Sysctl]\nkernel.msgmni=1\n[Resources]\nMemory=1G\n", NULL);
  static const char later[] = "[Sysctl]\nkernel.msgmni=2\n[Resources]\nMemory=\n";

  assert_true (bz_zone_file_parse (file, later, strlen (later), "later.conf", NULL));
  assert_int_equal (file->sysctls->len, 1);
  assert_string_equal (g_ptr_array_index (file->sysctls, 0), "kernel.msgmni=2");
  assert_int_equal (file->memory, 0);
  assert_string_equal (bz_zone_file_value (file, "Sysctl", "kernel.msgmni"), "2");
  assert_null (bz_zone_file_value (file, "Sysctl", "kernel.sem"));
  g_autofree char *text = bz_zone_file_text (file);
  g_autoptr (BzZoneFile) again = parse (text, NULL);
  assert_non_null (again);
  assert_string_equal (bz_zone_file_value (again, "Sysctl", "kernel.msgmni"), "2");
}

static void
test_the_whole_is_checked (void **state G_GNUC_UNUSED)
{
  static const char *const bad[] = {
    "[Mount a]\nSource=/a\n",
    "[Mount a]\nTarget=/a\n",
    "[Device a]\nMode=0600\n",
    "[Device a]\nSource=/srv/node\n",
    "[Network]\nMode=host\nMacAddress=02:00:00:00:00:01\n",
    "[Network]\nMode=host\n[Sysctl]\nnet.ipv4.ip_forward=1\n",
  };

  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (BzZoneFile) file = parse (bad[i], NULL);

      assert_non_null (file);
      if (bz_zone_file_check (file, "z.zone", &error))
        fail_msg ("taken: %s", bad[i]);
      assert_true (g_error_matches (error, BZ_ERROR, BZ_ERROR_INPUT));
      assert_non_null (bz_error_parts (error)->hint);
    }
}

static void
test_edits_keep_the_rest (void **state G_GNUC_UNUSED)
{
  static const char before[] =
      "# mine\n\n[Zone]\nFormat = 1\n# its name\nHostname=a\n\n\n[Brand]\nName=el6";
  static const struct {
    const char *group, *key, *value, *after;
  } cases[] = {
    { "Zone", "Hostname", "b",
      "# mine\n\n[Zone]\nFormat = 1\n# its name\nHostname=b\n\n\n[Brand]\nName=el6\n" },
    { "Zone", "Description", " x",
      "# mine\n\n[Zone]\nFormat = 1\n# its "
      "name\nHostname=a\nDescription=\\sx\n\n\n[Brand]\nName=el6\n" },
    { "Brand", "Abi", "i386",
      "# mine\n\n[Zone]\nFormat = 1\n# its name\nHostname=a\n\n\n[Brand]\nName=el6\nAbi=i386\n" },
    { "Mount x", "Source", "/y",
      "# mine\n\n[Zone]\nFormat = 1\n# its name\nHostname=a\n\n\n[Brand]\nName=el6\n\n[Mount "
      "x]\nSource=/y\n" },
    { "Brand", "Name", NULL, "# mine\n\n[Zone]\nFormat = 1\n# its name\nHostname=a\n\n" },
    { "Zone", "Format", NULL, "# mine\n\n[Zone]\n# its name\nHostname=a\n\n\n[Brand]\nName=el6\n" },
    { "Zone", "Nothing", NULL,
      "# mine\n\n[Zone]\nFormat = 1\n# its name\nHostname=a\n\n\n[Brand]\nName=el6\n" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *after =
          bz_zone_file_edit (before, strlen (before), cases[i].group, cases[i].key, cases[i].value);
      assert_string_equal (after, cases[i].after);
    }
  g_autofree char *first = bz_zone_file_edit ("", 0, "Zone", "Hostname", "h");
  assert_string_equal (first, "[Zone]\nHostname=h\n");
}

static void
test_names_of_keys (void **state G_GNUC_UNUSED)
{
  static const struct {
    const char *text, *group, *key;
  } good[] = {
    { "Zone.Hostname", "Zone", "Hostname" },
    { "hostname", "Zone", "Hostname" },
    { "zone.HOSTID", "Zone", "HostId" },
    { "mount.data.readonly", "Mount data", "ReadOnly" },
    { "Device.a.b.Source", "Device a.b", "Source" },
    { "kernel.shmmax", "Sysctl", "kernel.shmmax" },
    { "sysctl.net.ipv4.ip_forward", "Sysctl", "net.ipv4.ip_forward" },
  };
  static const char *const bad[] = { "",
                                     "hostnam",
                                     "Zone.",
                                     "Source",
                                     "Mount.a",
                                     "Mount..Target",
                                     "Mount.a b.Target",
                                     "vm.swappiness",
                                     "kernel.x",
                                     "net..x",
                                     "Mount.a.Sorce" };

  for (gsize i = 0; i < G_N_ELEMENTS (good); i++)
    {
      g_autofree char *group = NULL;
      g_autofree char *key = NULL;
      assert_true (bz_key_name_parse (good[i].text, &group, &key, NULL));
      assert_string_equal (group, good[i].group);
      assert_string_equal (key, good[i].key);
    }
  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autofree char *group = NULL;
      g_autofree char *key = NULL;
      if (bz_key_name_parse (bad[i], &group, &key, &error))
        fail_msg ("taken: %s", bad[i]);
      assert_true (g_error_matches (error, BZ_ERROR, BZ_ERROR_USAGE));
      assert_non_null (bz_error_parts (error)->hint);
    }
}

/* The table is data: what the parser, the manual and completion rely on. */
static void
test_the_table (void **state G_GNUC_UNUSED)
{
  g_autofree char *manual = bz_zone_keys_manual ();

  for (const BzZoneKey *row = bz_zone_keys; row->group != NULL; row++)
    {
      assert_true (row->take != NULL || row->key == NULL);
      assert_ptr_equal (bz_zone_key_lookup (row->group, row->key != NULL ? row->key : "x"), row);
      assert_false (g_str_has_suffix (row->help, "."));
      g_autofree char *item = g_strdup_printf (".It Cm %s Ns = Ns Ar %s\n",
                                               row->key != NULL ? row->key : "NAME", row->value);
      assert_non_null (strstr (manual, item));
    }
}

static void
test_nothing_is_said (void **state G_GNUC_UNUSED)
{
  g_autoptr (BzZoneFile) file = parse ("", NULL);

  assert_non_null (file);
  assert_null (file->brand);
  assert_false (file->abi.set);
  assert_int_equal (g_strv_length (file->volumes), 0);
}

static void
test_unknown_key_is_a_warning_with_its_line (void **state G_GNUC_UNUSED)
{
  g_autoptr (BzZoneFile) file =
      parse ("[Zone]\nFormat=1\n\n# Hostnam=no\nHostnam = attic\n[Clock]\nOffset=3\n", NULL);

  assert_non_null (file);
  assert_null (file->hostname);
  assert_int_equal (file->warnings->len, 2);
  assert_string_equal (
      g_ptr_array_index (file->warnings, 0),
      "z.zone:5: unknown key Hostnam in [Zone] is ignored (did you mean Hostname?)");
  assert_string_equal (g_ptr_array_index (file->warnings, 1),
                       "z.zone:6: unknown group [Clock] is ignored");

  g_autoptr (BzZoneFile) unnamed =
      parse ("[Mount]\nSource=/a\n[Zone x]\nHostname=b\n[Mount b]\nTarge=/c\n", NULL);
  assert_int_equal (unnamed->warnings->len, 3);
  assert_string_equal (g_ptr_array_index (unnamed->warnings, 0),
                       "z.zone:1: unknown group [Mount] is ignored (it needs a name)");
  assert_string_equal (
      g_ptr_array_index (unnamed->warnings, 2),
      "z.zone:6: unknown key Targe in [Mount b] is ignored (did you mean Target?)");
  assert_null (unnamed->hostname);
}

static void
test_bad_values_are_refused_with_their_line (void **state G_GNUC_UNUSED)
{
  static const struct {
    const char *text, *place;
  } cases[] = {
    { "[Zone]\nFormat=2\n", "z.zone:2: Format=2" },
    { "[Zone]\nHostname=a b\n", "z.zone:2: Hostname=a b" },
    { "[Zone]\nHostname=-x\n", "z.zone:2" },
    { "[Brand]\n\nName=../../etc/passwd\n", "z.zone:3" },
    { "[Brand]\nRelease=new\n", "z.zone:2" },
    { "[Brand]\nAbi=arm\n", "z.zone:2" },
    { "[Network]\nMode=bridge\n", "z.zone:2" },
    { "[Storage]\nVolumes=relative:/x\n", "z.zone:2" },
    { "[Storage]\nVolumes=/a:/b:rx\n", "z.zone:2" },
    { "[Storage]\nVolumes=/a:/../etc\n", "z.zone:2" },
    { "[Zone]\nDescription=a\\qb\n", "z.zone:2" },
    { "[Zone]\nHostId=123456789\n", "z.zone:2" },
    { "[Zone]\nMachineId=0123\n", "z.zone:2" },
    { "[Zone]\nEnvironment=1A=x\n", "z.zone:2" },
    { "[Network]\nMacAddress=01:00:00:00:00:00\n", "z.zone:2" },
    { "[Network]\nMacAddress=00:00:00:00:00:00\n", "z.zone:2" },
    { "[Network]\nMacAddress=2:0:0:0:0:0\n", "z.zone:2" },
    { "[Mount a]\nSource=srv\n", "z.zone:2" },
    { "[Mount a]\nTarget=/a/../..\n", "z.zone:2" },
    { "[Mount a]\nReadOnly=maybe\n", "z.zone:2" },
    { "[Device a]\nTarget=/etc/x\n", "z.zone:2" },
    { "[Device a]\nTarget=/dev/../etc/x\n", "z.zone:2" },
    { "[Device a]\nMode=0999\n", "z.zone:2" },
    { "[Resources]\nMemory=10\n", "z.zone:2" },
    { "[Resources]\nMemory=9999999999G\n", "z.zone:2" },
    { "[Resources]\nCpus=-1\n", "z.zone:2" },
    { "[Resources]\nCpus=nan\n", "z.zone:2" },
    { "[Resources]\nCpuSet=0-\n", "z.zone:2" },
    { "[Resources]\nCpuSet=1,\n", "z.zone:2" },
    { "[Resources]\nCpuSet=3-1\n", "z.zone:2" },
    { "[Resources]\nCpuSet=0,,1\n", "z.zone:2" },
    { "[Resources]\nCpuSet=8192\n", "z.zone:2" },
    { "[Resources]\nCpuSet=18446744073709551616\n", "z.zone:2" },
    { "[Resources]\nDescriptors=20:10\n", "z.zone:2" },
    { "[Resources]\nDropCapabilities=CAP_FLY\n", "z.zone:2" },
    { "[Sysctl]\nvm.swappiness=1\n", "z.zone:2" },
    { "[Sysctl]\nkernel.core_pattern=|/bin/sh\n", "z.zone:2" },
    { "[Sysctl]\nnet/../kernel/core_pattern=x\n", "z.zone:2" },
    { "[Sysctl]\nnet...kernel=x\n", "z.zone:2" },
    { "rubbish\n", "z.zone" },
    { "[Zone\n", "z.zone" },
    { "[Zone]\n=x\n", "z.zone" },
    { "\xff\xfe", "z.zone" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (BzZoneFile) file = parse (cases[i].text, &error);

      if (file != NULL)
        fail_msg ("taken: %s", cases[i].text);
      assert_true (g_error_matches (error, BZ_ERROR, BZ_ERROR_INPUT));
      assert_true (g_str_has_prefix (error->message, cases[i].place));
      assert_non_null (bz_error_parts (error)->why);
      assert_non_null (bz_error_parts (error)->hint);
    }
}

static void
test_nul_and_size (void **state G_GNUC_UNUSED)
{
  static const char nul[] = "[Zone]\nDescription=a\0b\n";
  g_autofree char *large = g_strnfill (70000, '#');
  g_autoptr (BzZoneFile) file = bz_zone_file_new ();

  assert_false (bz_zone_file_parse (file, nul, sizeof nul - 1, "z.zone", NULL));
  assert_false (bz_zone_file_parse (file, large, 70000, "z.zone", NULL));
}

static char *
temporary (void)
{
  char *directory = g_dir_make_tmp ("bz-zone-file-XXXXXX", NULL);

  assert_non_null (directory);
  return directory;
}

static void
put (const char *directory, const char *name, const char *text)
{
  g_autofree char *path = g_build_filename (directory, name, NULL);

  assert_true (g_file_set_contents (path, text, -1, NULL));
}

static void
test_drop_ins_are_laid_over (void **state G_GNUC_UNUSED)
{
  g_autofree char *directory = temporary ();
  g_autofree char *path = g_build_filename (directory, "z.zone", NULL);
  g_autofree char *drop_ins = g_strconcat (path, ".d", NULL);

  assert_int_equal (g_mkdir (drop_ins, 0700), 0);
  put (directory, "z.zone", "[Zone]\nHostname=first\n[Brand]\nName=el6\n");
  put (drop_ins, "20-b.conf", "[Zone]\nHostname=third\n");
  put (drop_ins, "10-a.conf", "[Zone]\nHostname=second\n[Network]\nMode=host\n");
  put (drop_ins, "30-c.conf~", "[Zone]\nHostname=backup\n");
  put (drop_ins, ".40-d.conf", "[Zone]\nHostname=hidden\n");

  g_autoptr (GError) error = NULL;
  g_autoptr (BzZoneFile) file = bz_zone_file_load (path, &error);
  assert_null (error);
  assert_string_equal (file->hostname, "third");
  assert_string_equal (file->brand, "el6");
  assert_int_equal (file->network.value, BZ_NETWORK_HOST);

  /* The user's own files stay, and with them the directory. */
  assert_true (bz_zone_file_remove (path, &error));
  assert_false (g_file_test (path, G_FILE_TEST_EXISTS));
  assert_true (g_file_test (drop_ins, G_FILE_TEST_IS_DIR));
  g_autofree char *backup = g_build_filename (drop_ins, "30-c.conf~", NULL);
  g_autofree char *hidden = g_build_filename (drop_ins, ".40-d.conf", NULL);
  assert_int_equal (g_unlink (backup), 0);
  assert_int_equal (g_unlink (hidden), 0);
  assert_int_equal (g_rmdir (drop_ins), 0);
  assert_int_equal (g_rmdir (directory), 0);
}

static void
test_files_that_are_none (void **state G_GNUC_UNUSED)
{
  g_autofree char *directory = temporary ();
  g_autofree char *fifo = g_build_filename (directory, "fifo.zone", NULL);
  g_autofree char *absent = g_build_filename (directory, "absent.zone", NULL);
  g_autoptr (GError) error = NULL;

  g_autoptr (BzZoneFile) nothing = bz_zone_file_load (absent, &error);
  assert_non_null (nothing);
  assert_null (error);
  assert_int_equal (mkfifo (fifo, 0600), 0);
  g_autoptr (BzZoneFile) file = bz_zone_file_load (fifo, &error);
  assert_null (file);
  assert_true (g_error_matches (error, BZ_ERROR, BZ_ERROR_INPUT));
  assert_int_equal (g_unlink (fifo), 0);
  assert_int_equal (g_rmdir (directory), 0);
}

static void
test_create_keeps_what_is_there (void **state G_GNUC_UNUSED)
{
  g_autofree char *directory = temporary ();
  g_autofree char *path = g_build_filename (directory, "z.zone", NULL);

  assert_true (bz_zone_file_create (path, "el6", NULL));
  assert_true (bz_zone_file_create (path, "libc5", NULL));
  g_autoptr (BzZoneFile) file = bz_zone_file_load (path, NULL);
  assert_string_equal (file->brand, "el6");
  assert_int_equal (file->warnings->len, 0);
  assert_true (bz_zone_file_remove (path, NULL));
  assert_true (bz_zone_file_remove (path, NULL));
  assert_int_equal (g_rmdir (directory), 0);
}

static void
test_volumes (void **state G_GNUC_UNUSED)
{
  static const char *const bad[] = { "",     "a",      ":/b",    "/a:",        "/a:b",
                                     "/a:/", "/a:///", "/a:/b:", "/a:/b:ro:x", "/a:/x/../../y" };
  g_autofree char *source = NULL;
  g_autofree char *target = NULL;
  gboolean read_only;

  assert_true (bz_volume_parse ("/srv//x:/mnt/./y/:ro", &source, &target, &read_only, NULL));
  assert_string_equal (source, "/srv/x");
  assert_string_equal (target, "/mnt/y");
  assert_true (read_only);
  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autofree char *from = NULL;
      g_autofree char *to = NULL;

      assert_false (bz_volume_parse (bad[i], &from, &to, &read_only, &error));
      assert_true (g_error_matches (error, BZ_ERROR, BZ_ERROR_USAGE));
      assert_non_null (bz_error_parts (error)->hint);
    }
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_all_keys),
    cmocka_unit_test (test_machine_keys),
    cmocka_unit_test (test_values_that_count),
    cmocka_unit_test (test_the_whole_is_checked),
    cmocka_unit_test (test_edits_keep_the_rest),
    cmocka_unit_test (test_names_of_keys),
    cmocka_unit_test (test_the_table),
    cmocka_unit_test (test_nothing_is_said),
    cmocka_unit_test (test_unknown_key_is_a_warning_with_its_line),
    cmocka_unit_test (test_bad_values_are_refused_with_their_line),
    cmocka_unit_test (test_nul_and_size),
    cmocka_unit_test (test_drop_ins_are_laid_over),
    cmocka_unit_test (test_files_that_are_none),
    cmocka_unit_test (test_create_keeps_what_is_there),
    cmocka_unit_test (test_volumes),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
