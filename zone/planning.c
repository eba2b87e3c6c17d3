#include "config.h"

#include "zone/planning.h"

#include "brand/base/error.h"
#include "zone/dirs.h"
#include "zone/ids.h"
#include "zone/inodes.h"
#include "zone/names.h"
#include "zone/storage.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

void
bz_planning_free (BzPlanning *planning)
{
  if (planning == NULL)
    return;
  bz_zone_state_free (planning->state);
  bz_zone_file_free (planning->file);
  g_clear_pointer (&planning->detection, bz_detection_free);
  g_clear_pointer (&planning->brand, bz_brand_unref);
  g_clear_pointer (&planning->host, bz_host_free);
  g_clear_pointer (&planning->plan, bz_plan_free);
  g_free (planning->tree);
  g_free (planning->program);
  g_free (planning->long_inodes);
  if (planning->tree_fd >= 0)
    close (planning->tree_fd);
  g_free (planning);
}

static BzPlanning *
planning_new (void)
{
  BzPlanning *planning = g_new0 (BzPlanning, 1);

  planning->file = bz_zone_file_new ();
  planning->tree_fd = -1;
  return planning;
}

int
bz_tree_open (const char *path, GError **error)
{
  int fd = open (path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  g_autofree char *safe = bz_text_safe (path);

  if (fd >= 0)
    return fd;
  if (errno == ENOTDIR)
    bz_fail (error, BZ_ERROR_INPUT, "it is not a directory",
             "an archive is installed first: brandzone install NAME ARCHIVE", "the tree %s", safe);
  else if (errno == ENOENT)
    bz_fail (error, BZ_ERROR_INPUT, "it does not exist",
             "name the directory that holds bin, etc, lib and so on", "the tree %s", safe);
  else
    bz_fail_errno (error, errno, NULL, "opening the tree %s", safe);
  return -1;
}

gboolean
bz_abi_option (const BzArguments *arguments, gboolean *given, BzAbi *abi)
{
  const char *name = bz_arguments_string (arguments, "abi");

  *given = name != NULL;
  return name == NULL || bz_abi_lookup (name, abi);
}

gboolean
bz_detection_check (const BzDetection *detection, const char *tree, GError **error)
{
  g_autofree char *safe = bz_text_safe (tree);
  g_autofree char *reasons = detection->foreign ? g_strjoinv ("; ", detection->reasons) : NULL;

  if (!detection->foreign)
    return TRUE;
  g_autofree char *why = g_strdup_printf ("its programs are for another CPU: %s", reasons);
  return bz_fail (error, BZ_ERROR_HOST, why, "take the distribution's release for i386 or x86-64",
                  "the tree %s", safe);
}

/* A row that no quirk answers would be switched off in vain. */
static gboolean
check_rows (const char **rows, GError **error)
{
  g_autoptr (GPtrArray) known = g_ptr_array_new_with_free_func (g_free);

  for (int quirk = 0; quirk < BZ_QUIRK_COUNT; quirk++)
    {
      g_auto (GStrv) words = g_strsplit (bz_quirk_rows ((BzQuirk) quirk), " ", -1);
      for (char **word = words; *word != NULL; word++)
        {
          if (!g_ptr_array_find_with_equal_func (known, *word, g_str_equal, NULL))
            g_ptr_array_add (known, g_strdup (*word));
        }
    }
  g_ptr_array_add (known, NULL);
  for (; *rows != NULL; rows++)
    {
      if (g_strv_contains ((const char *const *) known->pdata, *rows))
        continue;
      g_autofree char *safe = bz_text_safe (*rows);
      g_autofree char *all = g_strjoinv (" ", (char **) known->pdata);
      g_autofree char *hint = g_strdup_printf ("rows: %s", all);
      return bz_fail (error, BZ_ERROR_USAGE, "no quirk answers such a row", hint,
                      "--disable-row %s", safe);
    }
  return TRUE;
}

/* How many ids the zone has: an installed one those of its installation, others what the caller can
 * give. */
static gboolean
count_ids (const BzPlanning *planning, guint32 *ids, GError **error)
{
  g_autoptr (GArray) uids = g_array_new (FALSE, FALSE, sizeof (BzIdRange));
  g_autoptr (GArray) gids = g_array_new (FALSE, FALSE, sizeof (BzIdRange));
  g_autofree char *why = NULL;
  const GArray *ranges = uids;

  *ids = 0;
  if (planning->state != NULL)
    ranges = planning->state->uids;
  else if (geteuid () == 0)
    return TRUE;
  else if (!bz_ids_of_user (planning->host, uids, gids, &why, error))
    return FALSE;
  for (guint i = 0; i < ranges->len; i++)
    *ids += g_array_index (ranges, BzIdRange, i).count;
  *ids = MAX (*ids, 1);
  return TRUE;
}

/* -e BRANDZONE_RELEASE=... asks for what else costs each call of uname a look at /proc. */
static gboolean
sets_release (const BzArguments *arguments)
{
  g_autofree const char **given = bz_arguments_list (arguments, "env");

  for (const char **one = given; *one != NULL; one++)
    if (g_str_has_prefix (*one, "BRANDZONE_RELEASE="))
      return TRUE;
  return FALSE;
}

static gboolean
make_plan (const BzContext *context, const BzArguments *arguments, BzPlanning *planning,
           const char *brand, BzAbi abi, GError **error)
{
  g_autofree const char **rows = bz_arguments_list (arguments, "disable-row");
  const char *release = bz_arguments_string (arguments, "release");
  BzPlanOptions options = { .disabled_rows = rows, .abi = abi };
  gboolean given;

  if (!check_rows (rows, error))
    return FALSE;
  options.release = release != NULL ? release : planning->file->release;
  if (planning->file->abi.set)
    options.abi = planning->file->abi.value;
  options.program_release = sets_release (arguments);
  options.strict = planning->file->strict || bz_arguments_flag (arguments, "strict");
  options.mounts = geteuid () == 0
                   && (planning->file->own_mounts[0] != NULL
                       || bz_arguments_string (arguments, "mounts") != NULL);
  options.remember_owners =
      planning->file->remember_owners || bz_arguments_flag (arguments, "remember-owners");
  bz_abi_option (arguments, &given, &options.abi);

  planning->brand = bz_brand_load (NULL, brand, error);
  if (planning->brand == NULL)
    return FALSE;
  planning->host = bz_context_host (context, arguments, error);
  if (planning->host == NULL)
    return FALSE;
  if (!count_ids (planning, &options.ids, error))
    return FALSE;
  options.fold_inodes = bz_planning_folds (planning, arguments, options.abi);
  planning->plan = bz_plan_make (planning->brand, planning->host, &options, error);
  return planning->plan != NULL;
}

static gboolean
no_brand (const char *name, GError **error)
{
  return bz_fail (error, BZ_ERROR_INPUT, "neither its record nor its zone file names a brand",
                  "set Name= in the group [Brand] of its zone file", "zone %s", name);
}

BzPlanning *
bz_planning_zone (const BzContext *context, const BzArguments *arguments, const char *name,
                  GError **error)
{
  g_autoptr (BzPlanning) planning = planning_new ();
  const char *brand = bz_arguments_string (arguments, "brand");

  planning->state = bz_state_load (context->dirs, name, error);
  if (planning->state == NULL)
    return NULL;

  g_autofree char *path = bz_dirs_zone_file (context->dirs, name);
  bz_zone_file_free (planning->file);
  planning->file = bz_zone_file_load (path, error);
  if (planning->file == NULL)
    return NULL;
  for (guint i = 0; i < planning->file->warnings->len; i++)
    bz_context_note (context, "%s", (char *) g_ptr_array_index (planning->file->warnings, i));

  planning->tree = bz_storage_tree (context->dirs, planning->state);
  planning->tree_fd = bz_storage_open (context->dirs, planning->state, FALSE, error);
  if (planning->tree_fd < 0)
    return NULL;
  if (brand == NULL)
    brand = planning->file->brand != NULL ? planning->file->brand : planning->state->brand;
  if (brand == NULL)
    {
      no_brand (name, error);
      return NULL;
    }
  if (!make_plan (context, arguments, planning, brand, planning->state->abi, error))
    return NULL;
  return g_steal_pointer (&planning);
}

/* Detects the brand, and the ABI even where the brand is given. */
static gboolean
detect_tree (const BzContext *context, BzPlanning *planning, const char *brand, gboolean has_abi,
             GError **error)
{
  planning->detection =
      bz_detect (planning->tree_fd, NULL, brand != NULL && has_abi ? NULL : error);
  if (planning->detection == NULL)
    return brand != NULL && has_abi;
  if (!has_abi && !bz_detection_check (planning->detection, planning->tree, error))
    return FALSE;
  if (brand == NULL && planning->detection->nearest)
    bz_context_note (
        context,
        "no brand is made for %s: %s is the nearest (choose with --brand; see: brandzone brands)",
        planning->tree, planning->detection->brand);
  return TRUE;
}

BzPlanning *
bz_planning_tree (const BzContext *context, const BzArguments *arguments, const char *tree,
                  GError **error)
{
  g_autoptr (BzPlanning) planning = planning_new ();
  const char *brand = bz_arguments_string (arguments, "brand");
  gboolean has_abi;
  BzAbi abi = BZ_ABI_X86_64;

  bz_abi_option (arguments, &has_abi, &abi);
  planning->tree = realpath (tree, NULL);
  if (planning->tree == NULL)
    planning->tree = bz_path_absolute (tree);
  planning->tree_fd = bz_tree_open (planning->tree, error);
  if (planning->tree_fd < 0 || !detect_tree (context, planning, brand, has_abi, error))
    return NULL;
  if (!has_abi && planning->detection != NULL)
    abi = planning->detection->abi;
  if (!make_plan (context, arguments, planning, brand != NULL ? brand : planning->detection->brand,
                  abi, error))
    return NULL;
  return g_steal_pointer (&planning);
}

BzPlanning *
bz_planning_program (const BzContext *context, const BzArguments *arguments, GBytes *program,
                     const char *path, int libraries_fd, GError **error)
{
  g_autoptr (BzPlanning) planning = planning_new ();
  const char *brand = bz_arguments_string (arguments, "brand");
  gboolean has_abi;
  BzAbi abi = BZ_ABI_X86_64;

  bz_abi_option (arguments, &has_abi, &abi);
  planning->tree = g_strdup ("/");
  planning->program = g_strdup (path);
  planning->tree_fd = bz_tree_open (planning->tree, error);
  if (planning->tree_fd < 0)
    return NULL;
  planning->detection = bz_detect_program (program, path, libraries_fd, NULL,
                                           brand != NULL && has_abi ? NULL : error);
  if (planning->detection == NULL && (brand == NULL || !has_abi))
    return NULL;
  if (!has_abi && planning->detection != NULL)
    abi = planning->detection->abi;
  if (!make_plan (context, arguments, planning, brand != NULL ? brand : planning->detection->brand,
                  abi, error))
    return NULL;
  return g_steal_pointer (&planning);
}

/* A brand's own ABI: the one that it gives a release for. */
static BzAbi
abi_of (const BzBrand *brand)
{
  return brand->release[BZ_ABI_X86_64] == NULL && brand->release[BZ_ABI_I386] != NULL
             ? BZ_ABI_I386
             : BZ_ABI_X86_64;
}

BzPlanning *
bz_planning_brand (const BzContext *context, const BzArguments *arguments, const char *brand,
                   GError **error)
{
  g_autoptr (BzPlanning) planning = planning_new ();
  g_autoptr (BzBrand) found = bz_brand_load (NULL, brand, error);

  if (found == NULL || !make_plan (context, arguments, planning, brand, abi_of (found), error))
    return NULL;
  return g_steal_pointer (&planning);
}
