/* A plan goes to the keeper, to the supervisor and into a zone's state as one
 * GVariant dictionary: fields by name, quirks and limits by their own names, so that a reader
 * of another build fails instead of taking one number for another.
 *
 * The bytes may come from a file that others wrote: everything is checked before a plan exists. */
#include "config.h"

#include "brand/base/error.h"
#include "brand/brand-file.h"
#include "brand/plan.h"

#include <string.h>
#include <sys/personality.h>

#define FORMAT 1
#define BYTES_LARGEST (256 * 1024)
#define CALLS_LARGEST 2048
#define UTS_LONGEST 64
#define PROC_VERSION_LONGEST 512

void
bz_plan_free (BzPlan *plan)
{
  if (plan == NULL)
    return;
  g_free (plan->brand);
  g_free (plan->release);
  g_free (plan->version);
  for (guint abi = 0; abi < BZ_ABI_COUNT; abi++)
    g_free (plan->machine[abi]);
  g_free (plan->proc_version);
  g_strfreev (plan->calls_present);
  g_strfreev (plan->calls_absent);
  g_clear_pointer (&plan->files, g_ptr_array_unref);
  g_free (plan);
}

static GVariant *
quirks_to_variant (const BzPlan *plan)
{
  GVariantBuilder builder;

  g_variant_builder_init (&builder, G_VARIANT_TYPE ("a{sy}"));
  for (guint quirk = 0; quirk < BZ_QUIRK_COUNT; quirk++)
    g_variant_builder_add (&builder, "{sy}", bz_quirk_name ((BzQuirk) quirk), plan->quirk[quirk]);
  return g_variant_builder_end (&builder);
}

static GVariant *
limits_to_variant (const BzPlan *plan)
{
  GVariantBuilder builder;

  g_variant_builder_init (&builder, G_VARIANT_TYPE ("a{s(tt)}"));
  for (guint kind = 0; kind < BZ_LIMIT_COUNT; kind++)
    if (plan->limits[kind].set)
      g_variant_builder_add (&builder, "{s(tt)}", bz_limit_name ((BzLimitKind) kind),
                             plan->limits[kind].soft, plan->limits[kind].hard);
  return g_variant_builder_end (&builder);
}

GVariant *
bz_plan_to_variant (const BzPlan *plan)
{
  GVariantDict dict;

  g_variant_dict_init (&dict, NULL);
  g_variant_dict_insert (&dict, "format", "u", (guint) FORMAT);
  g_variant_dict_insert (&dict, "brand", "s", plan->brand);
  g_variant_dict_insert (&dict, "abi", "s", bz_abi_name (plan->abi));
  g_variant_dict_insert (&dict, "release", "s", plan->release);
  g_variant_dict_insert (&dict, "version", "s", plan->version);
  for (guint abi = 0; abi < BZ_ABI_COUNT; abi++)
    {
      g_autofree char *key = g_strdup_printf ("machine-%s", bz_abi_name ((BzAbi) abi));
      g_variant_dict_insert (&dict, key, "s", plan->machine[abi]);
    }
  g_variant_dict_insert (&dict, "proc-version", "s",
                         plan->proc_version != NULL ? plan->proc_version : "");
  g_variant_dict_insert (&dict, "personality", "t", plan->personality);
  g_variant_dict_insert_value (&dict, "quirks", quirks_to_variant (plan));
  g_variant_dict_insert_value (&dict, "limits", limits_to_variant (plan));
  g_variant_dict_insert (&dict, "calls-present", "^as", plan->calls_present);
  g_variant_dict_insert (&dict, "calls-absent", "^as", plan->calls_absent);
  g_variant_dict_insert_value (&dict, "files", bz_files_to_variant (plan->files));
  g_variant_dict_insert (&dict, "sync-wake-up", "b", plan->sync_wake_up);
  g_variant_dict_insert (&dict, "wait-killable", "b", plan->wait_killable);
  g_variant_dict_insert (&dict, "fuse", "b", plan->fuse);
  g_variant_dict_insert (&dict, "host-release", "t", plan->host_release);
  g_variant_dict_insert (&dict, "ids", "u", plan->ids);
  return g_variant_ref_sink (g_variant_dict_end (&dict));
}

/* Fields that a dictionary must have: as many as above and no others. */
#define FIELDS (18 + BZ_ABI_COUNT - 1)

static gboolean
fail (const char *field, const char *why, GError **error)
{
  return bz_fail (error, BZ_ERROR_INPUT, why, "make the plan anew: start the zone again",
                  "plan, field %s", field);
}

typedef gboolean (*Check) (const char *text, gsize longest);

static gboolean
read_text (GVariantDict *dict, const char *field, Check valid, gsize longest, char **text,
           GError **error)
{
  g_free (*text);
  *text = NULL;
  if (!g_variant_dict_lookup (dict, field, "s", text))
    return fail (field, "is missing or of the wrong type", error);
  return valid (*text, longest)
         || fail (field, "is empty, too long, or holds odd characters", error);
}

static gboolean
text_or_nothing_valid (const char *text, gsize longest)
{
  return *text == '\0' || bz_brand_text_valid (text, longest);
}

static gboolean
name_valid (const char *text, gsize longest G_GNUC_UNUSED)
{
  return bz_brand_name_valid (text);
}

static gboolean
read_texts (GVariantDict *dict, BzPlan *plan, GError **error)
{
  g_autofree char *abi = NULL;

  if (!read_text (dict, "brand", name_valid, 0, &plan->brand, error)
      || !read_text (dict, "abi", bz_brand_word_valid, 16, &abi, error)
      || !read_text (dict, "release", bz_brand_word_valid, UTS_LONGEST, &plan->release, error)
      || !read_text (dict, "version", bz_brand_text_valid, UTS_LONGEST, &plan->version, error)
      || !read_text (dict, "proc-version", text_or_nothing_valid, PROC_VERSION_LONGEST,
                     &plan->proc_version, error))
    return FALSE;
  for (guint i = 0; i < BZ_ABI_COUNT; i++)
    {
      g_autofree char *key = g_strdup_printf ("machine-%s", bz_abi_name ((BzAbi) i));
      if (!read_text (dict, key, bz_brand_word_valid, UTS_LONGEST, &plan->machine[i], error))
        return FALSE;
    }
  if (*plan->proc_version == '\0')
    g_clear_pointer (&plan->proc_version, g_free);
  if (!bz_abi_lookup (abi, &plan->abi))
    return fail ("abi", "names no ABI", error);
  return bz_release_parse (plan->release, &plan->release_number)
         || fail ("release", "is no release", error);
}

static gboolean
read_quirks (GVariantDict *dict, BzPlan *plan, GError **error)
{
  g_autoptr (GVariant) quirks =
      g_variant_dict_lookup_value (dict, "quirks", G_VARIANT_TYPE ("a{sy}"));
  gboolean seen[BZ_QUIRK_COUNT] = { 0 };
  GVariantIter iter;
  const char *name;
  guint8 value;
  BzQuirk quirk;

  if (quirks == NULL || g_variant_n_children (quirks) != BZ_QUIRK_COUNT)
    return fail ("quirks", "is not one value for each quirk", error);
  g_variant_iter_init (&iter, quirks);
  while (g_variant_iter_next (&iter, "{&sy}", &name, &value))
    {
      if (!bz_quirk_lookup (name, &quirk) || seen[quirk]
          || bz_quirk_value_name (quirk, value) == NULL)
        return fail ("quirks", "holds an unknown quirk or value", error);
      seen[quirk] = TRUE;
      plan->quirk[quirk] = value;
    }
  return TRUE;
}

static gboolean
read_limits (GVariantDict *dict, BzPlan *plan, GError **error)
{
  g_autoptr (GVariant) limits =
      g_variant_dict_lookup_value (dict, "limits", G_VARIANT_TYPE ("a{s(tt)}"));
  GVariantIter iter;
  const char *name;
  BzLimit limit = { .set = TRUE };

  if (limits == NULL || g_variant_n_children (limits) > BZ_LIMIT_COUNT)
    return fail ("limits", "is missing, or has too many", error);
  g_variant_iter_init (&iter, limits);
  while (g_variant_iter_next (&iter, "{&s(tt)}", &name, &limit.soft, &limit.hard))
    {
      guint kind = 0;

      while (kind < BZ_LIMIT_COUNT && strcmp (name, bz_limit_name ((BzLimitKind) kind)) != 0)
        kind++;
      if (kind == BZ_LIMIT_COUNT || plan->limits[kind].set || limit.soft > limit.hard)
        return fail ("limits", "holds an unknown limit, one twice, or a soft one above the hard",
                     error);
      plan->limits[kind] = limit;
    }
  return TRUE;
}

static gboolean
read_calls (GVariantDict *dict, const char *field, char ***calls, GError **error)
{
  g_autoptr (GVariant) list = g_variant_dict_lookup_value (dict, field, G_VARIANT_TYPE ("as"));
  gsize count = 0;

  if (list == NULL || g_variant_n_children (list) > CALLS_LARGEST)
    return fail (field, "is missing, or too long", error);
  *calls = g_variant_dup_strv (list, &count);
  for (gsize i = 0; i < count; i++)
    if (!bz_brand_call_valid ((*calls)[i]) || (i > 0 && strcmp ((*calls)[i - 1], (*calls)[i]) >= 0))
      return fail (field, "is not a sorted list of calls", error);
  return TRUE;
}

static gboolean
read_files (GVariantDict *dict, BzPlan *plan, GError **error)
{
  g_autoptr (GVariant) list =
      g_variant_dict_lookup_value (dict, "files", G_VARIANT_TYPE ("a(syys)"));

  if (list == NULL || (plan->files = bz_files_from_variant (list)) == NULL)
    return fail ("files", "is missing, or holds one that makes no sense", error);
  return TRUE;
}

static gboolean
read_numbers (GVariantDict *dict, BzPlan *plan, GError **error)
{
  guint64 allowed = bz_brand_personality_flags () | PER_LINUX32;

  if (!g_variant_dict_lookup (dict, "personality", "t", &plan->personality)
      || (plan->personality & ~allowed) != 0)
    return fail ("personality", "is missing, or has flags that a plan does not set", error);
  if (!g_variant_dict_lookup (dict, "host-release", "t", &plan->host_release)
      || !g_variant_dict_lookup (dict, "sync-wake-up", "b", &plan->sync_wake_up)
      || !g_variant_dict_lookup (dict, "wait-killable", "b", &plan->wait_killable)
      || !g_variant_dict_lookup (dict, "fuse", "b", &plan->fuse))
    return fail ("of the host", "is missing", error);
  if (!g_variant_dict_lookup (dict, "ids", "u", &plan->ids) || plan->ids == 0)
    return fail ("ids", "is missing, or none", error);
  return TRUE;
}

BzPlan *
bz_plan_from_variant (GVariant *variant, GError **error)
{
  g_autoptr (GVariantDict) dict = NULL;
  g_autoptr (BzPlan) plan = NULL;
  guint format = 0;

  if (!g_variant_is_of_type (variant, G_VARIANT_TYPE_VARDICT)
      || g_variant_get_size (variant) > BYTES_LARGEST || !g_variant_is_normal_form (variant)
      || g_variant_n_children (variant) != FIELDS)
    {
      fail ("all", "it is not the dictionary of a plan", error);
      return NULL;
    }
  dict = g_variant_dict_new (variant);
  if (!g_variant_dict_lookup (dict, "format", "u", &format) || format != FORMAT)
    {
      fail ("format", "it was made by another brandzone", error);
      return NULL;
    }
  plan = g_new0 (BzPlan, 1);
  if (!read_texts (dict, plan, error) || !read_quirks (dict, plan, error)
      || !read_limits (dict, plan, error) || !read_files (dict, plan, error)
      || !read_numbers (dict, plan, error)
      || !read_calls (dict, "calls-present", &plan->calls_present, error)
      || !read_calls (dict, "calls-absent", &plan->calls_absent, error))
    return NULL;
  return g_steal_pointer (&plan);
}
