/* guest-gone: calls that the host's kernel lacks and nothing answers: ENOSYS, or with `strict` the
 * program's end. */
#include "guest.h"

#ifdef __i386__
enum { NR_vm86 = 166, NR_nfsservctl = 169 };
#else
enum { NR_nfsservctl = 180 };
#endif

int
guest_main (int argc, char **argv, char **envp)
{
  (void) argc;
  (void) argv;
  (void) envp;
  is (call (NR_nfsservctl, 0, 0, 0), -E_NOSYS, "nfsservctl");
#ifdef __i386__
  is (call (NR_vm86, 0, 0), -E_NOSYS, "vm86");
#endif
  return done ();
}
