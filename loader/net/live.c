#include "config.h"

#include "loader/net/live.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define TEXT_MAX 1024 /* less than a pipe takes at once */

static gboolean
is_told (const struct ifaddrs *entry, int family)
{
  if (entry->ifa_addr == NULL || entry->ifa_addr->sa_family != family
      || (entry->ifa_flags & IFF_LOOPBACK) != 0)
    return FALSE;
  return family == AF_INET
         || !IN6_IS_ADDR_LINKLOCAL (
             &((const struct sockaddr_in6 *) (gconstpointer) entry->ifa_addr)->sin6_addr);
}

static void
add_family (GString *text, const struct ifaddrs *list, int family)
{
  char number[INET6_ADDRSTRLEN];

  for (const struct ifaddrs *entry = list; entry != NULL; entry = entry->ifa_next)
    {
      if (!is_told (entry, family))
        continue;
      const void *address =
          family == AF_INET
              ? (const void *) &((const struct sockaddr_in *) (gconstpointer) entry->ifa_addr)->sin_addr
              : (const void *) &((const struct sockaddr_in6 *) (gconstpointer) entry->ifa_addr)
                    ->sin6_addr;
      if (inet_ntop (family, address, number, sizeof number) != NULL
          && text->len + strlen (number) + 1 < TEXT_MAX)
        g_string_append_printf (text, "%s%s", text->len > 0 ? " " : "", number);
    }
}

static G_GNUC_NORETURN void
be_reader (const int namespaces[BZ_NAMESPACE_COUNT], int out)
{
  g_autoptr (GString) text = g_string_new (NULL);
  struct ifaddrs *list = NULL;

  if (bz_namespaces_enter (namespaces, 1u << BZ_NAMESPACE_USER | 1u << BZ_NAMESPACE_NET, NULL)
      && getifaddrs (&list) == 0)
    {
      add_family (text, list, AF_INET);
      add_family (text, list, AF_INET6);
    }
  (void) !write (out, text->str, text->len);
  _exit (0);
}

char *
bz_network_live_addresses (const int namespaces[BZ_NAMESPACE_COUNT])
{
  char text[TEXT_MAX];
  gsize length = 0;
  ssize_t got;
  int ends[2];

  if (namespaces[BZ_NAMESPACE_NET] < 0 || pipe2 (ends, O_CLOEXEC) != 0)
    return g_strdup ("");
  pid_t pid = fork ();
  if (pid == 0)
    be_reader (namespaces, ends[1]);
  close (ends[1]);
  while (pid > 0 && length < sizeof text - 1
         && ((got = read (ends[0], text + length, sizeof text - 1 - length)) > 0
             || (got < 0 && errno == EINTR)))
    length += (gsize) MAX (got, 0);
  close (ends[0]);
  while (pid > 0 && waitpid (pid, NULL, 0) < 0 && errno == EINTR)
    ;
  return g_strndup (text, length);
}
