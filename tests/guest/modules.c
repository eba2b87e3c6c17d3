/* guest-modules: the module calls of Linux 2.0 to 2.4 show a kernel without modules (S2).
 * `guest-modules 2.0`: without query_module. `guest-modules host`: the host has none of them any
 * more. */
#include "guest.h"

int
guest_main (int argc, char **argv, char **envp)
{
  static char buffer[4096];
  usize count = 77;

  (void) envp;
  if (argc > 1 && equal (argv[1], "host"))
    {
      is (call (NR_query_module, 0, 1, buffer, sizeof buffer, &count), -E_NOSYS,
          "query_module is gone");
      is (call (NR_get_kernel_syms, 0), -E_NOSYS, "get_kernel_syms is gone");
      is (call (NR_create_module, "x", 4096), -E_NOSYS, "create_module is gone");
      return done ();
    }
  if (argc > 1 && equal (argv[1], "2.0"))
    {
      is (call (NR_query_module, 0, 0, 0, 0, 0), -E_NOSYS, "query_module came with 2.2");
      is (call (NR_get_kernel_syms, 0), 0, "get_kernel_syms: none");
      is (call (NR_create_module, "brandzone", 4096), -E_PERM, "create_module is refused");
      return done ();
    }
  is (call (NR_query_module, 0, 0, 0, 0, 0), 0, "query_module(0): the call is there");
  is (call (NR_query_module, 0, 1, buffer, sizeof buffer, &count), 0, "QM_MODULES");
  is ((long) count, 0, "there are no modules");
  is (call (NR_query_module, 0, 1, buffer, sizeof buffer, 1), -E_FAULT, "a bad address is EFAULT");
  is (call (NR_query_module, "brandzone", 3, buffer, sizeof buffer, &count), -E_NOENT,
      "no such module is ENOENT");
  is (call (NR_query_module, 0, 99, buffer, sizeof buffer, &count), -E_INVAL,
      "an unknown question is EINVAL");
  is (call (NR_get_kernel_syms, 0), 0, "get_kernel_syms: none");
  is (call (NR_create_module, "brandzone", 4096), -E_PERM, "create_module is refused");
  is (call (NR_init_module, "brandzone", buffer), -E_PERM, "init_module is refused");
  is (call (NR_delete_module, "brandzone"), -E_PERM, "delete_module is refused");
  return done ();
}
