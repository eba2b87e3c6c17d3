/* struct nfs_mount_data in words.
 *
 * Facts: mount(8) of old looked the server's mount daemon up itself and gave the kernel a structure
 * with the address, the root's handle and numbers (include/uapi/linux/nfs_mount.h; the same layout for
 * i386 and x86-64). Versions 1 to 6 grew at its end. Today's fsconfig(2) takes words alone, and the
 * kernel asks the mount daemon itself: the handle is not needed.
 *
 * Limits: the kernel asks again what the program has asked; a server without NFS of the wanted
 * version refuses. */
#include "config.h"

#include "syscall-xlat/calls/nfs-guest.h"

#include <arpa/inet.h>
#include <string.h>

typedef struct {
  gint32 version, fd;
  guint8 old_root[32];
  gint32 flags, rsize, wsize, timeo, retrans, acregmin, acregmax, acdirmin, acdirmax;
  guint16 family, port; /* struct sockaddr_in; both of the network's byte order but the family */
  guint8 address[4], zero[8];
  char hostname[256];
} NfsData; /* as of version 1 */
_Static_assert (sizeof (NfsData) == 348, "struct nfs_mount_data of version 1");

static const struct {
  gint32 flag;
  const char *set, *unset;
} words[] = {
  { 0x1, "soft", "hard" },     { 0x10, "nocto", NULL },   { 0x20, "noac", NULL },
  { 0x40, "proto=tcp", "proto=udp" }, { 0x80, "vers=3", "vers=2" }, { 0x200, "nolock", NULL },
  { 0x800, "noacl", NULL },    { 0x4000, "nordirplus", NULL }, { 0x8000, "nosharecache", NULL },
};

gboolean
bz_nfs_is_binary (const guint8 *data, gsize length)
{
  gint32 version;

  if (length < sizeof version)
    return FALSE;
  memcpy (&version, data, sizeof version);
  return version >= 1 && version <= 6;
}

static void
append_number (GString *options, const char *name, gint32 value)
{
  if (value > 0)
    g_string_append_printf (options, ",%s=%d", name, value);
}

gboolean
bz_nfs_options (const guint8 *data, gsize length, GString *options)
{
  NfsData nfs;
  char address[INET_ADDRSTRLEN];

  if (!bz_nfs_is_binary (data, length) || length < sizeof nfs)
    return FALSE;
  memcpy (&nfs, data, sizeof nfs);
  if (nfs.family != AF_INET || inet_ntop (AF_INET, nfs.address, address, sizeof address) == NULL)
    return FALSE;
  g_string_append_printf (options, "addr=%s", address);
  append_number (options, "port", ntohs (nfs.port));
  for (gsize i = 0; i < G_N_ELEMENTS (words); i++)
    {
      const char *word = (nfs.flags & words[i].flag) != 0 ? words[i].set : words[i].unset;
      if (word != NULL)
        g_string_append_printf (options, ",%s", word);
    }
  append_number (options, "rsize", nfs.rsize);
  append_number (options, "wsize", nfs.wsize);
  append_number (options, "timeo", nfs.timeo);
  append_number (options, "retrans", nfs.retrans);
  append_number (options, "acregmin", nfs.acregmin);
  append_number (options, "acregmax", nfs.acregmax);
  append_number (options, "acdirmin", nfs.acdirmin);
  append_number (options, "acdirmax", nfs.acdirmax);
  return TRUE;
}
