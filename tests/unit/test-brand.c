/* Brand files: what they set, what is refused and with which line, and every brand that we ship. */
#include "config.h"

#include "brand/base/error.h"
#include "brand/brand.h"
#include "tests/unit/cmocka-all.h"
#include "tests/unit/made-up-tree.h"

#include <string.h>
#include <sys/resource.h>

#define HEAD "[Brand]\nFormat=1\n"

static BzBrand *
load (const char *dir, const char *name, GError **error)
{
  const char *dirs[] = { dir, NULL };

  return bz_brand_load (dirs, name, error);
}

/* A group takes an ancestor's place by its name, or takes it away. */
static void
test_files (void **state)
{
  char *dir = tree_new ();

  (void) state;
  tree_write (dir, "old.brand",
              HEAD "[File a]\nPath=/proc/a\nText=one\\ttwo\\n\\\\n\n[File b]\nPath=/lib/%r/%r\n"
                   "Directory=x;y\nWhen=boot\n[File c]\nPath=/etc/c\nText=\n");
  tree_write (dir, "new.brand",
              HEAD "Inherits=old\n[File c]\nPath=\n[File a]\nPath=/proc/b\nSame=/proc/1/mounts\n");
  g_autoptr (BzBrand) old = load (dir, "old", NULL);
  assert_non_null (old);
  assert_int_equal (old->files->len, 3);
  assert_string_equal (((BzFile *) old->files->pdata[0])->value, "one\ttwo\n\\n");
  g_autoptr (BzBrand) brand = load (dir, "new", NULL);
  assert_non_null (brand);
  assert_int_equal (brand->files->len, 2);
  const guint8 set[BZ_QUIRK_COUNT] = { [BZ_QUIRK_FILES] = 1 };
  g_autoptr (GPtrArray) whole = bz_files_for_plan (brand->files, set, "2.4.1", NULL);
  const BzFile *b = whole->pdata[0], *a = whole->pdata[1];
  assert_string_equal (b->path, "/lib/2.4.1/2.4.1");
  assert_int_equal (b->when, BZ_FILE_BOOT);
  assert_string_equal (a->path, "/proc/b");
  assert_int_equal (a->kind, BZ_FILE_SAME);
  g_autoptr (GError) error = NULL;
  assert_null (bz_files_for_plan (brand->files, set, "../..", &error));
  assert_int_equal (error->code, BZ_ERROR_INPUT);
  tree_remove (dir);
}

static void
test_values_and_inheritance (void **state)
{
  char *dir = tree_new ();

  (void) state;
  tree_write (dir, "old.brand",
              HEAD
              "Name=old\nTitle=Old one\nProfile=true\n[Kernel]\nRelease=2.4.20\nVersion=#1 old\n"
              "Machine-i386=i586\n[Quirks]\nrelease=brand\nheap=end-of-bss\nsysinfo=no-unit\n"
              "[Limits]\nnofile=1024:4096\nstack=8388608:unlimited\n[Personality]\nFlags=ADDR_NO_"
              "RANDOMIZE\n"
              "[Calls]\nPresent=futex;epoll_create\nAbsent=tkill\n");
  tree_write (dir, "new.brand",
              HEAD "Inherits=old\n[Kernel]\nRelease-x86_64=2.6.5-1\n[Quirks]\nheap=host\n"
                   "[Calls]\nPresent=tkill;\n  \n# a comment\nAbsent=futex\n");

  g_autoptr (BzBrand) brand = load (dir, "new", NULL);
  assert_non_null (brand);
  assert_string_equal (brand->name, "new");
  assert_string_equal (brand->title, "new");
  assert_string_equal (brand->inherits, "old");
  assert_false (brand->profile);
  assert_string_equal (brand->release[BZ_ABI_I386], "2.4.20");
  assert_string_equal (brand->release[BZ_ABI_X86_64], "2.6.5-1");
  assert_string_equal (brand->machine[BZ_ABI_I386], "i586");
  assert_null (brand->machine[BZ_ABI_X86_64]);
  assert_int_equal (brand->quirk[BZ_QUIRK_RELEASE], 1);
  assert_int_equal (brand->quirk[BZ_QUIRK_HEAP], 0);
  assert_int_equal (brand->quirk[BZ_QUIRK_SYSINFO], BZ_SYSINFO_NO_UNIT);
  assert_true (brand->limits[BZ_LIMIT_NOFILE].set);
  assert_int_equal (brand->limits[BZ_LIMIT_NOFILE].soft, 1024);
  assert_int_equal (brand->limits[BZ_LIMIT_NOFILE].hard, 4096);
  assert_true (brand->limits[BZ_LIMIT_STACK].hard == G_MAXUINT64);
  assert_false (brand->limits[BZ_LIMIT_NPROC].set);
  assert_int_equal (brand->personality, 0x0040000);
  g_autofree char *present = g_strjoinv (" ", brand->calls_present);
  g_autofree char *absent = g_strjoinv (" ", brand->calls_absent);
  assert_string_equal (present, "epoll_create tkill");
  assert_string_equal (absent, "futex");
  assert_null (brand->warnings[0]);
  tree_remove (dir);
}

static void
test_unknown_is_a_warning (void **state)
{
  char *dir = tree_new ();

  (void) state;
  tree_write (dir, "b.brand", HEAD "Colour=red\n[Quirks]\nteleport=yes\n[Tomorrow]\nx=1\n");
  g_autoptr (BzBrand) brand = load (dir, "b", NULL);
  assert_non_null (brand);
  assert_int_equal (g_strv_length (brand->warnings), 3);
  assert_non_null (strstr (brand->warnings[0], "b.brand:3: unknown key Colour in [Brand]"));
  assert_non_null (strstr (brand->warnings[1], "b.brand:5: unknown key teleport in [Quirks]"));
  assert_non_null (strstr (brand->warnings[2], "b.brand:6: unknown group [Tomorrow]"));
  tree_remove (dir);
}

/* Each group of facts says where they were read; quirks and the kernel's words are covered. */
static void
test_sources (void **state)
{
  char *dir = tree_new ();

  (void) state;
  tree_write (dir, "a.brand", "[Brand]\nFormat=1\nSource=a book\nInit=sysvinit\n[Kernel]\nRelease=2.4.1\n"
                              "[Quirks]\nrelease=brand\n[Calls]\nPresent=futex\n[Detect]\nLibc=glibc\nSource=\n");
  tree_write (dir, "b.brand", "[Brand]\nFormat=1\nInherits=a\n[Limits]\nnofile=1:2\nSource=fs.h\n");
  g_autoptr (BzBrand) a = load (dir, "a", NULL), b = load (dir, "b", NULL);
  assert_int_equal (g_strv_length (a->unsourced), 2);
  assert_non_null (strstr (a->unsourced[0], "a.brand:9: [Calls] names no Source"));
  assert_non_null (strstr (a->unsourced[1], "a.brand:11: [Detect] names no Source"));
  assert_string_equal (a->source, "a book");
  assert_string_equal (b->init, "sysvinit");
  assert_null (b->source);
  assert_int_equal (g_strv_length (b->unsourced), 1);
  assert_non_null (strstr (b->unsourced[0], "b.brand:1: [Brand] names no Source"));
  tree_remove (dir);
}

static void
test_invalid_is_an_error_with_its_line (void **state)
{
  static const struct {
    const char *text, *message;
  } cases[] = {
    { "", "says no Format" },
    { "[Brand]\nFormat=2\n", "b.brand:2: [Brand] Format" },
    { HEAD "Name=c\n", "b.brand:3: [Brand] Name" },
    { HEAD "Profile=perhaps\n", "b.brand:3: [Brand] Profile" },
    { HEAD "Inherits=../b\n", "b.brand:3: [Brand] Inherits" },
    { HEAD "[Kernel]\nRelease=new\n", "b.brand:4: [Kernel] Release" },
    { HEAD "[Kernel]\nRelease=2.6.32 old\n", "b.brand:4: [Kernel] Release" },
    { HEAD "[Kernel]\nRelease-i386=2.6.32\nVersion=\n", "b.brand:5: [Kernel] Version" },
    { HEAD
      "[Kernel]\nVersion=0123456789012345678901234567890123456789012345678901234567890123456789\n",
      "b.brand:4: [Kernel] Version" },
    { HEAD "[Kernel]\nCompiler=gcc\n", "b.brand:4: [Kernel] Compiler" },
    { HEAD "[Calls]\nPresent=open;../../x\n", "b.brand:4: [Calls] Present" },
    { HEAD "[Quirks]\n\nheap=maybe\n",
      "b.brand:5: [Quirks] heap: the quirk has no such value (one of host end-of-bss)" },
    { HEAD "[Limits]\nnofile=4096:1024\n", "b.brand:4: [Limits] nofile" },
    { HEAD "[File x]\nText=a\n", "b.brand:3: [File x]: says no Path" },
    { HEAD "[File x]\nPath=/etc/x\n", "b.brand:3: [File x]: does not say one thing" },
    { HEAD "[File x]\nPath=/etc/x\nText=\nSame=/proc/1/mounts\n", "does not say one thing" },
    { HEAD "[File x]\nPath=etc/x\nText=\n", "is no absolute path" },
    { HEAD "[File x]\nPath=/etc/../x\nText=\n", "is no absolute path" },
    { HEAD "[File x]\nPath=/dev/x\nText=\n", "below /dev there are links" },
    { HEAD "[File x]\nPath=/etc/x\nLink=/y\n", "below /dev there are links" },
    { HEAD "[File x]\nPath=/proc/x\nDirectory=\n", "no directory can be made" },
    { HEAD "[File x]\nPath=/x\nDirectory=a/b\n", "is no list of names" },
    { HEAD "[File x]\nPath=/x\nForm=zodiac\n", "names no form" },
    { HEAD "[File x]\nPath=/x\nSame=/etc/shadow\n", "is no path below /proc" },
    { HEAD "[File x]\nPath=/x\nText=\nWhen=never\n", "b.brand:6: [File x] When" },
    { HEAD "[Limits]\nnofile=-1:1\n", "b.brand:4: [Limits] nofile" },
    { HEAD "[Limits]\nnofile=99999999999999999999999:unlimited\n", "b.brand:4: [Limits] nofile" },
    { HEAD "[Personality]\nFlags=ADDR_NO_RANDOMIZE;PER_SVR4\n", "b.brand:4: [Personality] Flags" },
    { HEAD "[Detect]\n", "b.brand:3: [Detect]" },
    { HEAD "[Detect]\nPriority=50\n", "b.brand:3: [Detect]" },
    { HEAD "[Detect]\nFile=/etc/issue\n", "b.brand:4: [Detect] File" },
    { HEAD "[Detect]\nFile=etc/../../shadow\n", "b.brand:4: [Detect] File" },
    { HEAD "[Detect]\nFile=etc/issue\nMatch=(\n", "b.brand:5: [Detect] Match" },
    { HEAD "[Detect]\nMatch=x\n", "b.brand:4: [Detect] Match: stands without File" },
    { HEAD "[Detect]\nFile=etc/issue\nMatch=x\nVersion=1\n", "b.brand:6: [Detect] Version" },
    { HEAD "[Detect]\nLibc=bionic\n", "b.brand:4: [Detect] Libc" },
    { HEAD "[Detect]\nLibc=glibc\nLibc-Version=new\n", "b.brand:5: [Detect] Libc-Version" },
    { HEAD "[Detect]\nLibc=glibc\nPriority=1000\n", "b.brand:5: [Detect] Priority" },
    { HEAD "[Detect]\nAbi=arm\n", "b.brand:4: [Detect] Abi" },
    { HEAD "Profile=true\n[Detect]\nFile=etc/issue\n", "b.brand:5: [Detect] File" },
    { HEAD "Profile=true\n[Detect]\nLibc=glibc\nNearest=true\n", "b.brand:6: [Detect] Nearest" },
    { HEAD "[Detect]\nOs-Like=x\nNearest=perhaps\n", "b.brand:5: [Detect] Nearest" },
    { HEAD "Init=../upstart\n", "b.brand:3: [Brand] Init" },
    { "x\n" HEAD, "b.brand:1: is neither a group" },
    { "x=1\n" HEAD, "b.brand:1: a key stands before" },
    { HEAD "[Kernel\n", "b.brand:3: is no group" },
    { HEAD "Format=1\n", "b.brand:3: the key comes a second time" },
    { HEAD "[Kernel]\n[Brand]\n", "b.brand:4: the group comes a second time" },
    { HEAD "Title=\xff\xfe\n", "is not UTF-8" },
    { HEAD "Inherits=b\n", "it inherits itself" },
    { HEAD "Inherits=nothing\n", "brand nothing, inherited by b: there is no such brand" },
  };

  (void) state;
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      char *dir = tree_new ();
      g_autoptr (GError) error = NULL;

      tree_write (dir, "b.brand", cases[i].text);
      g_autoptr (BzBrand) brand = load (dir, "b", &error);
      if (brand != NULL || error == NULL || error->domain != BZ_ERROR
          || error->code != BZ_ERROR_INPUT || strstr (error->message, cases[i].message) == NULL)
        fail_msg ("case %u: wanted \"%s\", got \"%s\"", i, cases[i].message,
                  error != NULL ? error->message : "no error");
      tree_remove (dir);
    }
}

static void
test_not_a_file (void **state)
{
  char *dir = tree_new ();
  g_autoptr (GError) error = NULL;
  g_autofree char *large = g_strnfill (300 * 1024, '#');

  (void) state;
  tree_fifo (dir, "fifo.brand");
  tree_write (dir, "large.brand", large);
  assert_null (load (dir, "fifo", &error));
  assert_int_equal (error->code, BZ_ERROR_INPUT);
  g_clear_error (&error);
  assert_null (load (dir, "large", &error));
  assert_int_equal (error->code, BZ_ERROR_INPUT);
  g_clear_error (&error);
  assert_null (load (dir, "absent", &error));
  assert_int_equal (error->code, BZ_ERROR_NO_ZONE);
  g_clear_error (&error);
  assert_null (load (dir, "../etc/passwd", &error));
  assert_int_equal (error->code, BZ_ERROR_NO_ZONE);
  tree_remove (dir);
}

static void
test_deep_inheritance (void **state)
{
  char *dir = tree_new ();
  g_autoptr (GError) error = NULL;

  (void) state;
  for (guint i = 0; i < 30; i++)
    {
      g_autofree char *file = g_strdup_printf ("b%u.brand", i);
      g_autofree char *text = g_strdup_printf (HEAD "Inherits=b%u\n", i + 1);
      tree_write (dir, file, i < 29 ? text : HEAD);
    }
  assert_null (load (dir, "b0", &error));
  assert_int_equal (error->code, BZ_ERROR_INPUT);
  g_autoptr (BzBrand) brand = load (dir, "b14", NULL);
  assert_non_null (brand);
  tree_remove (dir);
}

static void
test_first_directory_wins (void **state)
{
  char *one = tree_new (), *two = tree_new ();
  const char *dirs[] = { one, two, NULL };

  (void) state;
  tree_write (one, "a.brand", HEAD "Title=first\n");
  tree_write (two, "a.brand", HEAD "Title=second\n");
  tree_write (two, "c.brand", HEAD);
  tree_write (two, "README", "no brand");
  g_autoptr (BzBrand) brand = bz_brand_load (dirs, "a", NULL);
  assert_string_equal (brand->title, "first");
  g_auto (GStrv) names = bz_brand_list (dirs);
  g_autofree char *list = g_strjoinv (" ", names);
  assert_string_equal (list, "a c");
  tree_remove (one);
  tree_remove (two);
}

static void
test_shipped_brands (void **state)
{
  const char *dirs[] = { BZ_TEST_BRANDS, NULL };
  g_auto (GStrv) names = bz_brand_list (dirs);

  (void) state;
  assert_true (g_strv_length (names) >= 15);
  for (guint i = 0; names[i] != NULL; i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (BzBrand) brand = bz_brand_load (dirs, names[i], &error);

      if (brand == NULL)
        fail_msg ("%s", error->message);
      if (brand->warnings[0] != NULL)
        fail_msg ("%s", brand->warnings[0]);
      if (brand->unsourced[0] != NULL)
        fail_msg ("%s", brand->unsourced[0]);
      if (brand->quirk[BZ_QUIRK_RELEASE] != 0 && brand->release[BZ_ABI_I386] == NULL)
        fail_msg ("%s tells no release", names[i]);
      if (brand->quirk[BZ_QUIRK_RELEASE] != brand->quirk[BZ_QUIRK_PROC_RELEASE])
        fail_msg ("%s: uname and /proc/version differ", names[i]);
    }
}

/* What libc5 can't run without. */
static void
test_slackware (void **state)
{
  const char *dirs[] = { BZ_TEST_BRANDS, NULL };
  g_autoptr (BzBrand) brand = bz_brand_load (dirs, "slackware", NULL);

  (void) state;
  assert_non_null (brand);
  assert_string_equal (brand->release[BZ_ABI_I386], "2.2.6");
  assert_string_equal (brand->machine[BZ_ABI_I386], "i586");
  assert_string_equal (bz_quirk_value_name (BZ_QUIRK_HEAP, brand->quirk[BZ_QUIRK_HEAP]),
                       "end-of-bss");
  assert_string_equal (bz_quirk_value_name (BZ_QUIRK_PERSONALITY,
                                            brand->quirk[BZ_QUIRK_PERSONALITY]),
                       "keep");
  assert_int_equal (brand->quirk[BZ_QUIRK_SYSINFO], BZ_SYSINFO_NO_UNIT);
  assert_true ((brand->personality & 0x0040000) != 0);
  assert_int_equal (brand->limits[BZ_LIMIT_NOFILE].hard, 1024);
}

static void
test_quirks (void **state)
{
  BzQuirk quirk;
  guint value;

  (void) state;
  assert_true (bz_quirk_lookup ("sysctl", &quirk));
  assert_int_equal (quirk, BZ_QUIRK_SYSCTL);
  assert_true (bz_quirk_has_row (quirk, "S1"));
  assert_true (bz_quirk_has_row (quirk, "E33"));
  assert_false (bz_quirk_has_row (quirk, "E3"));
  assert_false (bz_quirk_has_row (quirk, "S"));
  assert_false (bz_quirk_has_row (quirk, ""));
  assert_true (bz_quirk_lookup_value (BZ_QUIRK_SYSINFO, "no-unit", &value));
  assert_int_equal (value, BZ_SYSINFO_NO_UNIT);
  assert_null (bz_quirk_value_name (BZ_QUIRK_SYSINFO, 3));
  assert_false (bz_quirk_lookup ("none", &quirk));
  assert_int_equal (bz_limit_resource (BZ_LIMIT_NOFILE), RLIMIT_NOFILE);
}

/* The manual lists every quirk with its values. */
static void
test_manual (void **state)
{
  g_autofree char *text = NULL;

  (void) state;
  assert_true (g_file_get_contents (BZ_TEST_MANUAL, &text, NULL, NULL));
  for (guint quirk = 0; quirk < BZ_QUIRK_COUNT; quirk++)
    {
      g_autoptr (GString) line = g_string_new (NULL);

      g_string_printf (line, ".It Cm %s Ta ", bz_quirk_name ((BzQuirk) quirk));
      for (guint i = 0; bz_quirk_value_name ((BzQuirk) quirk, i) != NULL; i++)
        g_string_append_printf (line, "%s%s", i > 0 ? ", " : "",
                                bz_quirk_value_name ((BzQuirk) quirk, i));
      g_string_append (line, " Ta ");
      if (strstr (text, line->str) == NULL)
        fail_msg ("%s lacks \"%s\"", BZ_TEST_MANUAL, line->str);
    }
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_manual),
    cmocka_unit_test (test_values_and_inheritance),
    cmocka_unit_test (test_files),
    cmocka_unit_test (test_unknown_is_a_warning),
    cmocka_unit_test (test_sources),
    cmocka_unit_test (test_invalid_is_an_error_with_its_line),
    cmocka_unit_test (test_not_a_file),
    cmocka_unit_test (test_deep_inheritance),
    cmocka_unit_test (test_first_directory_wins),
    cmocka_unit_test (test_shipped_brands),
    cmocka_unit_test (test_slackware),
    cmocka_unit_test (test_quirks),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
