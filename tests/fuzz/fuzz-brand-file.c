/* Brand files: any bytes. */
#include "config.h"

#include "brand/brand.h"

#include <glib/gstdio.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

static char *dir, *file;

static void
remove_directory (void)
{
  g_unlink (file);
  g_rmdir (dir);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  const char *dirs[] = { NULL, NULL };

  if (dir == NULL)
    {
      /* Memory, where the machine has it: a file is written for each input. */
      dir = g_file_test ("/dev/shm", G_FILE_TEST_IS_DIR)
                ? g_strdup ("/dev/shm/brandzone-fuzz-XXXXXX")
                : g_strdup ("/tmp/brandzone-fuzz-XXXXXX");
      if (g_mkdtemp (dir) == NULL)
        abort ();
      file = g_build_filename (dir, "b.brand", NULL);
      atexit (remove_directory);
    }
  FILE *stream = g_fopen (file, "wbe");
  if (stream == NULL || fwrite (data, 1, size, stream) != size || fclose (stream) != 0)
    abort ();
  dirs[0] = dir;
  g_autoptr (GError) error = NULL;
  g_autoptr (BzBrand) brand = bz_brand_load (dirs, "b", &error);
  if ((brand == NULL) == (error == NULL))
    abort ();
  g_unlink (file);
  return 0;
}
