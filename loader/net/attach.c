/* Giving a zone its network, seen from its keeper: by brandzone-network for root, by pasta(1) for a
 * plain user, who can make no interface on the host.
 *
 * The host's ports of root's zones are bound by the keeper for the zone's life: nothing arrives at these
 * sockets, because the table of nftables sends it on before; but a port that is in use fails
 * now, and nobody else takes it later. */
#include "config.h"

#include "loader/net/attach.h"

#include "brand/base/error.h"
#include "brand/base/libexec.h"
#include "loader/kernel.h"
#include "loader/message.h"
#include "loader/net/address.h"
#include "loader/net/pasta.h"
#include "loader/net/resolv.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define PROGRAM "brandzone-network"
#define PATIENCE_SECONDS 20

struct BzAttached {
  char *id;       /* NULL: nothing of the host's is held but by the kernel */
  char *resolv, *addresses;
  GArray *ports;  /* of int: bound sockets */
  BzPasta pasta;  /* of a plain user's zone */
};

gboolean
bz_network_attached (BzNetwork network)
{
  return network == BZ_NETWORK_PRIVATE || network == BZ_NETWORK_MACVLAN;
}

const char *
bz_network_resolv (const BzAttached *attached)
{
  return attached != NULL ? attached->resolv : NULL;
}

const char *
bz_network_addresses (const BzAttached *attached)
{
  return attached != NULL ? attached->addresses : NULL;
}

static void
close_ports (GArray *ports)
{
  for (guint i = 0; i < ports->len; i++)
    close (g_array_index (ports, int, i));
  g_array_unref (ports);
}

/* --- ports --- */

/* A socket that has the port; -1 with errno. */
static int
bind_one (int family, const BzPublish *publish)
{
  struct sockaddr_in four = { .sin_family = AF_INET, .sin_port = htons (publish->outside) };
  struct sockaddr_in6 six = { .sin6_family = AF_INET6, .sin6_port = htons (publish->outside) };
  int one = 1;
  int fd = socket (family, (publish->udp ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC, 0);

  if (fd < 0)
    return -1;
  if (publish->address != NULL)
    inet_pton (family, publish->address,
               family == AF_INET ? (void *) &four.sin_addr : (void *) &six.sin6_addr);
  if (family == AF_INET6)
    setsockopt (fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof one);
  if (bind (fd, family == AF_INET ? (struct sockaddr *) &four : (struct sockaddr *) &six,
            family == AF_INET ? sizeof four : sizeof six)
      == 0)
    return fd;
  int saved = errno;
  close (fd);
  errno = saved;
  return -1;
}

static gboolean
bind_ports (const BzNetSettings *settings, GArray *ports, GError **error)
{
  for (guint i = 0; i < settings->publish->len; i++)
    {
      const BzPublish *publish = g_ptr_array_index (settings->publish, i);
      gboolean six = publish->address != NULL && strchr (publish->address, ':') != NULL;
      int fd = bind_one (six ? AF_INET6 : AF_INET, publish);

      if (fd < 0)
        {
          g_autofree char *text = bz_publish_text (publish);
          return bz_fail_errno (error, errno, "`ss -ltnup` tells who has it; choose another",
                                "cannot have the host's port of %s", text);
        }
      g_array_append_val (ports, fd);
      if (publish->address == NULL && (fd = bind_one (AF_INET6, publish)) >= 0)
        g_array_append_val (ports, fd);
    }
  return TRUE;
}

/* --- brandzone-network --- */

static G_GNUC_NORETURN void
become_program (const char *path, int socket)
{
  char *environment[] = { (char *) "PATH=/usr/sbin:/usr/bin:/sbin:/bin:/usr/local/sbin:/usr/local/bin", NULL };
  char number[16];
  sigset_t none;

  /* What the keeper ignores its programs would ignore, too. */
  sigemptyset (&none);
  sigprocmask (SIG_SETMASK, &none, NULL);
  for (int sig = 1; sig < NSIG; sig++)
    signal (sig, SIG_DFL);
  g_snprintf (number, sizeof number, "%d", socket);
  fcntl (socket, F_SETFD, 0);
  char *argv[] = { (char *) PROGRAM, number, NULL };
  execve (path, argv, environment);
  _exit (BZ_EXIT_BRANDZONE);
}

/* One request to a brandzone-network of its own. NULL with error. */
static BzMessage *
ask (const char *kind, GVariant *body, const int *fds, guint fd_count, GError **error)
{
  const struct timeval patience = { .tv_sec = PATIENCE_SECONDS };
  g_autoptr (BzMessage) answer = NULL;
  g_autofree char *path = bz_libexec_program (PROGRAM);
  int pair[2];

  if (socketpair (AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
    {
      bz_fail_errno (error, errno, NULL, "cannot make a socket pair");
      if (body != NULL)
        g_variant_unref (g_variant_ref_sink (body));
      return NULL;
    }
  pid_t pid = fork ();
  if (pid == 0)
    become_program (path, pair[1]);
  int saved = errno;
  close (pair[1]);
  setsockopt (pair[0], SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  if (pid < 0)
    bz_fail_errno (error, saved, NULL, "cannot fork");
  if (pid > 0 && bz_message_send (pair[0], kind, body, fds, fd_count, error))
    answer = bz_message_receive (pair[0], NULL, error);
  close (pair[0]);
  if (pid > 0 && answer == NULL)
    kill (pid, SIGKILL);
  while (pid > 0 && waitpid (pid, NULL, 0) < 0 && errno == EINTR)
    ;
  if (answer == NULL || !bz_message_check (answer, error))
    return NULL;
  return g_steal_pointer (&answer);
}

/* The zone's on this host, whatever place its state has. */
static char *
id_of (const char *run_dir)
{
  g_autofree char *sum = g_compute_checksum_for_string (G_CHECKSUM_SHA256, run_dir, -1);

  return g_strndup (sum, 12);
}

static GVariant *
request_of (const BzPartition *partition, const char *id)
{
  const BzSettings *settings = partition->settings;
  g_auto (GVariantDict) body = G_VARIANT_DICT_INIT (NULL);

  g_variant_dict_insert (&body, "id", "s", id);
  g_variant_dict_insert (&body, "name", "s", partition->name);
  g_variant_dict_insert (&body, "hostname", "s",
                         partition->hostname != NULL ? partition->hostname : partition->name);
  g_variant_dict_insert (&body, "mode", "u", (guint32) partition->network);
  if (settings->mac_address != NULL)
    g_variant_dict_insert (&body, "mac", "s", settings->mac_address);
  g_variant_dict_insert_value (&body, "settings", bz_net_settings_to_variant (settings->net));
  return g_variant_dict_end (&body);
}

static gboolean
attach_as_root (BzAttached *attached, const BzPartition *partition, int net_fd, GError **error)
{
  const BzNetSettings *settings = partition->settings->net;
  const char *address = NULL, *address6 = NULL;
  g_autofree char *id = id_of (partition->run_dir);

  if (!bind_ports (settings, attached->ports, error))
    return FALSE;
  g_autoptr (BzMessage) answer =
      ask ("attach", request_of (partition, id), &net_fd, 1, error);
  if (answer == NULL)
    return FALSE;
  g_variant_dict_lookup (answer->body, "address", "&s", &address);
  g_variant_dict_lookup (answer->body, "address6", "&s", &address6);
  g_variant_dict_lookup (answer->body, "resolv", "s", &attached->resolv);
  if (address != NULL)
    attached->addresses = address6 != NULL ? g_strdup_printf ("%s %s", address, address6)
                                           : g_strdup (address);
  else
    attached->addresses = g_strdup (address6);
  if (partition->network == BZ_NETWORK_PRIVATE && settings->bridge == NULL)
    attached->id = g_steal_pointer (&id);
  return TRUE;
}

static gboolean
attach_as_user (BzAttached *attached, const BzPartition *partition, pid_t init, GError **error)
{
  const BzSettings *settings = partition->settings;

  if (partition->network != BZ_NETWORK_PRIVATE || settings->net->bridge != NULL)
    return bz_fail (error, BZ_ERROR_PERMISSION, "it takes the host's root",
                    "set Mode=private without Bridge=, or make the zone as root",
                    "an interface of the host's for the zone");
  if (!bz_pasta_start (settings->net, settings->mac_address, init, &attached->pasta,
                       &attached->resolv, error))
    return FALSE;
  if (settings->net->dns[0] != NULL && settings->net->configure == BZ_CONFIGURE_START)
    attached->resolv = bz_resolv_text (settings->net->dns, NULL);
  return TRUE;
}

BzAttached *
bz_network_attach (const BzPartition *partition, pid_t init, int net_fd, GError **error)
{
  BzAttached *attached = g_new0 (BzAttached, 1);
  gboolean good;

  attached->ports = g_array_new (FALSE, FALSE, sizeof (int));
  attached->pasta = (BzPasta){ .life = -1, .pasta = -1 };
  if (geteuid () == 0)
    good = attach_as_root (attached, partition, net_fd, error);
  else
    good = attach_as_user (attached, partition, init, error);
  if (good)
    return attached;
  bz_network_detach (attached);
  return NULL;
}

static void
ask_to_detach (const char *id, GError **error)
{
  GVariantDict body;

  g_variant_dict_init (&body, NULL);
  g_variant_dict_insert (&body, "id", "s", id);
  bz_message_free (ask ("detach", g_variant_dict_end (&body), NULL, 0, error));
}

void
bz_network_detach (BzAttached *attached)
{
  if (attached == NULL)
    return;
  if (attached->id != NULL)
    {
      g_autoptr (GError) error = NULL;

      ask_to_detach (attached->id, &error);
      if (error != NULL)
        g_printerr ("brandzone: %s\n", error->message);
    }
  bz_pasta_stop (&attached->pasta);
  close_ports (attached->ports);
  g_free (attached->id);
  g_free (attached->resolv);
  g_free (attached->addresses);
  g_free (attached);
}

/* --- for the next program --- */

void
bz_network_leave (const BzAttached *attached, BzHandOver *left)
{
  g_variant_dict_insert (&left->values, "network", "b", attached != NULL);
  if (attached == NULL)
    return;
  bz_hand_over_text (left, "network-id", attached->id);
  bz_hand_over_text (left, "network-resolv", attached->resolv);
  bz_hand_over_text (left, "network-addresses", attached->addresses);
  bz_hand_over_fds (left, "network-ports", (const int *) (gpointer) attached->ports->data,
                    attached->ports->len);
  bz_hand_over_fd (left, "network-life", attached->pasta.life);
  bz_hand_over_fd (left, "network-pasta", attached->pasta.pasta);
  g_variant_dict_insert (&left->values, "network-watcher", "i", (gint32) attached->pasta.watcher);
}

BzAttached *
bz_network_take (GVariantDict *values, gboolean *bad)
{
  gboolean there = FALSE;
  gint32 watcher = 0;
  int ports[2 * BZ_PUBLISH_MAX];

  if (!g_variant_dict_lookup (values, "network", "b", &there) || !there)
    return NULL;
  BzAttached *attached = g_new0 (BzAttached, 1);
  attached->ports = g_array_new (FALSE, FALSE, sizeof (int));
  g_variant_dict_lookup (values, "network-id", "^ay", &attached->id);
  g_variant_dict_lookup (values, "network-resolv", "^ay", &attached->resolv);
  g_variant_dict_lookup (values, "network-addresses", "^ay", &attached->addresses);
  guint count =
      bz_hand_over_take_fds (values, "network-ports", ports, G_N_ELEMENTS (ports), bad);
  g_array_append_vals (attached->ports, ports, count);
  attached->pasta.life = bz_hand_over_take_fd (values, "network-life", bad);
  attached->pasta.pasta = bz_hand_over_take_fd (values, "network-pasta", bad);
  g_variant_dict_lookup (values, "network-watcher", "i", &watcher);
  attached->pasta.watcher = watcher;
  return attached;
}

char *
bz_network_place (void)
{
  struct stat st = { 0 };

  (void) !stat ("/proc/self/ns/net", &st);
  return g_strdup_printf ("/run/brandzone.network-%lu", (unsigned long) st.st_ino);
}

/* The host has, or had, zones with such a network. */
static gboolean
is_used (void)
{
  g_autofree char *place = bz_network_place ();

  return geteuid () == 0 && access (place, F_OK) == 0;
}

void
bz_network_sweep (void)
{
  if (is_used ())
    bz_message_free (ask ("sweep", NULL, NULL, 0, NULL));
}

void
bz_network_end_left (const char *run_dir)
{
  g_autofree char *id = id_of (run_dir);

  if (is_used ())
    ask_to_detach (id, NULL);
}
