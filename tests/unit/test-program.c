/* The sentences about programs that do not run or die, and those about counts and traced calls. */
#include "config.h"

#include "brand/base/error.h"
#include "syscall-xlat/table.h"
#include "tests/unit/cmocka-all.h"
#include "zone/counts.h"
#include "zone/program.h"
#include "zone/trace-line.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

/* A tree of one program. */
typedef struct {
  char *directory, *file;
  int fd;
} Tree;

static Tree
tree_with (const void *data, gsize length)
{
  Tree tree = { .directory = g_dir_make_tmp ("bz-program-XXXXXX", NULL) };

  tree.file = g_build_filename (tree.directory, "prog", NULL);
  assert_true (g_file_set_contents (tree.file, data, length, NULL));
  tree.fd = open (tree.directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
  assert_true (tree.fd >= 0);
  return tree;
}

static void
tree_clear (Tree *tree)
{
  close (tree->fd);
  g_unlink (tree->file);
  g_rmdir (tree->directory);
  g_free (tree->file);
  g_free (tree->directory);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Tree, tree_clear)

/* What the loader would have said, explained. */
static GError *
explain (const void *data, gsize length, BzErrorCode code, const BzHost *host)
{
  g_auto (Tree) tree = tree_with (data, length);
  g_auto (BzProgram) program = { 0 };
  GError *error = NULL;

  bz_program_look (tree.fd, "prog", "/bin:/", &program);
  assert_string_equal (program.path, "/prog");
  bz_fail (&error, code, "Exec format error", NULL, "running prog");
  bz_program_explain_error (&program, host, &error);
  return error;
}

static gsize
make_elf (guint8 *image, guint8 class, guint16 machine)
{
  memset (image, 0, 128);
  memcpy (image, ELFMAG, SELFMAG);
  image[EI_CLASS] = class;
  image[EI_DATA] = ELFDATA2LSB;
  image[EI_VERSION] = EV_CURRENT;
  image[16] = ET_EXEC;
  image[18] = machine & 0xff;
  image[19] = machine >> 8;
  image[20] = EV_CURRENT;
  image[class == ELFCLASS32 ? 40 : 52] = class == ELFCLASS32 ? 52 : 64; /* e_ehsize */
  return 128;
}

static void
assert_explained (GError *owned, const char *why, const char *row)
{
  g_autoptr (GError) error = owned;
  const BzErrorParts *parts = bz_error_parts (error);

  assert_non_null (strstr (parts->why, why));
  assert_non_null (parts->hint);
  assert_string_equal (parts->row != NULL ? parts->row : "", row);
}

static void
test_why_not_executable (void **state G_GNUC_UNUSED)
{
  static const guint8 qmagic[64] = { 0xcc, 0, 0x64, 0, 32, [20] = 0, 0x10 };
  BzHost *host = g_new0 (BzHost, 1);
  guint8 image[128];
  gsize length = make_elf (image, ELFCLASS32, EM_386);

  assert_explained (explain (image, length, BZ_ERROR_NOT_EXECUTABLE, host),
                    "does not run i386 programs", "E9");
  assert_explained (explain (qmagic, sizeof qmagic, BZ_ERROR_NOT_EXECUTABLE, host), "a.out", "E12");
  length = make_elf (image, ELFCLASS64, EM_AARCH64);
  assert_explained (explain (image, length, BZ_ERROR_NOT_EXECUTABLE, host), "another CPU (AArch64)",
                    "");
  assert_explained (explain ("", 0, BZ_ERROR_NOT_EXECUTABLE, host), "empty", "");
  assert_explained (explain ("echo hello\n", 11, BZ_ERROR_NOT_EXECUTABLE, host),
                    "neither a program nor a script", "");
  g_free (host);
}

static void
test_why_not_found (void **state G_GNUC_UNUSED)
{
  static const char script[] = "#! /usr/bin/perl\033 -w\n";

  assert_explained (explain (script, sizeof script - 1, BZ_ERROR_NOT_FOUND, NULL),
                    "its interpreter /usr/bin/perl\\x1b does not exist", "");
}

/* Where nothing better is known the loader's own words stay. */
static void
test_other_errors_are_left_alone (void **state G_GNUC_UNUSED)
{
  BzHost *host = g_new0 (BzHost, 1);
  guint8 image[128];
  gsize length = make_elf (image, ELFCLASS32, EM_386);
  g_autoptr (GError) permission = explain (image, length, BZ_ERROR_PERMISSION, host);
  g_autoptr (GError) runs = NULL;

  assert_string_equal (permission->message, "running prog: Exec format error (run it as root, or as the user whose files these are)");
  host->has[BZ_FEATURE_IA32] = TRUE;
  runs = explain (image, length, BZ_ERROR_NOT_EXECUTABLE, host);
  assert_string_equal (runs->message, "running prog: Exec format error (`brandzone check` tells what a program needs)");
  g_free (host);
}

/* Of a program that calls the vsyscall page (64 bits), or of libc 5 (32 bits). */
static char *
death_under (guint bits, const BzHost *host, const BzPlan *plan, int wait_status, const char **row)
{
  static char path[] = "/prog";
  static char linker[] = "/lib/ld-linux.so.1";
  static const guint8 call[] = { 0x48, 0xc7, 0xc0, 0, 4, 0x60, 0xff, 0xff, 0xd0 };
  Elf64_Phdr text = { .p_type = PT_LOAD, .p_flags = PF_R | PF_X, .p_filesz = 256 };
  BzProgram program = {
    .kind = BZ_PROGRAM_ELF, .bits = bits, .path = path, .interpreter = bits == 32 ? linker : NULL
  };
  guint8 image[256] = { 0 };

  make_elf (image, ELFCLASS64, EM_X86_64);
  ((Elf64_Ehdr *) (gpointer) image)->e_phoff = 64;
  ((Elf64_Ehdr *) (gpointer) image)->e_phnum = 1;
  ((Elf64_Ehdr *) (gpointer) image)->e_phentsize = sizeof text;
  memcpy (image + 64, &text, sizeof text);
  memcpy (image + 200, call, sizeof call);

  g_auto (Tree) tree = tree_with (image, sizeof image);
  return bz_program_explain_death (tree.fd, &program, host, plan, wait_status, row);
}

static char *
death (guint bits, const BzHost *host, int wait_status, const char **row)
{
  return death_under (bits, host, NULL, wait_status, row);
}

static void
test_deaths (void **state G_GNUC_UNUSED)
{
  BzHost *host = g_new0 (BzHost, 1);
  const char *row;
  g_autofree char *vsyscall = death (64, host, SIGSEGV, &row);

  BzPlan plan = { .abi = BZ_ABI_X86_64 };

  assert_true (g_str_has_prefix (vsyscall, "/prog died of SIGSEGV: "));
  assert_non_null (strstr (vsyscall, "calls the vsyscall page"));
  assert_string_equal (row, "E1");
  g_autofree char *i386 = death (32, host, SIGSEGV, &row);
  assert_null (strstr (i386, "vsyscall"));
  assert_string_equal (row, "E30");
  /* What the plan covers is no reason to die. */
  plan.quirk[BZ_QUIRK_VSYSCALL] = plan.quirk[BZ_QUIRK_HEAP] = 1;
  g_autofree char *covered = death_under (64, host, &plan, SIGSEGV, &row);
  assert_null (strstr (covered, "vsyscall"));
  g_autofree char *heap = death_under (32, host, &plan, SIGSEGV, &row);
  assert_null (row);
  assert_non_null (strstr (heap, "memory that it does not have"));
  host->has[BZ_FEATURE_VSYSCALL] = TRUE;
  g_autofree char *ordinary = death (64, host, SIGSEGV | 0x80, &row);
  assert_null (strstr (ordinary, "vsyscall"));
  g_autofree char *unnamed = death (64, host, SIGRTMIN + 3, &row);
  assert_true (g_str_has_prefix (unnamed, "/prog died of "));
  assert_null (death (64, host, SIGINT, &row));
  assert_null (death (64, host, SIGPIPE, &row));
  assert_null (death (64, host, 139 << 8, &row));
  g_free (host);
}

static BzCount
count_of (BzAbi abi, const char *name, guint64 count, guint64 continued, guint64 pretended)
{
  return (BzCount){ .abi = abi,
                    .nr = bz_table_row_by_name (abi, name)->nr,
                    .count = count,
                    .continued = continued,
                    .pretended = pretended };
}

static void
test_counts (void **state G_GNUC_UNUSED)
{
  g_autoptr (GArray) counts = g_array_new (FALSE, FALSE, sizeof (BzCount));
  g_autofree char *nothing = bz_counts_line (counts);
  BzCount some[] = { count_of (BZ_ABI_I386, "brk", 5, 2, 0),
                     count_of (BZ_ABI_I386, "settimeofday", 3, 0, 3),
                     count_of (BZ_ABI_I386, "uname", 12, 0, 0) };

  assert_string_equal (nothing, "no call was answered or passed on");
  g_array_append_vals (counts, some, 3);
  g_autofree char *line = bz_counts_line (counts);
  assert_string_equal (
      line, "answered: brk 3, uname 12; passed on: brk 2; without effect: settimeofday 3");
  BzCount other = count_of (BZ_ABI_X86_64, "uname", 1, 0, 0);
  g_array_append_val (counts, other);
  g_autofree char *both = bz_counts_line (counts);
  assert_non_null (strstr (both, "uname (i386) 12, uname (x86_64) 1"));
}

static void
test_trace_lines (void **state G_GNUC_UNUSED)
{
  BzTraceEvent event = { .size = sizeof event,
                         .tid = 7,
                         .abi = BZ_ABI_I386,
                         .args = { 0xff80, 1, 0 },
                         .verdict = BZ_VERDICT_VALUE,
                         .comm = "ba\033sh" };

  event.nr = bz_table_row_by_name (BZ_ABI_I386, "uname")->nr;
  g_autofree char *value = bz_trace_line (&event);
  assert_true (g_str_has_prefix (value, "ba\\x1bsh[7] uname(0xff80) = 0 ("));
  assert_non_null (strstr (value, "E6"));
  event.verdict = BZ_VERDICT_ERRNO;
  event.value = EPERM;
  g_autofree char *refused = bz_trace_line (&event);
  assert_non_null (strstr (refused, "= -1 EPERM"));
  event.verdict = BZ_VERDICT_CONTINUE;
  g_autofree char *passed = bz_trace_line (&event);
  assert_non_null (strstr (passed, "= passed on"));
  event.abi = 99;
  event.verdict = 99;
  memset (event.comm, 'x', sizeof event.comm);
  g_autofree char *nonsense = bz_trace_line (&event);
  assert_true (g_str_has_prefix (nonsense, "xxxxxxxxxxxxxxxx[7] syscall_"));
  g_autofree char *json = bz_trace_json (&event);
  assert_non_null (strstr (json, "\"verdict\":null"));
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_why_not_executable),
    cmocka_unit_test (test_why_not_found),
    cmocka_unit_test (test_other_errors_are_left_alone),
    cmocka_unit_test (test_deaths),
    cmocka_unit_test (test_counts),
    cmocka_unit_test (test_trace_lines),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
