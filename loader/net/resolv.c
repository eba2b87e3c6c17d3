#include "config.h"

#include "loader/net/resolv.h"

#include <string.h>
#include <sys/socket.h>

#define SERVERS_MAX 3 /* as many as resolvers read */

static gboolean
is_loopback (const BzAddress *address)
{
  static const guint8 one[16] = { [15] = 1 };

  return address->family == AF_INET ? address->bytes[0] == 127
                                    : memcmp (address->bytes, one, sizeof one) == 0;
}

static void
add_hosts_servers (GString *text)
{
  g_autofree char *file = NULL;
  guint count = 0;

  if (!g_file_get_contents ("/etc/resolv.conf", &file, NULL, NULL))
    return;
  g_auto (GStrv) lines = g_strsplit (file, "\n", -1);
  for (char **line = lines; *line != NULL && count < SERVERS_MAX; line++)
    {
      BzAddress address;

      if (!g_str_has_prefix (*line, "nameserver"))
        continue;
      const char *server = g_strstrip (*line + strlen ("nameserver"));
      if (!bz_address_parse (server, AF_UNSPEC, &address) || is_loopback (&address))
        continue;
      g_string_append_printf (text, "nameserver %s\n", server);
      count++;
    }
}

char *
bz_resolv_text (char *const *dns, const BzAddress *server)
{
  g_autoptr (GString) text = g_string_new (NULL);

  for (; *dns != NULL; dns++)
    g_string_append_printf (text, "nameserver %s\n", *dns);
  if (text->len == 0 && server != NULL)
    {
      g_autofree char *address = bz_address_text (server);
      g_string_append_printf (text, "nameserver %s\n", address);
    }
  if (text->len == 0)
    add_hosts_servers (text);
  return text->len > 0 ? g_strdup (text->str) : NULL;
}
