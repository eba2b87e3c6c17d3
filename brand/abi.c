#include "config.h"

#include "brand/abi.h"

static const char *const names[BZ_ABI_COUNT] = {
  [BZ_ABI_I386] = "i386",
  [BZ_ABI_X86_64] = "x86_64",
};

const char *
bz_abi_name (BzAbi abi)
{
  return (guint) abi < BZ_ABI_COUNT ? names[abi] : NULL;
}

gboolean
bz_abi_lookup (const char *name, BzAbi *abi)
{
  for (guint i = 0; i < BZ_ABI_COUNT; i++)
    if (g_strcmp0 (name, names[i]) == 0)
      {
        *abi = (BzAbi) i;
        return TRUE;
      }
  return FALSE;
}
