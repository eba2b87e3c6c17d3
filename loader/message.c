#include "config.h"

#include "loader/message.h"

#include "brand/base/error.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define MESSAGE_TYPE G_VARIANT_TYPE ("(sa{sv})")

void
bz_message_free (BzMessage *message)
{
  if (message == NULL)
    return;
  for (guint i = 0; i < message->fd_count; i++)
    if (message->fds[i] >= 0)
      close (message->fds[i]);
  g_clear_pointer (&message->body, g_variant_dict_unref);
  g_free (message->kind);
  g_free (message);
}

gboolean
bz_message_send (int socket, const char *kind, GVariant *body, const int *fds, guint fd_count,
                 GError **error)
{
  if (body == NULL)
    body = g_variant_new ("a{sv}", NULL);
  g_autoptr (GVariant) whole = g_variant_ref_sink (g_variant_new ("(s@a{sv})", kind, body));
  struct iovec io = { .iov_base = (void *) g_variant_get_data (whole),
                      .iov_len = g_variant_get_size (whole) };
  union {
    char bytes[CMSG_SPACE (sizeof (int) * BZ_MESSAGE_FDS)];
    struct cmsghdr align;
  } control = { 0 };
  struct msghdr header = { .msg_iov = &io, .msg_iovlen = 1 };

  g_return_val_if_fail (fd_count <= BZ_MESSAGE_FDS, FALSE);
  if (fd_count > 0)
    {
      header.msg_control = control.bytes;
      header.msg_controllen = CMSG_SPACE (sizeof (int) * fd_count);
      struct cmsghdr *rights = CMSG_FIRSTHDR (&header);
      rights->cmsg_level = SOL_SOCKET;
      rights->cmsg_type = SCM_RIGHTS;
      rights->cmsg_len = CMSG_LEN (sizeof (int) * fd_count);
      memcpy (CMSG_DATA (rights), fds, sizeof (int) * fd_count);
    }

  ssize_t sent;
  do
    sent = sendmsg (socket, &header, MSG_NOSIGNAL);
  while (sent < 0 && errno == EINTR);
  if (sent < 0)
    return bz_fail_errno (error, errno, NULL, "cannot send the message \"%s\"", kind);
  return TRUE;
}

static void
collect_descriptors (struct msghdr *header, BzMessage *message)
{
  for (struct cmsghdr *c = CMSG_FIRSTHDR (header); c != NULL; c = CMSG_NXTHDR (header, c))
    {
      if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
        continue;
      guint count = (c->cmsg_len - CMSG_LEN (0)) / sizeof (int);
      for (guint i = 0; i < count; i++)
        {
          int fd;
          memcpy (&fd, CMSG_DATA (c) + i * sizeof (int), sizeof fd);
          if (message->fd_count < BZ_MESSAGE_FDS)
            message->fds[message->fd_count++] = fd;
          else
            close (fd);
        }
    }
}

BzMessage *
bz_message_receive (int socket, gboolean *ended, GError **error)
{
  g_autofree char *buffer = g_malloc (BZ_MESSAGE_BYTES);
  g_autoptr (BzMessage) message = g_new0 (BzMessage, 1);
  union {
    char bytes[CMSG_SPACE (sizeof (int) * BZ_MESSAGE_FDS)];
    struct cmsghdr align;
  } control;
  struct iovec io = { .iov_base = buffer, .iov_len = BZ_MESSAGE_BYTES };
  struct msghdr header = { .msg_iov = &io,
                           .msg_iovlen = 1,
                           .msg_control = control.bytes,
                           .msg_controllen = sizeof control.bytes };
  ssize_t got;

  if (ended != NULL)
    *ended = FALSE;
  do
    got = recvmsg (socket, &header, MSG_CMSG_CLOEXEC);
  while (got < 0 && errno == EINTR);
  if (got < 0 && errno != ECONNRESET)
    {
      bz_fail_errno (error, errno, NULL, "cannot receive a message");
      return NULL;
    }
  if (got <= 0)
    {
      if (ended != NULL)
        *ended = TRUE;
      bz_fail (error, BZ_ERROR_FAILED, "the other side has gone", NULL, "cannot receive a message");
      return NULL;
    }
  collect_descriptors (&header, message);

  /* from_bytes needs aligned, owned memory; the data is checked as it is read (not trusted). */
  g_autoptr (GBytes) bytes = g_bytes_new_take (g_steal_pointer (&buffer), (gsize) got);
  g_autoptr (GVariant) whole =
      g_variant_ref_sink (g_variant_new_from_bytes (MESSAGE_TYPE, bytes, FALSE));
  if ((header.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0 || !g_variant_is_normal_form (whole))
    {
      bz_fail (error, BZ_ERROR_INPUT, "it is malformed", NULL, "cannot read a message");
      return NULL;
    }
  g_autoptr (GVariant) body = NULL;
  g_variant_get (whole, "(s@a{sv})", &message->kind, &body);
  message->body = g_variant_dict_new (body);
  return g_steal_pointer (&message);
}

int
bz_message_take_fd (BzMessage *message, guint index)
{
  if (index >= message->fd_count)
    return -1;
  int fd = message->fds[index];
  message->fds[index] = -1;
  return fd;
}

#define TEXT_BYTES 8192

/* Messages quote what people and zones have named in any encoding. */
static void
insert_text (GVariantDict *body, const char *key, const char *text)
{
  g_autofree char *valid =
      text != NULL ? g_utf8_make_valid (text, (gssize) strnlen (text, TEXT_BYTES)) : NULL;

  if (valid != NULL)
    g_variant_dict_insert (body, key, "s", valid);
}

gboolean
bz_message_send_error (int socket, const GError *problem, GError **error)
{
  const BzErrorParts *parts = bz_error_parts (problem);
  g_auto (GVariantDict) body = G_VARIANT_DICT_INIT (NULL);

  g_variant_dict_insert (&body, "code", "i", bz_error_exit_status (problem));
  insert_text (&body, "what", parts != NULL ? parts->what : "brandzone");
  insert_text (&body, "why", parts != NULL ? parts->why : problem->message);
  insert_text (&body, "hint", parts != NULL ? parts->hint : NULL);
  insert_text (&body, "row", parts != NULL ? parts->row : NULL);
  return bz_message_send (socket, "error", g_variant_dict_end (&body), NULL, 0, error);
}

gboolean
bz_message_check (BzMessage *message, GError **error)
{
  g_autofree char *what = NULL, *why = NULL, *hint = NULL, *row = NULL;
  gint32 code = BZ_ERROR_FAILED;

  if (strcmp (message->kind, "error") != 0)
    return TRUE;
  g_variant_dict_lookup (message->body, "code", "i", &code);
  g_variant_dict_lookup (message->body, "what", "s", &what);
  g_variant_dict_lookup (message->body, "why", "s", &why);
  g_variant_dict_lookup (message->body, "hint", "s", &hint);
  g_variant_dict_lookup (message->body, "row", "s", &row);
  bz_fail (error, (BzErrorCode) code, why != NULL ? why : "no reason was given", hint, "%s",
           what != NULL ? what : "the zone");
  if (row != NULL && error != NULL)
    bz_error_set_row (*error, row);
  return FALSE;
}
