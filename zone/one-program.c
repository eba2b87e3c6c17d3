/* One old program, no zone.
 *
 * Problem: a vendor with one binary has no tree to install. The program shall find what it would find
 * if it ran directly (its directory, its arguments, its user, its terminal), and the kernel that it
 * was made for.
 *
 * Choice: a zone that lives as long as the program does.
 *   root       of --image, or empty but for the few files of /etc below; never kept
 *   brand      by the libraries' and the program's own looks (brand/detect.h); of --image, the tree's
 *   volumes    the current directory and the program's, under their own names, so that relative paths
 *              and the paths below them mean the same inside; system directories are left out, as
 *              they would hide the tree's (of those the program's file alone is shown)
 *   libraries  --libs: the directory with the interpreter stands where the program wants that
 *   ids        root is the zone's root, whose ids are the host's ids by idmapped mounts; a plain user
 *              sees his own (launch.c)
 *   network, host name   the host's
 *   core dump  the kernel writes it by core_pattern: relative to the program's directory; into an
 *              absolute one in the zone, which is why that directory is a volume too; a pattern with a
 *              pipe is the host's affair (process numbers in names are the zone's)
 * The environment is the caller's but for what names libraries, locales or places of the host.
 *
 * Limits: descriptors above 2 are closed; /tmp and devices are the zone's; see direct.c. */
#include "config.h"

#include "zone/one-program.h"

#include "brand/base/error.h"
#include "zone/names.h"
#include "zone/one-libraries.h"
#include "zone/program.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PROGRAM_BYTES ((gsize) 256 << 20)

typedef struct {
  const char *image; /* or NULL */
  char **argv;       /* owned */
  char *directory;   /* the current one, absolute and without links */
  char *path;        /* of the program, absolute, as it was written */
  char *real;        /* without links */
  GBytes *bytes;
  BzOneLibraries *libraries; /* or NULL */
} OneProgram;

static void
one_clear (OneProgram *one)
{
  g_strfreev (one->argv);
  g_free (one->directory);
  g_free (one->path);
  g_free (one->real);
  g_clear_pointer (&one->bytes, g_bytes_unref);
  g_clear_pointer (&one->libraries, bz_one_libraries_free);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (OneProgram, one_clear)

gboolean
bz_one_program_given (const BzArguments *arguments)
{
  const char *word = bz_arguments_word (arguments, 0);
  const char *command = bz_arguments_command (arguments)[0];

  if (bz_arguments_string (arguments, "image") == NULL)
    return word != NULL && strchr (word, '/') != NULL;
  return command != NULL
         && (g_str_has_prefix (command, "./") || g_str_has_prefix (command, "../"));
}

/* --- the program --- */

static gboolean
no_program (const OneProgram *one, int saved_errno, GError **error)
{
  g_autofree char *safe = bz_text_safe (one->argv[0]);
  gboolean missing = saved_errno == ENOENT || saved_errno == ENOTDIR;

  return bz_fail (error, missing ? BZ_ERROR_NOT_FOUND : BZ_ERROR_NOT_EXECUTABLE,
                  g_strerror (saved_errno),
                  missing ? "a word with a slash is a program of this host, any other a zone"
                          : "is it a file, and may you execute it?",
                  "running %s", safe);
}

static gboolean
read_program (OneProgram *one, GError **error)
{
  g_autoptr (GError) problem = NULL;
  g_autofree char *data = NULL;
  gsize length;
  struct stat st;

  one->real = realpath (one->argv[0], NULL);
  if (one->real == NULL || stat (one->real, &st) != 0)
    return no_program (one, errno, error);
  if (!S_ISREG (st.st_mode) || access (one->real, X_OK) != 0)
    return no_program (one, EACCES, error);
  if ((gsize) st.st_size > PROGRAM_BYTES)
    return no_program (one, EFBIG, error);
  if (!g_file_get_contents (one->real, &data, &length, &problem))
    return no_program (one, errno, error);
  one->bytes = g_bytes_new_take (g_steal_pointer (&data), length);
  return TRUE;
}

static gboolean
look (OneProgram *one, const BzArguments *arguments, GError **error)
{
  g_autoptr (GStrvBuilder) words = g_strv_builder_new ();

  one->image = bz_arguments_string (arguments, "image");
  if (one->image == NULL)
    g_strv_builder_add (words, bz_arguments_word (arguments, 0));
  g_strv_builder_addv (words, (const char **) bz_arguments_command (arguments));
  one->argv = g_strv_builder_end (words);
  one->directory = realpath (".", NULL);
  if (one->directory == NULL)
    return bz_fail_errno (error, errno, "change to one that exists", "the current directory");
  one->path = g_canonicalize_filename (one->argv[0], one->directory);
  return read_program (one, error);
}

/* --- what it sees --- */

/* Whether a directory of the host would hide what the zone has under the same name. */
static gboolean
is_system_directory (const char *path)
{
  static const char *const systems[] = { "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32",
                                         "/usr", "/etc",  "/dev", "/proc",  "/sys",   "/run" };
  static const char *const others[] = { "/", "/tmp", "/var", "/var/tmp", "/home" };

  for (guint i = 0; i < G_N_ELEMENTS (others); i++)
    if (strcmp (path, others[i]) == 0)
      return TRUE;
  for (guint i = 0; i < G_N_ELEMENTS (systems); i++)
    {
      gsize length = strlen (systems[i]);
      if (strncmp (path, systems[i], length) == 0 && (path[length] == '\0' || path[length] == '/')
          && !g_str_has_prefix (path, "/usr/local/") && !g_str_has_prefix (path, "/usr/src/"))
        return TRUE;
    }
  return FALSE;
}

static gboolean
is_below (const char *path, const char *directory)
{
  gsize length = strlen (directory);

  return strncmp (path, directory, length) == 0 && (path[length] == '\0' || path[length] == '/');
}

static void
show (GPtrArray *volumes, const char *path, gboolean read_only)
{
  g_ptr_array_add (volumes, bz_volume_new (path, path, read_only));
}

/* The directory of `path`, or the file alone. */
static void
show_place_of (GPtrArray *volumes, const char *path, const char *shown)
{
  g_autofree char *place = g_path_get_dirname (path);

  if (is_system_directory (place))
    show (volumes, path, TRUE);
  else if (shown == NULL || !is_below (place, shown))
    show (volumes, place, FALSE);
}

static void
show_core_directory (GPtrArray *volumes)
{
  g_autofree char *pattern = NULL;
  g_autofree char *place = NULL;

  if (!g_file_get_contents ("/proc/sys/kernel/core_pattern", &pattern, NULL, NULL)
      || pattern[0] != '/')
    return;
  place = g_path_get_dirname (pattern);
  if (strchr (place, '%') == NULL && strcmp (place, "/") != 0 && access (place, W_OK) == 0)
    show (volumes, place, FALSE);
}

/* Where the tree has nothing of its own. */
static void
show_host_files (GPtrArray *volumes)
{
  static const char *const files[] = { "/etc/passwd",    "/etc/group",    "/etc/hosts",
                                       "/etc/localtime", "/etc/services", "/etc/resolv.conf" };

  for (guint i = 0; i < G_N_ELEMENTS (files); i++)
    if (g_file_test (files[i], G_FILE_TEST_IS_REGULAR) && access (files[i], R_OK) == 0)
      show (volumes, files[i], TRUE);
}

/* Before what -v adds, which may cover it. */
static void
add_volumes (const OneProgram *one, GPtrArray *volumes)
{
  g_autoptr (GPtrArray) own = g_ptr_array_new ();
  gboolean here = !is_system_directory (one->directory);

  if (one->image == NULL)
    show_host_files (own);
  if (one->libraries != NULL)
    bz_one_libraries_show (one->libraries, own);
  show_core_directory (own);
  if (here)
    show (own, one->directory, FALSE);
  show_place_of (own, one->real, here ? one->directory : NULL);
  if (strcmp (one->path, one->real) != 0)
    show_place_of (own, one->path, here ? one->directory : NULL);
  for (guint i = 0; i < own->len; i++)
    g_ptr_array_insert (volumes, (int) i, g_ptr_array_index (own, i));
}

/* --- its surroundings --- */

static gboolean
is_of_the_host (const char *name)
{
  static const char *const names[] = { "GLIBC_TUNABLES", "GCONV_PATH", "LOCPATH",  "NLSPATH", "LANG",
                                       "LANGUAGE",       "PYTHONHOME", "PERL5LIB", "TERMINFO" };

  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    if (strcmp (name, names[i]) == 0)
      return TRUE;
  return g_str_has_prefix (name, "LD_") || g_str_has_prefix (name, "LC_")
         || g_str_has_prefix (name, "BRANDZONE_");
}

/* What `command` has was asked for (-e) or is the zone's (PATH): it comes before the caller's. */
static void
set_environment (const OneProgram *one, BzCommand *command)
{
  g_auto (GStrv) callers = g_get_environ ();

  for (char **one_of = callers; *one_of != NULL; one_of++)
    {
      g_autofree char *name = g_strndup (*one_of, strcspn (*one_of, "="));
      if (strchr (*one_of, '=') != NULL && name[0] != '\0' && !is_of_the_host (name))
        command->environment = g_environ_setenv (command->environment, name,
                                                 strchr (*one_of, '=') + 1, FALSE);
    }
  if (command->directory != NULL && strcmp (command->directory, one->directory) == 0)
    command->environment =
        g_environ_setenv (command->environment, "PWD", one->directory, TRUE);
  if (one->libraries != NULL)
    command->environment = bz_one_libraries_environment (one->libraries, command->environment);
}

static void
set_command (const OneProgram *one, const BzContext *context, const BzArguments *arguments,
             BzPartition *partition)
{
  BzCommand *command = partition->command;

  g_strfreev (command->argv);
  command->argv = g_strdupv (one->argv);
  command->interactive = TRUE;
  command->direct = partition->idle = !command->terminal;
  if (command->directory == NULL && is_system_directory (one->directory))
    {
      bz_context_note (context, "%s is a directory of the system: the program does not see it",
                       one->directory);
      command->directory = g_strdup ("/");
    }
  else if (command->directory == NULL)
    command->directory = g_strdup (one->directory);
  if (geteuid () != 0 && command->user == NULL)
    {
      command->own_ids = TRUE;
      command->uid = geteuid ();
      command->gid = getegid ();
    }
  set_environment (one, command);
  if (bz_arguments_string (arguments, "network") == NULL)
    partition->network = BZ_NETWORK_HOST;
  if (partition->hostname == NULL)
    partition->hostname = g_strdup (g_get_host_name ());
}

/* What an empty root holds. A home that is not shown is an empty one, not a missing one; without a
 * cache of libraries (this one, in the format of 1995, lists none) ld.so of libc 5 complains. */
static gboolean
fill_root (const char *root, GError **error)
{
  static const char nss[] = "passwd: files\ngroup: files\nhosts: files dns\n";
  static const char no_libraries[16] = "ld.so-1.7.0";
  g_autofree char *etc = g_build_filename (root, "etc", NULL);
  g_autofree char *nsswitch = g_build_filename (etc, "nsswitch.conf", NULL);
  g_autofree char *cache = g_build_filename (etc, "ld.so.cache", NULL);
  g_autofree char *tmp = g_build_filename (root, "var/tmp", NULL);
  const char *own = g_getenv ("HOME");
  g_autofree char *home = own != NULL && own[0] == '/' && strstr (own, "..") == NULL
                              ? g_build_filename (root, own, NULL)
                              : NULL;
  mode_t mask = umask (022);
  gboolean good = g_mkdir (etc, 0755) == 0 && g_mkdir_with_parents (tmp, 0755) == 0
                  && chmod (tmp, 01777) == 0
                  && (home == NULL || g_mkdir_with_parents (home, 0755) == 0)
                  && g_file_set_contents (nsswitch, nss, -1, NULL) && chmod (nsswitch, 0644) == 0
                  && g_file_set_contents (cache, no_libraries, sizeof no_libraries, NULL)
                  && chmod (cache, 0644) == 0;

  umask (mask);
  return good || bz_fail_errno (error, errno, NULL, "filling %s", root);
}

/* --- the whole --- */

static BzPlanning *
plan (const OneProgram *one, const BzContext *context, const BzArguments *arguments,
      GError **error)
{
  if (one->image != NULL)
    return bz_planning_tree (context, arguments, one->image, error);
  return bz_planning_program (context, arguments, one->bytes, one->real,
                              one->libraries != NULL ? bz_one_libraries_fd (one->libraries) : -1,
                              error);
}

BzPrepared *
bz_one_program_prepare (const BzContext *context, const BzArguments *arguments, GError **error)
{
  g_auto (OneProgram) one = { 0 };

  if (!look (&one, arguments, error))
    return NULL;
  if (one.image == NULL
      && !bz_one_libraries_find (context, arguments, one.bytes, one.argv[0], &one.libraries, error))
    return NULL;
  g_autoptr (BzPlanning) planning = plan (&one, context, arguments, error);
  if (planning == NULL)
    return NULL;
  g_autoptr (BzPrepared) prepared =
      bz_prepare_program (context, arguments, g_steal_pointer (&planning), one.image != NULL, error);
  if (prepared == NULL || (one.image == NULL && !fill_root (prepared->partition->root, error)))
    return NULL;
  set_command (&one, context, arguments, prepared->partition);
  add_volumes (&one, prepared->partition->volumes);
  bz_context_detail (context, "%s runs as brand %s, Linux %s", one.argv[0],
                     prepared->planning->plan->brand, prepared->planning->plan->release);
  return g_steal_pointer (&prepared);
}
