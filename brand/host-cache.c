#include "config.h"

#include "brand/host-cache.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LARGEST 4096

/* What the cache must have been made for. NULL when the boot can't be told. */
static char *
identity (void)
{
  g_autofree char *boot = NULL;
  g_autofree char *namespace = g_file_read_link ("/proc/self/ns/user", NULL);

  if (!g_file_get_contents ("/proc/sys/kernel/random/boot_id", &boot, NULL, NULL))
    return NULL;
  return g_strdup_printf ("%s %u %s %s", g_strstrip (boot), (guint) geteuid (),
                          namespace != NULL ? namespace : "-", PACKAGE_VERSION);
}

static char *
cache_file (const char *dir)
{
  g_autofree char *base = g_strdup_printf ("host-%u", (guint) geteuid ());

  return g_build_filename (dir, base, NULL);
}

/* Reads the file if it is the caller's own. */
static gboolean
read_own (const char *file, char *text)
{
  int fd = open (file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
  struct stat status;
  gssize got = -1;

  if (fd < 0)
    return FALSE;
  if (fstat (fd, &status) == 0 && S_ISREG (status.st_mode) && status.st_uid == geteuid ()
      && (status.st_mode & 022) == 0 && status.st_size < LARGEST)
    got = read (fd, text, LARGEST - 1);
  close (fd);
  if (got <= 0)
    return FALSE;
  text[got] = '\0';
  return TRUE;
}

void
bz_host_cache_read (const char *dir, const gboolean *cached, BzHost *host)
{
  g_autofree char *file = cache_file (dir);
  g_autofree char *wanted = identity ();
  g_autoptr (GKeyFile) keys = g_key_file_new ();
  char text[LARGEST];

  if (wanted == NULL || !read_own (file, text)
      || !g_key_file_load_from_data (keys, text, strlen (text), G_KEY_FILE_NONE, NULL))
    return;
  g_autofree char *found = g_key_file_get_string (keys, "Host", "Identity", NULL);
  if (g_strcmp0 (found, wanted) != 0)
    return;
  for (guint i = 0; i < BZ_FEATURE_COUNT; i++)
    if (cached[i])
      host->has[i] =
          g_key_file_get_boolean (keys, "Features", bz_feature_name ((BzFeature) i), NULL);
}

void
bz_host_cache_write (const char *dir, const gboolean *cached, const BzHost *host)
{
  g_autofree char *file = cache_file (dir);
  g_autofree char *made_for = identity ();
  g_autoptr (GKeyFile) keys = g_key_file_new ();

  if (made_for == NULL)
    return;
  g_key_file_set_string (keys, "Host", "Identity", made_for);
  for (guint i = 0; i < BZ_FEATURE_COUNT; i++)
    if (cached[i] && host->has[i])
      g_key_file_set_boolean (keys, "Features", bz_feature_name ((BzFeature) i), TRUE);

  gsize length;
  g_autofree char *text = g_key_file_to_data (keys, &length, NULL);
  g_mkdir_with_parents (dir, 0755);
  g_file_set_contents_full (file, text, (gssize) length, G_FILE_SET_CONTENTS_CONSISTENT, 0644,
                            NULL);
}
