/* Users by a zone's own files, as text. */
#include "config.h"

#include "brand/base/error.h"
#include "loader/user.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const char passwd[] = "root:x:0:0:root:/root:/bin/bash\n"
                             "broken line\n"
                             "bad:x:-5:0::/:\n"
                             "daemon:x:2:2:daemon:/sbin:\n"
                             "ann:x:1000:100:Ann:/home/ann:/bin/tcsh\n";
static const char group[] = "root:x:0:root\nusers:x:100:ann\nwheel:x:10:root,ann\naudio:x:18:ann\n";

static void
find (const char *spec, BzUser *user)
{
  GError *error = NULL;

  assert_true (bz_user_find (spec, passwd, group, user, &error));
  assert_null (error);
}

static void
test_name (void **state G_GNUC_UNUSED)
{
  g_auto (BzUser) user = { 0 };

  find ("ann", &user);
  assert_int_equal (user.uid, 1000);
  assert_int_equal (user.gid, 100);
  assert_string_equal (user.home, "/home/ann");
  assert_string_equal (user.shell, "/bin/tcsh");
  assert_int_equal (user.group_count, 3); /* its own, wheel, audio */
  assert_int_equal (user.groups[0], 100);
  assert_int_equal (user.groups[1], 10);
}

static void
test_nobody_given_is_root (void **state G_GNUC_UNUSED)
{
  g_auto (BzUser) user = { 0 };

  find (NULL, &user);
  assert_int_equal (user.uid, 0);
  assert_string_equal (user.home, "/root");
}

static void
test_number_with_group (void **state G_GNUC_UNUSED)
{
  g_auto (BzUser) user = { 0 };

  find ("4711:wheel", &user);
  assert_int_equal (user.uid, 4711);
  assert_int_equal (user.gid, 10);
  assert_int_equal (user.group_count, 1);
  assert_null (user.home);
}

static void
refuse (const char *spec)
{
  g_auto (BzUser) user = { 0 };
  g_autoptr (GError) error = NULL;

  assert_false (bz_user_find (spec, passwd, group, &user, &error));
  assert_non_null (error);
}

static void
test_refused (void **state G_GNUC_UNUSED)
{
  refuse ("");
  refuse ("bad"); /* its line has a negative id */
  refuse ("bob");
  refuse ("ann:nogroup");
  refuse (":wheel");
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_name),
    cmocka_unit_test (test_nobody_given_is_root),
    cmocka_unit_test (test_number_with_group),
    cmocka_unit_test (test_refused),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
