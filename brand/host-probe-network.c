/* What networks of a zone's own need. */
#include "config.h"

#include "brand/host-probe.h"

#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <linux/sockios.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

/* Whether nftables answers to what asks for its generation. */
static gboolean
nftables_answers (void)
{
  struct {
    struct nlmsghdr header;
    struct nfgenmsg general;
  } ask = { .header = { .nlmsg_len = sizeof ask,
                        .nlmsg_type = NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETGEN,
                        .nlmsg_flags = NLM_F_REQUEST } };
  union {
    struct nlmsghdr header;
    char bytes[4096];
  } answer;
  int fd = socket (AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER);

  return fd >= 0 && send (fd, &ask, sizeof ask, 0) == (ssize_t) sizeof ask
         && recv (fd, &answer, sizeof answer, 0) >= (ssize_t) sizeof answer.header
         && answer.header.nlmsg_type == (NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWGEN);
}

/* A bridge and nftables, in a network namespace that ends with the child. */
gboolean
bz_probe_nftables (const char *path G_GNUC_UNUSED)
{
  if (unshare (CLONE_NEWNET) != 0)
    return FALSE;
  int fd = socket (AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  return fd >= 0 && ioctl (fd, SIOCBRADDBR, "probe") == 0 && nftables_answers ();
}

gboolean
bz_probe_dnsmasq (char **detail)
{
  static const char *const places[] = { "/usr/sbin/dnsmasq", "/usr/local/sbin/dnsmasq",
                                        "/sbin/dnsmasq" };

  *detail = g_find_program_in_path ("dnsmasq");
  for (gsize i = 0; *detail == NULL && i < G_N_ELEMENTS (places); i++)
    if (access (places[i], X_OK) == 0)
      *detail = g_strdup (places[i]);
  if (*detail != NULL)
    return TRUE;
  *detail = g_strdup ("not installed");
  return FALSE;
}

gboolean
bz_probe_pasta (char **detail)
{
  *detail = g_find_program_in_path ("pasta");
  if (*detail == NULL)
    {
      *detail = g_strdup ("not installed");
      return FALSE;
    }
  if (access ("/dev/net/tun", R_OK | W_OK) == 0)
    return TRUE;
  g_free (*detail);
  *detail = g_strdup ("/dev/net/tun is closed");
  return FALSE;
}
