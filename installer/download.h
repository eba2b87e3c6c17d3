/* Fetching a large file once: into the cache, resumed where it was cut off, checked, kept. */
#pragma once

#include "installer/installer.h"

typedef struct {
  const char *url;
  const char *sha256; /* hexadecimal, or NULL: not known */
  const char *mirror; /* a directory, or the address of one: asked instead of the url's server; or NULL */
  const char *cache;  /* a directory of the caller's; made */
  BzProgressFunc progress; /* or NULL */
  gpointer data;
} BzDownload;

/* The path of the complete file, its checksum right. *sha256: what it is. NULL: error; what was
 * fetched stays for the next time. SIGINT and SIGTERM are to be held back by the caller. */
char *bz_download (const BzDownload *download, char **sha256, GError **error);
