/* What RPM repositories and media hold.
 *
 * Facts: repositories since 2003 have repodata/repomd.xml, which names primary.xml (packages, their
 * dependencies, the files of bin and etc) and filelists.xml (all files) with checksums. Media before
 * that are directories of packages; Red Hat's lie in RedHat/RPMS.
 * Choice: without metadata each package's header is read (librpm) and given to libsolv, which costs
 * a look into every package. Lists of all files are read only when something is missing without
 * them. */
#include "config.h"

#include "installer/choose.h"

#include "brand/base/error.h"
#include "installer/tree.h"

#include <fcntl.h>
#include <rpm/rpmlib.h>
#include <solv/chksum.h>
#include <solv/dataiterator.h>
#include <solv/poolarch.h>
#include <solv/repo_comps.h>
#include <solv/repo_repomdxml.h>
#include <solv/repo_rpmdb.h>
#include <solv/repo_rpmmd.h>
#include <solv/solv_xfopen.h>
#include <string.h>
#include <unistd.h>

#include "installer/rpm-read.h"

#define PACKAGES_MAX 100000

/* Where packages without metadata have been found, and where repodata may lie beside them. */
static const char *const directories[] = { "RedHat/RPMS", "Fedora/RPMS", "CentOS/RPMS",
                                           "Mandrake/RPMS", "RPMS", "Packages", "" };

gboolean
bz_rpm_layout_find (BzMedia *media, BzRpmLayout *layout, GError **error)
{
  g_autoptr (GError) failure = NULL;
  gboolean missing;
  int fd = bz_media_open (media, "repodata/repomd.xml", &missing, &failure);

  *layout = (BzRpmLayout){ 0 };
  if (fd >= 0)
    {
      close (fd);
      layout->metadata = TRUE;
      layout->directory = g_strdup ("");
      return TRUE;
    }
  for (gsize i = 0; failure == NULL && i < G_N_ELEMENTS (directories); i++)
    {
      g_autoptr (GPtrArray) names = bz_media_list (media, directories[i], ".rpm", &failure);

      if (names != NULL && names->len > 0)
        {
          layout->directory = g_strdup (directories[i]);
          return TRUE;
        }
    }
  if (failure != NULL)
    g_propagate_error (error, g_steal_pointer (&failure));
  return FALSE;
}

/* --- metadata --- */

/* One of the files that repomd.xml names, its checksum checked, decompressed by its name's end.
 * NULL without an error: it names none of that type. */
static FILE *
open_metadata (BzChoosing *c, const char *type, GError **error)
{
  g_autofree char *path = NULL;
  g_autofree char *sum = NULL;
  const unsigned char *bytes;
  GChecksumType kind = G_CHECKSUM_SHA256;
  gboolean absolute, missing;
  Dataiterator di;
  Id sum_type = 0;

  dataiterator_init (&di, c->pool, c->repo, SOLVID_META, REPOSITORY_REPOMD_TYPE, type,
                     SEARCH_STRING);
  dataiterator_prepend_keyname (&di, REPOSITORY_REPOMD);
  if (dataiterator_step (&di))
    {
      dataiterator_setpos_parent (&di);
      path = g_strdup (pool_lookup_str (c->pool, SOLVID_POS, REPOSITORY_REPOMD_LOCATION));
      bytes =
          pool_lookup_bin_checksum (c->pool, SOLVID_POS, REPOSITORY_REPOMD_CHECKSUM, &sum_type);
      if (bytes != NULL)
        sum = g_strdup (pool_bin2hex (c->pool, bytes, solv_chksum_len (sum_type)));
    }
  dataiterator_free (&di);
  if (path == NULL)
    return NULL;
  g_autofree char *clean = bz_tree_clean_path (path, &absolute, error);
  int fd = clean == NULL ? -1 : bz_media_open (c->media, clean, &missing, error);
  if (fd < 0)
    {
      if (clean != NULL && missing)
        bz_fail (error, BZ_ERROR_INPUT, "repomd.xml names it, and it is missing", "get it again",
                 "%s/%.200s", c->media->label, clean);
      return NULL;
    }
  gboolean good = sum != NULL && bz_choosing_checksum (sum_type, &kind);
  if (!good)
    bz_fail (error, BZ_ERROR_INPUT, "repomd.xml tells no checksum of a kind that is known", NULL,
             "%s/%.200s", c->media->label, clean);
  FILE *file = good && bz_choosing_check (c, fd, clean, kind, sum, error) && lseek (fd, 0, SEEK_SET) == 0
                   ? solv_xfopen_fd (clean, fd, "r")
                   : NULL;
  if (file == NULL)
    {
      if (error != NULL && *error == NULL)
        bz_fail (error, BZ_ERROR_INPUT, "it is compressed in a way that libsolv does not know",
                 NULL, "%s/%.200s", c->media->label, clean);
      close (fd);
    }
  return file;
}

/* repomd.xml.asc beside repomd.xml, when there are keys to check it with. */
static gboolean
verify_metadata (BzChoosing *c, int fd, GError **error)
{
  gboolean has, missing;
  g_autofree char *who = NULL;

  if (!bz_media_has_keys (c->media, &has, error))
    return FALSE;
  if (!has)
    return TRUE;
  int signature = bz_media_open (c->media, "repodata/repomd.xml.asc", &missing, error);
  if (signature < 0)
    return missing;
  c->verified =
      bz_media_verify (c->media, fd, signature, "repodata/repomd.xml.asc", &who, error);
  close (signature);
  if (c->verified)
    bz_job_notice (c->media->job, "the repository's metadata are signed by %s", who);
  return c->verified;
}

static gboolean
add_metadata (BzChoosing *c, const char *type, const char *language, int flags, GError **error)
{
  g_autoptr (GError) failure = NULL;
  FILE *file = open_metadata (c, type, &failure);

  if (file == NULL)
    {
      if (failure == NULL)
        return TRUE;
      g_propagate_error (error, g_steal_pointer (&failure));
      return FALSE;
    }
  int result = strcmp (type, "group") == 0 ? repo_add_comps (c->repo, file, flags)
                                           : repo_add_rpmmd (c->repo, file, language, flags);
  fclose (file);
  return result == 0
         || bz_fail (error, BZ_ERROR_INPUT, pool_errstr (c->pool), NULL, "reading the %s of %s",
                     type, c->media->label);
}

static gboolean
read_metadata (BzChoosing *c, GError **error)
{
  gboolean missing;
  int fd = bz_media_open (c->media, "repodata/repomd.xml", &missing, error);

  if (fd < 0)
    return missing ? bz_fail (error, BZ_ERROR_INPUT, "it went away", NULL,
                              "%s/repodata/repomd.xml", c->media->label)
                   : FALSE;
  gboolean good = verify_metadata (c, fd, error) && lseek (fd, 0, SEEK_SET) == 0;
  FILE *file = good ? fdopen (fd, "r") : NULL;
  if (file == NULL)
    {
      close (fd);
      return FALSE;
    }
  good = repo_add_repomdxml (c->repo, file, 0) == 0
         || bz_fail (error, BZ_ERROR_INPUT, pool_errstr (c->pool), NULL,
                     "reading %s/repodata/repomd.xml", c->media->label);
  fclose (file);
  return good && add_metadata (c, "primary", NULL, 0, error)
         && add_metadata (c, "group", NULL, 0, error);
}

/* --- packages without metadata --- */

static gboolean
add_package (BzChoosing *c, void *state, const char *path, GError **error)
{
  gboolean missing;
  int fd = bz_media_open (c->media, path, &missing, error);

  if (fd < 0)
    return missing; /* a link to another disc of the set */
  g_autofree char *label = g_strdup_printf ("%s/%s", c->media->label, path);
  Header header = bz_rpm_read (fd, label, error);
  struct stat st;
  guint64 size = fstat (fd, &st) == 0 ? (guint64) st.st_size : 0;
  close (fd);
  if (header == NULL)
    return FALSE;
  gboolean source = headerIsSource (header);
  Id id = source ? 0 : repo_add_rpm_handle (c->repo, rpm_byrpmh (state, header), 0);
  headerFree (header);
  if (id == 0)
    return source
           || bz_fail (error, BZ_ERROR_INPUT, "libsolv can't take its header", NULL, "%s", label);
  repodata_set_num (repo_last_repodata (c->repo), id, SOLVABLE_DOWNLOADSIZE, size);
  g_hash_table_insert (c->paths, GINT_TO_POINTER (id), g_strdup (path));
  return bz_job_step (c->media->job, error);
}

static gboolean
read_packages (BzChoosing *c, const char *directory, GError **error)
{
  g_autoptr (GPtrArray) names = bz_media_list (c->media, directory, ".rpm", error);
  gboolean good = names != NULL;

  if (names != NULL && names->len > PACKAGES_MAX)
    return bz_fail (error, BZ_ERROR_INPUT, "it holds too many packages", NULL, "%s",
                    c->media->label);
  void *state = rpm_state_create (c->pool, NULL);
  for (guint i = 0; good && i < names->len; i++)
    {
      g_autofree char *path = *directory == '\0'
                                  ? g_strdup (names->pdata[i])
                                  : g_strdup_printf ("%s/%s", directory, (char *) names->pdata[i]);
      good = add_package (c, state, path, error);
    }
  rpm_state_free (state);
  return good;
}

/* What says which distribution it is belongs to the seed: the brand is found by it. */
static gboolean
names_distribution (BzChoosing *c, Id id)
{
  static const char *const names[] = { "redhat-release", "system-release" };
  Pool *pool = c->pool;
  const char *name = pool_id2str (pool, pool->solvables[id].name);

  for (gsize i = 0; i < G_N_ELEMENTS (names); i++)
    {
      Id provided = pool_str2id (pool, names[i], 0), p, pp;

      if (provided == 0)
        continue;
      FOR_PROVIDES (p, pp, provided)
        if (p == id)
          return TRUE;
    }
  return g_str_has_suffix (name, "-release");
}

/* The lists of all files. */
static gboolean
read_files (BzChoosing *c, GError **error)
{
  return add_metadata (c, "filelists", "FL", REPO_EXTEND_SOLVABLES, error);
}

/* Packages of the 64-bit machine are taken where the repository has them. */
static const char *
find_arch (BzChoosing *c)
{
  Id wide = pool_str2id (c->pool, "x86_64", 1), id;
  Solvable *solvable;

  if (c->choice->arch != NULL)
    return c->choice->arch;
  FOR_REPO_SOLVABLES (c->repo, id, solvable)
    if (solvable->arch == wide)
      return "x86_64";
  return "i686";
}

GPtrArray *
bz_rpm_choose (BzMedia *media, const BzRpmLayout *layout, const BzChoice *choice,
               gboolean *verified, GError **error)
{
  g_autoptr (BzChoosing) c = bz_choosing_new (media, choice, DISTTYPE_RPM, error);

  *verified = FALSE;
  if (c == NULL)
    return NULL;
  c->sums = layout->metadata;
  c->is_seed = names_distribution;
  c->more = layout->metadata ? read_files : NULL;
  if (!(layout->metadata ? read_metadata (c, error) : read_packages (c, layout->directory, error)))
    return NULL;
  pool_setarch (c->pool, find_arch (c));
  *verified = c->verified;
  return bz_choosing_solve (c, error);
}
