#include "config.h"

#include "brand/base/libexec.h"

#include <sys/auxv.h>

char *
bz_libexec_program (const char *program)
{
  const char *directory = getauxval (AT_SECURE) ? NULL : g_getenv ("BRANDZONE_LIBEXECDIR");

  return g_build_filename (directory != NULL && *directory != '\0' ? directory : BZ_LIBEXECDIR, program, NULL);
}
