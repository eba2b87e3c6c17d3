/* What `check` sees in images: made-up bytes, hostile ones too. */
#include "config.h"

#include "brand/scan-tree.h"
#include "tests/unit/cmocka-all.h"
#include "tests/unit/made-up-tree.h"

#include <elf.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CODE 1024
#define SIZE 4096

/* An x86-64 or i386 program: one executable segment with `code`, then what the tests add. */
typedef struct {
  guint8 bytes[SIZE];
  guint bits, segments;
} Image;

static void
add_segment (Image *image, guint type, guint flags, gsize offset, gsize size)
{
  if (image->bits == 64)
    {
      Elf64_Phdr header = { .p_type = type,
                            .p_flags = flags,
                            .p_offset = offset,
                            .p_filesz = size,
                            .p_memsz = size,
                            .p_align = 8 };
      memcpy (image->bytes + sizeof (Elf64_Ehdr) + image->segments++ * sizeof header, &header,
              sizeof header);
      ((Elf64_Ehdr *) (gpointer) image->bytes)->e_phnum = (Elf64_Half) image->segments;
      return;
    }
  Elf32_Phdr header = { .p_type = type,
                        .p_flags = flags,
                        .p_offset = (Elf32_Off) offset,
                        .p_filesz = (Elf32_Word) size,
                        .p_memsz = (Elf32_Word) size,
                        .p_align = 4 };
  memcpy (image->bytes + sizeof (Elf32_Ehdr) + image->segments++ * sizeof header, &header,
          sizeof header);
  ((Elf32_Ehdr *) (gpointer) image->bytes)->e_phnum = (Elf32_Half) image->segments;
}

static Image *
image_new (guint bits, guint type, const void *code, gsize length)
{
  Image *image = g_new0 (Image, 1);
  guint8 ident[EI_NIDENT] = {
    0x7f, 'E', 'L', 'F', bits == 64 ? ELFCLASS64 : ELFCLASS32, ELFDATA2LSB, EV_CURRENT
  };

  image->bits = bits;
  if (bits == 64)
    {
      Elf64_Ehdr header = { .e_type = (Elf64_Half) type,
                            .e_machine = EM_X86_64,
                            .e_version = EV_CURRENT,
                            .e_phoff = sizeof header,
                            .e_ehsize = sizeof header,
                            .e_phentsize = sizeof (Elf64_Phdr) };
      memcpy (header.e_ident, ident, sizeof ident);
      memcpy (image->bytes, &header, sizeof header);
    }
  else
    {
      Elf32_Ehdr header = { .e_type = (Elf32_Half) type,
                            .e_machine = EM_386,
                            .e_version = EV_CURRENT,
                            .e_phoff = sizeof header,
                            .e_ehsize = sizeof header,
                            .e_phentsize = sizeof (Elf32_Phdr) };
      memcpy (header.e_ident, ident, sizeof ident);
      memcpy (image->bytes, &header, sizeof header);
    }
  memcpy (image->bytes + CODE, code, length);
  add_segment (image, PT_LOAD, PF_R | PF_X, CODE, SIZE - CODE);
  return image;
}

static void
scan_bytes (const void *bytes, gsize size, GHashTable *names, BzScan *scan)
{
  g_autoptr (GBytes) copy = g_bytes_new (bytes, size);

  bz_scan_read (copy, names, scan);
}

/* Frees the image. */
static void
scan_image (Image *image, BzScan *scan)
{
  scan_bytes (image->bytes, SIZE, NULL, scan);
  g_free (image);
}

typedef struct {
  const char *what;
  guint8 code[32];
  guint calls, others;
} Shape;

static void
test_vsyscall (void **state G_GNUC_UNUSED)
{
  static const Shape shapes[] = {
    { "call *%rax", { 0x48, 0xc7, 0xc0, 0, 4, 0x60, 0xff, 0xff, 0xd0 }, 1, 0 },
    { "jmp *%rax", { 0x48, 0xc7, 0xc0, 0, 0, 0x60, 0xff, 0xff, 0xe0 }, 1, 0 },
    { "call *%r11", { 0x49, 0xc7, 0xc3, 0, 8, 0x60, 0xff, 0x41, 0xff, 0xd3 }, 1, 0 },
    { "movabs, call *%rcx",
      { 0x48, 0xb9, 0, 4, 0x60, 0xff, 0xff, 0xff, 0xff, 0xff, 0x90, 0xff, 0xd1 },
      1,
      0 },
    { "another register is called", { 0x48, 0xc7, 0xc2, 0, 4, 0x60, 0xff, 0xff, 0xd0 }, 0, 1 },
    { "chosen by cmov, as where there is a vDSO",
      { 0x48, 0xc7, 0xc2, 0, 4, 0x60, 0xff, 0x48, 0x85, 0xc0, 0x48, 0x0f, 0x44, 0xc2 },
      0,
      0 },
    { "push, ret", { 0x68, 0, 4, 0x60, 0xff, 0xc3 }, 0, 1 },
    { "lea", { 0x48, 0x8d, 0x04, 0x25, 0, 4, 0x60, 0xff, 0xff, 0xd0 }, 0, 1 },
    { "a store to (%rax)", { 0x90, 0x48, 0xc7, 0x00, 0, 4, 0x60, 0xff }, 0, 1 },
    { "a store to 8(%rsp)", { 0x90, 0x48, 0xc7, 0x44, 0x24, 0x08, 0, 8, 0x60, 0xff }, 0, 1 },
    { "a store to a variable", { 0x90, 0x48, 0xc7, 0x05, 1, 2, 3, 4, 0, 4, 0x60, 0xff }, 0, 1 },
    { "an address among the code", { 0x90, 0xc3, 0, 4, 0x60, 0xff, 0xff, 0xff, 0xff, 0xff }, 0, 1 },
    { "no entry of the page", { 0x48, 0xc7, 0xc0, 0, 12, 0x60, 0xff, 0xff, 0xd0 }, 0, 0 },
    { "no load", { 0x90, 0x90, 0x90, 0, 4, 0x60, 0xff, 0xff, 0xd0 }, 0, 0 },
    { "movabs of another address", { 0x48, 0xb9, 0, 4, 0x60, 0xff, 0, 0, 0, 0, 0xff, 0xd1 }, 0, 0 },
  };

  for (guint i = 0; i < G_N_ELEMENTS (shapes); i++)
    {
      g_auto (BzScan) scan = { 0 };

      scan_image (image_new (64, ET_EXEC, shapes[i].code, sizeof shapes[i].code), &scan);
      if (scan.vsyscall_calls != shapes[i].calls || scan.vsyscall_others != shapes[i].others)
        fail_msg ("%s: %u calls, %u others", shapes[i].what, scan.vsyscall_calls,
                  scan.vsyscall_others);
    }
  /* An address in data. */
  static const guint64 pointers[] = { G_GUINT64_CONSTANT (0xffffffffff600400),
                                      G_GUINT64_CONSTANT (0xffffffffff601000) };
  Image *image = image_new (64, ET_EXEC, "", 1);
  g_auto (BzScan) data = { 0 };
  memcpy (image->bytes + 3072, pointers, sizeof pointers);
  ((Elf64_Phdr *) (gpointer) (image->bytes + sizeof (Elf64_Ehdr)))->p_filesz = 64;
  add_segment (image, PT_LOAD, PF_R | PF_W, 3072, sizeof pointers);
  scan_image (image, &data);
  assert_int_equal (data.vsyscall_calls, 0);
  assert_int_equal (data.vsyscall_others, 1);

  /* i386 code has no such page. */
  g_auto (BzScan) i386 = { 0 };
  scan_image (image_new (32, ET_EXEC, shapes[0].code, 16), &i386);
  assert_int_equal (i386.vsyscall_calls, 0);
}

static gboolean
has_call (const guint64 *set, guint nr)
{
  return (set[nr / 64] >> nr % 64 & 1) != 0;
}

static void
test_calls_of_static_programs (void **state G_GNUC_UNUSED)
{
  static const guint8 i386[] = { 0xb8, 149,  0, 0, 0, 0xcd, 0x80,             /* _sysctl */
                                 0xb8, 0xa7, 0, 0, 0, 0x89, 0xd9, 0xcd, 0x80, /* query_module */
                                 0xb8, 0,    2, 0, 0, 0xcd, 0x80,             /* 512: none */
                                 0xb8, 1,    0, 0, 0, 0x65, 0xff, 0x15, 0x10, 0, 0, 0 };
  static const guint8 x86_64[] = { 0x48, 0xc7, 0xc0, 156, 0, 0, 0, 0x0f, 0x05 }; /* _sysctl */
  g_auto (BzScan) old = { 0 }, new = { 0 }, dynamic = { 0 };

  scan_image (image_new (32, ET_EXEC, i386, sizeof i386), &old);
  assert_true (old.program);
  assert_false (old.dynamic);
  assert_true (has_call (old.calls, 149) && !has_call (old.calls_near, 149));
  assert_true (has_call (old.calls_near, 167) && !has_call (old.calls, 167));
  assert_true (has_call (old.calls, 1));
  scan_image (image_new (64, ET_EXEC, x86_64, sizeof x86_64), &new);
  assert_true (has_call (new.calls, 156));

  /* A C library holds every call: its code says nothing. */
  Image *library = image_new (32, ET_DYN, i386, sizeof i386);
  add_segment (library, PT_DYNAMIC, PF_R, 2048, 8);
  scan_image (library, &dynamic);
  assert_false (dynamic.program);
  assert_false (has_call (dynamic.calls, 149));
}

static void
test_stack_and_cpu (void **state G_GNUC_UNUSED)
{
  static const guint32 note[] = {
    4, 16, 5, 0x554e47, 0xc0008002, 4, BZ_ISA_BASELINE | BZ_ISA_V3, 0
  };
  Image *image = image_new (64, ET_EXEC, "", 1);
  g_auto (BzScan) unsaid = { 0 }, plain = { 0 }, executable = { 0 };

  scan_image (image, &unsaid);
  assert_int_equal (unsaid.stack, BZ_STACK_UNSAID);
  assert_int_equal (unsaid.isa, 0);

  image = image_new (64, ET_EXEC, "", 1);
  add_segment (image, PT_GNU_STACK, PF_R | PF_W, 0, 0);
  memcpy (image->bytes + 2048, note, sizeof note);
  add_segment (image, PT_NOTE, PF_R, 2048, sizeof note);
  scan_image (image, &plain);
  assert_int_equal (plain.stack, BZ_STACK_PLAIN);
  assert_int_equal (plain.isa, BZ_ISA_BASELINE | BZ_ISA_V3);
  assert_string_equal (bz_isa_name (plain.isa), "x86-64-v3");

  image = image_new (32, ET_EXEC, "", 1);
  add_segment (image, PT_GNU_STACK, PF_R | PF_W | PF_X, 0, 0);
  scan_image (image, &executable);
  assert_int_equal (executable.stack, BZ_STACK_EXECUTABLE);
}

static void
test_levels_of_a_cpu (void **state G_GNUC_UNUSED)
{
  static const char v2[] = "processor\t: 0\nflags\t\t: lm cx16 lahf_lm popcnt pni sse4_1 sse4_2 "
                           "ssse3 avx\nbugs\t: avx2 bmi1\n";

  assert_int_equal (bz_isa_of_cpu (v2), BZ_ISA_BASELINE | BZ_ISA_V2);
  assert_int_equal (bz_isa_of_cpu ("processor\t: 0\nflags\t\t: lm popcnt"), BZ_ISA_BASELINE);
  assert_int_equal (bz_isa_of_cpu ("nothing"), 0);
}

static void
test_aout (void **state G_GNUC_UNUSED)
{
  struct {
    guint32 word[8];
    char text[64];
  } image = { { 0x640000 | 0413, 64, 0, 0, 0, 0, 0, 0 }, "x /lib/ld.so" }, copy;
  g_auto (BzScan) zmagic = { 0 }, library = { 0 }, object = { 0 }, data = { 0 }, qmagic = { 0 };

  scan_bytes (&image, sizeof image, NULL, &zmagic);
  assert_int_equal (zmagic.kind, BZ_SCAN_AOUT);
  assert_string_equal (bz_aout_name (zmagic.magic), "ZMAGIC");
  assert_true (zmagic.program && zmagic.uselib && zmagic.address == 0);

  copy = image;
  copy.word[0] = 0314;
  copy.word[5] = 4096;
  memset (copy.text, 0, sizeof copy.text);
  scan_bytes (&copy, sizeof copy, NULL, &qmagic);
  assert_int_equal (qmagic.magic, BZ_AOUT_QMAGIC);
  assert_int_equal (qmagic.address, 4096);
  assert_false (qmagic.uselib);

  copy = image;
  copy.word[5] = 0x60000020;
  scan_bytes (&copy, sizeof copy, NULL, &library);
  assert_int_equal (library.kind, BZ_SCAN_NONE);
  copy = image;
  copy.word[0] = 0407;
  copy.word[6] = 8;
  scan_bytes (&copy, sizeof copy, NULL, &object);
  assert_int_equal (object.kind, BZ_SCAN_NONE);
  copy = image;
  copy.word[1] = G_MAXUINT32;
  scan_bytes (&copy, sizeof copy, NULL, &data);
  assert_int_equal (data.kind, BZ_SCAN_NONE);
}

static void
test_scripts (void **state G_GNUC_UNUSED)
{
  g_auto (BzScan) perl = { 0 }, bare = { 0 }, relative = { 0 };

  scan_bytes ("#! /usr/bin/perl -w\n", 20, NULL, &perl);
  assert_int_equal (perl.kind, BZ_SCAN_SCRIPT);
  assert_string_equal (perl.interpreter, "/usr/bin/perl");
  scan_bytes ("#!  \n", 5, NULL, &bare);
  assert_int_equal (bare.kind, BZ_SCAN_NONE);
  scan_bytes ("#!perl\n", 7, NULL, &relative);
  assert_int_equal (relative.kind, BZ_SCAN_NONE);
}

/* A section of dynamic symbols: `sysctl` is wanted from elsewhere, `stat` is its own. */
static void
test_imports (void **state G_GNUC_UNUSED)
{
  static const char strings[] = "\0sysctl\0stat\0open";
  Image *image = image_new (64, ET_DYN, "", 1);
  Elf64_Ehdr *header = (Elf64_Ehdr *) (gpointer) image->bytes;
  Elf64_Sym symbols[] = {
    { 0 }, { .st_name = 1 }, { .st_name = 8, .st_shndx = 1 }, { .st_name = 9999 }, { .st_name = 13 }
  };
  Elf64_Dyn dynamic[] = { { DT_NEEDED, { 13 } }, { DT_NEEDED, { 9999 } }, { DT_NULL, { 0 } } };
  Elf64_Shdr sections[] = {
    { 0 },
    { .sh_type = SHT_DYNAMIC,
      .sh_offset = 2752,
      .sh_size = sizeof dynamic,
      .sh_link = 3,
      .sh_entsize = sizeof dynamic[0],
      .sh_addralign = 8 },
    { .sh_type = SHT_DYNSYM,
      .sh_offset = 2432,
      .sh_size = sizeof symbols,
      .sh_link = 3,
      .sh_entsize = sizeof symbols[0],
      .sh_addralign = 8 },
    { .sh_type = SHT_STRTAB, .sh_offset = 2560, .sh_size = sizeof strings, .sh_addralign = 1 },
  };
  g_autoptr (GHashTable) names = g_hash_table_new (g_str_hash, g_str_equal);
  g_auto (BzScan) scan = { 0 };

  g_hash_table_add (names, (gpointer) "sysctl");
  g_hash_table_add (names, (gpointer) "stat");
  header->e_shoff = 2048;
  header->e_shnum = G_N_ELEMENTS (sections);
  header->e_shentsize = sizeof sections[0];
  memcpy (image->bytes + 2048, sections, sizeof sections);
  memcpy (image->bytes + 2752, dynamic, sizeof dynamic);
  memcpy (image->bytes + 2432, symbols, sizeof symbols);
  memcpy (image->bytes + 2560, strings, sizeof strings);
  add_segment (image, PT_DYNAMIC, PF_R, 2048, 8);
  scan_bytes (image->bytes, SIZE, names, &scan);
  g_free (image);
  assert_int_equal (scan.imports->len, 1);
  assert_string_equal (g_ptr_array_index (scan.imports, 0), "sysctl");
  assert_int_equal (scan.needed->len, 1);
  assert_string_equal (g_ptr_array_index (scan.needed, 0), "open");
}

/* Every prefix of an image, and every byte of its headers changed: no crash (ASan looks). */
/* Whole; cut off; what objcopy --only-keep-debug leaves, whose section headers are there. */
static void
test_cut_off (void **state G_GNUC_UNUSED)
{
  Image *image = image_new (64, ET_EXEC, "", 1);
  Elf64_Ehdr *header = (Elf64_Ehdr *) (gpointer) image->bytes;
  g_auto (BzScan) whole = { 0 };
  g_auto (BzScan) cut = { 0 };
  g_auto (BzScan) debug = { 0 };

  scan_bytes (image->bytes, SIZE, NULL, &whole);
  assert_false (whole.cut_off);
  scan_bytes (image->bytes, SIZE - 1, NULL, &cut);
  assert_true (cut.cut_off);
  header->e_shoff = SIZE - 256;
  header->e_shentsize = sizeof (Elf64_Shdr);
  header->e_shnum = 2;
  scan_bytes (image->bytes, SIZE - 100, NULL, &debug);
  assert_false (debug.cut_off);
  g_free (image);
}

static void
test_damage (void **state G_GNUC_UNUSED)
{
  static const guint8 code[] = { 0x48, 0xc7, 0xc0, 0, 4, 0x60, 0xff, 0xff, 0xd0, 0x0f, 0x05 };
  static const guint32 note[] = { 4, 16, 5, 0x554e47, 0xc0008002, 4, 5, 0 };
  Image *image = image_new (64, ET_EXEC, code, sizeof code);

  memcpy (image->bytes + 2048, note, sizeof note);
  add_segment (image, PT_NOTE, PF_R, 2048, sizeof note);
  for (gsize size = 0; size < 2100; size++)
    {
      g_auto (BzScan) scan = { 0 };
      scan_bytes (image->bytes, size, NULL, &scan);
    }
  for (guint at = 4; at < 256; at++)
    for (guint value = 0; value < 256; value += 51)
      {
        g_auto (BzScan) scan = { 0 };
        guint8 kept = image->bytes[at];
        image->bytes[at] = (guint8) value;
        scan_bytes (image->bytes, SIZE, NULL, &scan);
        image->bytes[at] = kept;
      }
  g_free (image);
}

static void
collect (const char *path, const struct stat *status G_GNUC_UNUSED, const BzScan *scan,
         gpointer data)
{
  if (scan->kind != BZ_SCAN_NONE)
    g_ptr_array_add (data, g_strdup (path));
}

/* Links, FIFOs, second names, a sparse terabyte, a deep well. */
static void
test_walk (void **state G_GNUC_UNUSED)
{
  char *tree = tree_new ();
  g_autoptr (GPtrArray) paths = g_ptr_array_new_with_free_func (g_free);
  g_autofree char *one = g_build_filename (tree, "bin/one", NULL);
  g_autofree char *two = g_build_filename (tree, "bin/two", NULL);
  g_autofree char *sparse = g_build_filename (tree, "sparse", NULL);
  GString *deep = g_string_new (tree);
  BzScanCounts counts;

  tree_write (tree, "bin/one", "#!/bin/sh\n");
  assert_int_equal (link (one, two), 0);
  tree_link (tree, "passwd", "/etc/passwd");
  tree_link (tree, "out", "../../../../../../bin");
  tree_fifo (tree, "fifo");
  tree_write (tree, "sparse", "just text");
  assert_int_equal (truncate (sparse, (off_t) 1 << 40), 0);
  for (guint i = 0; i < 200; i++)
    {
      g_string_append (deep, "/d");
      assert_int_equal (mkdir (deep->str, 0755), 0);
    }
  int fd = open (tree, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  bz_scan_tree (fd, NULL, collect, paths, &counts);
  close (fd);
  assert_int_equal (counts.files, 2);
  assert_int_equal (counts.images, 1);
  assert_int_equal (counts.too_deep, 1);
  assert_int_equal (counts.unreadable, 0);
  assert_int_equal (paths->len, 1);
  assert_true (g_str_has_prefix (g_ptr_array_index (paths, 0), "bin/"));
  g_string_free (deep, TRUE);
  tree_remove (tree);
}

/* A single file is opened only when it is one. */
static void
test_file (void **state G_GNUC_UNUSED)
{
  char *tree = tree_new ();
  BzScanCounts counts = { 0 };
  struct stat status;

  tree_fifo (tree, "fifo");
  tree_link (tree, "link", "fifo");
  tree_write (tree, "script", "#!/bin/sh\n");
  int fd = open (tree, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  g_auto (BzScan) fifo = { 0 }, link = { 0 }, script = { 0 };
  assert_false (bz_scan_file (fd, "fifo", NULL, &fifo, &status, &counts));
  assert_false (bz_scan_file (fd, "link", NULL, &link, &status, &counts));
  assert_true (bz_scan_file (fd, "script", NULL, &script, &status, &counts));
  assert_int_equal (script.kind, BZ_SCAN_SCRIPT);
  close (fd);
  tree_remove (tree);
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_vsyscall),      cmocka_unit_test (test_calls_of_static_programs),
    cmocka_unit_test (test_stack_and_cpu), cmocka_unit_test (test_levels_of_a_cpu),
    cmocka_unit_test (test_aout),          cmocka_unit_test (test_scripts),
    cmocka_unit_test (test_imports),       cmocka_unit_test (test_damage),
    cmocka_unit_test (test_cut_off),
    cmocka_unit_test (test_walk),          cmocka_unit_test (test_file),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
