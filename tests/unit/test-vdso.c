/* Rewritten calls of a library that reach the vDSO: run from memory, as a dynamic linker would have mapped them. */
#include "config.h"

#include "loader/shadow/vdso.h"

#include <elf.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <time.h>

#include "tests/unit/cmocka-all.h"

#define TEXT 0x1000    /* file offset and address */
#define DATA 0x2100    /* file offset */
#define DATA_AT 0x4100 /* address */
#define BSS_END 0x5804
#define WORD 0x5808
#define WHOLE 0x6000

/* time (rdi): sub $8,%rsp; mov $time,%rax; call *%rax; add $8,%rsp; ret. gettimeofday, 32 bytes on, by a jump. */
static const guint8 text[] = {
  0x48, 0x83, 0xec, 0x08, 0x48, 0xc7, 0xc0, 0x00, 0x04, 0x60, 0xff, 0xff, 0xd0, 0x48, 0x83, 0xc4,
  0x08, 0xc3, 0x90, 0x90, 0x90, 0x90, 0x90, 0x90, 0x90, 0x90, 0x90, 0x90, 0x90, 0x90, 0x90, 0x90,
  0x48, 0xc7, 0xc0, 0x00, 0x00, 0x60, 0xff, 0xff, 0xe0, 0x90,
};

typedef struct {
  Elf64_Ehdr elf;
  Elf64_Phdr load[2], relro;
} Headers;

typedef struct {
  guint8 bytes[DATA + 0x100];
  Headers *headers;
} Library;

static Library *
make_library (void)
{
  Library *library = g_new0 (Library, 1);
  Headers *headers = library->headers = (Headers *) (void *) library->bytes;

  headers->elf = (Elf64_Ehdr){ .e_type = ET_DYN,
                               .e_machine = EM_X86_64,
                               .e_version = 1,
                               .e_entry = TEXT,
                               .e_phoff = G_STRUCT_OFFSET (Headers, load),
                               .e_ehsize = sizeof headers->elf,
                               .e_phentsize = sizeof headers->load[0],
                               .e_phnum = 3 };
  memcpy (headers->elf.e_ident, ELFMAG "\2\1\1", 7);
  headers->load[0] = (Elf64_Phdr){
    .p_type = PT_LOAD, .p_flags = PF_R | PF_X, .p_filesz = TEXT + sizeof text, .p_memsz = TEXT + sizeof text
  };
  headers->load[1] = (Elf64_Phdr){ .p_type = PT_LOAD,
                                   .p_flags = PF_R | PF_W,
                                   .p_offset = DATA,
                                   .p_vaddr = DATA_AT,
                                   .p_filesz = 0x100,
                                   .p_memsz = BSS_END - DATA_AT };
  headers->relro = (Elf64_Phdr){ .p_type = PT_GNU_RELRO, .p_offset = DATA, .p_vaddr = DATA_AT, .p_memsz = 0x80 };
  memcpy (library->bytes + TEXT, text, sizeof text);
  return library;
}

/* Finds, and leads to the vDSO; TRUE: there are more edits than the two. */
static gboolean
leads (const Library *library, const BzVdso *vdso, BzRewrite *rewrite)
{
  assert_true (bz_rewrite_find (library->bytes, sizeof library->bytes, rewrite, NULL));
  if (rewrite->n != 2)
    fail_msg ("%u edits; refused: %s", rewrite->n, rewrite->n_refused > 0 ? rewrite->refused[0].reason : "none");
  assert_int_equal (rewrite->n_refused, 0);
  bz_rewrite_use_vdso (library->bytes, sizeof library->bytes, vdso, rewrite);
  return rewrite->n > 2;
}

static guint8 *
load (const Library *library, const BzRewrite *rewrite)
{
  guint8 *memory =
      mmap (NULL, WHOLE, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

  assert_true (memory != MAP_FAILED);
  memcpy (memory, library->bytes, 0x2000);
  memcpy (memory + DATA_AT, library->bytes + DATA, 0x100);
  for (guint i = 0; i < rewrite->n; i++)
    {
      assert_int_equal (rewrite->edits[i].offset, rewrite->edits[i].address);
      assert_memory_equal (memory + rewrite->edits[i].address, rewrite->edits[i].old_bytes, rewrite->edits[i].length);
      memcpy (memory + rewrite->edits[i].address, rewrite->edits[i].new_bytes, rewrite->edits[i].length);
    }
  return memory;
}

static void
check_time (guint8 *memory)
{
  long (*old_time) (long *);
  gpointer start = memory + TEXT;
  time_t before = time (NULL);
  long stored = 0;

  memcpy (&old_time, &start, sizeof start);
  long got = old_time (&stored);
  assert_int_equal (got, stored);
  assert_in_range (got, before, time (NULL));
}

static void
check_gettimeofday (guint8 *memory)
{
  int (*old_gettimeofday) (gint64[2], gpointer);
  gpointer start = memory + TEXT + 32;
  gint64 now[2] = { 0, 0 }, before = g_get_real_time ();

  memcpy (&old_gettimeofday, &start, sizeof start);
  assert_int_equal (old_gettimeofday (now, NULL), 0);
  assert_in_range (now[0] * 1000000 + now[1], before, g_get_real_time ());
}

static guint64
word_of (const guint8 *memory)
{
  guint64 word;

  memcpy (&word, memory + WORD, sizeof word);
  return word;
}

static void
it_runs (void **state G_GNUC_UNUSED)
{
  g_autofree Library *library = make_library ();
  g_auto (BzRewrite) rewrite = { 0 };
  BzVdso vdso;

  bz_vdso_read (&vdso);
  if (vdso.offset[BZ_VSYSCALL_TIME] == 0)
    skip (); /* before Linux 6.4, or under vdso=0 */
  assert_true (leads (library, &vdso, &rewrite));
  guint8 *memory = load (library, &rewrite);
  for (guint i = 0; i < 63; i++)
    check_time (memory);
  assert_int_equal (word_of (memory), 0);
  check_gettimeofday (memory);
  assert_int_equal (word_of (memory), getauxval (AT_SYSINFO_EHDR));
  for (guint i = 0; i < 1000; i++)
    {
      check_time (memory);
      check_gettimeofday (memory);
    }
  munmap (memory, WHOLE);
}

/* What is stored must be what is believed when it is read back. */
static void
its_facts_survive (void **state G_GNUC_UNUSED)
{
  g_autofree Library *library = make_library ();
  const BzVdso vdso = { .offset = { 0x800, 0x900, 0xa00 } };
  g_auto (BzRewrite) rewrite = { 0 }, back = { 0 };

  assert_true (leads (library, &vdso, &rewrite));
  g_autoptr (GVariant) variant = g_variant_ref_sink (bz_rewrite_to_variant (&rewrite));
  g_autoptr (GBytes) bytes = g_variant_get_data_as_bytes (variant);
  assert_true (bz_rewrite_from_bytes (bytes, sizeof library->bytes, &back, NULL));
  assert_int_equal (back.n, rewrite.n);
}

static void
assert_stays (const Library *library, const char *what)
{
  const BzVdso vdso = { .offset = { 0x800, 0x900, 0xa00 } };
  g_auto (BzRewrite) rewrite = { 0 };

  if (leads (library, &vdso, &rewrite))
    fail_msg ("%s: it leads to the vDSO", what);
  assert_memory_equal (rewrite.edits[0].new_bytes, "\xb8\xc9\0\0\0\x0f\x05", 7);
}

static void
without_room_they_stay (void **state G_GNUC_UNUSED)
{
  static const BzVdso none;
  g_autofree Library *library = make_library ();
  Headers *headers = library->headers;
  g_auto (BzRewrite) rewrite = { 0 };

  assert_false (leads (library, &none, &rewrite));
  headers->elf.e_type = ET_EXEC;
  assert_stays (library, "a program");
  headers->elf.e_type = ET_DYN;
  library->bytes[TEXT + sizeof text + 60] = 1;
  assert_stays (library, "something lies behind the text");
  library->bytes[TEXT + sizeof text + 60] = 0;
  headers->load[1].p_vaddr -= 0x3000;
  assert_stays (library, "the data shares the text's last page");
  headers->load[1].p_vaddr += 0x3000;
  headers->load[1].p_memsz = 0x200;
  assert_stays (library, "the bss ends in a page of the file's");
  headers->load[1].p_memsz = 0x6000 - DATA_AT;
  assert_stays (library, "the bss ends with its page");
  headers->load[1].p_memsz = BSS_END - DATA_AT;
  headers->relro.p_memsz = WHOLE - DATA_AT;
  assert_stays (library, "what lies behind the bss becomes read-only");
  headers->relro.p_memsz = 0x80;
  headers->load[1].p_vaddr += 0x80000000;
  assert_stays (library, "the bss lies too far away");
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (it_runs),
    cmocka_unit_test (its_facts_survive),
    cmocka_unit_test (without_room_they_stay),
  };

  return cmocka_run_group_tests_name ("vdso", tests, NULL, NULL);
}
