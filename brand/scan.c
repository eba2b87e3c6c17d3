/* Problem: every file of a tree may be a program, and a hostile one.
 *
 * Choice: libelf reads headers, notes and the dynamic symbols from memory of our own (see
 * elf-facts.c); loops have limits, and what lies outside the image is not looked at. Symbols come
 * from the section .dynsym: images without sections tell no imports. */
#include "config.h"

#include "brand/scan.h"

#include <elf.h>
#include <gelf.h>
#include <libelf.h>
#include <string.h>

#define MOST_HEADERS 256
#define MOST_SECTIONS 1024
#define MOST_SYMBOLS 131072
#define MOST_NOTES 64
#define MOST_NEEDED 128
#define LONGEST_NAME 255
#define LONGEST_LINE 256

#ifndef PT_GNU_PROPERTY
#define PT_GNU_PROPERTY 0x6474e553
#endif
#define PROPERTY_TYPE_0 5              /* NT_GNU_PROPERTY_TYPE_0 */
#define PROPERTY_ISA_NEEDED 0xc0008002 /* GNU_PROPERTY_X86_ISA_1_NEEDED */

const char *
bz_isa_name (guint isa)
{
  return (isa & BZ_ISA_V4) != 0   ? "x86-64-v4"
         : (isa & BZ_ISA_V3) != 0 ? "x86-64-v3"
         : (isa & BZ_ISA_V2) != 0 ? "x86-64-v2"
                                  : "x86-64";
}

/* A level needs all flags of its line and of those before it. */
guint
bz_isa_of_cpu (const char *cpuinfo)
{
  static const struct {
    guint isa;
    const char *flags;
  } levels[] = {
    { BZ_ISA_BASELINE, "lm" },
    { BZ_ISA_V2, "cx16 lahf_lm popcnt pni sse4_1 sse4_2 ssse3" },
    { BZ_ISA_V3, "avx avx2 bmi1 bmi2 f16c fma abm movbe xsave" },
    { BZ_ISA_V4, "avx512f avx512bw avx512cd avx512dq avx512vl" },
  };
  const char *line = strstr (cpuinfo, "\nflags");
  guint isa = 0;

  if (line == NULL)
    return 0;
  g_autofree char *text = g_strndup (line + 1, strcspn (line + 1, "\n"));
  g_auto (GStrv) has = g_strsplit_set (text, " \t:", -1);
  for (guint i = 0; i < G_N_ELEMENTS (levels); i++)
    {
      g_auto (GStrv) wanted = g_strsplit (levels[i].flags, " ", -1);
      for (char **flag = wanted; *flag != NULL; flag++)
        if (!g_strv_contains ((const char *const *) has, *flag))
          return isa;
      isa |= levels[i].isa;
    }
  return isa;
}

static guint32
word_at (const guint8 *at)
{
  guint32 value;

  memcpy (&value, at, sizeof value);
  return GUINT32_FROM_LE (value);
}

/* Properties: type, size, bytes padded to the class's alignment. */
static void
read_properties (const guint8 *at, gsize size, guint bits, BzScan *scan)
{
  gsize align = bits == 64 ? 8 : 4;

  for (guint i = 0; i < MOST_NOTES && size >= 8; i++)
    {
      guint32 type = word_at (at), length = word_at (at + 4);
      gsize whole = 8 + ((gsize) length + align - 1) / align * align;

      if (length > size - 8)
        return;
      if (type == PROPERTY_ISA_NEEDED && length >= 4)
        scan->isa |= word_at (at + 8);
      if (whole >= size)
        return;
      at += whole;
      size -= whole;
    }
}

static void
read_property_notes (Elf *elf, const GElf_Phdr *segment, BzScan *scan)
{
  Elf_Data *data = elf_getdata_rawchunk (elf, (gint64) segment->p_offset, segment->p_filesz,
                                         segment->p_align == 8 ? ELF_T_NHDR8 : ELF_T_NHDR);
  gsize at = 0, name = 0, descriptor = 0;
  GElf_Nhdr note;

  for (guint i = 0; data != NULL && i < MOST_NOTES; i++)
    {
      at = gelf_getnote (data, at, &note, &name, &descriptor);
      if (at == 0)
        return;
      if (note.n_type == PROPERTY_TYPE_0 && note.n_namesz == 4 && data->d_size >= 4
          && name <= data->d_size - 4 && memcmp ((guint8 *) data->d_buf + name, "GNU", 4) == 0
          && descriptor <= data->d_size && note.n_descsz <= data->d_size - descriptor)
        read_properties ((guint8 *) data->d_buf + descriptor, note.n_descsz, scan->elf.bits, scan);
    }
}

static void
read_load (const guint8 *image, gsize size, const GElf_Phdr *segment, BzScan *scan)
{
  if (segment->p_offset >= size)
    return;
  const guint8 *code = image + segment->p_offset;
  gsize length = MIN (segment->p_filesz, size - segment->p_offset);
  gboolean wide = scan->elf.machine == EM_X86_64 && scan->elf.bits == 64;

  if ((segment->p_flags & PF_X) == 0)
    {
      if (wide)
        bz_scan_vsyscall_data (code, length, scan);
      return;
    }
  if (wide)
    bz_scan_vsyscall (code, length, scan);
  /* A shared object may be the C library, which holds every call. */
  if (!scan->dynamic || scan->elf.type == ET_EXEC)
    bz_scan_calls (code, length, scan->elf.bits, scan);
}

/* Files of debugging symbols (objcopy --only-keep-debug) keep the program headers, without what these map. */
static gboolean
has_its_sections (Elf *elf, gsize size)
{
  GElf_Ehdr header;

  return gelf_getehdr (elf, &header) != NULL && header.e_shoff > 0 && header.e_shoff <= size
         && (guint64) header.e_shnum * header.e_shentsize <= size - header.e_shoff;
}

static void
read_segments (Elf *elf, const guint8 *image, gsize size, BzScan *scan)
{
  gboolean native =
      !scan->elf.big_endian && (scan->elf.machine == EM_X86_64 || scan->elf.machine == EM_386);
  GElf_Phdr segment;
  gsize count = 0;

  if (elf_getphdrnum (elf, &count) != 0)
    return;
  count = MIN (count, MOST_HEADERS);
  scan->stack = BZ_STACK_UNSAID;
  for (gsize i = 0; i < count && gelf_getphdr (elf, (int) i, &segment) != NULL; i++)
    {
      gboolean inside = segment.p_offset < size && segment.p_filesz <= size - segment.p_offset;

      if (segment.p_type == PT_DYNAMIC || segment.p_type == PT_INTERP)
        scan->dynamic = TRUE;
      else if (segment.p_type == PT_GNU_STACK)
        scan->stack = (segment.p_flags & PF_X) != 0 ? BZ_STACK_EXECUTABLE : BZ_STACK_PLAIN;
      else if ((segment.p_type == PT_NOTE || segment.p_type == PT_GNU_PROPERTY) && inside && native)
        read_property_notes (elf, &segment, scan);
      if (segment.p_type == PT_LOAD && segment.p_filesz > 0 && !inside && !has_its_sections (elf, size))
        scan->cut_off = TRUE;
    }
  for (gsize i = 0; native && i < count && gelf_getphdr (elf, (int) i, &segment) != NULL; i++)
    if (segment.p_type == PT_LOAD)
      read_load (image, size, &segment, scan);
}

static void
read_imports (Elf *elf, Elf_Scn *section, const GElf_Shdr *header, GHashTable *names, BzScan *scan)
{
  Elf_Data *data = elf_getdata (section, NULL);
  gsize entry = gelf_fsize (elf, ELF_T_SYM, 1, EV_CURRENT);

  if (data == NULL || data->d_buf == NULL || data->d_type != ELF_T_SYM || entry == 0)
    return;
  for (gsize i = 1; i < MIN (data->d_size / entry, MOST_SYMBOLS); i++)
    {
      GElf_Sym symbol;
      const char *name;
      gpointer found;

      if (gelf_getsym (data, (int) i, &symbol) == NULL)
        return;
      if (symbol.st_shndx != SHN_UNDEF
          || (name = elf_strptr (elf, header->sh_link, symbol.st_name)) == NULL)
        continue;
      if (g_hash_table_lookup_extended (names, name, &found, NULL)
          && !g_ptr_array_find (scan->imports, found, NULL))
        g_ptr_array_add (scan->imports, found);
    }
}

static void
read_needed (Elf *elf, Elf_Scn *section, const GElf_Shdr *header, BzScan *scan)
{
  Elf_Data *data = elf_getdata (section, NULL);
  gsize entry = gelf_fsize (elf, ELF_T_DYN, 1, EV_CURRENT);
  GElf_Dyn dynamic;

  if (data == NULL || data->d_buf == NULL || data->d_type != ELF_T_DYN || entry == 0)
    return;
  for (gsize i = 0; i < data->d_size / entry && scan->needed->len < MOST_NEEDED; i++)
    {
      const char *name;

      if (gelf_getdyn (data, (int) i, &dynamic) == NULL || dynamic.d_tag == DT_NULL)
        return;
      if (dynamic.d_tag == DT_NEEDED
          && (name = elf_strptr (elf, header->sh_link, dynamic.d_un.d_val)) != NULL && *name != '\0'
          && strlen (name) <= LONGEST_NAME)
        g_ptr_array_add (scan->needed, g_strdup (name));
    }
}

static void
read_sections (Elf *elf, GHashTable *names, BzScan *scan)
{
  Elf_Scn *section = NULL;
  GElf_Shdr header;
  gboolean imports = FALSE;

  for (guint i = 0; i < MOST_SECTIONS && (section = elf_nextscn (elf, section)) != NULL; i++)
    if (gelf_getshdr (section, &header) == NULL)
      return;
    else if (header.sh_type == SHT_DYNSYM && names != NULL && !imports)
      {
        read_imports (elf, section, &header, names, scan);
        imports = TRUE;
      }
    else if (header.sh_type == SHT_DYNAMIC && scan->needed->len == 0)
      read_needed (elf, section, &header, scan);
}

static void
read_elf (const guint8 *image, gsize size, GHashTable *names, BzScan *scan)
{
  /* libelf may write into what it is given: a copy of its own, aligned. */
  g_autofree char *copy = g_memdup2 (image, size);

  elf_version (EV_CURRENT);
  Elf *elf = elf_memory (copy, size);
  if (elf == NULL)
    return;
  read_segments (elf, image, size, scan);
  scan->program = scan->elf.interpreter != NULL || scan->elf.type == ET_EXEC;
  if (scan->dynamic && !scan->elf.big_endian)
    read_sections (elf, names, scan);
  elf_end (elf);
}

static void
read_script (const char *text, gsize size, BzScan *scan)
{
  gsize end = MIN (size, LONGEST_LINE), at = 2;

  while (at < end && (text[at] == ' ' || text[at] == '\t'))
    at++;
  gsize start = at;
  while (at < end && !g_ascii_isspace (text[at]) && text[at] != '\0')
    at++;
  if (at == start || text[start] != '/')
    return;
  scan->kind = BZ_SCAN_SCRIPT;
  scan->program = TRUE;
  scan->interpreter = g_strndup (text + start, at - start);
}

void
bz_scan_read (GBytes *bytes, GHashTable *names, BzScan *scan)
{
  gsize size;
  const guint8 *image = g_bytes_get_data (bytes, &size);

  *scan = (BzScan){ .kind = BZ_SCAN_NONE };
  scan->imports = g_ptr_array_new ();
  scan->needed = g_ptr_array_new_with_free_func (g_free);
  if (size > 2 && image[0] == '#' && image[1] == '!')
    {
      read_script ((const char *) image, size, scan);
      return;
    }
  if (size < EI_NIDENT || memcmp (image, ELFMAG, SELFMAG) != 0)
    {
      bz_scan_aout (image, size, scan);
      return;
    }
  bz_elf_facts_read (bytes, &scan->elf);
  if (scan->elf.image != BZ_IMAGE_ELF || (scan->elf.type != ET_EXEC && scan->elf.type != ET_DYN))
    return;
  scan->kind = BZ_SCAN_ELF;
  scan->text_damage = bz_elf_has_text_damage (bytes);
  scan->interpreter = g_strdup (scan->elf.interpreter);
  read_elf (image, size, names, scan);
}

void
bz_scan_clear (BzScan *scan)
{
  bz_elf_facts_clear (&scan->elf);
  g_clear_pointer (&scan->interpreter, g_free);
  g_clear_pointer (&scan->imports, g_ptr_array_unref);
  g_clear_pointer (&scan->needed, g_ptr_array_unref);
}
