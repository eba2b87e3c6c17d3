/* The caller's answers to brandzone-install: files of servers, verdicts on signatures.
 *
 * Facts: gpgv takes keyrings in binary form only and prints what it found as lines on a descriptor;
 * it tells an expired key apart (EXPKEYSIG) and still says VALIDSIG. Keys of old distributions have
 * expired long ago, and their signatures use SHA-1, which sqv refuses and gpgv does not.
 * Choice: each is a helper process of its own (brandzone-fetch, gpgv) with no more than its
 * descriptors; what they print is read to a limit. An expired key fails with its name, unless the
 * user allows it. Armoured keys are turned into binary ones here: they are the user's own files. */
#include "config.h"

#include "installer/requests.h"

#include "brand/base/error.h"
#include "brand/base/libexec.h"
#include "installer/fetch.h"
#include "installer/helper.h"
#include "installer/report.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define KEY_MAX (1024 * 1024)

/* --- keys --- */

/* The binary form of armoured text: all its blocks, one after the other. */
static void
append_armoured (GString *ring, const char *text)
{
  static const char begin[] = "-----BEGIN PGP PUBLIC KEY BLOCK-----";

  while ((text = strstr (text, begin)) != NULL)
    {
      g_autoptr (GString) base64 = g_string_new (NULL);
      const char *line = strchr (text, '\n');
      gboolean body = FALSE;

      for (; line != NULL; line = strchr (line, '\n'))
        {
          gsize length = strcspn (++line, "\r\n");

          if (*line == '-' || (body && *line == '='))
            break;
          if (body)
            g_string_append_len (base64, line, (gssize) length);
          else if (length == 0)
            body = TRUE;
          else if (memchr (line, ':', length) == NULL)
            {
              body = TRUE; /* without the empty line after no headers */
              g_string_append_len (base64, line, (gssize) length);
            }
        }
      gsize size = 0;
      g_autofree guchar *bytes = g_base64_decode (base64->str, &size);
      g_string_append_len (ring, (const char *) bytes, (gssize) size);
      text += strlen (begin);
    }
}

/* All keys as one binary keyring in memory. -1: error. */
static int
open_keyring (const char *const *keys, GError **error)
{
  g_autoptr (GString) ring = g_string_new (NULL);
  int fd;

  for (; *keys != NULL; keys++)
    {
      g_autofree char *text = NULL;
      g_autoptr (GError) failure = NULL;
      gsize size = 0;

      if (!g_file_get_contents (*keys, &text, &size, &failure) || size == 0 || size > KEY_MAX)
        {
          bz_fail (error, BZ_ERROR_INPUT,
                   failure != NULL ? failure->message : "it is empty, or larger than a key", NULL,
                   "key %s", *keys);
          return -1;
        }
      if ((text[0] & 0x80) != 0)
        g_string_append_len (ring, text, (gssize) size);
      else
        append_armoured (ring, text);
    }
  if (ring->len == 0)
    {
      bz_fail (error, BZ_ERROR_INPUT, "no OpenPGP public key is in it",
               "give a key as gpg --export writes it", "the keys of --key");
      return -1;
    }
  fd = memfd_create ("keys", MFD_CLOEXEC);
  if (fd < 0 || write (fd, ring->str, ring->len) != (gssize) ring->len)
    bz_fail_errno (error, errno, NULL, "making a keyring");
  return fd;
}

/* --- verdicts --- */

typedef struct {
  char *good, *expired_key, *expired, *revoked, *unknown;
  gboolean bad, valid;
} Verdict;

static void
verdict_clear (Verdict *verdict)
{
  g_free (verdict->good);
  g_free (verdict->expired_key);
  g_free (verdict->expired);
  g_free (verdict->revoked);
  g_free (verdict->unknown);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Verdict, verdict_clear)

static void
read_verdict (const char *text, Verdict *verdict)
{
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  const struct {
    const char *word;
    char **who;
  } known[] = { { "GOODSIG ", &verdict->good },
                { "EXPKEYSIG ", &verdict->expired_key },
                { "EXPSIG ", &verdict->expired },
                { "REVKEYSIG ", &verdict->revoked },
                { "NO_PUBKEY ", &verdict->unknown } };

  for (char **line = lines; *line != NULL; line++)
    {
      const char *status = *line;

      if (!g_str_has_prefix (status, "[GNUPG:] "))
        continue;
      status += strlen ("[GNUPG:] ");
      verdict->valid |= g_str_has_prefix (status, "VALIDSIG ");
      verdict->bad |= g_str_has_prefix (status, "BADSIG ");
      for (gsize i = 0; i < G_N_ELEMENTS (known); i++)
        if (g_str_has_prefix (status, known[i].word) && *known[i].who == NULL)
          *known[i].who = g_strdup (status + strlen (known[i].word));
    }
}

/* The text for whoever signed; NULL: error. */
static char *
judge (const Verdict *verdict, const BzInstallOptions *options, const char *what, GError **error)
{
  g_autofree char *why = NULL;

  if (verdict->bad)
    why = g_strdup ("its signature is wrong: it was changed after it was signed");
  else if (verdict->good != NULL && verdict->valid)
    return g_strdup (verdict->good);
  else if (verdict->expired_key != NULL && verdict->valid && options->allow_expired_key)
    return g_strdup_printf ("%s (expired)", verdict->expired_key);
  else if (verdict->expired_key != NULL && verdict->valid)
    {
      why = g_strdup_printf ("it is signed with a key that has expired: %s", verdict->expired_key);
      bz_fail (error, BZ_ERROR_INPUT, why, "take it all the same with --allow-expired-key", "%s",
               what);
      return NULL;
    }
  else if (verdict->revoked != NULL)
    why = g_strdup_printf ("it is signed with a key that was revoked: %s", verdict->revoked);
  else if (verdict->expired != NULL)
    why = g_strdup_printf ("its signature has expired: %s", verdict->expired);
  else if (verdict->unknown != NULL)
    why = g_strdup_printf ("it is signed with another key: %s", verdict->unknown);
  else
    why = g_strdup ("gpgv can't read its signature");
  bz_fail (error, BZ_ERROR_INPUT, why, "give the key that signed it with --key", "%s", what);
  return NULL;
}

char *
bz_signature_check (int data_fd, int signature_fd, const char *what,
                    const BzInstallOptions *options, GError **error)
{
  g_auto (Verdict) verdict = { 0 };
  int ring = open_keyring ((const char *const *) options->keys, error);
  const char *argv[] = { "gpgv",         "--homedir",     "/nonexistent", "--status-fd", "1",
                         "--keyring",    "/proc/self/fd/5", "/proc/self/fd/4", "/proc/self/fd/3",
                         NULL };
  int fds[] = { data_fd, signature_fd, ring };
  g_autofree char *text = NULL;
  int status;

  if (ring < 0)
    return NULL;
  if (signature_fd < 0)
    { /* signed inline */
      argv[7] = "/proc/self/fd/3";
      argv[8] = NULL;
      fds[1] = data_fd;
    }
  text = bz_helper_run (argv, fds, G_N_ELEMENTS (fds), -1, &status, error);
  close (ring);
  if (text == NULL)
    return NULL;
  read_verdict (text, &verdict);
  return judge (&verdict, options, what, error);
}

/* --- answers --- */

static char *
answer_verify (const BzInstallOptions *options, const char *what, const int *fds, GError **error)
{
  g_autofree char *who = NULL;

  if (options->keys == NULL || fds[0] < 0 || fds[1] < 0)
    {
      bz_fail (error, BZ_ERROR_FAILED, "there is nothing to check it with", NULL, "%s", what);
      return NULL;
    }
  who = bz_signature_check (fds[0], fds[1], what, options, error);
  return who == NULL ? NULL : bz_report_line (BZ_ANSWER_DONE, who, BZ_REPORT_END);
}

static char *
answer_fetch (const BzInstallOptions *options, const char *path, int *fd, GError **error)
{
  g_autofree char *escaped = g_uri_escape_string (path, G_URI_RESERVED_CHARS_ALLOWED_IN_PATH, FALSE);
  g_autofree char *url = g_strdup_printf (
      "%s%s%s", options->source, g_str_has_suffix (options->source, "/") ? "" : "/", escaped);
  gboolean missing;

  *fd = bz_fetch (url, options->target, &missing, error);
  if (*fd >= 0)
    return bz_report_line (BZ_ANSWER_DONE, "", BZ_REPORT_END);
  return missing ? bz_report_line (BZ_ANSWER_MISSING, BZ_REPORT_END) : NULL;
}

int
bz_fetch (const char *url, const char *beside, gboolean *missing, GError **error)
{
  g_autofree char *directory = g_path_get_dirname (beside);
  g_autofree char *program = bz_libexec_program ("brandzone-fetch");
  const char *argv[] = { program, url, NULL };
  int status, fd = open (directory, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

  *missing = FALSE;
  if (fd < 0)
    fd = memfd_create ("fetched", MFD_CLOEXEC);
  if (fd < 0)
    {
      bz_fail_errno (error, errno, NULL, "making a file in %s", directory);
      return -1;
    }
  g_autofree char *text = bz_helper_run (argv, NULL, 0, fd, &status, error);
  if (text != NULL && status == 0 && lseek (fd, 0, SEEK_SET) == 0)
    return fd;
  close (fd);
  if (text != NULL && status == BZ_FETCH_MISSING)
    *missing = TRUE;
  else if (text != NULL)
    bz_fail (error, BZ_ERROR_FAILED, *text == '\0' ? "brandzone-fetch died" : g_strstrip (text),
             status == BZ_FETCH_UNTRUSTED ? BZ_FETCH_UNTRUSTED_HINT : "try again", "fetching %s", url);
  return -1;
}

/* The zone's root is ours to say: the installer only names what to run in it. */
static char *
answer_run (const BzInstallOptions *options, char **fields, GError **error)
{
  g_autofree char *tree = g_strconcat (options->target, ".partial/root", NULL);
  BzInstallRun run = { .tree = tree, .what_for = fields[0], .directory = fields[1],
                       .argv = { fields[2], fields[3], fields[4], NULL } };
  int status = 0;

  if (options->run == NULL || run.what_for == NULL || run.directory == NULL || run.argv[0] == NULL)
    {
      bz_fail (error, BZ_ERROR_FAILED, "nobody is there to run it", NULL, "%s",
               run.argv[0] == NULL ? "a script" : run.argv[0]);
      return NULL;
    }
  if (!options->run (&run, &status, options->data, error))
    return NULL;
  g_autofree char *text = g_strdup_printf ("%d", status);
  return bz_report_line (BZ_ANSWER_DONE, text, BZ_REPORT_END);
}

gboolean
bz_requests_answer (int socket, const BzInstallOptions *options)
{
  int fds[BZ_REQUEST_FDS], fd = -1;
  g_autofree char *line = bz_request_receive (socket, fds);
  g_autoptr (GError) failure = NULL;
  char *answer = NULL;

  if (line == NULL)
    return FALSE;
  guint count = line[0] == BZ_REQUEST_KEYS  ? 0
                : line[0] == BZ_REQUEST_RUN ? BZ_REQUEST_RUN_FIELDS
                                            : 1;
  char **fields = bz_report_parse (line, count);
  const char *text = fields == NULL || count == 0 || fields[0] == NULL ? "" : fields[0];
  if (fields != NULL && line[0] == BZ_REQUEST_KEYS)
    answer = bz_report_line (BZ_ANSWER_DONE, options->keys != NULL ? "yes" : "no", BZ_REPORT_END);
  else if (fields != NULL && line[0] == BZ_REQUEST_FETCH)
    answer = answer_fetch (options, text, &fd, &failure);
  else if (fields != NULL && line[0] == BZ_REQUEST_VERIFY)
    answer = answer_verify (options, text, fds, &failure);
  else if (fields != NULL && line[0] == BZ_REQUEST_RUN)
    answer = answer_run (options, fields, &failure);
  bz_report_fields_free (fields, count);
  for (guint i = 0; i < BZ_REQUEST_FDS; i++)
    if (fds[i] >= 0)
      close (fds[i]);
  if (answer == NULL && failure == NULL)
    bz_fail (&failure, BZ_ERROR_FAILED, "it asked for what makes no sense", NULL,
             "brandzone-install");
  if (answer == NULL)
    answer = bz_report_error_line (failure);
  gboolean good = bz_request_send (socket, answer, &fd, fd >= 0 ? 1 : 0);
  if (fd >= 0)
    close (fd);
  return good;
}
