/* ext images: any bytes give a tree below the directory, or an error. The input is the beginning of
 * an image of 256 KiB; libext2fs and our walk over it read it from a memory file. */
#include "config.h"

#include "installer/extfs.h"
#include "tests/fuzz/fuzz-image.h"

static void
extract (BzDisk *disk, BzTree *tree)
{
  g_autoptr (BzExtImage) image = bz_ext_open (disk, 0, "fuzz", NULL);
  g_autoptr (GError) error = NULL;

  if (image == NULL)
    return;
  bz_ext_userland_names (image);
  if (!bz_ext_extract (image, tree, &error) && error == NULL)
    abort ();
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  return fuzz_image (data, size, 256 * 1024, extract);
}
