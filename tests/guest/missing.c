/* guest-missing [+|-]NAME:NUMBER ...: `-` calls that the release does not have answer ENOSYS, never
 * EPERM (S6); `+` calls that it has do not. They are made with arguments that no kernel accepts. */
#include "guest.h"

int
guest_main (int argc, char **argv, char **envp)
{
  (void) envp;
  for (int i = 1; i < argc; i++)
    {
      char *name = argv[i] + 1, *colon = name;

      while (*colon != ':' && *colon != '\0')
        colon++;
      if (*colon == '\0' || (argv[i][0] != '+' && argv[i][0] != '-'))
        return 2;
      *colon = '\0';
      word all = ~0ul;
      long got = call (number_of (colon + 1), all, all, all, all, all, all);
      if (argv[i][0] == '-')
        is (got, -E_NOSYS, name);
      else
        ok (got != -E_NOSYS, name);
    }
  return done ();
}
