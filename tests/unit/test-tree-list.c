/* Lists of trees: reading them, and what differs between two. */
#include "config.h"

#include "brand/base/error.h"
#include "tests/unit/cmocka-all.h"
#include "zone/tree-list.h"

#include <string.h>

#define FILE_A "./a type=file uid=0 gid=0 mode=644 size=3 sha256digest=aa time=1.5\n"

static GPtrArray *
parse (const char *lines)
{
  g_autofree char *text = g_strconcat ("#mtree\n", lines, NULL);
  g_autoptr (GError) error = NULL;
  GPtrArray *list = bz_tree_list_parse (text, "test", &error);

  assert_null (error);
  assert_non_null (list);
  return list;
}

/* The changes as text, one after the other. */
static char *
compare (const char *then, const char *now)
{
  g_autoptr (GPtrArray) old = parse (then);
  g_autoptr (GPtrArray) new = parse (now);
  g_autoptr (GArray) changes = bz_tree_list_compare (old, new);
  GString *text = g_string_new (NULL);

  for (guint i = 0; i < changes->len; i++)
    {
      const BzTreeChange *change = &g_array_index (changes, BzTreeChange, i);
      g_autofree char *says = bz_tree_change_text (change);
      g_string_append_printf (text, "%s: %s\n", bz_tree_change_path (change), says);
    }
  return g_string_free (text, FALSE);
}

static void
differs (const char *then, const char *now, const char *expected)
{
  g_autofree char *text = compare (then, now);

  assert_string_equal (text, expected);
}

static void
test_reading (void **state G_GNUC_UNUSED)
{
  g_autoptr (GPtrArray) list =
      parse ("# a comment\n\n/set uid=7 gid=8 mode=600 type=file\n"
             "./n\\040a\\075m\\134e\\377 size=5 what=ever\n. type=dir mode=1777 uid=0\n"
             "./l type=link link=to\\040there\n#xattr ./l user.b=Yg==\n#xattr ./l user.a=YQ==\n");
  const BzListed *root = list->pdata[0], *link = list->pdata[1], *name = list->pdata[2];

  assert_int_equal (list->len, 3);
  assert_string_equal (root->path, "");
  assert_int_equal (root->mode, 01777);
  assert_int_equal (root->gid, 8);
  assert_string_equal (link->target, "to there");
  assert_string_equal (link->attributes->pdata[0], "user.a=YQ==");
  assert_string_equal (name->path, "n a=m\\e\377");
  assert_int_equal (name->uid, 7);
  assert_int_equal (name->size, 5);
}

static void
test_nonsense (void **state G_GNUC_UNUSED)
{
  static const char *const bad[] = {
    "",
    "#mtre",
    "mtree\n",
    "#mtree\nbin/ls type=file\n",
    "#mtree\n./\n",
    "#mtree\n./a\n",
    "#mtree\n#xattr ./a b=c\n",
    "#mtree\n./a type=file\n#xattr ./a\n",
    "#mtree\n./a type=file\n#xattr ./a b\n",
    "#mtree\n/../x type=file\n",
  };

  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_autoptr (GError) error = NULL;
      assert_null (bz_tree_list_parse (bad[i], "test", &error));
      assert_true (g_error_matches (error, BZ_ERROR, BZ_ERROR_INPUT));
    }
}

static void
test_differences (void **state G_GNUC_UNUSED)
{
  differs (FILE_A, "./a type=file uid=0 gid=0 mode=644 size=3 sha256digest=aa time=2.5\n", "");
  differs (FILE_A, "./a type=file uid=0 gid=0 mode=644 size=3 sha256digest=ab time=1.5\n",
           "a: contents\n");
  differs (FILE_A, "./a type=file uid=1 gid=2 mode=4755 size=4 sha256digest=aa\n",
           "a: contents (4 B, was 3 B), mode 4755 (was 0644), owner 1:2 (was 0:0)\n");
  differs (FILE_A, "./a type=dir uid=0 gid=0 mode=755\n", "a: type dir (was file)\n");
  differs (FILE_A, FILE_A "#xattr ./a user.a=YQ==\n", "a: attributes\n");
  differs (FILE_A "#xattr ./a user.a=YQ==\n", FILE_A "#xattr ./a user.a=YQ==\n", "");
  differs ("./l type=link mode=777 link=x\n", "./l type=link mode=755 link=y\n",
           "l: target y (was x)\n");
  differs ("./n type=char device=native,1,3\n", "./n type=char device=native,1,5\n",
           "n: target native,1,5 (was native,1,3)\n");
}

/* A directory speaks for what is in it, and not for names that only begin like it. */
static void
test_whole_directories (void **state G_GNUC_UNUSED)
{
  static const char tree[] = "./d type=dir\n./d-x type=file\n./d/e type=dir\n./d/e/f type=file\n";

  differs (tree, "", "d: missing\nd-x: missing\n");
  differs ("", tree, "d: added\nd-x: added\n");
  differs ("./d type=dir\n./d/a type=file\n", "./d type=dir\n./d/b type=file\n",
           "d/a: missing\nd/b: added\n");
  differs ("./d type=dir\n./d/a type=dir\n./d/a/b type=file\n", "./d type=file\n./d/a type=file\n",
           "d: type file (was dir)\nd/a: type file (was dir)\nd/a/b: missing\n");
}

static void
test_places (void **state G_GNUC_UNUSED)
{
  assert_int_equal (bz_place_of ("bin"), BZ_PLACE_PROGRAM);
  assert_int_equal (bz_place_of ("bin/ls"), BZ_PLACE_PROGRAM);
  assert_int_equal (bz_place_of ("binary"), BZ_PLACE_DATA);
  assert_int_equal (bz_place_of ("usr/lib/x"), BZ_PLACE_PROGRAM);
  assert_int_equal (bz_place_of ("usr/tmp/x"), BZ_PLACE_DATA);
  assert_int_equal (bz_place_of ("etc/passwd"), BZ_PLACE_CONFIGURATION);
  assert_int_equal (bz_place_of ("etc/mtab"), BZ_PLACE_DATA);
  assert_int_equal (bz_place_of ("etc/mtab.old"), BZ_PLACE_CONFIGURATION);
  assert_int_equal (bz_place_of (""), BZ_PLACE_DATA);
}

/* Names to mount on are no programs that somebody has added. */
static void
test_what_holds_nothing_is_data (void **state G_GNUC_UNUSED)
{
  static const struct { const char *tree; BzPlace place; } cases[] = {
    { "./lib type=dir\n./lib/modules type=dir\n./lib/modules-x type=file size=1\n./lib/modules/r type=dir\n"
      "./lib/modules/r/dep type=file size=0\n", BZ_PLACE_DATA },
    { "./lib type=dir\n./lib/modules type=dir\n./lib/modules-x type=file size=1\n./lib/modules/r type=dir\n"
      "./lib/modules/r/dep type=file size=1\n", BZ_PLACE_PROGRAM },
    { "./lib type=dir\n./lib/modules type=link link=x\n./lib/modules-x type=file size=1\n", BZ_PLACE_PROGRAM },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GPtrArray) then = bz_tree_list_parse (
          "#mtree\n./lib type=dir\n./lib/modules-x type=file size=1\n", "then", NULL);
      g_autofree char *text = g_strconcat ("#mtree\n", cases[i].tree, NULL);
      g_autoptr (GPtrArray) now = bz_tree_list_parse (text, "now", NULL);
      g_autoptr (GArray) changes = bz_tree_list_compare (then, now);
      assert_int_equal (changes->len, 1);
      assert_int_equal (g_array_index (changes, BzTreeChange, 0).place, cases[i].place);
    }
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_reading),     cmocka_unit_test (test_nonsense),
    cmocka_unit_test (test_differences), cmocka_unit_test (test_whole_directories),
    cmocka_unit_test (test_places),      cmocka_unit_test (test_what_holds_nothing_is_data),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
