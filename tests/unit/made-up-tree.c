#include "config.h"

#include "tests/unit/made-up-tree.h"

#include <elf.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

char *
tree_new (void)
{
  char *path = g_dir_make_tmp ("brandzone-test-XXXXXX", NULL);

  g_assert_nonnull (path);
  return path;
}

static void
remove_all (const char *path)
{
  GDir *dir = g_file_test (path, G_FILE_TEST_IS_SYMLINK) ? NULL : g_dir_open (path, 0, NULL);
  const char *name;

  if (dir != NULL)
    {
      while ((name = g_dir_read_name (dir)) != NULL)
        {
          g_autofree char *below = g_build_filename (path, name, NULL);
          remove_all (below);
        }
      g_dir_close (dir);
    }
  g_remove (path);
}

void
tree_remove (char *path)
{
  remove_all (path);
  g_free (path);
}

/* The file's full path, its directory made. */
static char *
prepare (const char *tree, const char *path)
{
  char *full = g_build_filename (tree, path, NULL);
  g_autofree char *dir = g_path_get_dirname (full);

  g_assert_cmpint (g_mkdir_with_parents (dir, 0755), ==, 0);
  return full;
}

void
tree_write_bytes (const char *tree, const char *path, const void *bytes, gsize length)
{
  g_autofree char *full = prepare (tree, path);

  g_assert_true (g_file_set_contents (full, bytes, (gssize) length, NULL));
}

void
tree_write (const char *tree, const char *path, const char *text)
{
  tree_write_bytes (tree, path, text, strlen (text));
}

void
tree_link (const char *tree, const char *path, const char *target)
{
  g_autofree char *full = prepare (tree, path);

  g_assert_cmpint (symlink (target, full), ==, 0);
}

void
tree_fifo (const char *tree, const char *path)
{
  g_autofree char *full = prepare (tree, path);

  g_assert_cmpint (mkfifo (full, 0644), ==, 0);
}

/* Program headers and contents lie one after the other; both classes through one description. */
static void
add_segment (GByteArray *image, guint bits, guint index, guint type, gsize offset, gsize size)
{
  if (bits == 64)
    {
      Elf64_Phdr header = {
        .p_type = type, .p_offset = offset, .p_filesz = size, .p_memsz = size, .p_align = 4
      };
      memcpy (image->data + sizeof (Elf64_Ehdr) + index * sizeof header, &header, sizeof header);
    }
  else
    {
      Elf32_Phdr header = { .p_type = type,
                            .p_offset = (Elf32_Off) offset,
                            .p_filesz = (Elf32_Word) size,
                            .p_memsz = (Elf32_Word) size,
                            .p_align = 4 };
      memcpy (image->data + sizeof (Elf32_Ehdr) + index * sizeof header, &header, sizeof header);
    }
}

static void
add_header (GByteArray *image, const MadeUpElf *elf, guint segments)
{
  guint8 ident[EI_NIDENT] = {
    0x7f, 'E', 'L', 'F', elf->bits == 64 ? ELFCLASS64 : ELFCLASS32, ELFDATA2LSB, EV_CURRENT
  };

  if (elf->bits == 64)
    {
      Elf64_Ehdr header = { .e_type = (Elf64_Half) elf->type,
                            .e_machine = (Elf64_Half) elf->machine,
                            .e_version = EV_CURRENT,
                            .e_phoff = sizeof header,
                            .e_ehsize = sizeof header,
                            .e_phentsize = sizeof (Elf64_Phdr),
                            .e_phnum = (Elf64_Half) segments };
      memcpy (header.e_ident, ident, sizeof ident);
      memcpy (image->data, &header, sizeof header);
    }
  else
    {
      Elf32_Ehdr header = { .e_type = (Elf32_Half) elf->type,
                            .e_machine = (Elf32_Half) elf->machine,
                            .e_version = EV_CURRENT,
                            .e_phoff = sizeof header,
                            .e_ehsize = sizeof header,
                            .e_phentsize = sizeof (Elf32_Phdr),
                            .e_phnum = (Elf32_Half) segments };
      memcpy (header.e_ident, ident, sizeof ident);
      memcpy (image->data, &header, sizeof header);
    }
}

GBytes *
elf_make (const MadeUpElf *elf)
{
  GByteArray *image = g_byte_array_new ();
  gsize headers = elf->bits == 64 ? sizeof (Elf64_Ehdr) + 2 * sizeof (Elf64_Phdr)
                                  : sizeof (Elf32_Ehdr) + 2 * sizeof (Elf32_Phdr);
  guint segments = 0;
  gsize at;

  g_byte_array_set_size (image, (guint) headers);
  memset (image->data, 0, headers);
  if (elf->interpreter != NULL)
    {
      at = image->len;
      g_byte_array_append (image, (const guint8 *) elf->interpreter,
                           (guint) strlen (elf->interpreter) + 1);
      add_segment (image, elf->bits, segments++, PT_INTERP, at, image->len - at);
    }
  if (elf->note != NULL)
    {
      guint32 note[8] = { 4, 16, NT_GNU_ABI_TAG, 0x554e47 /* "GNU" */ };

      while (image->len % 4 != 0)
        g_byte_array_append (image, (const guint8 *) "", 1);
      memcpy (note + 4, elf->note, 16);
      at = image->len;
      g_byte_array_append (image, (const guint8 *) note, sizeof note);
      add_segment (image, elf->bits, segments++, PT_NOTE, at, sizeof note);
    }
  if (elf->text != NULL)
    g_byte_array_append (image, (const guint8 *) elf->text, (guint) strlen (elf->text) + 1);
  add_header (image, elf, segments);
  return g_byte_array_free_to_bytes (image);
}

void
tree_write_elf (const char *tree, const char *path, const MadeUpElf *elf)
{
  g_autoptr (GBytes) bytes = elf_make (elf);

  tree_write_bytes (tree, path, g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes));
}
