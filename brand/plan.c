#include "config.h"

#include "brand/plan.h"
#include "brand/base/error.h"
#include "brand/brand-file.h"

#include <string.h>
#include <sys/personality.h>
#include <sys/utsname.h>

#define RELEASE_LONGEST 64

/* Puts every quirk of the row back to what the host does. FALSE when no quirk has that row. */
static gboolean
disable_row (BzPlan *plan, const char *row, GError **error)
{
  gboolean any = FALSE;

  for (guint quirk = 0; quirk < BZ_QUIRK_COUNT; quirk++)
    if (bz_quirk_has_row ((BzQuirk) quirk, row))
      {
        plan->quirk[quirk] = 0;
        any = TRUE;
      }
  return any
         || bz_fail (error, BZ_ERROR_USAGE, "no quirk answers this row", NULL, "--disable-row %s",
                     row);
}

static gboolean
disabled (const BzPlanOptions *options, BzQuirk quirk)
{
  for (guint i = 0; options->disabled_rows != NULL && options->disabled_rows[i] != NULL; i++)
    if (bz_quirk_has_row (quirk, options->disabled_rows[i]))
      return TRUE;
  return FALSE;
}

static gboolean
set_quirks (BzPlan *plan, const BzBrand *brand, const BzPlanOptions *options, GError **error)
{
  memcpy (plan->quirk, brand->quirk, sizeof plan->quirk);
  if (options->release != NULL)
    {
      plan->quirk[BZ_QUIRK_RELEASE] = 1;
      plan->quirk[BZ_QUIRK_PROC_RELEASE] = 1;
      if (plan->quirk[BZ_QUIRK_PROGRAM_RELEASE] == BZ_PROGRAM_RELEASE_HOST)
        plan->quirk[BZ_QUIRK_PROGRAM_RELEASE] = BZ_PROGRAM_RELEASE_NOTE;
    }
  if (options->program_release)
    plan->quirk[BZ_QUIRK_PROGRAM_RELEASE] = BZ_PROGRAM_RELEASE_VARIABLE;
  for (guint i = 0; options->disabled_rows != NULL && options->disabled_rows[i] != NULL; i++)
    if (!disable_row (plan, options->disabled_rows[i], error))
      return FALSE;
  return TRUE;
}

/* The release: the zone's own choice, else the brand's, else the host's. */
static gboolean
set_release (BzPlan *plan, const BzBrand *brand, const BzHost *host, const BzPlanOptions *options,
             const struct utsname *uts, GError **error)
{
  const char *own = options->release;
  const char *release = own != NULL ? own : brand->release[plan->abi];

  if (own != NULL
      && (!bz_brand_word_valid (own, RELEASE_LONGEST)
          || !bz_release_parse (own, &plan->release_number)))
    return bz_fail (error, BZ_ERROR_USAGE, "is not like 2.6.32 or 2.6.32-754.el6",
                    "at most 64 characters without blanks, two or three numbers first",
                    "release \"%s\"", own);
  if (release == NULL || plan->quirk[BZ_QUIRK_RELEASE] == 0)
    {
      /* Without a release of its own the zone can't be told of one elsewhere, nor be refused newer
       * calls. */
      release = host->release_text;
      plan->quirk[BZ_QUIRK_RELEASE] = 0;
      plan->quirk[BZ_QUIRK_PROC_RELEASE] = 0;
      plan->quirk[BZ_QUIRK_MISSING] = 0;
      plan->quirk[BZ_QUIRK_PROGRAM_RELEASE] = BZ_PROGRAM_RELEASE_HOST;
      plan->version = g_strdup (uts->version);
    }
  else
    plan->version =
        g_strdup (brand->version[plan->abi] != NULL ? brand->version[plan->abi] : uts->version);

  plan->release = g_strdup (release);
  return bz_release_parse (release, &plan->release_number)
         || bz_fail (error, BZ_ERROR_HOST, "does not start with a version", NULL,
                     "the host's release %s", release);
}

/* The line as init/version.c of that kernel composed it. */
static void
set_proc_version (BzPlan *plan, const BzBrand *brand)
{
  if (plan->quirk[BZ_QUIRK_PROC_RELEASE] == 0)
    return;
  plan->proc_version =
      g_strdup_printf ("Linux version %s %s %s", plan->release,
                       brand->compiler != NULL ? brand->compiler : "(root@localhost)",
                       plan->version);
}

/* PER_LINUX32 alone makes the kernel say i686 to i386 zones; a brand's own machine needs the trap.
 */
static void
set_machine (BzPlan *plan, const BzBrand *brand, const BzPlanOptions *options,
             const struct utsname *uts)
{
  static const char *const usual[BZ_ABI_COUNT] = { "i686", "x86_64" };
  gboolean off = disabled (options, BZ_QUIRK_MACHINE);

  for (guint abi = 0; abi < BZ_ABI_COUNT; abi++)
    {
      const char *own = plan->quirk[BZ_QUIRK_MACHINE] != 0 ? brand->machine[abi] : NULL;
      plan->machine[abi] = g_strdup (own != NULL ? own : off ? uts->machine : usual[abi]);
    }
  plan->personality = brand->personality;
  /* The vsyscall page is x86-64's; a host that still emulates it in full needs nothing. */
  if (plan->abi != BZ_ABI_X86_64)
    plan->quirk[BZ_QUIRK_VSYSCALL] = 0;
  if (plan->abi == BZ_ABI_I386 && !off)
    plan->personality |= PER_LINUX32;
}

/* A host without modify_ldt says ENOSYS by itself; where it is masked, the filter does, as far as
 * the brand has calls refused at all. */
static void
set_calls (BzPlan *plan, const BzBrand *brand, const BzHost *host)
{
  guint count = g_strv_length (brand->calls_absent);

  plan->calls_present = g_strdupv (brand->calls_present);
  plan->calls_absent = g_new0 (char *, count + 2);
  for (guint i = 0; i < count; i++)
    plan->calls_absent[i] = g_strdup (brand->calls_absent[i]);
  if (!host->has[BZ_FEATURE_MODIFY_LDT]
      && !g_strv_contains ((const char *const *) plan->calls_present, "modify_ldt")
      && !g_strv_contains ((const char *const *) plan->calls_absent, "modify_ldt"))
    plan->calls_absent[count] = g_strdup ("modify_ldt");
}

static gboolean
set_files (BzPlan *plan, const BzBrand *brand, GError **error)
{
  if (plan->quirk[BZ_QUIRK_FILES] == 0 && plan->quirk[BZ_QUIRK_FIGURES] == 0)
    return TRUE;
  plan->files = bz_files_for_plan (brand->files, plan->quirk, plan->release, error);
  return plan->files != NULL;
}

/* What only some zones need, or some hosts. */
static void
set_for_zone (BzPlan *plan, const BzHost *host, const BzPlanOptions *options)
{
  plan->ids = options->ids != 0 ? options->ids : BZ_PLAN_ALL_IDS;
  /* Only a map of one id is made by its owner, and denies setgroups (Linux 3.19). */
  if (plan->ids != 1)
    plan->quirk[BZ_QUIRK_GROUPS] = 0;
  plan->quirk[BZ_QUIRK_FOLD_INODES] =
      options->fold_inodes && !disabled (options, BZ_QUIRK_FOLD_INODES);
  plan->quirk[BZ_QUIRK_OWNER_RECORDS] = options->remember_owners && plan->ids == 1
                                        && plan->quirk[BZ_QUIRK_OWNERS] != 0
                                        && !disabled (options, BZ_QUIRK_OWNER_RECORDS);
  if (options->mounts && !disabled (options, BZ_QUIRK_MOUNTS))
    plan->quirk[BZ_QUIRK_MOUNTS] = BZ_MOUNTS_ASK;
  plan->quirk[BZ_QUIRK_NEWER_CALLS] =
      !host->has[BZ_FEATURE_FCHMODAT2] && !disabled (options, BZ_QUIRK_NEWER_CALLS);
  if (options->strict && !disabled (options, BZ_QUIRK_GONE))
    plan->quirk[BZ_QUIRK_GONE] = BZ_GONE_STOP;
}

static void
set_limits (BzPlan *plan, const BzBrand *brand)
{
  memcpy (plan->limits, brand->limits, sizeof plan->limits);
  if (plan->quirk[BZ_QUIRK_NOFILE] == 0)
    plan->limits[BZ_LIMIT_NOFILE].set = FALSE;
}

static gboolean
check (const BzBrand *brand, const BzHost *host, const BzPlanOptions *options, GError **error)
{
  if ((guint) options->abi >= BZ_ABI_COUNT)
    return bz_fail (error, BZ_ERROR_USAGE, "there is no such ABI", NULL, "plan of brand %s",
                    brand->name);
  if (options->abi == BZ_ABI_I386 && !host->has[BZ_FEATURE_IA32])
    {
      bz_fail (error, BZ_ERROR_HOST, "this host does not run i386 programs",
               bz_feature_mend (BZ_FEATURE_IA32), "brand %s for i386", brand->name);
      if (error != NULL)
        bz_error_set_row (*error, "E9");
      return FALSE;
    }
  return TRUE;
}

BzPlan *
bz_plan_make (const BzBrand *brand, const BzHost *host, const BzPlanOptions *options,
              GError **error)
{
  g_autoptr (BzPlan) plan = g_new0 (BzPlan, 1);
  struct utsname uts;

  if (!check (brand, host, options, error))
    return NULL;
  uname (&uts);
  plan->brand = g_strdup (brand->name);
  plan->abi = options->abi;
  if (!set_quirks (plan, brand, options, error)
      || !set_release (plan, brand, host, options, &uts, error))
    return NULL;
  set_proc_version (plan, brand);
  set_machine (plan, brand, options, &uts);
  set_limits (plan, brand);
  if (!set_files (plan, brand, error))
    return NULL;
  set_calls (plan, brand, host);
  set_for_zone (plan, host, options);
  plan->sync_wake_up = host->has[BZ_FEATURE_SYNC_WAKE_UP];
  plan->wait_killable = host->has[BZ_FEATURE_WAIT_KILLABLE];
  plan->fuse = host->has[BZ_FEATURE_FUSE];
  plan->host_release = host->release;
  return g_steal_pointer (&plan);
}
