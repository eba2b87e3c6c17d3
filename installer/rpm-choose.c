/* What has to be installed, by libsolv.
 *
 * Facts: repositories since 2003 have repodata/repomd.xml, which names primary.xml (packages, their
 * dependencies, the files of bin and etc) and filelists.xml (all files) with checksums. Media before
 * that are directories of packages; Red Hat's lie in RedHat/RPMS. Packages of that time require
 * files by name, and bash, glibc and their like require each other.
 * Choice: without metadata each package's header is read (librpm) and given to libsolv, which costs
 * a look into every package. Lists of all files are read only when something is missing without
 * them. The seed is solved a second time among the packages already chosen. Limits: weak
 * dependencies are ignored, as the package managers of that time did; one repository. */
#include "config.h"

#include "installer/packages.h"

#include "brand/base/error.h"
#include "installer/tree.h"

#include <fcntl.h>
#include <rpm/rpmlib.h>
#include <solv/chksum.h>
#include <solv/dataiterator.h>
#include <solv/policy.h>
#include <solv/pool.h>
#include <solv/poolarch.h>
#include <solv/problems.h>
#include <solv/repo.h>
#include <solv/repo_comps.h>
#include <solv/repo_repomdxml.h>
#include <solv/repo_rpmdb.h>
#include <solv/repo_rpmmd.h>
#include <solv/solv_xfopen.h>
#include <solv/solver.h>
#include <solv/transaction.h>
#include <string.h>
#include <unistd.h>

#include "installer/rpm-read.h"

#define PACKAGES_MAX 100000
#define BLOCK (64 * 1024)

/* Where packages without metadata have been found, and where repodata may lie beside them. */
static const char *const directories[] = { "RedHat/RPMS", "Fedora/RPMS", "CentOS/RPMS",
                                           "Mandrake/RPMS", "RPMS", "Packages", "" };

typedef struct {
  BzMedia *media;
  const BzRpmLayout *layout;
  const BzRpmChoice *choice;
  Pool *pool;
  Repo *repo;
  GHashTable *paths; /* solvable id -> path, where there are no metadata */
  gboolean verified;
  gboolean files; /* the lists of all files were read */
} Choosing;

void
bz_package_free (BzPackage *package)
{
  g_free (package->path);
  g_free (package->name);
  g_free (package->evr);
  g_free (package->arch);
  g_free (package->checksum);
  g_free (package);
}

static void
package_free (gpointer data)
{
  bz_package_free (data);
}

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

static gboolean
checksum_kind (Id type, GChecksumType *kind)
{
  switch (type)
    {
    case REPOKEY_TYPE_MD5:
      *kind = G_CHECKSUM_MD5;
      return TRUE;
    case REPOKEY_TYPE_SHA1:
      *kind = G_CHECKSUM_SHA1;
      return TRUE;
    case REPOKEY_TYPE_SHA256:
      *kind = G_CHECKSUM_SHA256;
      return TRUE;
    case REPOKEY_TYPE_SHA384:
      *kind = G_CHECKSUM_SHA384;
      return TRUE;
    case REPOKEY_TYPE_SHA512:
      *kind = G_CHECKSUM_SHA512;
      return TRUE;
    default:
      return FALSE;
    }
}

static gboolean
check_sum (Choosing *c, int fd, const char *path, GChecksumType kind, const char *wanted,
           GError **error)
{
  g_autoptr (GChecksum) sum = g_checksum_new (kind);
  g_autofree guint8 *block = g_malloc (BLOCK);
  off_t at = 0;
  gssize size;

  while ((size = pread (fd, block, BLOCK, at)) > 0)
    {
      g_checksum_update (sum, block, size);
      at += size;
      if (!bz_job_step (c->media->job, error))
        return FALSE;
    }
  if (g_ascii_strcasecmp (g_checksum_get_string (sum), wanted) == 0)
    return TRUE;
  return bz_fail (error, BZ_ERROR_INPUT, "its checksum is not what the repository says of it",
                  "get it again", "%s/%.200s", c->media->label, path);
}

/* One of the files that repomd.xml names, its checksum checked, decompressed by its name's end.
 * NULL without an error: it names none of that type. */
static FILE *
open_metadata (Choosing *c, const char *type, GError **error)
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
  gboolean good = sum != NULL && checksum_kind (sum_type, &kind);
  if (!good)
    bz_fail (error, BZ_ERROR_INPUT, "repomd.xml tells no checksum of a kind that is known", NULL,
             "%s/%.200s", c->media->label, clean);
  FILE *file = good && check_sum (c, fd, clean, kind, sum, error) && lseek (fd, 0, SEEK_SET) == 0
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
verify_metadata (Choosing *c, int fd, GError **error)
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
add_metadata (Choosing *c, const char *type, const char *language, int flags, GError **error)
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
read_metadata (Choosing *c, GError **error)
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
add_package (Choosing *c, void *state, const char *path, GError **error)
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
read_packages (Choosing *c, GError **error)
{
  const char *directory = c->layout->directory;
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

/* --- solving --- */

static gboolean
has_name (Choosing *c, Id name)
{
  Pool *pool = c->pool;
  Id p, pp;

  FOR_PROVIDES (p, pp, name)
    if (pool->solvables[p].name == name)
      return TRUE;
  return FALSE;
}

/* A job for "a|b": the first that the repository has. */
static gboolean
add_job (Choosing *c, Queue *jobs, const char *words, GError **error)
{
  gboolean optional = words[0] == '?';
  g_auto (GStrv) alternatives = g_strsplit (words + (optional ? 1 : 0), "|", -1);

  for (char **word = alternatives; *word != NULL; word++)
    {
      g_autofree char *name =
          (*word)[0] == '@' ? g_strconcat ("group:", *word + 1, NULL) : g_strdup (*word);
      Id id = pool_str2id (c->pool, name, 0);

      if (id == 0 || pool_whatprovides (c->pool, id) <= 1)
        continue;
      queue_push2 (jobs,
                   SOLVER_INSTALL
                       | (has_name (c, id) ? SOLVER_SOLVABLE_NAME : SOLVER_SOLVABLE_PROVIDES),
                   id);
      return TRUE;
    }
  if (optional)
    return TRUE;
  return bz_fail (error, BZ_ERROR_INPUT, "the repository does not have it",
                  "name others with --packages, or choose another --profile", "package %s", words);
}

static char *
tell_problems (Solver *solver)
{
  GString *text = g_string_new (NULL);
  int count = (int) solver_problem_count (solver);

  for (int i = 1; i <= count && i <= 3; i++)
    {
      Id rule = solver_findproblemrule (solver, i), source, target, dep;
      SolverRuleinfo info = solver_ruleinfo (solver, rule, &source, &target, &dep);

      g_string_append_printf (text, "%s%s", text->len > 0 ? "; " : "",
                              solver_problemruleinfo2str (solver, info, source, target, dep));
    }
  return g_string_free (text, FALSE);
}

/* What is to be installed for `words`, among what pool->considered allows. */
static gboolean
solve (Choosing *c, char **const *words, Queue *packages, GError **error)
{
  Queue jobs;
  gboolean good = TRUE;

  queue_init (&jobs);
  for (; good && *words != NULL; words++)
    for (char **word = *words; good && word != NULL && *word != NULL; word++)
      good = add_job (c, &jobs, *word, error);
  Solver *solver = solver_create (c->pool);
  solver_set_flag (solver, SOLVER_FLAG_IGNORE_RECOMMENDED, 1);
  if (good && solver_solve (solver, &jobs) != 0)
    {
      g_autofree char *why = tell_problems (solver);
      good = bz_fail (error, BZ_ERROR_INPUT, why,
                      "add what is missing to the repository, or leave out what needs it",
                      "the dependencies in %s", c->media->label);
    }
  if (good)
    {
      Transaction *transaction = solver_create_transaction (solver);

      for (int i = 0; i < transaction->steps.count; i++)
        queue_push (packages, transaction->steps.elements[i]);
      transaction_free (transaction);
    }
  solver_free (solver);
  queue_free (&jobs);
  return good;
}

static void
index_pool (Choosing *c)
{
  pool_addfileprovides (c->pool);
  pool_createwhatprovides (c->pool);
}

/* Lists of all files make up for what the short one lacks: then it is tried again. */
static gboolean
solve_with_files (Choosing *c, char **const *words, Queue *packages, GError **error)
{
  g_autoptr (GError) failure = NULL;

  if (solve (c, words, packages, &failure))
    return TRUE;
  if (!c->layout->metadata || c->files)
    {
      g_propagate_error (error, g_steal_pointer (&failure));
      return FALSE;
    }
  c->files = TRUE;
  if (!add_metadata (c, "filelists", "FL", REPO_EXTEND_SOLVABLES, error))
    return FALSE;
  index_pool (c);
  return solve (c, words, packages, error);
}

/* What says which distribution it is belongs to the seed: the brand is found by it. */
static gboolean
names_distribution (Choosing *c, Id id)
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

static BzPackage *
describe (Choosing *c, Id id, GError **error)
{
  Solvable *solvable = c->pool->solvables + id;
  BzPackage *package = g_new0 (BzPackage, 1);
  const char *path = g_hash_table_lookup (c->paths, GINT_TO_POINTER (id));
  gboolean absolute;
  Id type = 0;

  package->name = g_strdup (pool_id2str (c->pool, solvable->name));
  package->evr = g_strdup (pool_id2str (c->pool, solvable->evr));
  package->arch = g_strdup (pool_id2str (c->pool, solvable->arch));
  package->size = solvable_lookup_num (solvable, SOLVABLE_DOWNLOADSIZE, 0);
  if (path == NULL)
    path = solvable_lookup_location (solvable, NULL);
  if (path == NULL)
    bz_fail (error, BZ_ERROR_INPUT, "the metadata do not say where it is", NULL, "package %s",
             package->name);
  else
    package->path = bz_tree_clean_path (path, &absolute, error);
  const unsigned char *sum =
      package->path == NULL || !c->layout->metadata
          ? NULL
          : solvable_lookup_bin_checksum (solvable, SOLVABLE_CHECKSUM, &type);
  if (sum != NULL && checksum_kind (type, &package->checksum_type))
    package->checksum = g_strdup (pool_bin2hex (c->pool, sum, solv_chksum_len (type)));
  else if (package->path != NULL && c->layout->metadata)
    {
      bz_fail (error, BZ_ERROR_INPUT, "the metadata tell no checksum of a kind that is known",
               NULL, "package %s", package->name);
      g_clear_pointer (&package->path, g_free);
    }
  if (package->path != NULL)
    return package;
  bz_package_free (package);
  return NULL;
}

static GPtrArray *
describe_all (Choosing *c, const Queue *packages, const Map *seed, GError **error)
{
  g_autoptr (GPtrArray) all = g_ptr_array_new_with_free_func (package_free);

  for (int i = 0; i < packages->count; i++)
    {
      Id id = packages->elements[i];
      const char *name = pool_id2str (c->pool, c->pool->solvables[id].name);

      if (g_str_has_prefix (name, "group:"))
        continue;
      BzPackage *package = describe (c, id, error);
      if (package == NULL)
        return NULL;
      package->seed = MAPTST (seed, id) || names_distribution (c, id);
      g_ptr_array_add (all, package);
    }
  return g_steal_pointer (&all);
}

static GPtrArray *
choose (Choosing *c, GError **error)
{
  char **all[] = { c->choice->wanted, c->choice->seed, NULL };
  char **seed_words[] = { c->choice->seed, NULL };
  g_autoptr (GPtrArray) result = NULL;
  Queue packages, seed;
  Map considered, seed_map;

  index_pool (c);
  queue_init (&packages);
  queue_init (&seed);
  gboolean good = solve_with_files (c, all, &packages, error);
  map_init (&considered, c->pool->nsolvables);
  map_init (&seed_map, c->pool->nsolvables);
  for (int i = 0; i < packages.count; i++)
    MAPSET (&considered, packages.elements[i]);
  if (good)
    {
      c->pool->considered = &considered;
      pool_createwhatprovides (c->pool);
      good = solve (c, seed_words, &seed, error);
      c->pool->considered = NULL;
    }
  for (int i = 0; i < seed.count; i++)
    MAPSET (&seed_map, seed.elements[i]);
  if (good)
    result = describe_all (c, &packages, &seed_map, error);
  map_free (&considered);
  map_free (&seed_map);
  queue_free (&packages);
  queue_free (&seed);
  return g_steal_pointer (&result);
}

/* Packages of the 64-bit machine are taken where the repository has them. */
static const char *
find_arch (Choosing *c)
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
bz_rpm_choose (BzMedia *media, const BzRpmLayout *layout, const BzRpmChoice *choice,
               gboolean *verified, GError **error)
{
  Choosing c = { .media = media, .layout = layout, .choice = choice, .pool = pool_create () };
  g_autoptr (GPtrArray) result = NULL;

  c.paths = g_hash_table_new_full (NULL, NULL, NULL, g_free);
  if (pool_setdisttype (c.pool, DISTTYPE_RPM) < 0)
    bz_fail (error, BZ_ERROR_HOST, "libsolv was built for another kind of package",
             "install a libsolv that knows rpm", "reading %s", media->label);
  else
    {
      c.repo = repo_create (c.pool, "packages");
      if (layout->metadata ? read_metadata (&c, error) : read_packages (&c, error))
        {
          repo_internalize (c.repo);
          pool_setarch (c.pool, find_arch (&c));
          result = choose (&c, error);
        }
    }
  *verified = c.verified;
  g_hash_table_unref (c.paths);
  pool_free (c.pool);
  return g_steal_pointer (&result);
}
