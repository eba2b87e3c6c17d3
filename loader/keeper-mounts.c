/* What the keeper decides about a zone's own mount(2) (catalogue row B12). */
#include "config.h"

#include "loader/keeper-private.h"

#include "brand/base/error.h"
#include "brand/file-systems.h"
#include "loader/mount-broker.h"

#include <string.h>

/* A line for who reads the log, the console, or attends the command. */
static void
tell (BzKeeper *keeper, const char *text)
{
  GVariantDict body;

  g_printerr ("brandzone: %s: %s\n", keeper->partition->name, text);
  if (keeper->console != NULL)
    bz_console_say (keeper->console, "%s", text);
  if (keeper->owner < 0)
    return;
  g_variant_dict_init (&body, NULL);
  g_variant_dict_insert (&body, "text", "s", text);
  bz_message_send (keeper->owner, "note", g_variant_dict_end (&body), NULL, 0, NULL);
}

/* Once for each type: start scripts try again and again. */
static void
tell_refusal (BzKeeper *keeper, const BzFileSystem *system)
{
  const char *zone = keeper->partition->name;

  if (keeper->refused == NULL)
    keeper->refused = g_ptr_array_new ();
  if (g_ptr_array_find (keeper->refused, system, NULL))
    return;
  g_ptr_array_add (keeper->refused, (gpointer) system);
  g_autofree char *way =
      geteuid () == 0
          ? g_strdup_printf ("`brandzone config set %s Storage.Mounts=%s` lets it", zone, system->name)
          : g_strdup ("only zones of root can be let");
  g_autofree char *text = g_strdup_printf ("mount of %s: zones may not (B12) (%s; or mount it on the host, "
                                           "and give it: `brandzone mount %s SRC:DST`)",
                                           system->name, way, zone);
  tell (keeper, text);
}

static void
answer_not_ours (int reply)
{
  GVariantDict body;

  if (reply < 0)
    return;
  g_variant_dict_init (&body, NULL);
  g_variant_dict_insert (&body, "error", "i", (gint32) -1);
  bz_message_send (reply, "mount", g_variant_dict_end (&body), NULL, 0, NULL);
}

void
bz_keeper_serve_mount (BzKeeper *keeper, BzMessage *message)
{
  const char *type = NULL;
  const BzFileSystem *system;

  if (!g_variant_dict_lookup (message->body, "type", "&s", &type)
      || (system = bz_file_system_lookup (type)) == NULL)
    return;
  gboolean may = geteuid () == 0
                 && g_strv_contains ((const char *const *) keeper->partition->settings->mounts, type);
  if (strcmp (message->kind, "mount") == 0 && may)
    {
      bz_mount_broker_serve (message, keeper->namespaces, keeper->partition->name);
      return;
    }
  tell_refusal (keeper, system);
  if (strcmp (message->kind, "mount") == 0)
    answer_not_ours (message->fd_count > 0 ? message->fds[0] : -1);
}
