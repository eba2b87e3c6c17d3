#include "config.h"

#include "tests/unit/made-up-elf.h"

#include <elf.h>
#include <string.h>

#define PAGE 4096
static const char names[] = "\0.text\0.data\0.symtab\0.strtab\0.shstrtab";

static void
pad (GByteArray *image, gsize alignment)
{
  static const guint8 zero[PAGE];

  g_byte_array_append (image, zero, (guint) ((alignment - image->len % alignment) % alignment));
}

static guint64
append_symbols (GByteArray *image, const MadeUpElf *spec, guint64 *size)
{
  Elf64_Sym symbol = { 0 };

  pad (image, 8);
  guint64 offset = image->len;
  g_byte_array_append (image, (const guint8 *) &symbol, sizeof symbol);
  for (guint i = 0; i < G_N_ELEMENTS (spec->function) && spec->function[i] != 0; i++)
    {
      symbol.st_info = ELF64_ST_INFO (STB_GLOBAL, STT_FUNC);
      symbol.st_shndx = 1;
      symbol.st_value = spec->function[i];
      g_byte_array_append (image, (const guint8 *) &symbol, sizeof symbol);
    }
  *size = image->len - offset;
  return offset;
}

static void
append_sections (GByteArray *image, const MadeUpElf *spec, guint64 data_offset)
{
  guint64 symbols_size, symbols = append_symbols (image, spec, &symbols_size), text = image->len;
  Elf64_Shdr section[6] = { 0 };

  g_byte_array_append (image, (const guint8 *) names, sizeof names);
  section[1] = (Elf64_Shdr){
    1, SHT_PROGBITS, SHF_ALLOC | SHF_EXECINSTR, MADE_UP_TEXT, PAGE, spec->text_size, 0, 0, 16, 0
  };
  section[2] = (Elf64_Shdr){
    7, SHT_PROGBITS, SHF_ALLOC | SHF_WRITE, MADE_UP_DATA, data_offset, spec->data_size, 0, 0, 8, 0
  };
  section[3] =
      (Elf64_Shdr){ 13, SHT_SYMTAB, 0, 0, symbols, symbols_size, 4, 1, 8, sizeof (Elf64_Sym) };
  section[4] = (Elf64_Shdr){ 21, SHT_STRTAB, 0, 0, text, 1, 0, 0, 1, 0 };
  section[5] = (Elf64_Shdr){ 29, SHT_STRTAB, 0, 0, text, sizeof names, 0, 0, 1, 0 };
  pad (image, 8);
  ((Elf64_Ehdr *) (void *) image->data)->e_shoff = image->len;
  g_byte_array_append (image, (const guint8 *) section, sizeof section);
  Elf64_Ehdr *header = (Elf64_Ehdr *) (void *) image->data;
  header->e_shnum = G_N_ELEMENTS (section);
  header->e_shstrndx = 5;
  header->e_shentsize = sizeof (Elf64_Shdr);
}

GByteArray *
made_up_elf (const MadeUpElf *spec)
{
  GByteArray *image = g_byte_array_new ();
  Elf64_Ehdr header = { .e_type = ET_EXEC,
                        .e_machine = EM_X86_64,
                        .e_version = EV_CURRENT,
                        .e_entry = MADE_UP_TEXT,
                        .e_phoff = sizeof header,
                        .e_ehsize = sizeof header,
                        .e_phentsize = sizeof (Elf64_Phdr),
                        .e_phnum = 3 };
  Elf64_Phdr segment[3] = { 0 };
  gsize interpreter = spec->interpreter != NULL ? strlen (spec->interpreter) + 1 : 0;

  memcpy (header.e_ident, "\177ELF\2\1\1", 7);
  guint64 data_offset = PAGE + (spec->text_size + PAGE - 1) / PAGE * PAGE;
  segment[0] = (Elf64_Phdr){ PT_LOAD,
                             PF_R | PF_X,
                             0,
                             MADE_UP_BASE,
                             MADE_UP_BASE,
                             PAGE + spec->text_size,
                             PAGE + spec->text_size,
                             PAGE };
  segment[1] = (Elf64_Phdr){ PT_LOAD,      PF_R | PF_W,     data_offset,     MADE_UP_DATA,
                             MADE_UP_DATA, spec->data_size, spec->data_size, PAGE };
  segment[2].p_type = PT_NULL;
  if (interpreter > 0)
    segment[2] = (Elf64_Phdr){ PT_INTERP,   PF_R, sizeof header + sizeof segment, 0, 0, interpreter,
                               interpreter, 1 };
  if (spec->data == NULL)
    segment[1].p_type = PT_NULL;
  g_byte_array_append (image, (const guint8 *) &header, sizeof header);
  g_byte_array_append (image, (const guint8 *) segment, sizeof segment);
  if (interpreter > 0)
    g_byte_array_append (image, (const guint8 *) spec->interpreter, (guint) interpreter);
  pad (image, PAGE);
  g_byte_array_append (image, spec->text, (guint) spec->text_size);
  if (spec->data != NULL)
    {
      pad (image, PAGE);
      g_byte_array_append (image, spec->data, (guint) spec->data_size);
    }
  if (!spec->bare)
    append_sections (image, spec, data_offset);
  return image;
}
