/* Holding a running zone still, from outside.
 *
 * The zone stands still as long as the connection is open: whoever asked for it may be killed, and
 * must not leave it frozen for ever. */
#include "config.h"

#include "brand/base/error.h"
#include "loader/client.h"
#include "loader/loader.h"

#include <unistd.h>

#define LOOK_US 1000
#define PATIENCE_US (10 * G_USEC_PER_SEC)

int
bz_loader_freeze (const char *run_dir, GError **error)
{
  int connection = bz_client_connect (run_dir, error);
  gint64 until = g_get_monotonic_time () + PATIENCE_US;
  gboolean frozen = FALSE;

  while (connection >= 0 && !frozen)
    {
      g_autoptr (BzMessage) answer = bz_client_ask (connection, "freeze", NULL, NULL, 0, error);

      if (answer == NULL)
        break;
      g_variant_dict_lookup (answer->body, "frozen", "b", &frozen);
      if (frozen)
        return connection;
      if (g_get_monotonic_time () > until)
        {
          bz_fail (error, BZ_ERROR_FAILED, "a process of it does not stand still",
                   "stop the zone first", "holding the zone still");
          break;
        }
      g_usleep (LOOK_US);
    }
  if (connection >= 0)
    close (connection);
  return -1;
}
