/* What a source is: any bytes as a file, and as the beginning of a stream; any bytes as a name. */
#include "config.h"

#include "installer/recognise.h"
#include "installer/tree.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

static void
clean_name (const uint8_t *data, size_t size)
{
  g_autofree char *name = g_strndup ((const char *) data, size);
  gboolean absolute;
  g_autofree char *clean = bz_tree_clean_path (name, &absolute, NULL);
  g_autofree char *wrapped = clean == NULL ? NULL : g_strdup_printf ("/%s/", clean);

  bz_recognise_path (name);
  if (clean != NULL
      && (clean[0] == '/' || strstr (wrapped, "/../") != NULL || strstr (wrapped, "/./") != NULL
          || (*clean != '\0' && strstr (wrapped, "//") != NULL)))
    abort ();
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  g_auto (BzRecognised) source = { 0 };
  g_autoptr (GError) error = NULL;
  const char *name;
  int fd;

  clean_name (data, size);
  if (bz_recognise_bytes (data, size, &name) == BZ_BYTES_REFUSED && name == NULL)
    abort ();
  fd = memfd_create ("source", MFD_CLOEXEC);
  if (fd < 0 || write (fd, data, size) != (ssize_t) size)
    abort ();
  if (bz_recognise (fd, "fuzz", &source, &error) ? source.kind == NULL : error == NULL)
    abort ();
  close (fd);
  return 0;
}
