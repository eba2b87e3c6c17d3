#include "config.h"

#include "brand/host.h"
#include "brand/base/error.h"
#include "brand/host-cache.h"
#include "brand/host-probe.h"

#include <errno.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#define LOWEST BZ_RELEASE (5, 14, 0)

static const struct {
  const char *name;
  BzNeed need;
  const char *what, *cost, *mend;
} features[BZ_FEATURE_COUNT] = {
#define BZ_FEATURE(id, name, need, what, cost, mend)                                               \
  [BZ_FEATURE_##id] = { name, BZ_NEED_##need, what, cost, mend },
#include "brand/features.def"
#undef BZ_FEATURE
};

/* What a child tries. These are cached, the others are read from files each time. */
static const struct {
  BzFeature feature;
  BzProbeFunc probe;
  gboolean of_root;
} probes[] = {
  { BZ_FEATURE_USER_NAMESPACES, bz_probe_user_namespaces, FALSE },
  { BZ_FEATURE_USER_NOTIFY, bz_probe_user_notify, FALSE },
  { BZ_FEATURE_WAIT_KILLABLE, bz_probe_wait_killable, FALSE },
  { BZ_FEATURE_SYNC_WAKE_UP, bz_probe_sync_wake_up, FALSE },
  { BZ_FEATURE_IDMAPPED_MOUNTS, bz_probe_idmapped_mounts, TRUE },
  { BZ_FEATURE_IA32, bz_probe_ia32, FALSE },
  { BZ_FEATURE_OVERLAY, bz_probe_overlay, FALSE },
  { BZ_FEATURE_NFTABLES, bz_probe_nftables, TRUE },
};

const char *
bz_feature_name (BzFeature feature)
{
  return (guint) feature < BZ_FEATURE_COUNT ? features[feature].name : NULL;
}

BzNeed
bz_feature_need (BzFeature feature)
{
  return (guint) feature < BZ_FEATURE_COUNT ? features[feature].need : BZ_NEED_BETTER;
}

const char *
bz_feature_what (BzFeature feature)
{
  return (guint) feature < BZ_FEATURE_COUNT ? features[feature].what : NULL;
}

const char *
bz_feature_cost (BzFeature feature)
{
  return (guint) feature < BZ_FEATURE_COUNT ? features[feature].cost : NULL;
}

const char *
bz_feature_mend (BzFeature feature)
{
  return (guint) feature < BZ_FEATURE_COUNT ? features[feature].mend : NULL;
}

gboolean
bz_feature_lookup (const char *name, BzFeature *feature)
{
  for (guint i = 0; i < BZ_FEATURE_COUNT; i++)
    if (g_strcmp0 (name, features[i].name) == 0)
      {
        *feature = (BzFeature) i;
        return TRUE;
      }
  return FALSE;
}

/* The directory itself or its nearest ancestor that exists: trees will lie on its file system. */
static char *
existing (const char *dir)
{
  char *at = g_strdup (dir);

  while (!g_file_test (at, G_FILE_TEST_IS_DIR) && strcmp (at, "/") != 0 && strcmp (at, ".") != 0)
    {
      char *up = g_path_get_dirname (at);
      g_free (at);
      at = up;
    }
  return at;
}

static void
run_probes (const char *cache_dir, BzHost *host)
{
  g_autofree char *storage = existing (cache_dir != NULL ? cache_dir : BZ_LOCALSTATEDIR);
  gboolean cached[BZ_FEATURE_COUNT] = { 0 }, news = FALSE;

  for (guint i = 0; i < G_N_ELEMENTS (probes); i++)
    cached[probes[i].feature] = TRUE;
  if (cache_dir != NULL)
    bz_host_cache_read (cache_dir, cached, host);
  for (guint i = 0; i < G_N_ELEMENTS (probes); i++)
    {
      gboolean *has = &host->has[probes[i].feature];

      if (*has || (probes[i].of_root && !host->root))
        continue;
      *has = bz_probe_in_child (probes[i].probe, storage);
      news |= *has;
    }
  if (cache_dir != NULL && news)
    bz_host_cache_write (cache_dir, cached, host);
}

BzHost *
bz_host_probe (const char *cache_dir, GError **error)
{
  g_autoptr (BzHost) host = g_new0 (BzHost, 1);
  struct utsname uts;

  if (uname (&uts) != 0)
    {
      bz_fail_errno (error, errno, NULL, "asking for the kernel's release");
      return NULL;
    }
  host->release_text = g_strdup (uts.release);
  host->root = geteuid () == 0;
  host->has[BZ_FEATURE_KERNEL] =
      bz_release_parse (uts.release, &host->release) && host->release >= LOWEST;
  host->detail[BZ_FEATURE_KERNEL] = g_strdup (uts.release);

  run_probes (cache_dir, host);
  host->has[BZ_FEATURE_SUBORDINATE_IDS] =
      bz_probe_subordinate_ids (&host->detail[BZ_FEATURE_SUBORDINATE_IDS]);
  host->has[BZ_FEATURE_VSYSCALL] = bz_probe_vsyscall (&host->detail[BZ_FEATURE_VSYSCALL]);
  host->has[BZ_FEATURE_MODIFY_LDT] = bz_probe_modify_ldt ();
  host->has[BZ_FEATURE_FCHMODAT2] = bz_probe_fchmodat2 ();
  host->has[BZ_FEATURE_FUSE] = bz_probe_fuse ();
  host->has[BZ_FEATURE_CGROUP] = bz_probe_cgroup (&host->detail[BZ_FEATURE_CGROUP]);
  host->has[BZ_FEATURE_DNSMASQ] = bz_probe_dnsmasq (&host->detail[BZ_FEATURE_DNSMASQ]);
  host->has[BZ_FEATURE_PASTA] = bz_probe_pasta (&host->detail[BZ_FEATURE_PASTA]);
  return g_steal_pointer (&host);
}

void
bz_host_free (BzHost *host)
{
  if (host == NULL)
    return;
  g_free (host->release_text);
  for (guint i = 0; i < BZ_FEATURE_COUNT; i++)
    g_free (host->detail[i]);
  g_free (host);
}

gboolean
bz_host_mask (BzHost *host, const char *feature, GError **error)
{
  BzFeature number;

  if (!bz_feature_lookup (feature, &number))
    return bz_fail (error, BZ_ERROR_USAGE, "there is no such feature",
                    "`brandzone doctor` lists them", "--without %s", feature);
  host->has[number] = FALSE;
  g_free (host->detail[number]);
  host->detail[number] = g_strdup ("masked");
  return TRUE;
}

gboolean
bz_host_check (const BzHost *host, GError **error)
{
  for (guint i = 0; i < BZ_FEATURE_COUNT; i++)
    {
      if (features[i].need != BZ_NEED_REQUIRED || host->has[i])
        continue;
      if (i == BZ_FEATURE_KERNEL)
        return bz_fail (error, BZ_ERROR_HOST, "brandzone needs Linux 5.14 or later",
                        features[i].mend, "this host runs Linux %s", host->release_text);
      return bz_fail (error, BZ_ERROR_HOST, "the host does not give it", features[i].mend,
                      "%s, needed for %s", features[i].name, features[i].what);
    }
  return TRUE;
}
