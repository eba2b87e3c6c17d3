/* minix images: any bytes give a tree below the directory, or an error. The input is the beginning
 * of an image of 128 KiB. */
#include "config.h"

#include "installer/minix.h"
#include "installer/remove.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define IMAGE_BYTES (128 * 1024)

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

static void
extract (int image_fd, int root_fd)
{
  g_autoptr (BzJob) job = bz_job_new (-1);
  g_autoptr (BzTree) tree = bz_tree_new (job, root_fd, 0);
  g_autoptr (BzDisk) disk = bz_disk_open (image_fd, "fuzz", NULL);
  g_autoptr (BzMinixImage) image = disk == NULL ? NULL : bz_minix_open (disk, 0, "fuzz", NULL);
  g_autoptr (GError) error = NULL;

  job->max_bytes = 4 << 20;
  job->max_files = 1000;
  if (image == NULL)
    return;
  bz_minix_userland_names (image);
  if (!bz_minix_extract (image, tree, &error) && error == NULL)
    abort ();
  bz_tree_finish (tree, NULL);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  static int parent = -1;
  int image, root;

  if (parent < 0)
    {
      g_autofree char *directory = g_dir_make_tmp ("fuzz-minix-XXXXXX", NULL);
      parent = open (directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    }
  if (size > IMAGE_BYTES)
    return 0;
  if (mkdirat (parent, "tree", 0700) != 0)
    abort ();
  image = memfd_create ("image", MFD_CLOEXEC);
  root = openat (parent, "tree", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (image < 0 || root < 0 || write (image, data, size) != (ssize_t) size
      || ftruncate (image, IMAGE_BYTES) != 0)
    abort ();
  extract (image, root);
  close (image);
  close (root);
  if (!bz_remove_at (parent, "tree", "tree", NULL))
    abort ();
  return 0;
}
