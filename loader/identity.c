/* hostid and machine-id.
 *
 * Facts: gethostid(3) of glibc and uClibc reads four bytes of /etc/hostid in the machine's order,
 * and without the file makes a number out of the host name's address. systemd and D-Bus read
 * /etc/machine-id, D-Bus before 1.8 /var/lib/dbus/machine-id alone. No package owns these files, so
 * a bind mount is in no upgrade's way; the zone's root can't change the value. Limits: where the
 * tree has no such file, an empty one stays in it, which reads as none. */
#include "config.h"

#include "loader/identity.h"

#include "loader/view-private.h"

#include <string.h>

#define DBUS_DIRECTORY "/var/lib/dbus"

static gboolean
bind_machine_id (const char *id, int root, GError **error)
{
  g_autofree char *line = g_strconcat (id, "\n", NULL);

  return bz_view_bind_data (root, "machine-id", "/etc/machine-id", line, strlen (line), error)
         && (!bz_view_exists (root, DBUS_DIRECTORY)
             || bz_view_bind_data (root, "dbus-machine-id", DBUS_DIRECTORY "/machine-id", line,
                                   strlen (line), error));
}

gboolean
bz_identity_bind (const BzSettings *settings, int root, GError **error)
{
  if (settings->has_host_id
      && !bz_view_bind_data (root, "hostid", "/etc/hostid", (const char *) &settings->host_id,
                             sizeof settings->host_id, error))
    return FALSE;
  return settings->machine_id == NULL || bind_machine_id (settings->machine_id, root, error);
}
