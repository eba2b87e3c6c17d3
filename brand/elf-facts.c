/* Problem: the files are hostile, cut off, or older than the section names we know.
 *
 * Choice: libelf reads headers and notes from memory that is ours (elf_memory on a
 * bounded copy), never from the file: a file that is truncated while mapped kills its reader.
 * Programs' headers tell all we ask, so images without section headers, and the first 64 KiB of
 * large ones, do. */
#include "config.h"

#include "brand/elf-facts.h"

#include <elf.h>
#include <gelf.h>
#include <libelf.h>
#include <string.h>

#define MOST_HEADERS 256
#define MOST_NOTES 64
#define LONGEST_TEXT 2000

/* Magic numbers of Linux a.out: OMAGIC, NMAGIC, ZMAGIC, QMAGIC; machine 0 or M_386. */
static gboolean
is_aout (const guint8 *data, gsize size)
{
  if (size < 32)
    return FALSE;
  guint magic = data[0] | (guint) data[1] << 8;
  return (magic == 0407 || magic == 0410 || magic == 0413 || magic == 0314)
         && (data[2] == 0 || data[2] == 100) && (data[3] & 0x3f) == 0;
}

static guint32
word_at (const guint8 *at, gboolean big_endian)
{
  guint32 value;

  memcpy (&value, at, sizeof value);
  return big_endian ? GUINT32_FROM_BE (value) : GUINT32_FROM_LE (value);
}

/* The descriptor of an ABI note: operating system (0: Linux) and three numbers. */
static void
read_abi_note (const guint8 *descriptor, BzElfFacts *facts)
{
  guint32 part[4];

  for (guint i = 0; i < 4; i++)
    part[i] = word_at (descriptor + 4 * i, facts->big_endian);
  if (part[0] != 0 || part[1] > G_MAXUINT16 || part[2] > G_MAXUINT16 || part[3] > G_MAXUINT16)
    return;
  facts->has_abi_note = TRUE;
  facts->abi_note = BZ_RELEASE (part[1], part[2], part[3]);
}

static void
read_notes (Elf *elf, const GElf_Phdr *header, BzElfFacts *facts)
{
  Elf_Data *data = elf_getdata_rawchunk (elf, (gint64) header->p_offset, header->p_filesz,
                                         header->p_align == 8 ? ELF_T_NHDR8 : ELF_T_NHDR);
  gsize at = 0, name = 0, descriptor = 0;
  GElf_Nhdr note;

  for (guint i = 0; data != NULL && i < MOST_NOTES; i++)
    {
      at = gelf_getnote (data, at, &note, &name, &descriptor);
      if (at == 0)
        return;
      if (note.n_type != NT_GNU_ABI_TAG || note.n_namesz != 4 || note.n_descsz < 16
          || data->d_size < 16 || descriptor > data->d_size - 16 || name > data->d_size - 4)
        continue;
      if (memcmp ((const guint8 *) data->d_buf + name, "GNU", 4) == 0)
        read_abi_note ((const guint8 *) data->d_buf + descriptor, facts);
    }
}

static void
read_interpreter (const guint8 *image, gsize size, const GElf_Phdr *header, BzElfFacts *facts)
{
  if (header->p_offset >= size || header->p_filesz > size - header->p_offset
      || header->p_filesz > 4096)
    return;

  char *text = g_strndup ((const char *) image + header->p_offset, header->p_filesz);
  for (const char *at = text; *at != '\0'; at++)
    if (!g_ascii_isgraph (*at))
      {
        g_free (text);
        return;
      }
  if (facts->interpreter == NULL && *text == '/')
    facts->interpreter = text;
  else
    g_free (text);
}

static void
read_elf (Elf *elf, const guint8 *image, gsize size, BzElfFacts *facts)
{
  GElf_Ehdr header;
  GElf_Phdr segment;
  gsize count = 0;

  if (elf_kind (elf) != ELF_K_ELF || gelf_getehdr (elf, &header) == NULL)
    return;
  facts->image = BZ_IMAGE_ELF;
  facts->bits = gelf_getclass (elf) == ELFCLASS64 ? 64 : 32;
  facts->big_endian = header.e_ident[EI_DATA] == ELFDATA2MSB;
  facts->machine = header.e_machine;
  facts->type = header.e_type;
  if (elf_getphdrnum (elf, &count) != 0)
    return;
  for (gsize i = 0; i < MIN (count, MOST_HEADERS); i++)
    {
      if (gelf_getphdr (elf, (int) i, &segment) == NULL)
        return;
      if (segment.p_type == PT_INTERP)
        read_interpreter (image, size, &segment, facts);
      else if (segment.p_type == PT_NOTE && segment.p_offset < size
               && segment.p_filesz <= size - segment.p_offset)
        read_notes (elf, &segment, facts);
    }
}

void
bz_elf_facts_read (GBytes *bytes, BzElfFacts *facts)
{
  gsize size;
  const guint8 *image = g_bytes_get_data (bytes, &size);

  *facts = (BzElfFacts){ .image = BZ_IMAGE_NONE };
  if (size < EI_NIDENT)
    return;
  if (memcmp (image, ELFMAG, SELFMAG) != 0)
    {
      if (is_aout (image, size))
        facts->image = BZ_IMAGE_AOUT;
      return;
    }

  /* libelf may write into what it is given: a copy of its own, aligned. */
  g_autofree char *copy = g_memdup2 (image, size);
  elf_version (EV_CURRENT);
  Elf *elf = elf_memory (copy, size);
  if (elf == NULL)
    return;
  read_elf (elf, image, size, facts);
  elf_end (elf);
}

void
bz_elf_facts_clear (BzElfFacts *facts)
{
  g_clear_pointer (&facts->interpreter, g_free);
}

char *
bz_elf_machine_name (const BzElfFacts *facts)
{
  static const struct {
    guint machine;
    const char *name;
  } names[] = {
    { EM_386, "i386" },         { EM_X86_64, "x86-64" },    { EM_ARM, "ARM" },
    { EM_AARCH64, "AArch64" },  { EM_MIPS, "MIPS" },        { EM_PPC, "PowerPC" },
    { EM_PPC64, "PowerPC 64" }, { EM_S390, "S/390" },       { EM_RISCV, "RISC-V" },
    { EM_SPARC, "SPARC" },      { EM_SPARCV9, "SPARC v9" }, { EM_68K, "68000" },
    { EM_SH, "SuperH" },        { EM_ALPHA, "Alpha" },      { 0x9026, "Alpha" },
    { EM_IA_64, "Itanium" },    { EM_PARISC, "PA-RISC" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    if (names[i].machine == facts->machine)
      return facts->machine == EM_X86_64 && facts->bits == 32 ? g_strdup ("x32")
                                                              : g_strdup (names[i].name);
  return g_strdup_printf ("machine %u", facts->machine);
}

/* C libraries */

static const char *
find (const char *data, gsize size, const char *what)
{
  return memmem (data, size, what, strlen (what));
}

/* The printable text at `at`, which ends before `end`. */
static char *
printable (const char *at, const char *end, gsize longest)
{
  GString *text = g_string_new (NULL);

  for (; at < end && *at != '\0' && text->len < longest; at++)
    g_string_append_c (text, g_ascii_isprint (*at) || *at == '\n' ? *at : '?');
  return g_string_free (text, FALSE);
}

/* In whole files one LF in 256 has a CR before it: with 8 of them chance is out of the question. */
gboolean
bz_elf_has_text_damage (GBytes *bytes)
{
  gsize size;
  const char *data = g_bytes_get_data (bytes, &size);
  const char *at = data, *end = data + size;
  guint lines = 0;

  while (at < end && (at = memchr (at, '\n', end - at)) != NULL)
    {
      if (at == data || at[-1] != '\r')
        return FALSE;
      lines++;
      at++;
    }
  return lines >= 8;
}

/* The dotted number behind `mark` in text, or NULL. */
static char *
number_behind (const char *text, const char *mark)
{
  const char *at = text != NULL ? strstr (text, mark) : NULL;

  if (at == NULL)
    return NULL;
  at += strlen (mark);
  char *number = g_strndup (at, MIN (strspn (at, "0123456789."), 32));
  while (g_str_has_suffix (number, "."))
    number[strlen (number) - 1] = '\0';
  if (*number == '\0')
    g_clear_pointer (&number, g_free);
  return number;
}

void
bz_libc_text_read (GBytes *bytes, BzLibcText *text)
{
  gsize size;
  const char *data = g_bytes_get_data (bytes, &size);
  const char *at;

  *text = (BzLibcText){ 0 };
  if (data == NULL || size == 0)
    return;
  if ((at = find (data, size, "GNU C Library ")) != NULL)
    {
      text->text = printable (at, data + size, LONGEST_TEXT);
      text->version = number_behind (text->text, "release version ");
    }
  else if ((at = find (data, size, "The Linux C library ")) != NULL)
    {
      text->text = printable (at, data + size, LONGEST_TEXT);
      text->version = number_behind (text->text, "The Linux C library ");
    }
  text->old_start = find (data, size, "__uClibc_start_main") != NULL;
}

void
bz_libc_text_clear (BzLibcText *text)
{
  g_clear_pointer (&text->text, g_free);
  g_clear_pointer (&text->version, g_free);
}
