/* Figures of the machine in the forms of older kernels, as text. What the time's procps makes of them is in
 * tests/e2e/trees.sh. */
#include "config.h"

#include "loader/figures.h"

#include <stdio.h>
#include <string.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const char vmstat[] = "nr_free_pages 1\npgpgin 11\npgpgout 22\npswpin 33\npswpout 44\n";
static const char two[] = "cpu  500 70 300 90000 8000 0 40 60 0 0\n"
                          "cpu0 200 30 100 45000 4000 0 20 30 0 0\n"
                          "cpu1 300 40 200 45000 4000 0 20 30 0 0\n"
                          "intr 5000000007 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19\n"
                          "ctxt 4294967297\nbtime 1700000000\nprocesses 12\nsoftirq 1 2\n";

static cpu_set_t
all_processors (void)
{
  cpu_set_t all;

  memset (&all, 0xff, sizeof all);
  return all;
}

static char *
stat_of (BzForm form, const char *stat, const char *uptime, const cpu_set_t *processors)
{
  BzFigures figures = { .stat = (char *) stat, .uptime = (char *) uptime, .vmstat = (char *) vmstat };

  return bz_figures_write (form, &figures, processors);
}

/* As procps 2.0 does: the sum of four, by the time. */
static guint64
rate (const char *text, double seconds)
{
  guint user, nice, system, idle;

  assert_int_equal (sscanf (text, "cpu %u %u %u %u", &user, &nice, &system, &idle), 4);
  return (guint64) (((double) user + nice + system + idle) / seconds);
}

static void
test_one_processor (void **state G_GNUC_UNUSED)
{
  cpu_set_t all = all_processors ();
  g_autofree char *text = stat_of (BZ_FORM_STAT_2_2, two, "1000.50 1600.00\n", &all);

  assert_non_null (text);
  assert_true (g_str_has_prefix (text, "cpu  250 35 170 99595\ndisk 0 0 0 0\n")); /* interrupts are system */
  assert_int_equal (rate (text, 1000.5), 100);
  assert_null (strstr (text, "cpu0"));
  assert_non_null (strstr (text, "\npage 11 22\nswap 33 44\n"));
  /* All, and those of the 16 that a PC had; 32 bits wide. */
  assert_non_null (strstr (text, "\nintr 705032711 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16\nctxt 1\n"));
  assert_non_null (strstr (text, "\nbtime 1700000000\nprocesses 12\n"));
}

static void
test_processors_of_the_zone (void **state G_GNUC_UNUSED)
{
  cpu_set_t second;

  CPU_ZERO (&second);
  CPU_SET (1, &second);
  g_autofree char *old = stat_of (BZ_FORM_STAT_2_2, two, "1000.50 0.00\n", &second);
  assert_true (g_str_has_prefix (old, "cpu  300 40 220 99490\n"));
  g_autofree char *later = stat_of (BZ_FORM_STAT_2_4, two, "1000.50 0.00\n", &second);
  assert_true (g_str_has_prefix (later, "cpu  300 40 220 99490\ncpu0 300 40 220 99490\npage "));
  CPU_ZERO (&second);
  assert_null (stat_of (BZ_FORM_STAT_2_2, two, "1000.50 0.00\n", &second));
}

static void
test_all_processors (void **state G_GNUC_UNUSED)
{
  cpu_set_t all = all_processors ();
  g_autofree char *text = stat_of (BZ_FORM_STAT_2_4, two, "1000.50 0.00\n", &all);

  assert_true (g_str_has_prefix (text, "cpu  500 70 340 199190\ncpu0 200 30 120 99700\ncpu1 300 40 220 99490\npage "));
  assert_non_null (strstr (text, " 16 17 18 19\ndisk_io: \nctxt "));
}

/* With many processors and a long uptime the sum would not fit 32 bits. */
static void
test_many_processors (void **state G_GNUC_UNUSED)
{
  g_autoptr (GString) stat = g_string_new ("cpu  1 1 1 1 1 1 1 1 1 1\n");
  cpu_set_t all = all_processors ();
  guint lines = 0;

  for (guint i = 0; i < 512; i++)
    g_string_append_printf (stat, "cpu%u 1000000 0 2000000 400000000 5 0 0 0 0 0\n", i);
  g_autofree char *text = stat_of (BZ_FORM_STAT_2_4, stat->str, "4000000.00 1.00\n", &all);
  for (const char *at = text; (at = strstr (at, "\ncpu")) != NULL; at++)
    lines++;
  assert_int_equal (lines, 10);
  assert_int_equal (rate (text, 4e6), 1000);
  g_autofree char *old = stat_of (BZ_FORM_STAT_2_2, stat->str, "4000000.00 1.00\n", &all);
  assert_int_equal (rate (old, 4e6), 100);
}

/* What a processor has done is never more than the time. */
static void
test_busier_than_time (void **state G_GNUC_UNUSED)
{
  cpu_set_t all = all_processors ();
  g_autofree char *text =
      stat_of (BZ_FORM_STAT_2_2, "cpu0 90 20 18446744073709551615 5 0 0 0 0 0 0\n", "1.00 0.00\n", &all);

  assert_true (g_str_has_prefix (text, "cpu  90 10 0 0\n"));
}

static void
test_nonsense (void **state G_GNUC_UNUSED)
{
  static const char *const bad[] = { "", "cpu", "cpu0", "cpu0 1 2 3\n", "cpu0x 1 2 3 4\n", "cpu99999 1 2 3 4\n", "\n\n" };
  cpu_set_t all = all_processors ();

  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      assert_null (stat_of (BZ_FORM_STAT_2_2, bad[i], "1.00 0.00\n", &all));
      assert_null (stat_of (BZ_FORM_STAT_2_4, bad[i], "1.00 0.00\n", &all));
    }
  assert_null (stat_of (BZ_FORM_STAT_2_2, two, "", &all));
  assert_null (stat_of (BZ_FORM_STAT_2_2, two, "99999999999999999999 1\n", &all));
  assert_null (bz_figures_write (BZ_FORM_CPUINFO_ONE, &(BzFigures){ .cpuinfo = (char *) "processor\t: 0\n" }, &all));
  g_autofree char *none = bz_figures_write (BZ_FORM_MEMINFO_2_4, &(BzFigures){ .meminfo = (char *) "" }, &all);
  assert_non_null (strstr (none, "\nMemTotal:         0 kB\n"));
}

static void
test_meminfo (void **state G_GNUC_UNUSED)
{
  static const char large[] = "MemTotal:       536870912 kB\nMemFree:        268435456 kB\nMemAvailable: 1 kB\n"
                              "Buffers: 0 kB\nCached: 134217728 kB\nSwapTotal: 1024 kB\nSwapFree: 512 kB\n";
  cpu_set_t all = all_processors ();
  g_autofree char *text = bz_figures_write (BZ_FORM_MEMINFO_2_4, &(BzFigures){ .meminfo = (char *) large }, &all);
  guint total, used, free;

  assert_true (g_str_has_prefix (text, "        total:    used:    free:  shared: buffers:  cached:\nMem:  "));
  assert_int_equal (sscanf (strstr (text, "Mem:"), "Mem: %u %u %u", &total, &used, &free), 3);
  assert_true (total < G_MAXINT32 && used + free == total && free > total / 2 - 8192 && free <= total / 2);
  assert_non_null (strstr (text, "\nSwapTotal:     1024 kB\nSwapFree:       512 kB\n"));
}

static void
test_first_processor (void **state G_GNUC_UNUSED)
{
  cpu_set_t all = all_processors ();
  g_autofree char *text = bz_figures_write (
      BZ_FORM_CPUINFO_ONE, &(BzFigures){ .cpuinfo = (char *) "processor\t: 0\nflags\t: a\n\nprocessor\t: 1\n\n" }, &all);

  assert_string_equal (text, "processor\t: 0\nflags\t: a\n\n");
}

/* Each is made of what is read for it on this machine. */
static void
test_here (void **state G_GNUC_UNUSED)
{
  cpu_set_t all = all_processors ();

  for (BzForm form = 0; form < BZ_FORM_COUNT; form++)
    {
      BzFigures figures;

      assert_true (bz_figures_read (form, &figures));
      g_autofree char *text = bz_figures_write (form, &figures, &all);
      assert_true (text != NULL && *text != '\0' && g_str_has_suffix (text, "\n"));
      bz_figures_clear (&figures);
      assert_int_equal (bz_form_find (bz_form_name (form)), form);
    }
  assert_int_equal (bz_form_find ("stat"), BZ_FORM_COUNT);
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_one_processor),      cmocka_unit_test (test_processors_of_the_zone),
    cmocka_unit_test (test_all_processors),     cmocka_unit_test (test_many_processors),
    cmocka_unit_test (test_busier_than_time),   cmocka_unit_test (test_nonsense),
    cmocka_unit_test (test_meminfo),            cmocka_unit_test (test_first_processor),
    cmocka_unit_test (test_here),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
