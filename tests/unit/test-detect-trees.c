/* Detection on real distributions, where the machine that runs the test has them
 * (tests/trees/make-tree). */
#include "config.h"

#include "brand/base/error.h"
#include "brand/detect.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const struct {
  const char *tree, *brand;
  BzAbi abi;
  gboolean nearest;
} cases[] = {
  { "slackware-4.0", "slackware", BZ_ABI_I386, FALSE },
  { "centos-6.8", "el6", BZ_ABI_X86_64, FALSE },
  { "alpine-x86", "alpine", BZ_ABI_I386, FALSE },
  { "alpine-x86_64", "alpine", BZ_ABI_X86_64, FALSE },
  { "basiclinux", "basiclinux", BZ_ABI_I386, FALSE },
  { "cirros-i386", "cirros", BZ_ABI_I386, FALSE },
  { "cirros-x86_64", "cirros", BZ_ABI_X86_64, FALSE },
  { "fedora-core2", "fedora-core2", BZ_ABI_I386, FALSE },
  { "docker-busybox", "uclibc", BZ_ABI_X86_64, FALSE },
  { "kaios", "debian-wheezy", BZ_ABI_X86_64, FALSE },
  { "centos5", "el5", BZ_ABI_X86_64, FALSE },
  { "rhel7", "el7", BZ_ABI_X86_64, FALSE },
  { "uclibc-2005", "uclibc-old", BZ_ABI_I386, FALSE },
};

/* The tree's path, or NULL when it can't be made here. */
static char *
make_tree (const char *name)
{
  const char *argv[] = { BZ_TEST_MAKE_TREE, name, NULL };
  char *path = NULL;
  int status = 0;

  if (!g_spawn_sync (NULL, (char **) argv, NULL, G_SPAWN_DEFAULT, NULL, NULL, &path, NULL, &status,
                     NULL)
      || !WIFEXITED (status) || WEXITSTATUS (status) != 0)
    g_clear_pointer (&path, g_free);
  return path != NULL ? g_strchomp (path) : NULL;
}

static gboolean
right (guint i, const char *path)
{
  const char *dirs[] = { BZ_TEST_BRANDS, NULL };
  int fd = open (path, O_PATH | O_DIRECTORY | O_CLOEXEC);
  g_autoptr (GError) error = NULL;
  g_autoptr (BzDetection) detection = bz_detect (fd, dirs, &error);

  close (fd);
  if (detection == NULL)
    {
      printf ("%s: %s\n", cases[i].tree, error->message);
      return FALSE;
    }
  printf ("%s: %s for %s%s\n", cases[i].tree, detection->brand, bz_abi_name (detection->abi),
          detection->nearest ? ", nearest" : "");
  for (guint j = 0; detection->reasons[j] != NULL; j++)
    printf ("    %s\n", detection->reasons[j]);
  return strcmp (detection->brand, cases[i].brand) == 0 && detection->abi == cases[i].abi
         && detection->nearest == cases[i].nearest && !detection->foreign;
}

int
main (void)
{
  guint tried = 0, wrong = 0;

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *path = make_tree (cases[i].tree);

      if (path == NULL)
        {
          printf ("%s: not on this machine\n", cases[i].tree);
          continue;
        }
      tried++;
      if (!right (i, path))
        {
          printf ("%s: WRONG, wanted %s\n", cases[i].tree, cases[i].brand);
          wrong++;
        }
    }
  if (tried == 0)
    {
      puts ("skipped: no real trees here (set BRANDZONE_USERLANDS)");
      return 77;
    }
  return wrong > 0;
}
