/* For the harnesses of file-system images: the input is the beginning of an image, which is unpacked below a
 * directory of its own. */
#pragma once

#include "installer/disk.h"
#include "installer/remove.h"
#include "installer/tree.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

/* Unpacks what it takes for a file system; nothing where it is none. */
typedef void (*FuzzExtract) (BzDisk *disk, BzTree *tree);

static void
fuzz_extract (int image_fd, int root_fd, FuzzExtract extract)
{
  g_autoptr (BzJob) job = bz_job_new (-1);
  g_autoptr (BzTree) tree = bz_tree_new (job, root_fd, 0);
  g_autoptr (BzDisk) disk = bz_disk_open (image_fd, "fuzz", NULL);

  job->max_bytes = 4 << 20;
  job->max_files = 1000;
  if (disk == NULL)
    return;
  extract (disk, tree);
  bz_tree_finish (tree, NULL);
}

static char *fuzz_directory;

static void
fuzz_remove_directory (void)
{
  rmdir (fuzz_directory);
  g_free (fuzz_directory);
}

static int
fuzz_image (const uint8_t *data, size_t size, size_t image_bytes, FuzzExtract extract)
{
  static int parent = -1;
  int image, root;

  if (parent < 0)
    {
      fuzz_directory = g_dir_make_tmp ("fuzz-image-XXXXXX", NULL);
      parent = open (fuzz_directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
      atexit (fuzz_remove_directory);
    }
  if (size > image_bytes)
    return 0;
  if (mkdirat (parent, "tree", 0700) != 0)
    abort ();
  image = memfd_create ("image", MFD_CLOEXEC);
  root = openat (parent, "tree", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (image < 0 || root < 0 || write (image, data, size) != (ssize_t) size
      || ftruncate (image, (off_t) image_bytes) != 0)
    abort ();
  fuzz_extract (image, root, extract);
  close (image);
  close (root);
  if (!bz_remove_at (parent, "tree", "tree", NULL))
    abort ();
  return 0;
}
