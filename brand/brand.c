#include "config.h"

#include "brand/brand-directories.h"
#include "brand/brand-file.h"
#include "brand/detect-rule.h"

#include <string.h>

#define DEEPEST 16

BzBrand *
bz_brand_new (void)
{
  BzBrand *brand = g_new0 (BzBrand, 1);

  brand->ref_count = 1;
  brand->calls_present = g_new0 (char *, 1);
  brand->calls_absent = g_new0 (char *, 1);
  brand->files = g_ptr_array_new_with_free_func ((GDestroyNotify) bz_file_free);
  brand->unsourced = g_new0 (char *, 1);
  brand->warnings = g_new0 (char *, 1);
  return brand;
}

BzBrand *
bz_brand_ref (BzBrand *brand)
{
  g_atomic_int_inc (&brand->ref_count);
  return brand;
}

void
bz_brand_unref (BzBrand *brand)
{
  if (brand == NULL || !g_atomic_int_dec_and_test (&brand->ref_count))
    return;
  g_free (brand->name);
  g_free (brand->title);
  g_free (brand->inherits);
  g_free (brand->source);
  g_free (brand->init);
  g_free (brand->file);
  for (guint abi = 0; abi < BZ_ABI_COUNT; abi++)
    {
      g_free (brand->release[abi]);
      g_free (brand->version[abi]);
      g_free (brand->machine[abi]);
    }
  g_free (brand->compiler);
  g_strfreev (brand->calls_present);
  g_strfreev (brand->calls_absent);
  g_ptr_array_unref (brand->files);
  g_strfreev (brand->unsourced);
  g_strfreev (brand->warnings);
  bz_detect_rules_free (brand->detect);
  g_free (brand);
}

/* Applies `name` after its ancestors. `child` names who inherits it, for messages; NULL at first.
 */
static gboolean
load (const char *const *dirs, const char *name, const char *child, GPtrArray *seen, BzBrand *brand,
      GError **error)
{
  const char *relation = child != NULL ? "inherited by " : "";

  if (g_ptr_array_find_with_equal_func (seen, name, g_str_equal, NULL))
    return bz_fail (error, BZ_ERROR_INPUT, "it inherits itself",
                    "break the circle of Inherits lines", "brand %s, %s%s", name, relation, child);
  if (seen->len > DEEPEST)
    return bz_fail (error, BZ_ERROR_INPUT, "more than 16 brands inherit each other", NULL,
                    "brand %s, %s%s", name, relation, child);
  g_ptr_array_add (seen, g_strdup (name));

  g_autofree char *file = bz_brand_find (dirs, name);
  if (file == NULL && child != NULL)
    return bz_fail (error, BZ_ERROR_INPUT, "there is no such brand", NULL,
                    "brand %s, inherited by %s", name, child);
  if (file == NULL)
    return bz_fail (error, BZ_ERROR_NO_ZONE, "there is no such brand",
                    "`brandzone brands` lists them", "brand %s", name);

  g_autoptr (BzKeyLines) lines = bz_key_lines_read (file, error);
  if (lines == NULL)
    return FALSE;

  g_autoptr (GError) problem = NULL;
  g_autofree char *parent = bz_brand_file_parent (lines, &problem);
  if (problem != NULL)
    {
      g_propagate_error (error, g_steal_pointer (&problem));
      return FALSE;
    }
  return (parent == NULL || load (dirs, parent, name, seen, brand, error))
         && bz_brand_file_apply (lines, name, brand, error);
}

BzBrand *
bz_brand_load (const char *const *dirs, const char *name, GError **error)
{
  g_auto (GStrv) own = dirs == NULL ? bz_brand_directories () : NULL;
  g_autoptr (GPtrArray) seen = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (BzBrand) brand = bz_brand_new ();

  if (!load (dirs != NULL ? dirs : (const char *const *) own, name, NULL, seen, brand, error))
    return NULL;
  if (brand->title == NULL)
    brand->title = g_strdup (name);
  return g_steal_pointer (&brand);
}

BzBrand *
bz_brand_load_alone (const char *const *dirs, const char *name, GError **error)
{
  g_auto (GStrv) own = dirs == NULL ? bz_brand_directories () : NULL;
  g_autofree char *file = bz_brand_find (dirs != NULL ? dirs : (const char *const *) own, name);
  g_autoptr (BzBrand) brand = bz_brand_new ();

  if (file == NULL)
    {
      bz_fail (error, BZ_ERROR_NO_ZONE, "there is no such brand", "`brandzone brands` lists them",
               "brand %s", name);
      return NULL;
    }
  g_autoptr (BzKeyLines) lines = bz_key_lines_read (file, error);
  if (lines == NULL || !bz_brand_file_apply (lines, name, brand, error))
    return NULL;
  return g_steal_pointer (&brand);
}
