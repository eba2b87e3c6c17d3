/* Choosing packages.
 *
 * Facts: packages of old distributions require files by name, and bash, glibc and their like require
 * each other. Choice: the seed is solved a second time among the packages already chosen, so that
 * both agree. Limits: weak dependencies are ignored, as package managers of that time did; one
 * repository at a time. */
#include "config.h"

#include "installer/choose.h"

#include "brand/base/error.h"
#include "installer/tree.h"

#include <solv/chksum.h>
#include <solv/problems.h>
#include <solv/solver.h>
#include <solv/transaction.h>
#include <string.h>
#include <unistd.h>

#define BLOCK (64 * 1024)

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

BzChoosing *
bz_choosing_new (BzMedia *media, const BzChoice *choice, int disttype, GError **error)
{
  g_autoptr (BzChoosing) c = g_new0 (BzChoosing, 1);

  c->media = media;
  c->choice = choice;
  c->pool = pool_create ();
  c->repo = repo_create (c->pool, "packages");
  c->paths = g_hash_table_new_full (NULL, NULL, NULL, g_free);
  if (pool_setdisttype (c->pool, disttype) >= 0)
    return g_steal_pointer (&c);
  bz_fail (error, BZ_ERROR_HOST, "libsolv was built for another kind of package alone",
           "install a libsolv that knows both rpm and deb", "reading %s", media->label);
  return NULL;
}

void
bz_choosing_free (BzChoosing *c)
{
  g_hash_table_unref (c->paths);
  pool_free (c->pool);
  g_free (c);
}

gboolean
bz_choosing_checksum (Id type, GChecksumType *kind)
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

gboolean
bz_choosing_check (BzChoosing *c, int fd, const char *path, GChecksumType kind,
                   const char *wanted, GError **error)
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

/* --- solving --- */

static gboolean
has_name (BzChoosing *c, Id name)
{
  Pool *pool = c->pool;
  Id p, pp;

  FOR_PROVIDES (p, pp, name)
    if (pool->solvables[p].name == name)
      return TRUE;
  return FALSE;
}

/* A job for "a|b": the first that the repository has. What is optional may also be there without
 * what it needs. */
static gboolean
add_job (BzChoosing *c, Queue *jobs, const char *words, GError **error)
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
                   SOLVER_INSTALL | (optional ? SOLVER_WEAK : 0)
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
solve (BzChoosing *c, char **const *words, Queue *packages, GError **error)
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
index_pool (BzChoosing *c)
{
  pool_addfileprovides (c->pool);
  pool_createwhatprovides (c->pool);
}

/* Lists of all files may make up for what the short one lacks: then it is tried again. */
static gboolean
solve_with_more (BzChoosing *c, char **const *words, Queue *packages, GError **error)
{
  g_autoptr (GError) failure = NULL;

  if (solve (c, words, packages, &failure))
    return TRUE;
  if (c->more == NULL)
    {
      g_propagate_error (error, g_steal_pointer (&failure));
      return FALSE;
    }
  if (!c->more (c, error))
    return FALSE;
  c->more = NULL;
  index_pool (c);
  return solve (c, words, packages, error);
}

static BzPackage *
describe (BzChoosing *c, Id id, GError **error)
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
      package->path == NULL || !c->sums
          ? NULL
          : solvable_lookup_bin_checksum (solvable, SOLVABLE_CHECKSUM, &type);
  if (sum != NULL && bz_choosing_checksum (type, &package->checksum_type))
    package->checksum = g_strdup (pool_bin2hex (c->pool, sum, solv_chksum_len (type)));
  else if (package->path != NULL && c->sums)
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
describe_all (BzChoosing *c, const Queue *packages, const Map *seed, GError **error)
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
      package->seed = MAPTST (seed, id) || (c->is_seed != NULL && c->is_seed (c, id));
      g_ptr_array_add (all, package);
    }
  return g_steal_pointer (&all);
}

GPtrArray *
bz_choosing_solve (BzChoosing *c, GError **error)
{
  char **all[] = { c->choice->wanted, c->choice->seed, NULL };
  char **seed_words[] = { c->choice->seed, NULL };
  g_autoptr (GPtrArray) result = NULL;
  Queue packages, seed;
  Map considered, seed_map;

  repo_internalize (c->repo);
  index_pool (c);
  queue_init (&packages);
  queue_init (&seed);
  gboolean good = solve_with_more (c, all, &packages, error);
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
