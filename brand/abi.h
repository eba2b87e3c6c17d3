/* The system call interfaces that a zone's programs may use on an x86-64 host. */
#pragma once

#include <glib.h>

typedef enum { BZ_ABI_I386, BZ_ABI_X86_64, BZ_ABI_COUNT } BzAbi;

const char *bz_abi_name (BzAbi abi); /* "i386", "x86_64" */
gboolean bz_abi_lookup (const char *name, BzAbi *abi);
