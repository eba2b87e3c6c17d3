/* brandzone-fetch: one file of a web server to standard output.
 *
 * Problem: what old userlands offer for TLS no server takes any more, and what servers send is
 * hostile. Choice: a process of its own with libcurl, without privileges, for http and https; it
 * follows redirects to the same, and stops when a server sends nothing for a minute. With --resume it goes
 * on where standard output, a file, ends; a server that can't do so sends it all again. Who is trusted to vouch
 * for servers is the host's to say, or the caller's by the variables that curl(1) knows (the library reads none
 * of them): CURL_CA_BUNDLE, SSL_CERT_FILE, SSL_CERT_DIR. Exit status: 0, or one of installer/fetch.h with why on
 * standard error. */
#include "config.h"

#include "installer/fetch.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define REDIRECTS 10L
#define QUIET_SECONDS 60L

static size_t
write_out (char *data, size_t one, size_t count, void *user)
{
  size_t size = one * count, done = 0;
  int *saved = user;

  while (done < size)
    {
      ssize_t written = write (STDOUT_FILENO, data + done, size - done);

      if (written < 0 && errno == EINTR)
        continue;
      if (written < 0)
        {
          *saved = errno;
          return done;
        }
      done += (size_t) written;
    }
  return size;
}

/* From where standard output is to go on; 0: from the start. */
static curl_off_t
resume_from (int resume)
{
  struct stat status;

  return resume && fstat (STDOUT_FILENO, &status) == 0 && S_ISREG (status.st_mode) ? status.st_size
                                                                                   : 0;
}

/* As curl(1) does: the first of the two files that is named counts. */
static void
set_trust (CURL *curl)
{
  const char *bundle = getenv ("CURL_CA_BUNDLE"), *directory = getenv ("SSL_CERT_DIR");

  if (bundle == NULL || *bundle == '\0')
    bundle = getenv ("SSL_CERT_FILE");
  if (bundle != NULL && *bundle != '\0')
    curl_easy_setopt (curl, CURLOPT_CAINFO, bundle);
  if (directory != NULL && *directory != '\0')
    curl_easy_setopt (curl, CURLOPT_CAPATH, directory);
}

static int
exit_status (CURLcode result, long answer)
{
  if (result == CURLE_OK)
    return 0;
  if (result == CURLE_PEER_FAILED_VERIFICATION || result == CURLE_SSL_CACERT_BADFILE)
    return BZ_FETCH_UNTRUSTED;
  return answer == 404 || answer == 410 ? BZ_FETCH_MISSING : 1;
}

int
main (int argc, char **argv)
{
  char why[CURL_ERROR_SIZE] = "";
  int saved = 0, resume = argc == 3 && strcmp (argv[1], "--resume") == 0;
  curl_off_t from = resume_from (resume);
  long answer = 0;
  CURL *curl;

  if (argc != 2 + resume || curl_global_init (CURL_GLOBAL_DEFAULT) != 0 || (curl = curl_easy_init ()) == NULL)
    {
      fputs ("usage: brandzone-fetch [--resume] URL\n", stderr);
      return 2;
    }
  curl_easy_setopt (curl, CURLOPT_URL, argv[1 + resume]);
  curl_easy_setopt (curl, CURLOPT_RESUME_FROM_LARGE, from);
  curl_easy_setopt (curl, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt (curl, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
  curl_easy_setopt (curl, CURLOPT_FOLLOWLOCATION, 1L);
  curl_easy_setopt (curl, CURLOPT_MAXREDIRS, REDIRECTS);
  curl_easy_setopt (curl, CURLOPT_FAILONERROR, 1L);
  curl_easy_setopt (curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
  curl_easy_setopt (curl, CURLOPT_LOW_SPEED_TIME, QUIET_SECONDS);
  curl_easy_setopt (curl, CURLOPT_CONNECTTIMEOUT, QUIET_SECONDS);
  curl_easy_setopt (curl, CURLOPT_USERAGENT, "brandzone/" PACKAGE_VERSION);
  curl_easy_setopt (curl, CURLOPT_ERRORBUFFER, why);
  set_trust (curl);
  curl_easy_setopt (curl, CURLOPT_WRITEFUNCTION, write_out);
  curl_easy_setopt (curl, CURLOPT_WRITEDATA, &saved);

  CURLcode result = curl_easy_perform (curl);
  curl_easy_getinfo (curl, CURLINFO_RESPONSE_CODE, &answer);
  if (from > 0 && result == CURLE_HTTP_RETURNED_ERROR && answer == 416)
    result = CURLE_OK; /* nothing is left of it */
  else if (from > 0 && (result == CURLE_RANGE_ERROR || result == CURLE_BAD_DOWNLOAD_RESUME)
           && ftruncate (STDOUT_FILENO, 0) == 0 && lseek (STDOUT_FILENO, 0, SEEK_SET) == 0)
    {
      curl_easy_setopt (curl, CURLOPT_RESUME_FROM_LARGE, (curl_off_t) 0);
      result = curl_easy_perform (curl);
      curl_easy_getinfo (curl, CURLINFO_RESPONSE_CODE, &answer);
    }
  if (result != CURLE_OK)
    fprintf (stderr, "%s\n",
             saved != 0       ? strerror (saved)
             : why[0] != '\0' ? why
                              : curl_easy_strerror (result));
  curl_easy_cleanup (curl);
  curl_global_cleanup ();
  return exit_status (result, answer);
}
