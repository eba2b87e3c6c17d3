/* Problem: the log lies in /run, which is memory, and a zone says what stands in it: each program that can't be
 * put right, each option of a mount that is refused is a line, and a zone's user may bring new ones for ever.
 *
 * Choice: it starts anew when it is long: what comes last is what is looked for. The keeper, its supervisor and
 * what they fork have the same open file, so it is truncated and not renamed. What a terminal would obey is not
 * text. */
#include "config.h"

#include "loader/log-bound.h"

#include <glib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static gboolean
start_anew_if_long (void)
{
  struct stat st;

  return fstat (STDERR_FILENO, &st) == 0 && S_ISREG (st.st_mode) && st.st_size > BZ_LOG_MAX
         && ftruncate (STDERR_FILENO, 0) == 0;
}

static void
print (const char *text)
{
  static const char anew[] = "brandzone: the log was too long and starts anew\n";
  g_autofree char *line = g_strdup (text);
  gsize length = strlen (line);

  for (gsize i = 0; i < length; i++)
    if (g_ascii_iscntrl (line[i]) && line[i] != '\n')
      line[i] = '?';
  if (start_anew_if_long ())
    (void) !write (STDERR_FILENO, anew, sizeof anew - 1);
  /* A full disk costs the log, not the zone. */
  (void) !write (STDERR_FILENO, line, length);
}

void
bz_log_bound (void)
{
  g_set_printerr_handler (print);
}
