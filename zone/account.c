#include "config.h"

#include "zone/account.h"

#include "brand/tree.h"

#include <string.h>

#define PASSWD_MAX (1024 * 1024)

void
bz_account_clear (BzAccount *account)
{
  g_clear_pointer (&account->name, g_free);
  g_clear_pointer (&account->home, g_free);
}

/* A value of the environment must not smuggle in a line or a relative path. */
static gboolean
is_home (const char *path)
{
  return path[0] == '/' && g_utf8_validate (path, -1, NULL) && strpbrk (path, "\n\r\033") == NULL;
}

void
bz_account_find (const char *passwd, const char *spec, BzAccount *account)
{
  g_auto (GStrv) wanted = g_strsplit (spec != NULL ? spec : "root", ":", 2);
  const char *who = wanted[0] != NULL ? wanted[0] : "root";
  gboolean number = who[0] != '\0' && strspn (who, "0123456789") == strlen (who);
  g_auto (GStrv) lines = g_strsplit (passwd != NULL ? passwd : "", "\n", -1);

  for (char **line = lines; *line != NULL; line++)
    {
      g_auto (GStrv) fields = g_strsplit (*line, ":", 7);

      if (g_strv_length (fields) < 6 || !g_str_equal (fields[number ? 2 : 0], who))
        continue;
      account->name = g_strdup (fields[0]);
      account->home = g_strdup (is_home (fields[5]) ? fields[5] : "/");
      return;
    }
  account->name = g_strdup (who);
  account->home = g_strdup (g_str_equal (who, "root") ? "/root" : "/");
}

void
bz_account_lookup (int tree_fd, const char *spec, BzAccount *account)
{
  g_autoptr (GBytes) bytes = NULL;
  g_autofree char *text = NULL;

  if (bz_tree_read (tree_fd, "etc/passwd", PASSWD_MAX, &bytes))
    {
      gsize length;
      const char *data = g_bytes_get_data (bytes, &length);
      text = g_strndup (data != NULL ? data : "", length);
    }
  bz_account_find (text, spec, account);
}
