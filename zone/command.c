/* The command of run and exec, and its environment.
 *
 * A zone gets an environment of its own: PATH, with -t TERM, and what follows from
 * the user (HOME, USER, LOGNAME, SHELL: the loader adds those, which it looks up in the zone).
 * Nothing of the caller's passes but what -e names: a host's LD_LIBRARY_PATH, LANG or LD_PRELOAD
 * breaks an old C library. `container=` is not set: it is a promise to an init (systemd's container
 * interface), and process 1 of `run` is the command.
 */
#include "config.h"

#include "brand/base/error.h"
#include "brand/tree.h"
#include "zone/names.h"
#include "zone/prepare.h"

#include <string.h>
#include <unistd.h>

#define ZONE_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

static gboolean
in_terminfo (int tree_fd, const char *term)
{
  static const char *const places[] = { "usr/share/terminfo", "usr/lib/terminfo", "lib/terminfo",
                                        "etc/terminfo" };

  for (gsize i = 0; i < G_N_ELEMENTS (places); i++)
    {
      g_autofree char *path = g_strdup_printf ("%s/%c/%s", places[i], term[0], term);
      if (bz_tree_has_file (tree_fd, path))
        return TRUE;
    }
  return FALSE;
}

/* Userlands of the nineties have no entry for xterm-256color: full-screen programs then refuse to
 * start. The part before the dash is the same terminal with fewer abilities. Owned by the caller.
 */
static char *
choose_term (int tree_fd)
{
  const char *own = g_getenv ("TERM");

  if (own == NULL || own[0] == '\0' || strlen (own) > 64 || strpbrk (own, "/=\n") != NULL)
    return g_strdup ("vt100");
  if (tree_fd < 0 || in_terminfo (tree_fd, own))
    return g_strdup (own);
  return g_strndup (own, strcspn (own, "-"));
}

/* -e KEY=VALUE, or -e KEY for the caller's value (nothing when the caller has none). */
static gboolean
set_given (char ***environment, const char *text, GError **error)
{
  const char *equals = strchr (text, '=');
  g_autofree char *key = equals != NULL ? g_strndup (text, equals - text) : g_strdup (text);
  const char *value = equals != NULL ? equals + 1 : g_getenv (key);

  if (key[0] == '\0')
    {
      g_autofree char *safe = bz_text_safe (text);
      return bz_fail (error, BZ_ERROR_USAGE, "the variable has no name", "write -e NAME=VALUE",
                      "-e %s", safe);
    }
  if (value != NULL)
    *environment = g_environ_setenv (*environment, key, value, TRUE);
  return TRUE;
}

static gboolean
set_environment (BzCommand *command, const BzArguments *arguments, int tree_fd, GError **error)
{
  g_autofree const char **given = bz_arguments_list (arguments, "env");
  g_auto (GStrv) environment = g_new0 (char *, 1);

  environment = g_environ_setenv (environment, "PATH", ZONE_PATH, TRUE);
  if (command->terminal)
    {
      g_autofree char *term = choose_term (tree_fd);
      environment = g_environ_setenv (environment, "TERM", term, TRUE);
    }
  for (const char **one = given; *one != NULL; one++)
    {
      if (!set_given (&environment, *one, error))
        return FALSE;
    }
  g_strfreev (command->environment);
  command->environment = g_steal_pointer (&environment);
  return TRUE;
}

BzCommand *
bz_prepare_command (const BzArguments *arguments, int tree_fd, GError **error)
{
  static const char *const shell[] = { "/bin/sh", NULL };
  g_autoptr (BzCommand) command = bz_command_new ();
  char **words = bz_arguments_command (arguments);
  const char *directory = bz_arguments_string (arguments, "workdir");
  gboolean bare = words[0] == NULL && isatty (STDIN_FILENO) && isatty (STDOUT_FILENO);

  if (directory != NULL && directory[0] != '/')
    {
      g_autofree char *safe = bz_text_safe (directory);
      bz_fail (error, BZ_ERROR_USAGE, "it is not absolute", "write a path that begins with /",
               "the directory %s", safe);
      return NULL;
    }
  g_strfreev (command->argv);
  command->argv = g_strdupv (words[0] != NULL ? words : (char **) shell);
  command->user = g_strdup (bz_arguments_string (arguments, "user"));
  command->directory = g_strdup (directory);
  command->interactive = bare || bz_arguments_flag (arguments, "interactive");
  command->terminal = bare || bz_arguments_flag (arguments, "tty");
  if (!set_environment (command, arguments, tree_fd, error))
    return NULL;
  return g_steal_pointer (&command);
}

const char *
bz_command_path (const BzCommand *command)
{
  const char *path = g_environ_getenv (command->environment, "PATH");

  return path != NULL ? path : ZONE_PATH;
}
