/* Problem: a static program does not say which C library is in it, nor which kernel it was made for.
 *
 * Facts: the start files of glibc since 2.1 carry an ABI note, no other library's do. Compilers
 * write PT_GNU_STACK since 2004. Calls of the vsyscall page were made on kernels of 2.6 (and 2.4,
 * of which x86-64 brands know no more) by glibc before 2.14 and by uClibc.
 *
 * Choice: the note means glibc. For i386, neither note nor PT_GNU_STACK means an old uClibc: what
 * that needs is what libc 5 and glibc 2.0 need too, or do not mind. For x86-64, vsyscalls without a
 * note mean uClibc. All else is left to the rules for programs of which nothing is known. */
#include "config.h"

#include "brand/static-facts.h"

#include <string.h>

static const char *const libc_names[BZ_LIBC_COUNT] = {
  [BZ_LIBC_NONE] = "none",   [BZ_LIBC_4] = "libc4",       [BZ_LIBC_5] = "libc5",
  [BZ_LIBC_GLIBC] = "glibc", [BZ_LIBC_UCLIBC] = "uclibc", [BZ_LIBC_MUSL] = "musl",
};

const char *
bz_libc_name (BzLibcKind kind)
{
  return (guint) kind < BZ_LIBC_COUNT ? libc_names[kind] : NULL;
}

gboolean
bz_libc_lookup (const char *name, BzLibcKind *kind)
{
  for (guint i = 0; i < BZ_LIBC_COUNT; i++)
    if (strcmp (name, libc_names[i]) == 0)
      {
        *kind = (BzLibcKind) i;
        return TRUE;
      }
  return FALSE;
}

void
bz_static_facts (const BzElfFacts *elf, const BzScan *scan, BzTreeFacts *facts)
{
  gboolean vsyscalls = facts->abi == BZ_ABI_X86_64 && scan->vsyscall_calls > 0;

  if (elf->has_abi_note)
    {
      facts->libc = BZ_LIBC_GLIBC;
      if (vsyscalls)
        facts->kernel = MAX (facts->kernel, BZ_RELEASE (2, 6, 0));
    }
  else if (vsyscalls)
    facts->libc = BZ_LIBC_UCLIBC;
  else if (facts->abi == BZ_ABI_I386 && !facts->foreign && scan->stack == BZ_STACK_UNSAID)
    {
      facts->libc = BZ_LIBC_UCLIBC;
      facts->version = BZ_RELEASE (0, 9, 26);
      facts->has_version = TRUE;
    }
}
