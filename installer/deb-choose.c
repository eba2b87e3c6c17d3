/* What Debian repositories hold.
 *
 * Facts: dists/SUITE/Release names each architecture's Packages file with checksums, and Release.gpg
 * signs it; Packages tells all of each package. A userland begins with the packages that are
 * essential or of priority "required": they may be needed without being named by anyone, and only
 * they can install others.
 * Choice: Release with its detached signature alone (InRelease holds the same); SHA256, in old
 * suites SHA1 or MD5, whatever is the best that Release tells. Packages is read twice, by libsolv for
 * the dependencies and here for the priorities, which libsolv leaves out. Limits: one suite,
 * component main. */
#include "config.h"

#include "installer/choose.h"

#include "brand/base/error.h"
#include "installer/tree.h"

#include <solv/repo_deb.h>
#include <solv/solv_xfopen.h>
#include <string.h>
#include <unistd.h>

#define RELEASE_MAX (16 * 1024 * 1024)
#define LINE_BYTES (1024 * 1024)

void
bz_deb_layout_clear (BzDebLayout *layout)
{
  g_free (layout->suite);
  g_free (layout->arch);
}

static char *
suite_path (const char *suite, const char *file)
{
  return g_strdup_printf ("dists/%s/%s", suite, file);
}

static gboolean
has_release (BzMedia *media, const char *suite, gboolean *has, GError **error)
{
  g_autofree char *path = suite_path (suite, "Release");
  gboolean missing;
  int fd = bz_media_open (media, path, &missing, error);

  *has = fd >= 0;
  if (fd >= 0)
    close (fd);
  return fd >= 0 || missing;
}

/* The only suite below dists, where the repository is a directory. */
static gboolean
find_suite (BzMedia *media, char **suite, GError **error)
{
  g_autoptr (GError) failure = NULL;
  g_autoptr (GPtrArray) names = bz_media_list (media, "dists", "", &failure);
  g_autoptr (GString) all = g_string_new (NULL);
  guint count = 0;

  if (failure != NULL)
    {
      g_propagate_error (error, g_steal_pointer (&failure));
      return FALSE;
    }
  for (guint i = 0; names != NULL && i < names->len; i++)
    {
      gboolean has;

      if (!has_release (media, names->pdata[i], &has, error))
        return FALSE;
      if (!has)
        continue;
      if (count++ == 0)
        *suite = g_strdup (names->pdata[i]);
      g_string_append_printf (all, " %s", (char *) names->pdata[i]);
    }
  if (count <= 1)
    return TRUE;
  g_clear_pointer (suite, g_free);
  g_autofree char *why = g_strdup_printf ("it holds several suites:%s", all->str);
  return bz_fail (error, BZ_ERROR_USAGE, why, "name one with --suite", "%s", media->label);
}

gboolean
bz_deb_layout_find (BzMedia *media, const char *suite, BzDebLayout *layout, GError **error)
{
  gboolean has = FALSE;

  *layout = (BzDebLayout){ 0 };
  if (suite == NULL)
    {
      if (!find_suite (media, &layout->suite, error))
        return FALSE;
      return layout->suite != NULL;
    }
  if (!has_release (media, suite, &has, error))
    return FALSE;
  if (has)
    layout->suite = g_strdup (suite);
  return has;
}

/* --- Release --- */

typedef struct {
  BzChoosing *c;
  BzDebLayout *layout;
  char **lines;
  FILE *packages;
} Reading;

static void
reading_clear (Reading *r)
{
  g_strfreev (r->lines);
  if (r->packages != NULL)
    fclose (r->packages);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Reading, reading_clear)

static const char *
field (char **lines, const char *name)
{
  gsize length = strlen (name);

  for (; lines != NULL && *lines != NULL; lines++)
    if (g_ascii_strncasecmp (*lines, name, length) == 0 && (*lines)[length] == ':')
      {
        const char *value = *lines + length + 1;

        return value + strspn (value, " \t");
      }
  return NULL;
}

static gboolean
verify_release (Reading *r, int fd, GError **error)
{
  BzMedia *media = r->c->media;
  g_autofree char *path = suite_path (r->layout->suite, "Release.gpg");
  g_autofree char *who = NULL;
  gboolean has, missing;

  if (!bz_media_has_keys (media, &has, error))
    return FALSE;
  if (!has)
    {
      bz_job_notice (media->job,
                     "no signature was checked: give the distribution's key with --key FILE");
      return TRUE;
    }
  int signature = bz_media_open (media, path, &missing, error);
  if (signature < 0)
    return missing ? bz_fail (error, BZ_ERROR_INPUT, "it is not signed (it has no Release.gpg)",
                              "leave --key out to install without looking at signatures",
                              "suite %s of %s", r->layout->suite, media->label)
                   : FALSE;
  r->c->verified = bz_media_verify (media, fd, signature, path, &who, error);
  close (signature);
  if (r->c->verified)
    bz_job_notice (media->job, "the repository is signed by %s", who);
  return r->c->verified;
}

static gboolean
read_lines (Reading *r, int fd, GError **error)
{
  g_autoptr (GString) text = g_string_new (NULL);
  char block[16384];
  off_t at = 0;
  gssize size;

  while (text->len <= RELEASE_MAX && (size = pread (fd, block, sizeof block, at)) > 0)
    {
      g_string_append_len (text, block, size);
      at += size;
    }
  if (text->len > RELEASE_MAX || strlen (text->str) != text->len)
    return bz_fail (error, BZ_ERROR_INPUT, "it is no Release file", NULL, "%s/dists/%s/Release",
                    r->c->media->label, r->layout->suite);
  r->lines = g_strsplit (text->str, "\n", -1);
  return TRUE;
}

static gboolean
read_release (Reading *r, GError **error)
{
  g_autofree char *path = suite_path (r->layout->suite, "Release");
  gboolean missing;
  int fd = bz_media_open (r->c->media, path, &missing, error);

  if (fd < 0)
    return missing ? bz_fail (error, BZ_ERROR_INPUT, "it is missing", NULL, "%s/%s",
                              r->c->media->label, path)
                   : FALSE;
  gboolean good = verify_release (r, fd, error) && read_lines (r, fd, error);
  close (fd);
  return good;
}

static gboolean
choose_arch (Reading *r, GError **error)
{
  const char *told = field (r->lines, "Architectures"), *given = r->c->choice->arch;
  g_auto (GStrv) known = g_strsplit_set (told == NULL ? "" : told, " \t\r", -1);
  const char *const wanted[] = { given == NULL || strcmp (given, "x86_64") == 0 ? "amd64" : "i386",
                                 given == NULL ? "i386" : NULL, NULL };

  for (const char *const *arch = wanted; *arch != NULL; arch++)
    if (g_strv_contains ((const char *const *) known, *arch))
      {
        r->layout->arch = g_strdup (*arch);
        return TRUE;
      }
  g_autofree char *why = g_strdup_printf ("it is for %s", told == NULL ? "no known machine" : told);
  return bz_fail (error, BZ_ERROR_INPUT, why, NULL, "suite %s of %s", r->layout->suite,
                  r->c->media->label);
}

/* The checksum of `path` in the section of that name, or NULL. */
static char *
release_sum (Reading *r, const char *section, const char *path)
{
  gboolean inside = FALSE;

  for (char **line = r->lines; line != NULL && *line != NULL; line++)
    {
      if ((*line)[0] != ' ')
        {
          inside = g_ascii_strncasecmp (*line, section, strlen (section)) == 0
                   && (*line)[strlen (section)] == ':';
          continue;
        }
      char sum[130], name[512]; /* between them the size */
      if (inside && sscanf (*line, " %129s %*s %511s", sum, name) == 2
          && strcmp (name, path) == 0)
        return g_strdup (sum);
    }
  return NULL;
}

/* --- Packages --- */

/* One form of the file. NULL without an error: Release does not name it, or it is not there. */
static FILE *
open_form (Reading *r, const char *suffix, GError **error)
{
  static const struct {
    const char *section;
    GChecksumType kind;
  } sums[] = { { "SHA256", G_CHECKSUM_SHA256 },
               { "SHA1", G_CHECKSUM_SHA1 },
               { "MD5Sum", G_CHECKSUM_MD5 } };
  g_autofree char *name = g_strdup_printf ("main/binary-%s/Packages%s", r->layout->arch, suffix);
  g_autofree char *path = suite_path (r->layout->suite, name);

  for (gsize i = 0; i < G_N_ELEMENTS (sums); i++)
    {
      g_autofree char *sum = release_sum (r, sums[i].section, name);
      gboolean missing;

      if (sum == NULL)
        continue;
      int fd = bz_media_open (r->c->media, path, &missing, error);
      if (fd < 0)
        return NULL;
      if (bz_choosing_check (r->c, fd, path, sums[i].kind, sum, error)
          && lseek (fd, 0, SEEK_SET) == 0)
        {
          FILE *file = solv_xfopen_fd (path, fd, "r");

          if (file != NULL)
            return file;
        }
      close (fd);
      return NULL;
    }
  return NULL;
}

static FILE *
open_packages (Reading *r, GError **error)
{
  static const char *const suffixes[] = { ".xz", ".gz", ".bz2", "" };
  g_autoptr (GError) failure = NULL;
  FILE *file = NULL;

  for (gsize i = 0; file == NULL && failure == NULL && i < G_N_ELEMENTS (suffixes); i++)
    file = open_form (r, suffixes[i], &failure);
  if (failure != NULL)
    g_propagate_error (error, g_steal_pointer (&failure));
  else if (file == NULL)
    bz_fail (error, BZ_ERROR_INPUT, "it has no list of packages that can be read", NULL,
             "suite %s of %s for %s", r->layout->suite, r->c->media->label, r->layout->arch);
  return file;
}

/* name -> its priority; "required" for what is essential. */
static GHashTable *
read_priorities (FILE *file)
{
  GHashTable *table = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  g_autofree char *line = g_malloc (LINE_BYTES);
  g_autofree char *name = NULL;

  while (fgets (line, LINE_BYTES, file) != NULL)
    {
      g_strchomp (line);
      if (*line == '\0')
        g_clear_pointer (&name, g_free);
      else if (g_str_has_prefix (line, "Package: "))
        {
          g_free (name);
          name = g_strdup (line + strlen ("Package: "));
        }
      else if (name != NULL && g_str_has_prefix (line, "Priority: ")
               && !g_hash_table_contains (table, name))
        g_hash_table_insert (table, g_strdup (name), g_strdup (line + strlen ("Priority: ")));
      else if (name != NULL && strcmp (line, "Essential: yes") == 0)
        g_hash_table_insert (table, g_strdup (name), g_strdup ("required"));
    }
  return table;
}

static int
compare_names (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const char *const *) a, *(const char *const *) b);
}

/* "@required" becomes the names of that priority. */
static char **
expand (char **words, GHashTable *priorities)
{
  g_autoptr (GPtrArray) all = g_ptr_array_new ();

  for (; words != NULL && *words != NULL; words++)
    {
      GHashTableIter iter;
      gpointer name, priority;

      if ((*words)[0] != '@')
        {
          g_ptr_array_add (all, g_strdup (*words));
          continue;
        }
      g_autoptr (GPtrArray) names = g_ptr_array_new ();
      g_hash_table_iter_init (&iter, priorities);
      while (g_hash_table_iter_next (&iter, &name, &priority))
        if (strcmp (priority, *words + 1) == 0)
          g_ptr_array_add (names, g_strdup (name));
      g_ptr_array_sort (names, compare_names);
      g_ptr_array_extend_and_steal (all, g_steal_pointer (&names));
    }
  g_ptr_array_add (all, NULL);
  return (char **) g_ptr_array_free (g_steal_pointer (&all), FALSE);
}

static GPtrArray *
solve (Reading *r, const BzChoice *choice, GError **error)
{
  g_autoptr (GHashTable) priorities = NULL;
  FILE *again;

  r->packages = open_packages (r, error);
  if (r->packages == NULL)
    return NULL;
  if (repo_add_debpackages (r->c->repo, r->packages, 0) != 0)
    {
      bz_fail (error, BZ_ERROR_INPUT, pool_errstr (r->c->pool), NULL,
               "reading the list of packages of %s", r->c->media->label);
      return NULL;
    }
  again = open_packages (r, error);
  if (again == NULL)
    return NULL;
  priorities = read_priorities (again);
  fclose (again);
  g_auto (GStrv) wanted = expand (choice->wanted, priorities);
  g_auto (GStrv) seed = expand (choice->seed, priorities);
  BzChoice expanded = { wanted, seed, choice->arch };
  r->c->choice = &expanded;
  pool_setarch (r->c->pool, r->layout->arch);
  return bz_choosing_solve (r->c, error);
}

GPtrArray *
bz_deb_choose (BzMedia *media, BzDebLayout *layout, const BzChoice *choice, GError **error)
{
  g_autoptr (BzChoosing) c = bz_choosing_new (media, choice, DISTTYPE_DEB, error);
  g_auto (Reading) r = { .c = c, .layout = layout };

  if (c == NULL)
    return NULL;
  c->sums = TRUE;
  if (!read_release (&r, error) || !choose_arch (&r, error))
    return NULL;
  return solve (&r, choice, error);
}
