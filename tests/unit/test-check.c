/* What facts of files mean on hosts and under plans that tests make up. */
#include "config.h"

#include "tests/unit/cmocka-all.h"
#include "tests/unit/made-up-tree.h"
#include "syscall-xlat/table.h"
#include "zone/check-private.h"

#include <elf.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

static BzHost host;
static BzPlan plan;
static char *tree;
static int tree_fd;

static int
set_up (void **state G_GNUC_UNUSED)
{
  host = (BzHost){ .release = BZ_RELEASE (6, 12, 0) };
  for (guint i = 0; i < BZ_FEATURE_COUNT; i++)
    host.has[i] = TRUE;
  plan = (BzPlan){ .abi = BZ_ABI_I386, .release_number = BZ_RELEASE (2, 2, 6) };
  tree = tree_new ();
  tree_fd = open (tree, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  return tree_fd < 0;
}

static int
tear_down (void **state G_GNUC_UNUSED)
{
  close (tree_fd);
  tree_remove (tree);
  return 0;
}

static void
program (const char *path, guint bits, guint machine, const char *interpreter, const guint32 *note)
{
  MadeUpElf elf = { bits, machine, ET_EXEC, interpreter, NULL, note };
  g_autofree char *full = g_build_filename (tree, path, NULL);

  tree_write_elf (tree, path, &elf);
  assert_int_equal (g_chmod (full, 0755), 0);
}

static void
append (const char *path, const char *bytes, gsize size)
{
  FILE *file = fopen (path, "a");

  assert_non_null (file);
  assert_int_equal (fwrite (bytes, 1, size, file), size);
  assert_int_equal (fclose (file), 0);
}

static BzCheck *
check (void)
{
  BzCheck *result = bz_check_new (&host, &plan, tree_fd, "\nflags\t: lm\n");

  bz_check_tree (result);
  bz_check_finish (result, tree_fd);
  return result;
}

static const BzTrouble *
find (const BzCheck *result, BzFinding finding)
{
  for (guint i = 0; i < result->troubles->len; i++)
    {
      const BzTrouble *trouble = g_ptr_array_index (result->troubles, i);
      if (trouble->finding == finding)
        return trouble;
    }
  return NULL;
}

static void
test_kernel_too_old (void **state G_GNUC_UNUSED)
{
  static const guint32 note[] = { 0, 2, 6, 32 };

  program ("bin/new", 32, EM_386, NULL, note);
  g_autoptr (BzCheck) old = check ();
  const BzTrouble *trouble = find (old, BZ_FINDING_KERNEL);
  assert_non_null (trouble);
  assert_string_equal (trouble->row, "E5");
  assert_string_equal (trouble->detail, "2.6.32");
  assert_int_equal (trouble->cover, BZ_NOT_COVERED);
  assert_string_equal (g_ptr_array_index (trouble->paths, 0), "bin/new");

  plan.release_number = BZ_RELEASE (2, 6, 32);
  g_autoptr (BzCheck) same = check ();
  assert_null (find (same, BZ_FINDING_KERNEL));
}

static void
test_heap (void **state G_GNUC_UNUSED)
{
  program ("lib/ld-linux.so.1", 32, EM_386, NULL, NULL);
  program ("bin/sh", 32, EM_386, "/lib/ld-linux.so.1", NULL);
  g_autoptr (BzCheck) bare = check ();
  assert_int_equal (find (bare, BZ_FINDING_HEAP)->cover, BZ_NOT_COVERED);
  assert_non_null (find (bare, BZ_FINDING_HEAP)->hint);

  plan.quirk[BZ_QUIRK_HEAP] = 1;
  g_autoptr (BzCheck) covered = check ();
  assert_int_equal (find (covered, BZ_FINDING_HEAP)->cover, BZ_COVERED);
  assert_non_null (strstr (find (covered, BZ_FINDING_HEAP)->how, "heap=end-of-bss"));
  assert_null (find (covered, BZ_FINDING_HEAP)->hint);
}

/* Where no i386 program runs, nothing else of it is worth a line. */
static void
test_no_ia32 (void **state G_GNUC_UNUSED)
{
  program ("bin/sh", 32, EM_386, "/lib/ld-linux.so.1", NULL);
  host.has[BZ_FEATURE_IA32] = FALSE;
  g_autoptr (BzCheck) result = check ();
  assert_string_equal (find (result, BZ_FINDING_IA32)->row, "E9");
  assert_null (find (result, BZ_FINDING_HEAP));
  assert_int_equal (find (result, BZ_FINDING_INTERPRETER)->cover, BZ_NOT_COVERED);
  assert_int_equal (result->troubles->len, 2);
}

static void
test_foreign (void **state G_GNUC_UNUSED)
{
  program ("bin/sh", 32, EM_386, NULL, NULL);
  program ("bin/ls", 32, EM_386, NULL, NULL);
  program ("bin/cat", 32, EM_386, NULL, NULL);
  program ("bin/arm", 32, EM_ARM, NULL, NULL);
  program ("bin/x32", 32, EM_X86_64, NULL, NULL);
  g_autofree char *arm = g_build_filename (tree, "bin/arm", NULL);
  g_autoptr (BzCheck) result = check ();
  assert_string_equal (find (result, BZ_FINDING_FOREIGN)->detail, "ARM");
  assert_int_equal (find (result, BZ_FINDING_FOREIGN)->paths->len, 1);
  assert_string_equal (find (result, BZ_FINDING_X32)->row, "E11");
  /* Not executable: firmware, or of a cross compiler. */
  assert_int_equal (g_chmod (arm, 0644), 0);
  g_autoptr (BzCheck) quiet = check ();
  assert_null (find (quiet, BZ_FINDING_FOREIGN));
}

/* Of a whole file the same bytes with one LF alone are nothing. */
static void
test_text_damage (void **state G_GNUC_UNUSED)
{
  static const char lines[] = "\r\n1\r\n2\r\n3\r\n4\r\n5\r\n6\r\n7\r\n8\r\n", alone[] = "x\n";
  g_autofree char *full = g_build_filename (tree, "bin/sh", NULL);

  program ("bin/sh", 32, EM_386, NULL, NULL);
  append (full, lines, sizeof lines - 1);
  g_autoptr (BzCheck) damaged = check ();
  assert_non_null (find (damaged, BZ_FINDING_DAMAGE));
  assert_int_equal (find (damaged, BZ_FINDING_DAMAGE)->cover, BZ_NOT_COVERED);
  append (full, alone, sizeof alone - 1);
  g_autoptr (BzCheck) whole = check ();
  assert_null (find (whole, BZ_FINDING_DAMAGE));
}

static void
test_cut_off (void **state G_GNUC_UNUSED)
{
  g_autofree char *own = NULL;
  gsize length;

  program ("bin/sh", 64, EM_X86_64, NULL, NULL);
  assert_true (g_file_get_contents ("/proc/self/exe", &own, &length, NULL));
  tree_write_bytes (tree, "bin/own", own, length);
  g_autoptr (BzCheck) whole = check ();
  assert_null (find (whole, BZ_FINDING_CUT_OFF));
  tree_write_bytes (tree, "bin/own", own, 5000);
  g_autoptr (BzCheck) cut = check ();
  assert_non_null (find (cut, BZ_FINDING_CUT_OFF));
  assert_int_equal (find (cut, BZ_FINDING_CUT_OFF)->cover, BZ_NOT_COVERED);
}

static void
test_inode_numbers (void **state G_GNUC_UNUSED)
{
  assert_true (bz_inodes_may_be_wide (0x9123683e, 0));
  assert_false (bz_inodes_may_be_wide (0xef53, G_MAXUINT64));
  assert_false (bz_inodes_may_be_wide (0x58465342, (G_GUINT64_CONSTANT (1) << 39) - 1));
  assert_true (bz_inodes_may_be_wide (0x58465342, G_GUINT64_CONSTANT (1) << 39));
}

/* --- facts as the scanner gives them, with no file behind them --- */

static BzScan
facts (guint bits)
{
  return (BzScan){ .kind = BZ_SCAN_ELF,
                   .program = TRUE,
                   .stack = BZ_STACK_PLAIN,
                   .elf = { .image = BZ_IMAGE_ELF,
                            .type = ET_EXEC,
                            .bits = bits,
                            .machine = bits == 64 ? EM_X86_64 : EM_386 },
                   .imports = g_ptr_array_new (),
                   .needed = g_ptr_array_new () };
}

static void
forget (BzScan *scan)
{
  g_ptr_array_unref (scan->imports);
  g_ptr_array_unref (scan->needed);
}

/* wide: files with long inode numbers were met. */
static BzCheck *
check_facts (const BzScan *scan, guint64 wide)
{
  BzCheck *result = bz_check_new (&host, &plan, tree_fd, "\nflags\t: lm\n");
  struct stat status = { .st_mode = S_IFREG | 0755 };

  result->counts.wide_inodes = wide;
  bz_check_image (result, "bin/program", &status, scan);
  bz_check_finish (result, tree_fd);
  return result;
}

static void
expect (const BzCheck *result, BzFinding finding, const char *row, BzCover cover)
{
  const BzTrouble *trouble = find (result, finding);

  assert_non_null (trouble);
  if (row == NULL)
    assert_null (trouble->row);
  else
    assert_string_equal (trouble->row, row);
  assert_int_equal (trouble->cover, cover);
}

/* O1 is covered by what the plan found of the zone's file systems, or told by --fold-inodes. */
static void
test_large_files (void **state G_GNUC_UNUSED)
{
  BzScan blind = facts (32), wide = facts (64);

  g_ptr_array_add (blind.imports, (gpointer) "__xstat");
  g_ptr_array_add (wide.imports, (gpointer) "__xstat");
  g_autoptr (BzCheck) bare = check_facts (&blind, 1);
  expect (bare, BZ_FINDING_INODES, "O1", BZ_NOT_COVERED);
  assert_non_null (strstr (find (bare, BZ_FINDING_INODES)->hint, "FoldInodes=yes"));
  g_autoptr (BzCheck) other = check_facts (&wide, 1);
  assert_null (find (other, BZ_FINDING_INODES));

  plan.quirk[BZ_QUIRK_FOLD_INODES] = 1;
  g_autoptr (BzCheck) folded = check_facts (&blind, 1);
  expect (folded, BZ_FINDING_INODES, "O1", BZ_COVERED);
  assert_non_null (strstr (find (folded, BZ_FINDING_INODES)->how, "fold-inodes=fold"));
  forget (&blind);
  forget (&wide);
}

static void
test_vsyscall (void **state G_GNUC_UNUSED)
{
  BzScan called = facts (64), seen = facts (64);

  called.vsyscall_calls = 1;
  seen.vsyscall_others = 1;
  g_autoptr (BzCheck) kernel = check_facts (&called, 0);
  expect (kernel, BZ_FINDING_VSYSCALL, "E1", BZ_COVERED);
  host.has[BZ_FEATURE_VSYSCALL] = FALSE;
  g_autoptr (BzCheck) bare = check_facts (&called, 0);
  expect (bare, BZ_FINDING_VSYSCALL, "E1", BZ_NOT_COVERED);
  g_autoptr (BzCheck) unsure = check_facts (&seen, 0);
  expect (unsure, BZ_FINDING_VSYSCALL, "E1", BZ_PERHAPS);
  forget (&called);
  forget (&seen);
}

static void
test_stack (void **state G_GNUC_UNUSED)
{
  BzScan scan = facts (32);

  g_autoptr (BzCheck) plain = check_facts (&scan, 0);
  assert_null (find (plain, BZ_FINDING_STACK));
  scan.stack = BZ_STACK_EXECUTABLE;
  BzCheck *strict = bz_check_new (&host, &plan, tree_fd, "");
  struct stat status = { .st_mode = S_IFREG | 0755 };
  strict->strict_memory = TRUE;
  bz_check_image (strict, "bin/program", &status, &scan);
  expect (strict, BZ_FINDING_STACK, "E18", BZ_PERHAPS);
  strict->strict_memory = FALSE;
  bz_check_image (strict, "bin/other", &status, &scan);
  assert_int_equal (strict->troubles->len, 2);
  const BzTrouble *second = g_ptr_array_index (strict->troubles, 1);
  assert_int_equal (second->cover, BZ_COVERED);
  bz_check_free (strict);
  forget (&scan);
}

/* "lm" alone is the oldest x86-64 CPU. */
static void
test_cpu (void **state G_GNUC_UNUSED)
{
  BzScan scan = facts (64);

  scan.isa = BZ_ISA_BASELINE;
  g_autoptr (BzCheck) enough = check_facts (&scan, 0);
  assert_null (find (enough, BZ_FINDING_CPU));
  scan.isa = BZ_ISA_BASELINE | BZ_ISA_V2 | BZ_ISA_V3;
  g_autoptr (BzCheck) lacks = check_facts (&scan, 0);
  expect (lacks, BZ_FINDING_CPU, "E25", BZ_NOT_COVERED);
  assert_string_equal (find (lacks, BZ_FINDING_CPU)->detail, "x86-64-v3");
  forget (&scan);
}

/* A call that left the kernel (nfsservctl, 3.1), in a static program's code: sure where its number
 * is loaded right before the call; nothing where the zone's own release has lacked it as well. */
static void
test_removed_call (void **state G_GNUC_UNUSED)
{
  BzScan scan = facts (32);
  const BzRow *row = bz_table_row_by_name (BZ_ABI_I386, "nfsservctl");
  guint64 bit = G_GUINT64_CONSTANT (1) << row->nr % 64;

  scan.calls[row->nr / 64] = bit;
  g_autoptr (BzCheck) sure = check_facts (&scan, 0);
  expect (sure, BZ_FINDING_CALL, "S4", BZ_NOT_COVERED);
  assert_string_equal (find (sure, BZ_FINDING_CALL)->detail, "nfsservctl");
  assert_null (find (sure, BZ_FINDING_CALL)->how);
  scan.calls[row->nr / 64] = 0;
  scan.calls_near[row->nr / 64] = bit;
  g_autoptr (BzCheck) likely = check_facts (&scan, 0);
  assert_non_null (strstr (find (likely, BZ_FINDING_CALL)->how, "likely"));
  plan.release_number = BZ_RELEASE (3, 10, 0);
  g_autoptr (BzCheck) later = check_facts (&scan, 0);
  assert_null (find (later, BZ_FINDING_CALL));
  forget (&scan);
}

static void
test_aout (void **state G_GNUC_UNUSED)
{
  BzScan scan = { .kind = BZ_SCAN_AOUT, .program = TRUE, .magic = BZ_AOUT_ZMAGIC, .uselib = TRUE };

  BzCheck *result = bz_check_new (&host, &plan, tree_fd, "");
  struct stat status = { .st_mode = S_IFREG | 0755 };
  result->lowest_map = 65536;
  bz_check_image (result, "bin/program", &status, &scan);
  expect (result, BZ_FINDING_AOUT, "E12", BZ_NOT_COVERED);
  expect (result, BZ_FINDING_AOUT_ADDRESS, "E13", BZ_NOT_COVERED);
  expect (result, BZ_FINDING_USELIB, "E14", BZ_NOT_COVERED);
  bz_check_free (result);
}

/* An endless number of kinds of trouble makes no endless report, and loses no file. */
static void
test_many_kinds (void **state G_GNUC_UNUSED)
{
  guint files = 0;

  for (guint i = 0; i < 2100; i++)
    {
      g_autofree char *path = g_strdup_printf ("bin/s%u", i);
      g_autofree char *full = g_build_filename (tree, path, NULL);
      g_autofree char *text = g_strdup_printf ("#!/bin/i%u\n", i);

      tree_write (tree, path, text);
      assert_int_equal (g_chmod (full, 0755), 0);
    }
  g_autoptr (BzCheck) result = check ();
  assert_true (result->troubles->len <= 2000);
  for (guint i = 0; i < result->troubles->len; i++)
    files += ((BzTrouble *) g_ptr_array_index (result->troubles, i))->paths->len;
  assert_int_equal (files, 2100);
}

/* Every sentence can be made, with and without a detail, and a detail can't act on a terminal. */
static void
test_sentences (void **state G_GNUC_UNUSED)
{
  for (guint i = 0; i < BZ_FINDING_COUNT; i++)
    {
      g_autofree char *why = bz_finding_why ((BzFinding) i, "%s\033[2J%n");
      g_autofree char *bare = bz_finding_why ((BzFinding) i, NULL);

      assert_null (strchr (why, '\033'));
      assert_true (strlen (bare) > 10);
      assert_non_null (bz_finding_name ((BzFinding) i));
    }
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup_teardown (test_kernel_too_old, set_up, tear_down),
    cmocka_unit_test_setup_teardown (test_heap, set_up, tear_down),
    cmocka_unit_test_setup_teardown (test_no_ia32, set_up, tear_down),
    cmocka_unit_test_setup_teardown (test_foreign, set_up, tear_down),
    cmocka_unit_test_setup_teardown (test_text_damage, set_up, tear_down),
    cmocka_unit_test_setup_teardown (test_cut_off, set_up, tear_down),
    cmocka_unit_test_setup_teardown (test_inode_numbers, set_up, tear_down),
    cmocka_unit_test_setup_teardown (test_large_files, set_up, tear_down),
    cmocka_unit_test_setup_teardown (test_vsyscall, set_up, tear_down),
    cmocka_unit_test_setup_teardown (test_stack, set_up, tear_down),
    cmocka_unit_test_setup_teardown (test_cpu, set_up, tear_down),
    cmocka_unit_test_setup_teardown (test_removed_call, set_up, tear_down),
    cmocka_unit_test_setup_teardown (test_aout, set_up, tear_down),
    cmocka_unit_test_setup_teardown (test_many_kinds, set_up, tear_down),
    cmocka_unit_test (test_sentences),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
