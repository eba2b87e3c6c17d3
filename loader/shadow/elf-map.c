/* Where to look.
 *
 * Problem: bytes that look like a vsyscall address also lie in relocations, unwind tables and
 * constants, and before ld's -z separate-code (binutils 2.31) these share the executable segment
 * with the code: 172 such places in 1,485 files. An edit there destroys the file.
 * Choice: only
 * sections with SHF_EXECINSTR are code, if they lie in an executable PT_LOAD at the place where
 * that maps them; what they say otherwise is not believed. Executable segments with no such section
 * (stripped of section headers) are code as a whole. Instructions surely begin at symbols of
 * functions, at the functions of .eh_frame_hdr, at the entry point, and at a section's start.
 *
 * Bounds: overlapping ranges are dropped, so that a scan costs no more than the image has bytes,
 * and symbols are counted over all tables.
 * Limits: libelf gets the image from memory. Section
 * headers may lie: then uses are not found, which harms only that program (it dies as it does
 * without us). */
#include "config.h"

#include "loader/shadow/elf-map.h"

#include "brand/base/error.h"
#include "loader/shadow/rewrite.h"

#include <elf.h>
#include <gelf.h>
#include <libelf.h>
#include <string.h>

#define MOST_SEGMENTS (65536 / sizeof (Elf64_Phdr)) /* as of the kernel: more is ENOEXEC */
#define MOST_SECTIONS 65536
#define MOST_SYMBOLS (2 * 1024 * 1024) /* over all tables */
#define PAGE 4096

typedef struct {
  const guint8 *image;
  gsize size;
  Elf *elf;
  GArray *segments; /* of GElf_Phdr: PT_LOAD with bytes in the file */
  GElf_Phdr eh_frame, dynamic;
  gsize symbols;
  BzElfMap *map;
} Reader;

void
bz_elf_map_clear (BzElfMap *map)
{
  g_clear_pointer (&map->code, g_array_unref);
  g_clear_pointer (&map->data, g_array_unref);
  g_clear_pointer (&map->starts, g_array_unref);
  g_clear_pointer (&map->interpreter, g_free);
}

static gboolean
damaged (GError **error, const char *why)
{
  return bz_fail (error, BZ_ERROR_INPUT, why, NULL, "reading the headers of an ELF image");
}

static gboolean
in_image (const Reader *reader, guint64 offset, guint64 size)
{
  return offset <= reader->size && size <= reader->size - offset;
}

static void
add_range (GArray *ranges, guint64 offset, guint64 address, guint64 size)
{
  BzElfRange range = { offset, address, size };

  if (size > 0)
    g_array_append_val (ranges, range);
}

static void
add_start (Reader *reader, guint64 address)
{
  if (reader->map->starts->len < MOST_SYMBOLS)
    g_array_append_val (reader->map->starts, address);
}

/* File offset of `size` mapped bytes at an address, or FALSE. */
static gboolean
offset_of (const Reader *reader, guint64 address, guint64 size, guint64 *offset)
{
  for (guint i = 0; i < reader->segments->len; i++)
    {
      const GElf_Phdr *load = &g_array_index (reader->segments, GElf_Phdr, i);

      if (address >= load->p_vaddr && address - load->p_vaddr <= load->p_filesz
          && size <= load->p_filesz - (address - load->p_vaddr))
        {
          *offset = load->p_offset + (address - load->p_vaddr);
          return TRUE;
        }
    }
  return FALSE;
}

static void
take_interpreter (Reader *reader, const GElf_Phdr *header)
{
  if (reader->map->interpreter != NULL || !in_image (reader, header->p_offset, header->p_filesz)
      || header->p_filesz < 2 || header->p_filesz > BZ_REWRITE_MAX_INTERPRETER + 1)
    return;
  const char *text = (const char *) reader->image + header->p_offset;
  if (text[header->p_filesz - 1] == '\0' && text[0] != '\0') /* as of the kernel */
    reader->map->interpreter = g_strdup (text);
}

static gboolean
take_load (Reader *reader, const GElf_Phdr *header, GError **error)
{
  if (header->p_filesz == 0)
    return TRUE;
  if (!in_image (reader, header->p_offset, header->p_filesz))
    return damaged (error, "a segment lies beyond the end of the file");
  if (header->p_vaddr > G_MAXUINT64 - header->p_filesz)
    return damaged (error, "a segment lies beyond the end of the address space");
  reader->map->lowest = MIN (reader->map->lowest, header->p_vaddr & ~(guint64) (PAGE - 1));
  g_array_append_val (reader->segments, *header);
  return TRUE;
}

static gboolean
read_segments (Reader *reader, GError **error)
{
  size_t count;

  if (elf_getphdrnum (reader->elf, &count) != 0)
    return damaged (error, "the program headers can't be read");
  if (count > MOST_SEGMENTS)
    return damaged (error, "it has more program headers than the kernel takes");
  reader->map->lowest = G_MAXUINT64;
  for (size_t i = 0; i < count; i++)
    {
      GElf_Phdr header;

      if (gelf_getphdr (reader->elf, (int) i, &header) == NULL)
        return damaged (error, "the program headers lie beyond the end of the file");
      if (header.p_type == PT_LOAD && !take_load (reader, &header, error))
        return FALSE;
      if (header.p_type == PT_INTERP)
        take_interpreter (reader, &header);
      else if (header.p_type == PT_GNU_EH_FRAME)
        reader->eh_frame = header;
      else if (header.p_type == PT_DYNAMIC)
        reader->dynamic = header;
    }
  if (reader->segments->len == 0)
    reader->map->lowest = 0;
  return TRUE;
}

/* The segment that maps a section's bytes to the section's address, or NULL. */
static const GElf_Phdr *
segment_of (const Reader *reader, const GElf_Shdr *section)
{
  for (guint i = 0; i < reader->segments->len; i++)
    {
      const GElf_Phdr *load = &g_array_index (reader->segments, GElf_Phdr, i);
      guint64 into = section->sh_offset - load->p_offset;

      if (section->sh_offset >= load->p_offset && into <= load->p_filesz
          && section->sh_size <= load->p_filesz - into && section->sh_addr == load->p_vaddr + into)
        return load;
    }
  return NULL;
}

static void
take_symbols (Reader *reader, const guint8 *table, gsize count)
{
  for (gsize i = 0; i < count && reader->symbols < MOST_SYMBOLS; i++, reader->symbols++)
    {
      Elf64_Sym symbol;

      memcpy (&symbol, table + i * sizeof symbol, sizeof symbol);
      guint type = ELF64_ST_TYPE (symbol.st_info);
      if ((type == STT_FUNC || type == STT_GNU_IFUNC) && symbol.st_shndx != SHN_UNDEF)
        add_start (reader, symbol.st_value);
    }
}

static gboolean
holds_pointers (const GElf_Shdr *header)
{
  return header->sh_type == SHT_PROGBITS || header->sh_type == SHT_INIT_ARRAY
         || header->sh_type == SHT_FINI_ARRAY || header->sh_type == SHT_PREINIT_ARRAY;
}

static gboolean
is_unwind_table (Reader *reader, const GElf_Shdr *header, size_t names)
{
  const char *name = elf_strptr (reader->elf, names, header->sh_name);

  return name != NULL
         && (g_str_has_prefix (name, ".eh_frame") || g_str_has_prefix (name, ".gcc_except_table"));
}

static void
take_section (Reader *reader, const GElf_Shdr *header, size_t names)
{
  if (header->sh_size == 0 || !in_image (reader, header->sh_offset, header->sh_size))
    return;
  if (header->sh_type == SHT_SYMTAB || header->sh_type == SHT_DYNSYM)
    take_symbols (reader, reader->image + header->sh_offset, header->sh_size / sizeof (Elf64_Sym));
  if (!(header->sh_flags & SHF_ALLOC) || !holds_pointers (header))
    return;
  const GElf_Phdr *load = segment_of (reader, header);
  if (load == NULL)
    return;
  if ((header->sh_flags & SHF_EXECINSTR) && (load->p_flags & PF_X))
    {
      add_range (reader->map->code, header->sh_offset, header->sh_addr, header->sh_size);
      add_start (reader, header->sh_addr);
    }
  else if (!(header->sh_flags & SHF_EXECINSTR) && !is_unwind_table (reader, header, names))
    add_range (reader->map->data, header->sh_offset, header->sh_addr, header->sh_size);
}

static void
read_sections (Reader *reader)
{
  Elf_Scn *section = NULL;
  size_t names = 0;

  if (elf_getshdrstrndx (reader->elf, &names) != 0)
    return;
  for (gsize i = 0; i < MOST_SECTIONS && (section = elf_nextscn (reader->elf, section)) != NULL;
       i++)
    {
      GElf_Shdr header;

      if (gelf_getshdr (section, &header) != NULL)
        take_section (reader, &header, names);
    }
}

static gboolean
holds_range (const GElf_Phdr *load, const GArray *ranges)
{
  for (guint i = 0; i < ranges->len; i++)
    {
      const BzElfRange *range = &g_array_index (ranges, BzElfRange, i);

      if (range->offset >= load->p_offset && range->offset - load->p_offset < load->p_filesz)
        return TRUE;
    }
  return FALSE;
}

/* Segments that no section describes. */
static void
read_bare_segments (Reader *reader)
{
  for (guint i = 0; i < reader->segments->len; i++)
    {
      const GElf_Phdr *load = &g_array_index (reader->segments, GElf_Phdr, i);

      if ((load->p_flags & PF_X) && !holds_range (load, reader->map->code))
        {
          add_range (reader->map->code, load->p_offset, load->p_vaddr, load->p_filesz);
          add_start (reader, load->p_vaddr);
        }
      else if (!(load->p_flags & PF_X) && !holds_range (load, reader->map->data))
        add_range (reader->map->data, load->p_offset, load->p_vaddr, load->p_filesz);
    }
}

/* .eh_frame_hdr: version 1, eh_frame_ptr as pcrel sdata4, count as udata4, then a table of pairs
 * (function, FDE), both sdata4 relative to the header. The one form that linkers write. */
static void
read_unwind_header (Reader *reader)
{
  static const guint8 form[] = { 1, 0x1b, 0x03, 0x3b };
  const GElf_Phdr *header = &reader->eh_frame;
  guint32 count;

  if (header->p_filesz < 12 || !in_image (reader, header->p_offset, header->p_filesz))
    return;
  const guint8 *at = reader->image + header->p_offset;
  if (memcmp (at, form, sizeof form) != 0)
    return;
  memcpy (&count, at + 8, sizeof count);
  gsize most = MIN ((header->p_filesz - 12) / 8, MOST_SYMBOLS);
  for (gsize i = 0; i < MIN (count, most); i++)
    {
      gint32 function;

      memcpy (&function, at + 12 + 8 * i, sizeof function);
      add_start (reader, header->p_vaddr + (guint64) (gint64) function);
    }
}

/* Without section headers: the dynamic symbols lie between DT_SYMTAB and DT_STRTAB in what linkers
 * write. */
static void
read_dynamic_symbols (Reader *reader)
{
  guint64 symbols = 0, strings = 0, offset;

  if (!in_image (reader, reader->dynamic.p_offset, reader->dynamic.p_filesz))
    return;
  gsize count = MIN (reader->dynamic.p_filesz / sizeof (Elf64_Dyn), 4096);
  for (gsize i = 0; i < count; i++)
    {
      Elf64_Dyn entry;

      memcpy (&entry, reader->image + reader->dynamic.p_offset + i * sizeof entry, sizeof entry);
      if (entry.d_tag == DT_NULL)
        break;
      if (entry.d_tag == DT_SYMTAB)
        symbols = entry.d_un.d_ptr;
      else if (entry.d_tag == DT_STRTAB)
        strings = entry.d_un.d_ptr;
    }
  if (symbols != 0 && strings > symbols && offset_of (reader, symbols, strings - symbols, &offset))
    take_symbols (reader, reader->image + offset, (strings - symbols) / sizeof (Elf64_Sym));
}

static gint
compare_ranges (gconstpointer a, gconstpointer b)
{
  const BzElfRange *one = a, *other = b;

  if (one->offset != other->offset)
    return one->offset < other->offset ? -1 : 1;
  if (one->size != other->size)
    return one->size > other->size ? -1 : 1;
  return one->address < other->address ? -1 : one->address > other->address;
}

/* Ordered; of two that overlap, the first stays. */
static void
make_disjoint (GArray *ranges)
{
  guint64 end = 0;
  guint kept = 0;

  g_array_sort (ranges, compare_ranges);
  for (guint i = 0; i < ranges->len; i++)
    {
      BzElfRange range = g_array_index (ranges, BzElfRange, i);

      if (range.offset < end)
        continue;
      end = range.offset + range.size;
      g_array_index (ranges, BzElfRange, kept++) = range;
    }
  g_array_set_size (ranges, kept);
}

static gint
compare_addresses (gconstpointer a, gconstpointer b)
{
  guint64 one = *(const guint64 *) a, other = *(const guint64 *) b;

  return one < other ? -1 : one > other;
}

static void
make_unique (GArray *starts)
{
  guint kept = 0;

  g_array_sort (starts, compare_addresses);
  for (guint i = 0; i < starts->len; i++)
    {
      guint64 start = g_array_index (starts, guint64, i);

      if (kept == 0 || g_array_index (starts, guint64, kept - 1) != start)
        g_array_index (starts, guint64, kept++) = start;
    }
  g_array_set_size (starts, kept);
}

static gboolean
read_map (Reader *reader, GError **error)
{
  BzElfMap *map = reader->map;

  if (!read_segments (reader, error))
    return FALSE;
  read_sections (reader);
  if (map->code->len == 0)
    read_dynamic_symbols (reader);
  read_bare_segments (reader);
  read_unwind_header (reader);
  add_start (reader, map->entry);
  make_disjoint (map->code);
  make_disjoint (map->data);
  make_unique (map->starts);
  return TRUE;
}

static gboolean
read_header (Reader *reader, GError **error)
{
  GElf_Ehdr header;

  if (gelf_getehdr (reader->elf, &header) == NULL)
    return damaged (error, "its first header can't be read");
  if (header.e_machine != EM_X86_64 || header.e_ident[EI_CLASS] != ELFCLASS64
      || header.e_ident[EI_DATA] != ELFDATA2LSB
      || (header.e_type != ET_EXEC && header.e_type != ET_DYN))
    return TRUE;
  if (header.e_phentsize != sizeof (Elf64_Phdr))
    return damaged (error, "its program headers have a strange size");
  if (!in_image (reader, header.e_phoff, (guint64) header.e_phnum * sizeof (Elf64_Phdr)))
    return damaged (
        error, "its program headers lie beyond the end of the file"); /* libelf forgives that */
  reader->map->is_x86_64 = TRUE;
  reader->map->type = header.e_type;
  reader->map->entry = header.e_entry;
  return read_map (reader, error);
}

gboolean
bz_elf_map_read (const guint8 *image, gsize size, BzElfMap *map, GError **error)
{
  Reader reader = { .image = image, .size = size, .map = map };

  memset (map, 0, sizeof *map);
  map->code = g_array_new (FALSE, FALSE, sizeof (BzElfRange));
  map->data = g_array_new (FALSE, FALSE, sizeof (BzElfRange));
  map->starts = g_array_new (FALSE, FALSE, sizeof (guint64));
  if (size < sizeof (Elf64_Ehdr) || memcmp (image, ELFMAG, SELFMAG) != 0)
    return TRUE;
  if (elf_version (EV_CURRENT) == EV_NONE)
    return bz_fail (error, BZ_ERROR_HOST, "the library is too old", NULL, "starting libelf");
  reader.elf = elf_memory ((char *) image, size);
  if (reader.elf == NULL || elf_kind (reader.elf) != ELF_K_ELF)
    {
      elf_end (reader.elf);
      return damaged (error, "it can't be read");
    }
  reader.segments = g_array_new (FALSE, FALSE, sizeof (GElf_Phdr));
  gboolean done = read_header (&reader, error);
  g_array_unref (reader.segments);
  elf_end (reader.elf);
  return done;
}
