#include "config.h"

#include "loader/shadow/vdso.h"

#include <elf.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/prctl.h>

#ifndef PR_GET_AUXV
#define PR_GET_AUXV 0x41555856 /* Linux 6.4 */
#endif

#define MOST_SYMBOLS 256

static const char *const name[BZ_VSYSCALL_COUNT] = {
  [BZ_VSYSCALL_GETTIMEOFDAY] = "__vdso_gettimeofday",
  [BZ_VSYSCALL_TIME] = "__vdso_time",
  [BZ_VSYSCALL_GETCPU] = "__vdso_getcpu",
};

static void
take_symbols (const guint8 *base, guint64 symbols, guint64 strings, BzVdso *vdso)
{
  if (symbols == 0 || strings <= symbols)
    return;
  gsize count = MIN ((strings - symbols) / sizeof (Elf64_Sym), MOST_SYMBOLS);
  for (gsize i = 0; i < count; i++)
    {
      Elf64_Sym symbol;

      memcpy (&symbol, base + symbols + i * sizeof symbol, sizeof symbol);
      for (guint entry = 0; symbol.st_shndx != SHN_UNDEF && entry < BZ_VSYSCALL_COUNT; entry++)
        if (symbol.st_value < G_MAXINT32
            && strcmp ((const char *) base + strings + symbol.st_name, name[entry]) == 0)
          vdso->offset[entry] = (guint32) symbol.st_value;
    }
}

void
bz_vdso_read (BzVdso *vdso)
{
  const guint8 *base = GSIZE_TO_POINTER (getauxval (AT_SYSINFO_EHDR));
  guint64 symbols = 0, strings = 0, vector[2];
  Elf64_Ehdr header;
  Elf64_Phdr segment;

  memset (vdso, 0, sizeof *vdso);
  if (base == NULL || prctl (PR_GET_AUXV, vector, sizeof vector, 0, 0) < 0)
    return;
  memcpy (&header, base, sizeof header);
  for (guint i = 0; i < header.e_phnum; i++)
    {
      memcpy (&segment, base + header.e_phoff + i * sizeof segment, sizeof segment);
      for (gsize at = 0; segment.p_type == PT_DYNAMIC && at < segment.p_filesz; at += sizeof (Elf64_Dyn))
        {
          Elf64_Dyn entry;

          memcpy (&entry, base + segment.p_offset + at, sizeof entry);
          if (entry.d_tag == DT_SYMTAB)
            symbols = entry.d_un.d_ptr;
          else if (entry.d_tag == DT_STRTAB)
            strings = entry.d_un.d_ptr;
        }
    }
  take_symbols (base, symbols, strings, vdso);
}

gboolean
bz_vdso_has_any (const BzVdso *vdso)
{
  for (guint entry = 0; entry < BZ_VSYSCALL_COUNT; entry++)
    if (vdso->offset[entry] != 0)
      return TRUE;
  return FALSE;
}
