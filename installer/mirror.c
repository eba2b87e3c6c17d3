/* A small HTTP server for the package managers of zones.
 *
 * Problem: TLS of old userlands reaches no server of today, and repositories lie in directories of
 * the host (FAILURES P3, P4). Facts: old yum and apt speak HTTP/1.0 and 1.1, ask for ranges, and do
 * without persistent connections. Choice: one process for each connection, without privileges,
 * which reads one request, answers and ends; files are opened below the directory by the kernel's
 * rules; what is passed on is fetched by brandzone-fetch, which speaks TLS. Only GET and HEAD.
 * Limits: 32 connections at once; nothing is kept of what was fetched. */
#include "config.h"

#include "installer/mirror.h"

#include "brand/base/error.h"
#include "installer/beneath.h"
#include "installer/helper.h"
#include "installer/mirror-request.h"

#include <arpa/inet.h>
#include <cap-ng.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define CONNECTIONS_MAX 32
#define PATIENCE_SECONDS 30

/* --- one connection --- */

static const char *
status_text (int status)
{
  switch (status)
    {
    case 200:
      return "OK";
    case 206:
      return "Partial Content";
    case 301:
      return "Moved Permanently";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 416:
      return "Range Not Satisfiable";
    case 502:
      return "Bad Gateway";
    default:
      return "Bad Request";
    }
}

static gboolean
send_text (int to, const char *text, gsize size)
{
  while (size > 0)
    {
      gssize sent = send (to, text, size, MSG_NOSIGNAL);

      if (sent < 0 && errno == EINTR)
        continue;
      if (sent <= 0)
        return FALSE;
      text += sent;
      size -= (gsize) sent;
    }
  return TRUE;
}

static void
send_head (int to, int status, guint64 length, const char *more)
{
  g_autofree char *head = g_strdup_printf ("HTTP/1.1 %d %s\r\nServer: brandzone\r\n"
                                           "Connection: close\r\nAccept-Ranges: bytes\r\n"
                                           "Content-Length: %" G_GUINT64_FORMAT "\r\n%s\r\n",
                                           status, status_text (status), length, more);

  send_text (to, head, strlen (head));
}

static void
send_status (int to, int status)
{
  g_autofree char *body = g_strdup_printf ("%d %s\n", status, status_text (status));

  send_head (to, status, strlen (body), "Content-Type: text/plain\r\n");
  send_text (to, body, strlen (body));
}

static void
send_file (int to, int fd, const BzMirrorRequest *request)
{
  g_autofree char *more = NULL;
  char date[64];
  struct tm when;
  struct stat st;

  if (fstat (fd, &st) < 0 || !S_ISREG (st.st_mode))
    {
      send_status (to, 404);
      return;
    }
  guint64 size = (guint64) st.st_size, from = request->range ? request->from : 0;
  guint64 end = request->range && request->to < size ? request->to + 1 : size;
  if (request->range && from >= size)
    {
      send_status (to, 416);
      return;
    }
  gmtime_r (&st.st_mtime, &when);
  strftime (date, sizeof date, "%a, %d %b %Y %H:%M:%S GMT", &when);
  if (request->range)
    more = g_strdup_printf ("Last-Modified: %s\r\nContent-Range: bytes %" G_GUINT64_FORMAT
                            "-%" G_GUINT64_FORMAT "/%" G_GUINT64_FORMAT "\r\n",
                            date, from, end - 1, size);
  else
    more = g_strdup_printf ("Last-Modified: %s\r\n", date);
  send_head (to, request->range ? 206 : 200, end - from, more);
  off_t at = (off_t) from;
  while (!request->head && at < (off_t) end)
    if (sendfile (to, fd, &at, (gsize) (end - (guint64) at)) <= 0 && errno != EINTR)
      break;
}

/* A list that people and installers can read. */
static void
send_list (int to, int fd, const BzMirrorRequest *request)
{
  g_autoptr (GString) page = g_string_new ("<html><body><pre>\n");
  DIR *dir = fdopendir (fd);
  struct dirent *entry;

  while (dir != NULL && (entry = readdir (dir)) != NULL)
    {
      struct stat st;
      gboolean directory = fstatat (dirfd (dir), entry->d_name, &st, 0) == 0
                           && S_ISDIR (st.st_mode);

      if (entry->d_name[0] == '.')
        continue;
      g_autofree char *link = g_uri_escape_string (entry->d_name, NULL, FALSE);
      g_autofree char *name = g_markup_escape_text (entry->d_name, -1);
      g_string_append_printf (page, "<a href=\"%s%s\">%s</a>\n", link, directory ? "/" : "", name);
    }
  g_string_append (page, "</pre></body></html>\n");
  if (dir != NULL)
    closedir (dir);
  send_head (to, 200, page->len, "Content-Type: text/html; charset=utf-8\r\n");
  if (!request->head)
    send_text (to, page->str, page->len);
}

static void
serve_directory (int to, int root, const BzMirrorRequest *request)
{
  struct stat st;
  int fd = bz_beneath_open (root, request->path, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0,
                            BZ_BENEATH_AS_ROOT);

  if (fd < 0 || fstat (fd, &st) < 0)
    send_status (to, 404);
  else if (!S_ISDIR (st.st_mode))
    send_file (to, fd, request);
  else if (!request->directory)
    {
      g_autofree char *escaped =
          g_uri_escape_string (request->path, G_URI_RESERVED_CHARS_ALLOWED_IN_PATH, FALSE);
      g_autofree char *location = g_strdup_printf ("Location: /%s/\r\n", escaped);

      send_head (to, 301, 0, location);
    }
  else
    {
      send_list (to, fd, request);
      return; /* it closed fd */
    }
  if (fd >= 0)
    close (fd);
}

static void
pass_on (int to, const BzMirrorOptions *options, const BzMirrorRequest *request)
{
  g_autofree char *escaped =
      g_uri_escape_string (request->path, G_URI_RESERVED_CHARS_ALLOWED_IN_PATH, FALSE);
  g_autofree char *url =
      g_strdup_printf ("%s%s%s%s", options->source, g_str_has_suffix (options->source, "/") ? "" : "/",
                       escaped, request->directory && *escaped != '\0' ? "/" : "");
  g_autoptr (GError) failure = NULL;
  gboolean missing;
  int fd = bz_fetch (url, options->scratch, &missing, &failure);

  if (fd < 0)
    {
      if (!missing)
        fprintf (stderr, "brandzone: %s\n", failure->message);
      send_status (to, missing ? 404 : 502);
      return;
    }
  send_file (to, fd, request);
  close (fd);
}

/* The head of a request, up to its empty line. 0: it did not come. */
static gsize
read_head (int from, char *head)
{
  gsize size = 0;

  while (size < BZ_MIRROR_HEAD_MAX)
    {
      gssize got = recv (from, head + size, BZ_MIRROR_HEAD_MAX - size, 0);

      if (got <= 0)
        return 0;
      size += (gsize) got;
      head[size] = '\0';
      if (strstr (head, "\r\n\r\n") != NULL || strstr (head, "\n\n") != NULL)
        return size;
    }
  return 0;
}

static void
serve (int connection, int root, const BzMirrorOptions *options)
{
  const struct timeval patience = { PATIENCE_SECONDS, 0 };
  char head[BZ_MIRROR_HEAD_MAX + 1];
  BzMirrorRequest request;

  setsockopt (connection, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  setsockopt (connection, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  gsize size = read_head (connection, head);
  if (size == 0)
    return;
  int refused = bz_mirror_request_parse (head, size, &request);
  if (refused != 0)
    send_status (connection, refused);
  else if (root >= 0)
    serve_directory (connection, root, &request);
  else
    pass_on (connection, options, &request);
  bz_mirror_request_clear (&request);
  shutdown (connection, SHUT_WR);
}

/* --- the server --- */

static void
become_small (void)
{
  sigset_t none;

  prctl (PR_SET_PDEATHSIG, SIGKILL);
  sigemptyset (&none);
  sigprocmask (SIG_SETMASK, &none, NULL);
  capng_clear (CAPNG_SELECT_CAPS);
  capng_apply (CAPNG_SELECT_CAPS);
  prctl (PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

static gboolean
parse_listen (const char *text, struct sockaddr_storage *address, socklen_t *length)
{
  const char *colon = strrchr (text, ':');
  guint64 port = 0;

  if (colon == NULL || !g_ascii_string_to_unsigned (colon + 1, 10, 0, 65535, &port, NULL))
    return FALSE;
  g_autofree char *host = g_strndup (text, (gsize) (colon - text));
  struct sockaddr_in *v4 = (struct sockaddr_in *) address;
  struct sockaddr_in6 *v6 = (struct sockaddr_in6 *) address;
  memset (address, 0, sizeof *address);
  if (host[0] == '[' && g_str_has_suffix (host, "]"))
    {
      host[strlen (host) - 1] = '\0';
      v6->sin6_family = AF_INET6;
      v6->sin6_port = htons ((guint16) port);
      *length = sizeof *v6;
      return inet_pton (AF_INET6, host + 1, &v6->sin6_addr) == 1;
    }
  v4->sin_family = AF_INET;
  v4->sin_port = htons ((guint16) port);
  *length = sizeof *v4;
  return inet_pton (AF_INET, host, &v4->sin_addr) == 1;
}

static int
open_listener (const char *where, char **told, GError **error)
{
  struct sockaddr_storage address;
  socklen_t length;
  char host[INET6_ADDRSTRLEN];
  int one = 1, fd;

  if (!parse_listen (where, &address, &length))
    {
      bz_fail (error, BZ_ERROR_USAGE, "it is no address with a port", "write 127.0.0.1:8080",
               "--listen %s", where);
      return -1;
    }
  fd = socket (address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0 || setsockopt (fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) < 0
      || bind (fd, (struct sockaddr *) &address, length) < 0 || listen (fd, CONNECTIONS_MAX) < 0
      || getsockname (fd, (struct sockaddr *) &address, &length) < 0)
    {
      bz_fail_errno (error, errno, NULL, "listening at %s", where);
      if (fd >= 0)
        close (fd);
      return -1;
    }
  if (address.ss_family == AF_INET)
    {
      const struct sockaddr_in *v4 = (const struct sockaddr_in *) &address;
      inet_ntop (AF_INET, &v4->sin_addr, host, sizeof host);
      *told = g_strdup_printf ("http://%s:%u", host, ntohs (v4->sin_port));
    }
  else
    {
      const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *) &address;
      inet_ntop (AF_INET6, &v6->sin6_addr, host, sizeof host);
      *told = g_strdup_printf ("http://[%s]:%u", host, ntohs (v6->sin6_port));
    }
  return fd;
}

static guint
reap (guint children)
{
  while (children > 0 && waitpid (-1, NULL, WNOHANG) > 0)
    children--;
  return children;
}

static void
serve_all (int listener, int root, int signals, const BzMirrorOptions *options)
{
  guint children = 0;
  struct signalfd_siginfo info;

  for (;;)
    {
      struct pollfd polled[2] = { { signals, POLLIN, 0 }, { listener, POLLIN, 0 } };

      if (poll (polled, children < CONNECTIONS_MAX ? 2 : 1, -1) < 0)
        continue;
      if ((polled[0].revents & POLLIN) != 0 && read (signals, &info, sizeof info) > 0)
        {
          if (info.ssi_signo != SIGCHLD)
            return;
          children = reap (children);
        }
      if (children >= CONNECTIONS_MAX || (polled[1].revents & POLLIN) == 0)
        continue;
      int connection = accept4 (listener, NULL, NULL, SOCK_CLOEXEC);
      if (connection < 0)
        continue;
      pid_t child = fork ();
      if (child == 0)
        {
          close (listener);
          become_small ();
          serve (connection, root, options);
          _exit (0);
        }
      close (connection);
      if (child > 0)
        children++;
    }
}

gboolean
bz_mirror_serve (const BzMirrorOptions *options, GError **error)
{
  gboolean remote = strstr (options->source, "://") != NULL;
  g_autofree char *told = NULL;
  int root = remote ? -1 : open (options->source, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  sigset_t taken, old;

  if (!remote && root < 0 && (errno == ENOENT || errno == ENOTDIR))
    return bz_fail (error, BZ_ERROR_INPUT, g_strerror (errno), "give a directory that holds a repository, or its address",
                    "opening %s", options->source);
  if (!remote && root < 0)
    return bz_fail_errno (error, errno, NULL, "opening %s", options->source);
  int listener = open_listener (options->listen, &told, error);
  sigemptyset (&taken);
  sigaddset (&taken, SIGINT);
  sigaddset (&taken, SIGTERM);
  sigaddset (&taken, SIGCHLD);
  sigprocmask (SIG_BLOCK, &taken, &old);
  int signals = signalfd (-1, &taken, SFD_CLOEXEC | SFD_NONBLOCK);
  gboolean good = listener >= 0 && options->ready (told, options->data, error);
  if (good)
    serve_all (listener, root, signals, options);
  close (signals);
  if (listener >= 0)
    close (listener);
  if (root >= 0)
    close (root);
  sigprocmask (SIG_SETMASK, &old, NULL);
  return good;
}
