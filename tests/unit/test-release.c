#include "config.h"

#include "brand/range.h"
#include "tests/unit/cmocka-all.h"

static void
test_release (void **state)
{
  static const struct {
    const char *text;
    gboolean good;
    BzRelease release;
  } cases[] = {
    { "2.6.32-754.35.1.el6.x86_64", TRUE, BZ_RELEASE (2, 6, 32) },
    { "0.11", TRUE, BZ_RELEASE (0, 11, 0) },
    { "4.9.337", TRUE, BZ_RELEASE (4, 9, 337) },
    { "6.18.44-fc-v669", TRUE, BZ_RELEASE (6, 18, 44) },
    { "5.14.", TRUE, BZ_RELEASE (5, 14, 0) },
    { "3.10.0-1160", TRUE, BZ_RELEASE (3, 10, 0) },
    { "2", FALSE, 0 },
    { "", FALSE, 0 },
    { ".2.6", FALSE, 0 },
    { " 2.6.1", FALSE, 0 },
    { "-2.6.1", FALSE, 0 },
    { "2.x", FALSE, 0 },
    { "2.6.65536", FALSE, 0 },
    { "99999999999999999999999.1", FALSE, 0 },
    { NULL, FALSE, 0 },
  };

  (void) state;
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      BzRelease release = 0;
      if (bz_release_parse (cases[i].text, &release) != cases[i].good
          || release != cases[i].release)
        fail_msg ("%s", cases[i].text);
    }
}

static void
test_order (void **state)
{
  (void) state;
  assert_true (BZ_RELEASE (2, 4, 33) < BZ_RELEASE (2, 6, 0));
  assert_true (BZ_RELEASE (4, 9, 337) < BZ_RELEASE (4, 10, 0));
}

static gboolean
holds (const char *range_text, const char *version_text)
{
  BzRange range = { 0 };
  BzRelease version;

  assert_true (bz_range_parse (range_text, &range));
  assert_true (bz_version_parse (version_text, &version));
  return bz_range_holds (&range, version);
}

static void
test_range (void **state)
{
  static const char *const bad[] = { "", "..", "a", "3..2", "2..x", "2.3 ..2.5", "1-2", "70000" };
  BzRange range;

  (void) state;
  assert_true (holds ("2.3..2.5", "2.3"));
  assert_true (holds ("2.3..2.5", "2.5.1"));
  assert_false (holds ("2.3..2.5", "2.6"));
  assert_false (holds ("2.3..2.5", "2.2.5"));
  assert_true (holds ("4", "4.0.0"));
  assert_true (holds ("4", "4.9"));
  assert_false (holds ("4", "5"));
  assert_true (holds ("2.28..", "2.40"));
  assert_true (holds ("..0.9.26", "0.9.17"));
  assert_false (holds ("..0.9.26", "0.9.27"));
  assert_true (holds ("0.9.27..0.9", "0.9.33.2"));
  for (guint i = 0; i < G_N_ELEMENTS (bad); i++)
    assert_false (bz_range_parse (bad[i], &range));
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_release),
    cmocka_unit_test (test_order),
    cmocka_unit_test (test_range),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
