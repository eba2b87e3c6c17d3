#include "config.h"

#include "brand/base/error.h"
#include "brand/plan.h"
#include "tests/unit/cmocka-all.h"

#include <string.h>
#include <sys/personality.h>
#include <sys/utsname.h>

static BzBrand *
shipped (const char *name)
{
  const char *dirs[] = { BZ_TEST_BRANDS, NULL };
  BzBrand *brand = bz_brand_load (dirs, name, NULL);

  assert_non_null (brand);
  return brand;
}

/* A host that gives everything. */
static BzHost
full_host (void)
{
  BzHost host = { .release = BZ_RELEASE (6, 12, 9), .release_text = (char *) "6.12.9-host" };

  for (guint i = 0; i < BZ_FEATURE_COUNT; i++)
    host.has[i] = TRUE;
  return host;
}

static BzPlan *
make (const char *name, const BzPlanOptions *options, GError **error)
{
  g_autoptr (BzBrand) brand = shipped (name);
  BzHost host = full_host ();

  return bz_plan_make (brand, &host, options, error);
}

static void
test_brand_speaks (void **state)
{
  BzPlanOptions options = { .abi = BZ_ABI_X86_64 };
  g_autoptr (BzPlan) plan = make ("el6", &options, NULL);

  (void) state;
  assert_string_equal (plan->release, "2.6.32-754.35.1.el6.x86_64");
  assert_true (plan->release_number == BZ_RELEASE (2, 6, 32));
  assert_string_equal (plan->version, "#1 SMP Sat Nov 7 12:42:14 UTC 2020");
  assert_string_equal (
      plan->proc_version,
      "Linux version 2.6.32-754.35.1.el6.x86_64 (mockbuild@x86-01.bsys.centos.org) "
      "(gcc version 4.4.7 20120313 (Red Hat 4.4.7-23) (GCC) ) #1 SMP Sat Nov 7 12:42:14 UTC 2020");
  assert_string_equal (plan->machine[BZ_ABI_I386], "i686");
  assert_string_equal (plan->machine[BZ_ABI_X86_64], "x86_64");
  assert_int_equal (plan->personality & PER_LINUX32, 0);
  assert_int_equal (plan->limits[BZ_LIMIT_NOFILE].hard, 4096);
  assert_true (g_strv_contains ((const char *const *) plan->calls_present, "setns"));
  assert_true (plan->sync_wake_up && plan->wait_killable);
  assert_true (plan->host_release == BZ_RELEASE (6, 12, 9));
}

static void
test_i386 (void **state)
{
  BzPlanOptions options = { .abi = BZ_ABI_I386 };
  g_autoptr (BzPlan) plan = make ("slackware", &options, NULL);
  BzHost host = full_host ();
  g_autoptr (BzBrand) brand = shipped ("slackware");
  g_autoptr (GError) error = NULL;

  (void) state;
  assert_int_equal (plan->personality, PER_LINUX32 | ADDR_NO_RANDOMIZE);
  assert_string_equal (plan->machine[BZ_ABI_I386], "i586");

  assert_true (bz_host_mask (&host, "ia32", NULL));
  assert_null (bz_plan_make (brand, &host, &options, &error));
  assert_int_equal (error->code, BZ_ERROR_HOST);
  assert_string_equal (bz_error_parts (error)->row, "E9");
  for (guint i = 0; i < BZ_FEATURE_COUNT; i++)
    g_free (host.detail[i]);
}

static void
test_newer_calls (void **state G_GNUC_UNUSED)
{
  static const char *const rows[] = { "S7", NULL };
  BzPlanOptions options = { .abi = BZ_ABI_X86_64 };
  BzHost host = full_host ();
  g_autoptr (BzBrand) brand = shipped ("native");
  g_autoptr (BzPlan) full = bz_plan_make (brand, &host, &options, NULL);

  assert_int_equal (full->quirk[BZ_QUIRK_NEWER_CALLS], 0);
  assert_true (bz_host_mask (&host, "fchmodat2", NULL));
  g_autoptr (BzPlan) plan = bz_plan_make (brand, &host, &options, NULL);
  assert_int_equal (plan->quirk[BZ_QUIRK_NEWER_CALLS], 1);
  options.disabled_rows = rows;
  g_autoptr (BzPlan) off = bz_plan_make (brand, &host, &options, NULL);
  assert_int_equal (off->quirk[BZ_QUIRK_NEWER_CALLS], 0);
  for (guint i = 0; i < BZ_FEATURE_COUNT; i++)
    g_free (host.detail[i]);
}

static void
test_masks (void **state)
{
  static const char *const masks[] = { "wait-killable", "sync-wake-up", "modify-ldt" };
  BzPlanOptions options = { .abi = BZ_ABI_X86_64 };
  BzHost host = full_host ();
  g_autoptr (BzBrand) brand = shipped ("el6");
  g_autoptr (BzPlan) full = bz_plan_make (brand, &host, &options, NULL);

  (void) state;
  for (guint i = 0; i < G_N_ELEMENTS (masks); i++)
    assert_true (bz_host_mask (&host, masks[i], NULL));
  g_autoptr (BzPlan) plan = bz_plan_make (brand, &host, &options, NULL);
  assert_false (plan->wait_killable || plan->sync_wake_up);
  assert_true (g_strv_contains ((const char *const *) plan->calls_absent, "modify_ldt"));
  assert_false (g_strv_contains ((const char *const *) full->calls_absent, "modify_ldt"));
  assert_int_equal (g_strv_length (plan->calls_absent), g_strv_length (full->calls_absent) + 1);
  for (guint i = 0; i < BZ_FEATURE_COUNT; i++)
    g_free (host.detail[i]);
}

static void
test_host_speaks_where_the_brand_is_silent (void **state)
{
  BzPlanOptions options = { .abi = BZ_ABI_X86_64 };
  g_autoptr (BzPlan) plan = make ("native", &options, NULL);
  struct utsname uts;

  (void) state;
  uname (&uts);
  assert_string_equal (plan->release, "6.12.9-host");
  assert_string_equal (plan->version, uts.version);
  assert_null (plan->proc_version);
  assert_int_equal (plan->personality, 0);
  for (guint i = 0; i < BZ_QUIRK_COUNT; i++)
    assert_int_equal (plan->quirk[i], 0);
  assert_false (plan->limits[BZ_LIMIT_NOFILE].set);
  assert_non_null (plan->calls_present);
}

static void
test_own_release (void **state)
{
  static const char *const nonsense[] = {
    "",
    "new",
    "2",
    "2.6 32",
    "2.6.32\n",
    "2.6.99999",
    "2.6.32-01234567890123456789012345678901234567890123456789012345678901234"
  };
  BzPlanOptions options = { .abi = BZ_ABI_X86_64, .release = "2.6.18-mine" };
  g_autoptr (BzPlan) plan = make ("el6", &options, NULL);
  g_autoptr (BzPlan) native = make ("native", &options, NULL);

  (void) state;
  assert_string_equal (plan->release, "2.6.18-mine");
  assert_true (plan->release_number == BZ_RELEASE (2, 6, 18));
  assert_true (g_str_has_prefix (plan->proc_version, "Linux version 2.6.18-mine (mockbuild@"));
  /* uname and /proc agree even where the brand alone would not trap them. */
  assert_string_equal (native->release, "2.6.18-mine");
  assert_int_equal (native->quirk[BZ_QUIRK_RELEASE], 1);
  assert_true (g_str_has_prefix (native->proc_version, "Linux version 2.6.18-mine "));

  for (guint i = 0; i < G_N_ELEMENTS (nonsense); i++)
    {
      g_autoptr (GError) error = NULL;
      options.release = nonsense[i];
      assert_null (make ("el6", &options, &error));
      assert_int_equal (error->code, BZ_ERROR_USAGE);
    }
}

static void
test_disabled_rows (void **state)
{
  const char *e6[] = { "E6", NULL }, *e7[] = { "E7", NULL }, *o5[] = { "O5", NULL },
             *s1[] = { "S1", NULL }, *none[] = { "E999", NULL };
  BzPlanOptions options = { .abi = BZ_ABI_I386, .disabled_rows = e6 };
  g_autoptr (BzPlan) plan = make ("slackware", &options, NULL);
  g_autoptr (GError) error = NULL;

  (void) state;
  assert_string_equal (plan->release, "6.12.9-host");
  assert_null (plan->proc_version);
  assert_int_equal (plan->quirk[BZ_QUIRK_HEAP], 1);

  options.disabled_rows = e7;
  g_autoptr (BzPlan) machine = make ("slackware", &options, NULL);
  assert_string_equal (machine->machine[BZ_ABI_I386], "x86_64");
  assert_int_equal (machine->personality & PER_LINUX32, 0);
  assert_string_equal (machine->release, "2.2.6");

  options.disabled_rows = o5;
  g_autoptr (BzPlan) limits = make ("slackware", &options, NULL);
  assert_false (limits->limits[BZ_LIMIT_NOFILE].set);

  options.disabled_rows = s1;
  g_autoptr (BzPlan) sysctl = make ("slackware", &options, NULL);
  assert_int_equal (sysctl->quirk[BZ_QUIRK_SYSCTL], 0);

  options.disabled_rows = none;
  assert_null (make ("slackware", &options, &error));
  assert_int_equal (error->code, BZ_ERROR_USAGE);
}

static void
test_variant (void **state)
{
  static const char *const names[] = { "slackware", "el6", "native", "debian-bullseye" };

  (void) state;
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    {
      BzPlanOptions options = { .abi = BZ_ABI_I386 };
      g_autoptr (BzPlan) plan = make (names[i], &options, NULL);
      g_autoptr (GVariant) variant = bz_plan_to_variant (plan);
      g_autoptr (GError) error = NULL;
      g_autoptr (BzPlan) copy = bz_plan_from_variant (variant, &error);

      if (error != NULL)
        fail_msg ("%s", error->message);
      g_autoptr (GVariant) again = bz_plan_to_variant (copy);
      assert_true (g_variant_equal (variant, again));
      assert_string_equal (copy->release, plan->release);
      assert_memory_equal (copy->quirk, plan->quirk, sizeof plan->quirk);
      assert_true (copy->release_number == plan->release_number);
    }
}

/* The plan with one field replaced (or removed, when value is NULL). */
static GVariant *
spoil (GVariant *variant, const char *field, GVariant *value)
{
  GVariantDict dict;

  g_variant_dict_init (&dict, variant);
  g_variant_dict_remove (&dict, field);
  if (value != NULL)
    g_variant_dict_insert_value (&dict, field, value);
  return g_variant_ref_sink (g_variant_dict_end (&dict));
}

static void
test_hostile_variant (void **state)
{
  BzPlanOptions options = { .abi = BZ_ABI_I386 };
  g_autoptr (BzPlan) plan = make ("slackware", &options, NULL);
  g_autoptr (GVariant) variant = bz_plan_to_variant (plan);
  const struct {
    const char *field, *value;
  } cases[] = {
    { "format", "uint32 2" },
    { "brand", "'../../x'" },
    { "abi", "'arm'" },
    { "release", "'new'" },
    { "release", "'2.2.6\\n'" },
    { "version", "''" },
    { "machine-i386", "'a b'" },
    { "personality", "uint64 0xffffffff" },
    { "quirks", "{'heap': byte 1}" },
    { "quirks", "@a{sy} {}" },
    { "limits", "{'nofile': (uint64 5, uint64 1)}" },
    { "limits", "{'colour': (uint64 1, uint64 1)}" },
    { "calls-present", "['open', 'close']" },
    { "calls-present", "['a', 'a']" },
    { "calls-absent", "['../x']" },
    { "calls-absent", "'open'" },
    { "sync-wake-up", "1" },
    { "surplus", "1" },
    { "files", "[('/etc/../x', byte 0, byte 0, '')]" },
    { "files", "[('etc/x', byte 0, byte 0, '')]" },
    { "files", "[('/dev/null', byte 0, byte 0, '')]" },
    { "files", "[('/etc/x', byte 3, byte 0, '/x')]" },
    { "files", "[('/etc/x', byte 2, byte 0, '/etc/shadow')]" },
    { "files", "[('/etc/x', byte 5, byte 0, '')]" },
    { "files", "[('/etc/x', byte 0, byte 3, '')]" },
    { "files", "[('/x', byte 4, byte 0, 'a/b')]" },
    { "files", NULL },
    { "host-release", NULL },
    { "quirks", NULL },
    { "proc-version", NULL },
  };

  (void) state;
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      GVariant *value = cases[i].value != NULL ? g_variant_new_parsed (cases[i].value) : NULL;
      g_autoptr (GVariant) spoiled = spoil (variant, cases[i].field, value);
      g_autoptr (GError) error = NULL;

      if (bz_plan_from_variant (spoiled, &error) != NULL)
        fail_msg ("%s=%s was taken", cases[i].field, cases[i].value);
      assert_int_equal (error->code, BZ_ERROR_INPUT);
    }

  /* Bytes that are no variant at all. */
  gsize size = g_variant_get_size (variant);
  for (gsize at = 0; at < size; at += 3)
    {
      g_autofree guint8 *bytes = g_memdup2 (g_variant_get_data (variant), size);
      bytes[at] ^= 0x55;
      g_autoptr (GVariant) damaged = g_variant_ref_sink (
          g_variant_new_from_data (G_VARIANT_TYPE_VARDICT, bytes, size, FALSE, NULL, NULL));
      bz_plan_free (bz_plan_from_variant (damaged, NULL));
    }
}

static void
test_one_id_and_strict (void **state G_GNUC_UNUSED)
{
  const char *s14[] = { "S14", NULL }, *s4[] = { "S4", NULL };
  BzPlanOptions options = { .abi = BZ_ABI_X86_64, .ids = 1, .strict = TRUE };
  g_autoptr (BzPlan) one = make ("el6", &options, NULL);
  g_autoptr (GVariant) variant = bz_plan_to_variant (one);
  g_autoptr (BzPlan) again = bz_plan_from_variant (variant, NULL);

  assert_int_equal (again->ids, 1);
  assert_int_equal (again->quirk[BZ_QUIRK_GROUPS], 1);
  assert_int_equal (again->quirk[BZ_QUIRK_GONE], BZ_GONE_STOP);
  options.disabled_rows = s14;
  g_autoptr (BzPlan) without = make ("el6", &options, NULL);
  assert_int_equal (without->quirk[BZ_QUIRK_GROUPS], 0);
  options = (BzPlanOptions){ .abi = BZ_ABI_X86_64, .strict = TRUE, .disabled_rows = s4 };
  g_autoptr (BzPlan) many = make ("el6", &options, NULL);
  assert_int_equal (many->ids, BZ_PLAN_ALL_IDS);
  assert_int_equal (many->quirk[BZ_QUIRK_GROUPS], 0);
  assert_int_equal (many->quirk[BZ_QUIRK_GONE], BZ_GONE_HOST);
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_brand_speaks),
    cmocka_unit_test (test_i386),
    cmocka_unit_test (test_newer_calls),
    cmocka_unit_test (test_masks),
    cmocka_unit_test (test_host_speaks_where_the_brand_is_silent),
    cmocka_unit_test (test_own_release),
    cmocka_unit_test (test_disabled_rows),
    cmocka_unit_test (test_variant),
    cmocka_unit_test (test_hostile_variant),
    cmocka_unit_test (test_one_id_and_strict),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
