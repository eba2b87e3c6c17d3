/* guest-rename FROM TO: rename(2) and nothing else, where mv(1) would copy. Prints its errno, or 0. */
#include "guest.h"

#ifdef __i386__
enum { NR_rename = 38 };
#else
enum { NR_rename = 82 };
#endif

int
guest_main (int argc, char **argv, char **environment)
{
  (void) environment;
  if (argc != 3)
    return 2;
  print ("%d\n", (int) -call (NR_rename, argv[1], argv[2]));
  return 0;
}
