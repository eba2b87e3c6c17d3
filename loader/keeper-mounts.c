/* What the keeper decides about a zone's own mount(2) (catalogue row B12). */
#include "config.h"

#include "loader/keeper-private.h"

#include "brand/base/error.h"
#include "brand/file-systems.h"
#include "loader/mount-broker.h"

#include <errno.h>
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

/* Owned by the caller. */
static char *
describe_refusal (const char *zone, const BzFileSystem *system)
{
  gboolean loops = strcmp (system->name, BZ_FILE_SYSTEM_LOOP) == 0;
  const char *type = loops ? "ext4" : system->name;
  g_autofree char *what =
      loops ? g_strdup ("loop devices: zones have none")
            : g_strdup_printf ("mount of %s: zones may not", system->name);
  g_autofree char *way =
      geteuid () != 0 ? g_strdup ("only zones of root can be let")
      : system->kind == BZ_FILE_SYSTEM_REFUSED && !loops
          ? g_strdup ("its daemon works for the host alone")
          : g_strdup_printf ("`brandzone config set %s Storage.Mounts=%s` lets it", zone, type);

  return g_strdup_printf ("%s (B12) (%s; or mount it on the host, and give it: "
                          "`brandzone mount %s SRC:DST`)",
                          what, way, zone);
}

/* Start scripts try again and again. */
void
bz_keeper_tell_refusal (BzKeeper *keeper, const BzFileSystem *system)
{
  if (keeper->refused == NULL)
    keeper->refused = g_ptr_array_new ();
  if (g_ptr_array_find (keeper->refused, system, NULL))
    return;
  g_ptr_array_add (keeper->refused, (gpointer) system);
  g_autofree char *text = describe_refusal (keeper->partition->name, system);
  tell (keeper, text);
}

static void
answer (int reply, gint32 failed)
{
  GVariantDict body;

  if (reply < 0)
    return;
  g_variant_dict_init (&body, NULL);
  g_variant_dict_insert (&body, "error", "i", failed);
  bz_message_send (reply, "mount", g_variant_dict_end (&body), NULL, 0, NULL);
}

/* A mount(8) that tries all types, as it has none, goes on after ENODEV, not after the kernel's EPERM. */
static gint32
answer_of_refusal (const BzKeeper *keeper, const BzFileSystem *system)
{
  return system->kind == BZ_FILE_SYSTEM_IMAGE && keeper->loops != NULL ? ENODEV : -1;
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
      int image = message->fd_count > 3 ? message->fds[3] : -1;
      bz_mount_broker_serve (message, keeper->namespaces, keeper->partition->name,
                             bz_keeper_find_loop (keeper, image));
      return;
    }
  bz_keeper_tell_refusal (keeper, system);
  if (strcmp (message->kind, "mount") == 0)
    answer (message->fd_count > 0 ? message->fds[0] : -1, answer_of_refusal (keeper, system));
}
