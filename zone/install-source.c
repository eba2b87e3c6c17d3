/* install: from the words of the command line to what the installer takes. */
#include "config.h"

#include "zone/install-work.h"

#include "brand/base/error.h"
#include "installer/download.h"
#include "zone/named-source.h"
#include "zone/registry.h"
#include "zone/second-stage.h"

#include <string.h>
#include <unistd.h>

/* A path is made absolute; the address of a server stays what it is. */
static char *
source_name (const char *given)
{
  if (bz_registry_is (given) || g_str_has_prefix (given, "http://") || g_str_has_prefix (given, "https://"))
    return g_strdup (given);
  if (g_str_has_prefix (given, "file:///"))
    return g_uri_unescape_string (given + strlen ("file://"), NULL);
  return bz_path_absolute (given);
}

/* --- sources by name --- */

/* Where to take it from instead: --mirror, or BRANDZONE_MIRROR. NULL: its own server. */
static const char *
mirror_of (const BzArguments *arguments)
{
  const char *given = bz_arguments_string (arguments, "mirror"), *usual = g_getenv ("BRANDZONE_MIRROR");

  return given != NULL ? given : usual != NULL && *usual != '\0' ? usual : NULL;
}

static void
show_fetched (const BzProgress *progress, gpointer data)
{
  bz_meter_update (data, progress->done, 0, 0);
}

static char *
download (const BzInstallWork *install, const BzNamedSource *source, GError **error)
{
  g_autofree char *cache = g_build_filename (install->context->dirs->cache, "downloads", NULL);
  g_autoptr (BzMeter) meter =
      bz_meter_new (bz_install_meter_kind (install->context, install->arguments), source->name);
  g_autofree char *sha256 = NULL;
  const BzDownload wanted = { .url = source->url,
                              .sha256 = source->sha256,
                              .mirror = mirror_of (install->arguments),
                              .cache = cache,
                              .progress = show_fetched,
                              .data = meter };

  char *path = bz_download (&wanted, &sha256, error);
  if (path != NULL && source->sha256 == NULL)
    bz_context_note (install->context, "nothing says whether %s is what it should be: its SHA-256 is %s",
                     source->name, sha256);
  return path;
}

/* From a name to what the installer takes. NULL: error. *shown: where it came from. */
static char *
take_named (const BzInstallWork *install, const char *name, char **shown, GError **error)
{
  g_autoptr (GPtrArray) all = bz_named_sources_load (error);
  const BzNamedSource *source;
  gboolean has_abi;
  BzAbi abi = BZ_ABI_X86_64;

  bz_abi_option (install->arguments, &has_abi, &abi);
  if (all == NULL || (source = bz_named_source_find (all, name, has_abi, abi, error)) == NULL)
    return NULL;
  *shown = g_strdup_printf ("%s, %s", source->name, source->url);
  if (g_str_equal (source->kind, "repository"))
    {
      const char *mirror = mirror_of (install->arguments);
      return mirror != NULL ? g_build_path ("/", mirror, strstr (source->url, "://") + 3, NULL)
                            : g_strdup (source->url);
    }
  if (source->sha256 == NULL && !bz_arguments_flag (install->arguments, "unverified"))
    {
      bz_fail (error, BZ_ERROR_INPUT, source->unverified,
               "to take what its server sends all the same: --unverified", "the source %s", name);
      return NULL;
    }
  return download (install, source, error);
}

/* The second word of install, made what the installer takes. */
char *
bz_install_source (const BzInstallWork *install, const char *given, char **shown, GError **error)
{
  const char *host = bz_arguments_string (install->arguments, "from-ssh");
  const char *disk = bz_arguments_string (install->arguments, "from-disk");

  if ((given != NULL) + (host != NULL) + (disk != NULL) != 1)
    {
      bz_fail (error, BZ_ERROR_USAGE,
               given == NULL && host == NULL && disk == NULL ? "no source is named"
                                                             : "more than one source is named",
               "write: brandzone install NAME SOURCE, or --from-ssh USER@HOST, or --from-disk PATH",
               "brandzone install");
      return NULL;
    }
  if (host != NULL || disk != NULL)
    {
      *shown = host != NULL ? g_strconcat ("ssh://", host, NULL) : source_name (disk);
      return g_strdup (*shown);
    }
  if (!bz_named_source_like (given) || bz_registry_is (given) || access (given, F_OK) == 0)
    {
      char *source = source_name (given);
      *shown = g_strdup (source);
      return source;
    }
  return take_named (install, given, shown, error);
}
