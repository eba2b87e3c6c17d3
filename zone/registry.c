/* Images of registries, through skopeo.
 *
 * Problem: registries have a protocol, logins, mirrors and signature policies of their own, and the
 * users' settings for all of that lie where skopeo, podman and buildah look for them. Choice: skopeo
 * is run as the user who installs, with the user's environment, and writes one file: an OCI archive,
 * which the installer then reads like any other, digests and all. It goes to the zone's hidden
 * directory, which is swept when we are killed. Limits: skopeo decides what may be fetched
 * (/etc/containers/policy.json); it tells no amounts, so progress is what it says of blobs. */
#include "config.h"

#include "zone/registry.h"

#include "brand/base/error.h"
#include "zone/names.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define LINE_MAX_BYTES 4096

static const char *const transports[] = {
  "docker://", "registry:", "dir:", "oci:", "oci-archive:", "docker-archive:", "docker-daemon:", "containers-storage:"
};

gboolean
bz_registry_is (const char *source)
{
  for (gsize i = 0; i < G_N_ELEMENTS (transports); i++)
    if (g_str_has_prefix (source, transports[i]) && source[strlen (transports[i])] != '\0')
      return access (source, F_OK) != 0;
  return FALSE;
}

/* In the child. */
static void
prepare_child (gpointer data G_GNUC_UNUSED)
{
  sigset_t none;

  prctl (PR_SET_PDEATHSIG, SIGTERM);
  dup2 (STDERR_FILENO, STDOUT_FILENO); /* what it does goes to the one, why it fails to the other */
  sigemptyset (&none);
  sigprocmask (SIG_SETMASK, &none, NULL);
}

static gboolean
is_interrupted (void)
{
  sigset_t pending;

  return sigpending (&pending) == 0
         && (sigismember (&pending, SIGINT) || sigismember (&pending, SIGTERM));
}

/* Tells what skopeo says; *last: its last line. */
static void
take_text (const BzContext *context, GString *text, char **last)
{
  char *end;

  while ((end = strchr (text->str, '\n')) != NULL || text->len > LINE_MAX_BYTES)
    {
      gsize length = end != NULL ? (gsize) (end - text->str) : text->len;
      g_autofree char *line = g_strndup (text->str, length);

      g_string_erase (text, 0, (gssize) MIN (length + 1, text->len));
      g_strchomp (line);
      if (*line == '\0')
        continue;
      bz_context_detail (context, "skopeo: %s", line);
      g_free (*last);
      *last = bz_text_safe (line);
    }
}

/* Reads until skopeo ends; ends it at an interrupt. */
static void
read_output (const BzContext *context, int fd, GPid pid, char **last)
{
  g_autoptr (GString) text = g_string_new (NULL);
  char block[4096];

  for (;;)
    {
      struct pollfd polled = { fd, POLLIN, 0 };
      gssize size;

      if (poll (&polled, 1, 100) <= 0)
        {
          if (is_interrupted ())
            kill (pid, SIGTERM);
          continue;
        }
      size = read (fd, block, sizeof block);
      if (size < 0 && errno == EINTR)
        continue;
      if (size <= 0)
        break;
      g_string_append_len (text, block, size);
      take_text (context, text, last);
    }
  g_string_append_c (text, '\n');
  take_text (context, text, last);
}

/* skopeo's words, without its time stamp and level. */
static const char *
reason (const char *last)
{
  const char *message = last == NULL ? NULL : strstr (last, "msg=");

  return message != NULL ? message + strlen ("msg=") : last != NULL ? last : "it says nothing";
}

static gboolean
fail_start (const GError *failure, const char *safe, GError **error)
{
  if (g_error_matches (failure, G_SPAWN_ERROR, G_SPAWN_ERROR_NOENT))
    return bz_fail (error, BZ_ERROR_HOST, "skopeo, which fetches container images, is not installed",
                    "apt-get install skopeo, or dnf install skopeo", "the source %s", safe);
  return bz_fail (error, BZ_ERROR_FAILED, failure->message, NULL, "starting skopeo");
}

gboolean
bz_registry_fetch (const BzContext *context, const char *source, gboolean i386, const char *to,
                   GError **error)
{
  gboolean registry = g_str_has_prefix (source, "registry:");
  g_autofree char *from =
      registry ? g_strconcat ("docker://", source + strlen ("registry:"), NULL) : g_strdup (source);
  g_autofree char *target = g_strdup_printf ("oci-archive:%s:zone", to);
  g_autofree char *safe = bz_text_safe (source);
  g_autofree char *last = NULL;
  const char *argv[] = { "skopeo", "--override-os", "linux", "--override-arch", i386 ? "386" : "amd64",
                         "copy",   from,            target,  NULL };
  g_autoptr (GError) failure = NULL;
  int output, status = 0;
  GPid pid;

  if (!g_spawn_async_with_pipes (NULL, (char **) argv, NULL,
                                 G_SPAWN_SEARCH_PATH | G_SPAWN_DO_NOT_REAP_CHILD, prepare_child,
                                 NULL, &pid, NULL, NULL, &output, &failure))
    return fail_start (failure, safe, error);
  read_output (context, output, pid, &last);
  close (output);
  while (waitpid (pid, &status, 0) < 0 && errno == EINTR)
    ;
  if (is_interrupted ())
    return bz_fail (error, BZ_ERROR_INTERRUPTED, "interrupted", NULL, "fetching %s", safe);
  if (WIFEXITED (status) && WEXITSTATUS (status) == 0)
    return TRUE;
  return bz_fail (error, BZ_ERROR_INPUT, reason (last),
                  "try: skopeo inspect, and skopeo login for what is private", "fetching %s", safe);
}
