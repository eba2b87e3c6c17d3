/* Numbers and structures that 32-bit programs can hold (rows O1, O2, O3, O6). */
#include "config.h"

#include "syscall-xlat/calls/affinity-guest.h"
#include "syscall-xlat/calls/handlers.h"
#include "syscall-xlat/calls/stat-guest.h"
#include "syscall-xlat/calls/statfs-guest.h"
#include "syscall-xlat/fold.h"
#include "tests/unit/cmocka-all.h"
#include "tests/unit/fake-call.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LONG_INODE G_GUINT64_CONSTANT (0x8000000000000005)

static guint32
word_at (const guint8 *bytes, gsize at)
{
  guint32 word;

  memcpy (&word, bytes + at, sizeof word);
  return word;
}

static guint32
folded (BzFold *fold, guint64 device, BzFoldKind kind, guint64 number)
{
  guint32 answer;

  assert_true (bz_fold (fold, device, kind, number, &answer));
  return answer;
}

static void
test_short_numbers_stay (void **state G_GNUC_UNUSED)
{
  BzFold *fold = bz_fake_fold ();

  assert_int_equal (folded (fold, 1, BZ_FOLD_INODE, 0), 0);
  assert_int_equal (folded (fold, 1, BZ_FOLD_INODE, BZ_FOLD_FIRST - 1), BZ_FOLD_FIRST - 1);
  assert_int_equal (fold->used, 0);
}

static int
compare (const void *a, const void *b)
{
  guint32 x = *(const guint32 *) a, y = *(const guint32 *) b;

  return x < y ? -1 : x > y;
}

/* Also those that would fit by themselves, and runs, and numbers all over. */
static void
test_long_numbers_are_unique_and_stay_the_same (void **state G_GNUC_UNUSED)
{
  enum { COUNT = 30000 };
  BzFold *fold = bz_fake_fold ();
  static guint64 number[COUNT];
  static guint32 first[COUNT], sorted[COUNT];

  for (guint i = 0; i < COUNT; i++)
    number[i] = i < 10000   ? LONG_INODE + i
                : i < 20000 ? BZ_FOLD_FIRST + i * G_GUINT64_CONSTANT (7)
                            : i * G_GUINT64_CONSTANT (0x9e3779b97f4a7c15) | 1ull << 40;
  for (guint i = 0; i < COUNT; i++)
    {
      first[i] = sorted[i] = folded (fold, 3, BZ_FOLD_INODE, number[i]);
      assert_in_range (first[i], BZ_FOLD_FIRST, BZ_FOLD_LAST);
    }
  qsort (sorted, COUNT, sizeof sorted[0], compare);
  for (guint i = 1; i < COUNT; i++)
    assert_int_not_equal (sorted[i - 1], sorted[i]);
  for (guint i = 0; i < COUNT; i++)
    {
      guint64 back;

      assert_int_equal (folded (fold, 3, BZ_FOLD_INODE, number[i]), first[i]);
      assert_true (bz_unfold (fold, 3, BZ_FOLD_INODE, first[i], &back));
      assert_true (back == number[i]);
      assert_false (bz_unfold (fold, 4, BZ_FOLD_INODE, first[i], &back));
      assert_false (bz_unfold (fold, 3, BZ_FOLD_OFFSET, first[i], &back));
    }
}

static void
test_a_run_of_numbers_takes_one_entry (void **state G_GNUC_UNUSED)
{
  BzFold *fold = bz_fake_fold ();

  for (guint i = 0; i < 640; i++)
    folded (fold, 3, BZ_FOLD_INODE, (1ull << 40) + i);
  assert_int_equal (fold->used, 10);
}

/* Rather none than a number that is another file's. */
static void
test_a_full_table_refuses (void **state G_GNUC_UNUSED)
{
  BzFold *fold = bz_fake_fold ();
  guint32 answer;

  folded (fold, 3, BZ_FOLD_INODE, LONG_INODE);
  for (guint i = 0; i < BZ_FOLD_ENTRIES; i++)
    if (fold->entry[i].owner == 0)
      fold->entry[i].owner = G_MAXUINT64;
  assert_false (bz_fold (fold, 3, BZ_FOLD_INODE, LONG_INODE + 1000, &answer));
  assert_int_equal (fold->refused, 1);
  folded (fold, 3, BZ_FOLD_INODE, LONG_INODE);
  folded (fold, 3, BZ_FOLD_INODE, 12);
  bz_fake_fold ();
}

/* --- stat --- */

static void
fill_status (struct statx *status)
{
  *status = (struct statx){
    .stx_ino = LONG_INODE,
    .stx_mode = 0100644,
    .stx_nlink = 2,
    .stx_uid = 70000,
    .stx_gid = 5,
    .stx_size = 1234,
    .stx_blocks = 8,
    .stx_blksize = 4096,
    .stx_dev_major = 8,
    .stx_dev_minor = 300,
    .stx_rdev_major = 4,
    .stx_rdev_minor = 65,
    .stx_atime = { .tv_sec = 100, .tv_nsec = 7 },
    .stx_mtime = { .tv_sec = G_GINT64_CONSTANT (5000000000) },
    .stx_ctime = { .tv_sec = -G_GINT64_CONSTANT (5000000000) },
  };
}

static void
test_stat_of_i386 (void **state G_GNUC_UNUSED)
{
  struct statx status;
  guint8 out[BZ_STAT_LARGEST];

  fill_status (&status);
  assert_int_equal (bz_stat_fill (BZ_STAT_32, &status, 0x70000005, out), 64);
  assert_int_equal (word_at (out, 0), 0x0010082c);
  assert_int_equal (word_at (out, 4), 0x70000005);
  assert_int_equal (word_at (out, 8), 2 << 16 | 0100644);
  assert_int_equal (word_at (out, 12), 5 << 16 | 65534);
  assert_int_equal (word_at (out, 16), 0x441);
  assert_int_equal (word_at (out, 20), 1234);
  assert_int_equal (word_at (out, 24), 4096);
  assert_int_equal (word_at (out, 28), 8);
  assert_int_equal (word_at (out, 32), 100);
  assert_int_equal (word_at (out, 36), 7);
  assert_int_equal (word_at (out, 40), 0x7fffffff);
  assert_int_equal (word_at (out, 48), 0x80000000);
  assert_int_equal (bz_stat_fill (BZ_STAT_OLD, &status, 0x70000005, out), 32);
  assert_int_equal (word_at (out, 0), 5 << 16 | 0x082c);
  assert_int_equal (word_at (out, 16), 1234);
  assert_int_equal (word_at (out, 24), 0x7fffffff);
}

static void
test_stat64_of_i386 (void **state G_GNUC_UNUSED)
{
  struct statx status;
  guint8 out[BZ_STAT_LARGEST];

  fill_status (&status);
  status.stx_size = G_GUINT64_CONSTANT (0x123456789);
  assert_int_equal (bz_stat_fill (BZ_STAT_64, &status, 0x70000005, out), 96);
  assert_int_equal (word_at (out, 0), 0x0010082c);
  assert_int_equal (word_at (out, 12), 0x70000005);
  assert_int_equal (word_at (out, 20), 2);
  assert_int_equal (word_at (out, 24), 70000);
  assert_int_equal (word_at (out, 44), 0x23456789);
  assert_int_equal (word_at (out, 48), 1);
  assert_int_equal (word_at (out, 64), 100);
  assert_int_equal (word_at (out, 72), 0x7fffffff);
  assert_int_equal (word_at (out, 88), 0x70000005);
  assert_int_equal (word_at (out, 92), 0);
  assert_int_equal (bz_stat_fill (BZ_STAT_32, &status, 0x70000005, out), 0);
  assert_int_equal (bz_stat_fill (BZ_STAT_X, &status, 0x70000005, out), 256);
  assert_int_equal (word_at (out, 0x20), 0x70000005);
}

static void
test_what_needs_an_answer (void **state G_GNUC_UNUSED)
{
  struct statx status;

  fill_status (&status);
  assert_true (bz_stat_differs (BZ_STAT_32, &status));
  status.stx_ino = 100000;
  assert_true (bz_stat_differs (BZ_STAT_64, &status));
  assert_false (bz_stat_differs (BZ_STAT_X, &status));
  status.stx_mtime.tv_sec = status.stx_ctime.tv_sec = 0;
  assert_false (bz_stat_differs (BZ_STAT_32, &status));
  assert_true (bz_stat_differs (BZ_STAT_OLD, &status));
}

static void
assert_verdict (BzVerdict verdict, BzVerdictKind kind, gint64 value)
{
  assert_int_equal (verdict.kind, kind);
  if (kind != BZ_VERDICT_CONTINUE)
    assert_int_equal (verdict.value, value);
}

static void
test_stat_looks_as_the_task (void **state G_GNUC_UNUSED)
{
  BzFake fake;

  bz_fake_fold ();
  bz_fake_init (&fake, BZ_ABI_I386, "lstat");
  fill_status (&fake.files.status);
  strcpy ((char *) fake.memory, "etc/passwd");
  assert_verdict (bz_fake_run (&fake, bz_call_lstat, bz_fake_at (0), bz_fake_at (512), 0, 0, 0),
                  BZ_VERDICT_VALUE, 0);
  assert_string_equal (fake.files.path, "etc/passwd");
  assert_int_equal (fake.files.directory, AT_FDCWD);
  assert_true ((fake.files.flags & AT_SYMLINK_NOFOLLOW) != 0);
  assert_in_range (word_at (fake.memory, 516), BZ_FOLD_FIRST, BZ_FOLD_LAST);
  bz_fake_run (&fake, bz_call_stat, bz_fake_at (0), bz_fake_at (1024), 0, 0, 0);
  assert_true ((fake.files.flags & AT_SYMLINK_NOFOLLOW) == 0);
  bz_fake_run (&fake, bz_call_fstat64, 9, bz_fake_at (2048), 0, 0, 0);
  assert_int_equal (fake.files.directory, 9);
  assert_int_equal (word_at (fake.memory, 516), word_at (fake.memory, 1028));
  assert_int_equal (word_at (fake.memory, 516), word_at (fake.memory, 2048 + 88));
}

/* What the look did not find, or what fits, is the kernel's. */
static void
test_stat_leaves_the_rest_to_the_kernel (void **state G_GNUC_UNUSED)
{
  BzFake fake;

  bz_fake_init (&fake, BZ_ABI_I386, "stat");
  strcpy ((char *) fake.memory, "x");
  fake.files.error = EACCES;
  assert_verdict (bz_fake_run (&fake, bz_call_stat, bz_fake_at (0), bz_fake_at (512), 0, 0, 0),
                  BZ_VERDICT_CONTINUE, 0);
  fake.files.error = 0;
  fake.files.status.stx_ino = 77;
  assert_verdict (bz_fake_run (&fake, bz_call_stat, bz_fake_at (0), bz_fake_at (512), 0, 0, 0),
                  BZ_VERDICT_CONTINUE, 0);
  assert_verdict (bz_fake_run (&fake, bz_call_stat, 1, bz_fake_at (512), 0, 0, 0),
                  BZ_VERDICT_CONTINUE, 0);
  fake.memory[0] = '\0';
  fake.files.looks = 0;
  assert_verdict (bz_fake_run (&fake, bz_call_stat, bz_fake_at (0), bz_fake_at (512), 0, 0, 0),
                  BZ_VERDICT_CONTINUE, 0);
  assert_int_equal (fake.files.looks, 0);
  assert_int_equal (fake.writes, 0);
  strcpy ((char *) fake.memory, "x");
  fill_status (&fake.files.status);
  assert_verdict (bz_fake_run (&fake, bz_call_stat, bz_fake_at (0), 1, 0, 0, 0), BZ_VERDICT_ERRNO,
                  EFAULT);
  fake.files.status.stx_size = 1ull << 32;
  assert_verdict (bz_fake_run (&fake, bz_call_stat, bz_fake_at (0), bz_fake_at (512), 0, 0, 0),
                  BZ_VERDICT_ERRNO, EOVERFLOW);
}

static void
test_fstatat_of_a_descriptor (void **state G_GNUC_UNUSED)
{
  BzFake fake;

  bz_fake_init (&fake, BZ_ABI_I386, "fstatat64");
  fill_status (&fake.files.status);
  assert_verdict (bz_fake_run (&fake, bz_call_fstatat64, 4, bz_fake_at (0), bz_fake_at (512),
                               AT_EMPTY_PATH, 0),
                  BZ_VERDICT_VALUE, 0);
  assert_int_equal (fake.files.directory, 4);
  assert_string_equal (fake.files.path, "");
  assert_verdict (bz_fake_run (&fake, bz_call_fstatat64, 4, bz_fake_at (0), bz_fake_at (512),
                               0x40000, 0),
                  BZ_VERDICT_CONTINUE, 0);
}

/* --- directories --- */

static void
make_directory (BzFake *fake, const char *call)
{
  bz_fake_fold ();
  bz_fake_init (fake, BZ_ABI_I386, call);
  bz_fake_entry (&fake->files, LONG_INODE, 1, ".");
  bz_fake_entry (&fake->files, 12, G_GUINT64_CONSTANT (0x123456789a), "long-place");
  bz_fake_entry (&fake->files, LONG_INODE + 1, 3, "c");
}

static void
test_getdents_of_i386 (void **state G_GNUC_UNUSED)
{
  BzFake fake;

  make_directory (&fake, "getdents");
  assert_verdict (bz_fake_run (&fake, bz_call_getdents, 3, bz_fake_at (0), 4096, 0, 0),
                  BZ_VERDICT_VALUE, 16 + 24 + 16);
  assert_in_range (word_at (fake.memory, 0), BZ_FOLD_FIRST, BZ_FOLD_LAST);
  assert_int_equal (word_at (fake.memory, 4), 1);
  assert_int_equal (word_at (fake.memory, 8) & 0xffff, 16);
  assert_string_equal ((char *) fake.memory + 10, ".");
  assert_int_equal (fake.memory[15], 8);
  assert_int_equal (word_at (fake.memory, 16), 12);
  assert_in_range (word_at (fake.memory, 20), BZ_FOLD_FIRST, BZ_FOLD_LAST);
  assert_string_equal ((char *) fake.memory + 26, "long-place");
  assert_int_equal (word_at (fake.memory, 40), word_at (fake.memory, 0) + 1);
  assert_int_equal (fake.files.seeks, 0);
}

static void
test_what_has_no_room_is_read_again (void **state G_GNUC_UNUSED)
{
  BzFake fake;

  make_directory (&fake, "getdents");
  assert_verdict (bz_fake_run (&fake, bz_call_getdents, 3, bz_fake_at (0), 40, 0, 0),
                  BZ_VERDICT_VALUE, 40);
  assert_int_equal (fake.files.seeks, 1);
  assert_true (fake.files.place == G_GUINT64_CONSTANT (0x123456789a));
  assert_verdict (bz_fake_run (&fake, bz_call_getdents, 3, bz_fake_at (0), 15, 0, 0),
                  BZ_VERDICT_ERRNO, EINVAL);
  fake.files.place = 44;
  assert_verdict (bz_fake_run (&fake, bz_call_getdents, 3, 1, 4096, 0, 0), BZ_VERDICT_ERRNO,
                  EFAULT);
  assert_true (fake.files.place == 44);
  fake.files.error = ENOTDIR;
  assert_verdict (bz_fake_run (&fake, bz_call_getdents, 3, bz_fake_at (0), 4096, 0, 0),
                  BZ_VERDICT_ERRNO, ENOTDIR);
}

static void
test_readdir_gives_one (void **state G_GNUC_UNUSED)
{
  BzFake fake;

  make_directory (&fake, "readdir");
  fake.files.place = 77;
  assert_verdict (bz_fake_run (&fake, bz_call_readdir, 3, bz_fake_at (0), 1, 0, 0),
                  BZ_VERDICT_VALUE, 1);
  assert_int_equal (word_at (fake.memory, 4), 77);
  assert_int_equal (word_at (fake.memory, 8) & 0xffff, 1);
  assert_string_equal ((char *) fake.memory + 10, ".");
  assert_int_equal (fake.files.place, 1);
  fake.files.length = 0;
  assert_verdict (bz_fake_run (&fake, bz_call_readdir, 3, bz_fake_at (0), 1, 0, 0),
                  BZ_VERDICT_VALUE, 0);
}

static void
test_a_folded_place_comes_back (void **state G_GNUC_UNUSED)
{
  BzFake fake;
  guint32 place;

  make_directory (&fake, "getdents64");
  assert_verdict (bz_fake_run (&fake, bz_call_getdents64, 3, bz_fake_at (0), 4096, 0, 0),
                  BZ_VERDICT_VALUE, 24 + 32 + 24);
  place = word_at (fake.memory, 24 + 8);
  assert_in_range (place, BZ_FOLD_FIRST, BZ_FOLD_LAST);
  fake.files.status.stx_dev_minor = 7;
  fake.files.status.stx_mode = S_IFDIR;
  assert_verdict (bz_fake_run (&fake, bz_call_lseek, 3, place, SEEK_SET, 0, 0), BZ_VERDICT_VALUE,
                  place);
  assert_true (fake.files.place == G_GUINT64_CONSTANT (0x123456789a));
  fake.files.place = 0;
  assert_verdict (bz_fake_run (&fake, bz_call_llseek, 3, 0, place, bz_fake_at (512), SEEK_SET),
                  BZ_VERDICT_VALUE, 0);
  assert_true (fake.files.place == G_GUINT64_CONSTANT (0x123456789a));
  assert_int_equal (word_at (fake.memory, 512), place);
  /* of another file system, or of a file, it is what it is */
  fake.files.status.stx_dev_minor = 8;
  assert_verdict (bz_fake_run (&fake, bz_call_lseek, 3, place, SEEK_SET, 0, 0), BZ_VERDICT_CONTINUE,
                  0);
  fake.files.status.stx_dev_minor = 7;
  fake.files.status.stx_mode = S_IFREG;
  assert_verdict (bz_fake_run (&fake, bz_call_lseek, 3, place, SEEK_SET, 0, 0), BZ_VERDICT_CONTINUE,
                  0);
}

/* --- sizes and masks --- */

static void
test_statfs_is_at_most_two_tebibytes (void **state G_GNUC_UNUSED)
{
  struct statfs host = { .f_bsize = 4096, .f_blocks = 1000, .f_bfree = 10, .f_files = 5 };
  BzGuestStatfs32 guest;

  assert_false (bz_statfs_differs (&host));
  host.f_blocks = 1ull << 33;
  host.f_bavail = 1ull << 32;
  assert_true (bz_statfs_differs (&host));
  bz_statfs_fill (&host, &guest);
  assert_int_equal (guest.blocks, 0x1fffffff);
  assert_int_equal (guest.bavail, 0x1fffffff);
  assert_int_equal (guest.bfree, 10);
  assert_int_equal (guest.files, 5);
  host.f_blocks = 10;
  host.f_bavail = 5;
  host.f_files = 1ull << 40;
  assert_true (bz_statfs_differs (&host));
  bz_statfs_fill (&host, &guest);
  assert_int_equal (guest.files, 0x7fffffff);
  host.f_files = host.f_ffree = G_MAXUINT64;
  assert_false (bz_statfs_differs (&host));
}

static void
test_processors_fit_a_short_mask (void **state G_GNUC_UNUSED)
{
  guint8 host[256] = { 0x05 }, guest[8];

  host[100] = 0x81;
  bz_affinity_fit (host, sizeof host, guest, 4);
  assert_int_equal (word_at (guest, 0), 0x0f);
  memset (host, 0xff, sizeof host);
  bz_affinity_fit (host, sizeof host, guest, 4);
  assert_int_equal (word_at (guest, 0), 0xffffffff);
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_short_numbers_stay),
    cmocka_unit_test (test_long_numbers_are_unique_and_stay_the_same),
    cmocka_unit_test (test_a_run_of_numbers_takes_one_entry),
    cmocka_unit_test (test_a_full_table_refuses),
    cmocka_unit_test (test_stat_of_i386),
    cmocka_unit_test (test_stat64_of_i386),
    cmocka_unit_test (test_what_needs_an_answer),
    cmocka_unit_test (test_stat_looks_as_the_task),
    cmocka_unit_test (test_stat_leaves_the_rest_to_the_kernel),
    cmocka_unit_test (test_fstatat_of_a_descriptor),
    cmocka_unit_test (test_getdents_of_i386),
    cmocka_unit_test (test_what_has_no_room_is_read_again),
    cmocka_unit_test (test_readdir_gives_one),
    cmocka_unit_test (test_a_folded_place_comes_back),
    cmocka_unit_test (test_statfs_is_at_most_two_tebibytes),
    cmocka_unit_test (test_processors_fit_a_short_mask),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
