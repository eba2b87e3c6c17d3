/* Packets of one line and descriptors, both ways. */
#include "config.h"

#include "installer/requests.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

gboolean
bz_request_send (int socket, char *line, const int *fds, guint n_fds)
{
  union {
    struct cmsghdr header;
    char bytes[CMSG_SPACE (sizeof (int) * BZ_REQUEST_FDS)];
  } control = { 0 };
  gsize length = strlen (line);
  struct iovec part = { line, length };
  struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1 };
  gssize sent = -1;

  if (n_fds > 0)
    {
      message.msg_control = control.bytes;
      message.msg_controllen = CMSG_SPACE (sizeof (int) * n_fds);
      struct cmsghdr *header = CMSG_FIRSTHDR (&message);
      header->cmsg_level = SOL_SOCKET;
      header->cmsg_type = SCM_RIGHTS;
      header->cmsg_len = CMSG_LEN (sizeof (int) * n_fds);
      memcpy (CMSG_DATA (header), fds, sizeof (int) * n_fds);
    }
  if (length < BZ_REQUEST_MAX)
    do
      sent = sendmsg (socket, &message, MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
  g_free (line);
  return sent == (gssize) length;
}

char *
bz_request_receive (int socket, int fds[BZ_REQUEST_FDS])
{
  union {
    struct cmsghdr header;
    char bytes[CMSG_SPACE (sizeof (int) * BZ_REQUEST_FDS)];
  } control;
  g_autofree char *line = g_malloc (BZ_REQUEST_MAX);
  struct iovec part = { line, BZ_REQUEST_MAX - 1 };
  struct msghdr message = { .msg_iov = &part,
                            .msg_iovlen = 1,
                            .msg_control = control.bytes,
                            .msg_controllen = sizeof control.bytes };
  gssize size;

  for (guint i = 0; i < BZ_REQUEST_FDS; i++)
    fds[i] = -1;
  size = recvmsg (socket, &message, MSG_CMSG_CLOEXEC);
  if (size <= 0)
    return NULL;
  for (struct cmsghdr *header = CMSG_FIRSTHDR (&message); header != NULL;
       header = CMSG_NXTHDR (&message, header))
    if (header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS)
      memcpy (fds, CMSG_DATA (header),
              MIN (header->cmsg_len - CMSG_LEN (0), sizeof (int) * BZ_REQUEST_FDS));
  if (line[size - 1] != '\n' || (message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0
      || memchr (line, '\0', (gsize) size) != NULL)
    {
      for (guint i = 0; i < BZ_REQUEST_FDS; i++)
        if (fds[i] >= 0)
          {
            close (fds[i]);
            fds[i] = -1;
          }
      return NULL;
    }
  line[size - 1] = '\0';
  return g_steal_pointer (&line);
}
