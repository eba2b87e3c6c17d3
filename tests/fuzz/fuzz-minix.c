/* minix images: any bytes give a tree below the directory, or an error. The input is the beginning
 * of an image of 128 KiB. */
#include "config.h"

#include "installer/minix.h"
#include "tests/fuzz/fuzz-image.h"

static void
extract (BzDisk *disk, BzTree *tree)
{
  g_autoptr (BzMinixImage) image = bz_minix_open (disk, 0, "fuzz", NULL);
  g_autoptr (GError) error = NULL;

  if (image == NULL)
    return;
  bz_minix_userland_names (image);
  if (!bz_minix_extract (image, tree, &error) && error == NULL)
    abort ();
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  return fuzz_image (data, size, 128 * 1024, extract);
}
