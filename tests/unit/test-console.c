/* What is kept of a console: text without what a terminal would obey, in a file that stays small.
 */
#include "config.h"

#include "loader/console-log.h"
#include "loader/console-text.h"
#include "loader/log-bound.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* Filters in pieces of `step` bytes. Owned by the caller. */
static char *
filtered (const char *in, gsize step)
{
  BzTextFilter filter = { 0 };
  gsize length = strlen (in), n = 0;
  char *out = g_malloc0 (length + 1);

  for (gsize at = 0; at < length; at += step)
    n += bz_text_filter (&filter, in + at, MIN (step, length - at), out + n);
  return out;
}

static void
test_text (void **state G_GNUC_UNUSED)
{
  static const struct {
    const char *in, *out;
  } cases[] = {
    { "login: \r\n\tx\b", "login: \r\n\tx\b" },
    { "a\033[6nb", "ab" },                  /* the cursor's place is asked for */
    { "\033[01;36mblue\033[0m", "blue" },   /* colours */
    { "\033(B\033[m$ ", "$ " },             /* a character set */
    { "\033]0;title\007after", "after" },   /* a title, ended by a bell */
    { "\033]0;title\033\\after", "after" }, /* and by a string terminator */
    { "\033Pq#0\033\\after", "after" },     /* a device control string */
    { "\033]never ended\nafter", "after" }, /* does not swallow the rest */
    { "\033cafter", "after" },              /* a reset */
    { "bell\007 null\001 del\177", "bell null del" },
    { "gr\xc3\xbc\xc3\x9f", "gr\xc3\xbc\xc3\x9f" },
    { "a\xc2\x9b" "31mb", "ab" },            /* the same, begun by a control character of 8 bits */
    { "\xc2\x9dtitle\007after", "after" },
    { "\xc2\x85\xc2\xa9 \xc2\xc2\xb5", "\xc2\xa9 \xc2\xc2\xb5" },
    { "\xc2\033[mx", "\xc2x" },
    { "\033", "" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    for (gsize step = 1; step < 9; step++)
      {
        g_autofree char *got = filtered (cases[i].in, step);
        assert_string_equal (got, cases[i].out);
      }
}

static void
test_log (void **state G_GNUC_UNUSED)
{
  g_autofree char *dir = g_dir_make_tmp ("brandzone-XXXXXX", NULL);
  g_autofree char *path = g_build_filename (dir, "console.log", NULL);
  g_autofree char *old = g_strconcat (path, ".1", NULL);
  BzConsoleLog *log = bz_console_log_open (path);
  GStatBuf st;

  for (guint i = 0; i < 100000; i++)
    {
      g_autofree char *line = g_strdup_printf ("line %u\n", i);
      bz_console_log_append (log, line, strlen (line));
    }
  bz_console_log_close (log);
  assert_int_equal (g_stat (path, &st), 0);
  assert_true (st.st_size <= BZ_CONSOLE_LOG_MAX);
  assert_int_equal (st.st_mode & 0777, 0600);
  assert_int_equal (g_stat (old, &st), 0);
  assert_true (st.st_size <= BZ_CONSOLE_LOG_MAX && st.st_size > BZ_CONSOLE_LOG_MAX / 2);

  g_autoptr (GString) tail = bz_console_log_tail (path, 30);
  assert_string_equal (tail->str, "line 99998\nline 99999\n");
  g_autoptr (GString) whole = bz_console_log_tail (path, BZ_CONSOLE_LOG_MAX);
  assert_true (whole->len > BZ_CONSOLE_LOG_MAX - 16);
  assert_true (g_str_has_prefix (whole->str, "line "));

  /* A log that is opened again goes on. */
  log = bz_console_log_open (path);
  bz_console_log_append (log, "again\n", 6);
  bz_console_log_close (log);
  g_autoptr (GString) again = bz_console_log_tail (path, 17);
  assert_string_equal (again->str, "again\n");
  g_unlink (path);
  g_unlink (old);
  g_rmdir (dir);
}

static void
test_no_log (void **state G_GNUC_UNUSED)
{
  BzConsoleLog *log = bz_console_log_open ("/no/such/directory/console.log");
  g_autoptr (GString) tail = bz_console_log_tail ("/no/such/directory/console.log", 100);

  bz_console_log_append (log, "lost\n", 5);
  bz_console_log_close (log);
  assert_string_equal (tail->str, "");
}

/* What a zone's keeper prints: text, and never more than the log may have. */
static void
test_keepers_log (void **state G_GNUC_UNUSED)
{
  int kept = dup (STDERR_FILENO);
  g_autofree char *path = g_build_filename (g_get_tmp_dir (), "bz-keeper-XXXXXX", NULL);
  int fd = g_mkstemp_full (path, O_RDWR | O_APPEND, 0600);
  g_autofree char *text = NULL;
  GStatBuf st;
  gsize length, longest = 0;

  assert_true (fd >= 0 && dup2 (fd, STDERR_FILENO) == STDERR_FILENO);
  GPrintFunc before = g_set_printerr_handler (NULL);
  bz_log_bound ();
  for (guint i = 0; i < 100000; i++)
    {
      g_printerr ("brandzone: program %u: \033[2J can't be put right\n", i);
      assert_int_equal (g_stat (path, &st), 0);
      longest = MAX (longest, (gsize) st.st_size);
    }
  dup2 (kept, STDERR_FILENO);
  g_set_printerr_handler (before);
  close (kept);
  close (fd);

  assert_true (longest > BZ_LOG_MAX / 2 && longest < BZ_LOG_MAX + 4096);
  assert_true (g_file_get_contents (path, &text, &length, NULL));
  assert_true (g_str_has_prefix (text, "brandzone: the log was too long"));
  assert_true (g_str_has_suffix (text, "brandzone: program 99999: ?[2J can't be put right\n"));
  assert_null (memchr (text, '\033', length));
  g_unlink (path);
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_text),
    cmocka_unit_test (test_log),
    cmocka_unit_test (test_no_log),
    cmocka_unit_test (test_keepers_log),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
