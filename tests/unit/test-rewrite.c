/* Every shape of a vsyscall, judged and run; hostile images. */
#include "config.h"

#include "brand/base/error.h"
#include "loader/shadow/image-copy.h"
#include "loader/shadow/rewrite.h"
#include "loader/shadow/rewriter-client.h"
#include "tests/unit/made-up-elf.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/unit/cmocka-all.h"

/* Code as hexadecimal digits and spaces. */
static GByteArray *
bytes_of (const char *hex)
{
  GByteArray *bytes = g_byte_array_new ();

  for (; *hex != '\0'; hex++)
    if (*hex != ' ')
      {
        guint8 byte = (guint8) (g_ascii_xdigit_value (hex[0]) << 4 | g_ascii_xdigit_value (hex[1]));

        g_byte_array_append (bytes, &byte, 1);
        hex++;
      }
  return bytes;
}

#define TIME "000460ff" /* low half of time()'s address */
#define GETTIMEOFDAY "000060ff"
#define GETCPU "000860ff"
#define CALL_TIME "48c7c0" TIME "ffd0" /* mov $time,%rax; call *%rax */
#define NO_ARGUMENT "31ff"             /* xor %edi,%edi */
/* exit (rax <= 1500000000): 0 when rax is a time of today. */
#define CHECK_TIME "31ff 483d002f6859 400f96c7 b83c000000 0f05"

static GByteArray *
image_of (const char *hex)
{
  g_autoptr (GByteArray) text = bytes_of (hex);
  MadeUpElf spec = { .text = text->data, .text_size = text->len };

  return made_up_elf (&spec);
}

static void
find (GByteArray *image, BzRewrite *result)
{
  g_autoptr (GError) error = NULL;

  assert_true (bz_rewrite_find (image->data, image->len, result, &error));
  assert_null (error);
}

/* --- shapes that are rewritten, and run --- */

typedef struct {
  const char *what, *code;
  const char *edit[2]; /* new bytes */
} Shape;

static const Shape shapes[] = {
  { "mov, call", NO_ARGUMENT CALL_TIME CHECK_TIME, { "b8c9000000 0f05 6690" } },
  { "movabs, call",
    NO_ARGUMENT "48b8" TIME "ffffffff ffd0" CHECK_TIME,
    { "b8c9000000 0f05 0f1f4000 90" } },
  { "movabs r11, call",
    NO_ARGUMENT "49bb" TIME "ffffffff 41ffd3 49c7c300000000" CHECK_TIME,
    { "b8c9000000 0f05 0f1f4000 6690" } },
  { "rcx, then written",
    NO_ARGUMENT "48c7c1" TIME "ffd1 31c9" CHECK_TIME,
    { "b8c9000000 0f05 6690" } },
  { "r9, then written",
    NO_ARGUMENT "49c7c1" TIME "41ffd1 4531c9" CHECK_TIME,
    { "b8c9000000 0f05 0f1f00" } },
  { "rbx, given back",
    "e802000000 eb0e 53" NO_ARGUMENT "48c7c3" TIME "ffd3 5b c3" CHECK_TIME,
    { "b8c9000000 0f05 6690" } },
  { "rcx, worthless at return",
    "e802000000 eb0c" NO_ARGUMENT "48c7c1" TIME "ffd1 c3" CHECK_TIME,
    { "b8c9000000 0f05 6690" } },
  { "jmp",
    "e802000000 eb0b" NO_ARGUMENT "48c7c0" TIME "ffe0" CHECK_TIME,
    { "b8c9000000 0f05 c3 90" } },
  { "jmp r10",
    "e802000000 eb0c" NO_ARGUMENT "49c7c2" TIME "41ffe2" CHECK_TIME,
    { "b8c9000000 0f05 c3 6690" } },
  { "an instruction between",
    "48c7c0" TIME NO_ARGUMENT "ffd0" CHECK_TIME,
    { "b8c9000000 6690", "0f05" } },
  { "r11 and an instruction between",
    "49c7c3" TIME NO_ARGUMENT "41ffd3 4531db" CHECK_TIME,
    { "b8c9000000 6690", "0f05 90" } },
  { "jmp r11 with an instruction between",
    "e802000000 eb0c 49c7c3" TIME NO_ARGUMENT "41ffe3" CHECK_TIME,
    { "b8c9000000 6690", "0f05 c3" } },
};

static void
assert_edits (const Shape *shape, const BzRewrite *rewrite)
{
  guint expected = shape->edit[1] != NULL ? 2 : 1;

  if (rewrite->n != expected || rewrite->n_refused != 0)
    fail_msg ("%s: %u edits, %u refused (%s)", shape->what, rewrite->n, rewrite->n_refused,
              rewrite->n_refused > 0 ? rewrite->refused[0].reason : "");
  for (guint i = 0; i < expected; i++)
    {
      g_autoptr (GByteArray) bytes = bytes_of (shape->edit[i]);

      assert_int_equal (rewrite->edits[i].length, bytes->len);
      assert_memory_equal (rewrite->edits[i].new_bytes, bytes->data, bytes->len);
      assert_int_equal (rewrite->edits[i].address - MADE_UP_BASE, rewrite->edits[i].offset);
      assert_non_null (strstr (rewrite->edits[i].reason, "time() of the vsyscall page"));
    }
}

/* The kernel shows an emulated vsyscall to filters with its address as the instruction pointer.
 * Killing there is what vsyscall=none does, on any host. */
static gboolean
forbid_vsyscalls (void)
{
  struct sock_filter code[] = {
    BPF_STMT (BPF_LD | BPF_W | BPF_ABS, offsetof (struct seccomp_data, instruction_pointer) + 4),
    BPF_JUMP (BPF_JMP | BPF_JEQ | BPF_K, 0xffffffff, 0, 1),
    BPF_STMT (BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
    BPF_STMT (BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  struct sock_fprog program = { G_N_ELEMENTS (code), code };

  return prctl (PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0
         && prctl (PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

static int
run (const GByteArray *image)
{
  int fd = memfd_create ("made-up", MFD_CLOEXEC), status;
  char *const argv[] = { (char *) "made-up", NULL }, *const environment[] = { NULL };

  assert_int_equal (write (fd, image->data, image->len), image->len);
  pid_t pid = fork ();
  if (pid == 0)
    {
      if (forbid_vsyscalls ())
        fexecve (fd, argv, environment);
      _exit (99);
    }
  assert_int_equal (waitpid (pid, &status, 0), pid);
  close (fd);
  return status;
}

static void
test_shapes (void **state G_GNUC_UNUSED)
{
  for (guint i = 0; i < G_N_ELEMENTS (shapes); i++)
    {
      g_autoptr (GByteArray) image = image_of (shapes[i].code);
      g_auto (BzRewrite) rewrite = { 0 };

      find (image, &rewrite);
      assert_edits (&shapes[i], &rewrite);
      if (!WIFSIGNALED (run (image)))
        fail_msg ("%s: does not use the vsyscall page to begin with", shapes[i].what);
      for (guint k = 0; k < rewrite.n; k++)
        memcpy (image->data + rewrite.edits[k].offset, rewrite.edits[k].new_bytes,
                rewrite.edits[k].length);
      int status = run (image);
      if (status != 0)
        fail_msg ("%s: status %x after the rewrite", shapes[i].what, status);
      bz_rewrite_clear (&rewrite);
      find (image, &rewrite);
      assert_int_equal (rewrite.n + rewrite.n_refused, 0);
    }
}

static void
test_all_entries (void **state G_GNUC_UNUSED)
{
  g_autoptr (GByteArray) image =
      image_of ("48c7c0" GETTIMEOFDAY "ffd0 48c7c0" TIME "ffd0 48c7c0" GETCPU "ffd0 f4");
  g_auto (BzRewrite) rewrite = { 0 };

  find (image, &rewrite);
  assert_int_equal (rewrite.n, 3);
  assert_memory_equal (rewrite.edits[0].new_bytes, "\xb8\x60\0\0\0", 5);
  assert_memory_equal (rewrite.edits[1].new_bytes, "\xb8\xc9\0\0\0", 5);
  assert_memory_equal (rewrite.edits[2].new_bytes, "\xb8\x35\x01\0\0", 5);
  assert_int_equal (rewrite.edits[0].address, MADE_UP_TEXT);
  assert_memory_equal (rewrite.edits[1].old_bytes, "\x48\xc7\xc0\x00\x04\x60\xff\xff\xd0", 9);
}

/* --- what is refused --- */

typedef struct {
  const char *what, *code;
  const char *text, *reason; /* parts */
} Refusal;

static const Refusal refusals[] = {
  { "rdi is the argument", "48c7c7" TIME "ffd7 f4", "movq $", "holds an argument" },
  { "rbx read later", "48c7c3" TIME "ffd3 4889d8 f4", "%rbx", "may be read after" },
  { "rbx called again in a loop", "48c7c3" TIME "ffd3 ffd3 f4", "%rbx", "may be read after" },
  { "rbx returned", "48c7c3" TIME "ffd3 c3", "%rbx", "may be read after" },
  { "rcx read on one of two ways", "48c7c1" TIME "ffd1 7401 c3 4889c8 c3", "%rcx",
    "may be read after" },
  { "r12 at a tail call", "49c7c4" TIME "41ffe4", "%r12", "may be read after" },
  { "branch to the call", "eb07 48c7c0" TIME "ffd0 c3", "movq", "a branch leads" },
  { "near branch to the call", "e907000000 48c7c0" TIME "ffd0 c3", "movq", "a branch leads" },
  { "near conditional branch to the call", "0f8407000000 48c7c0" TIME "ffd0 c3", "movq",
    "a branch leads" },
  { "branch into the mov", "eb03 48c7c0" TIME "ffd0 c3", "movq", "a branch leads" },
  { "branch between mov and call", "eb07 48c7c0" TIME "90 ffd0 c3", "movq", "a branch leads" },
  { "another call between", "48c7c0" TIME "e800000000 ffd0 c3", "movq", "no call follows" },
  { "never called", "48c7c0" TIME "31c0 c3", "movq", "no call follows" },
  { "kept in memory", "48c7c0" TIME "48890424 c3", "movq", "kept or computed" },
  { "computed with", "48c7c0" GETTIMEOFDAY "4805000400 00 ffd0 c3", "movq", "kept or computed" },
  { "rax in use between", "48c7c1" TIME "4889c7 ffd1 31c9 c3", "movq", "in use between" },
  { "short jmp apart", "48c7c0" TIME "90 ffe0", "movq", "no room" },
  { "stored as an immediate", "48c70424" TIME "c3", "movq $", "isn't a call" },
  { "pushed and returned to", "68" TIME "c3", "push", "isn't a call" },
  { "called through memory among code", "ff1502000000 c390" TIME "ffffffff",
    ".quad 0xffffffffff600400", "among the code" },
};

static void
test_refusals (void **state G_GNUC_UNUSED)
{
  for (guint i = 0; i < G_N_ELEMENTS (refusals); i++)
    {
      const Refusal *refusal = &refusals[i];
      g_autoptr (GByteArray) image = image_of (refusal->code);
      g_auto (BzRewrite) rewrite = { 0 };

      find (image, &rewrite);
      if (rewrite.n != 0 || rewrite.n_refused != 1 || rewrite.n_left != 0)
        fail_msg ("%s: %u edits, %u refused, %u left (%s)", refusal->what, rewrite.n,
                  rewrite.n_refused, rewrite.n_left,
                  rewrite.n_refused > 0 ? rewrite.refused[0].reason : "");
      if (strstr (rewrite.refused[0].reason, refusal->reason) == NULL
          || strstr (rewrite.refused[0].text, refusal->text) == NULL)
        fail_msg ("%s: %s: %s", refusal->what, rewrite.refused[0].text, rewrite.refused[0].reason);
    }
}

/* A branch from 40 KiB away, in code that is never decoded. */
static void
test_far_branch (void **state G_GNUC_UNUSED)
{
  static const char *const branches[] = { "90e8", "90e9", "0f85" };

  for (guint i = 0; i < G_N_ELEMENTS (branches); i++)
    {
      g_autoptr (GByteArray) text = bytes_of (CALL_TIME "c3");
      g_autoptr (GByteArray) branch = bytes_of (branches[i]);
      g_auto (BzRewrite) rewrite = { 0 };
      g_auto (BzRewrite) without = { 0 };

      while (text->len < 40000)
        g_byte_array_append (text, (const guint8 *) "\x90", 1);
      g_byte_array_append (text, branch->data, branch->len);
      gint32 distance = 7 - (gint32) (text->len + 4); /* to the call */
      g_byte_array_append (text, (const guint8 *) &distance, 4);
      MadeUpElf spec = { .text = text->data, .text_size = text->len };
      g_autoptr (GByteArray) image = made_up_elf (&spec);
      find (image, &rewrite);
      assert_int_equal (rewrite.n, 0);
      assert_int_equal (rewrite.n_refused, 1);
      assert_non_null (strstr (rewrite.refused[0].reason, "a branch leads"));

      distance += 2; /* to behind the call */
      memcpy (image->data + 0x1000 + 40002, &distance, 4);
      find (image, &without);
      assert_int_equal (without.n, 1);
    }
}

/* A function that another one calls in its middle. */
static void
test_symbol_inside (void **state G_GNUC_UNUSED)
{
  g_autoptr (GByteArray) text = bytes_of ("90 48c7c0" TIME "ffd0 c3");
  MadeUpElf spec = { .text = text->data,
                     .text_size = text->len,
                     .function = { MADE_UP_TEXT, MADE_UP_TEXT + 8 } };
  g_autoptr (GByteArray) image = made_up_elf (&spec);
  g_auto (BzRewrite) rewrite = { 0 };

  find (image, &rewrite);
  assert_int_equal (rewrite.n, 0);
  assert_int_equal (rewrite.n_refused, 1);
}

static void
test_conditional_move_is_left (void **state G_GNUC_UNUSED)
{
  g_autoptr (GByteArray) image =
      image_of ("48c7c2" GETTIMEOFDAY "4889e6 480f44c2 c3 48c7c1" GETCPU "480f45c8 c3");
  g_auto (BzRewrite) rewrite = { 0 };

  find (image, &rewrite);
  assert_int_equal (rewrite.n, 0);
  assert_int_equal (rewrite.n_refused, 0);
  assert_int_equal (rewrite.n_left, 2);
  assert_non_null (strstr (rewrite.left[0].reason, "vDSO"));
}

/* --- places --- */

static void
test_address_in_data (void **state G_GNUC_UNUSED)
{
  g_autoptr (GByteArray) text = bytes_of ("ff1425 00002000 c3");
  g_autoptr (GByteArray) data =
      bytes_of ("0000000000000000" TIME "ffffffff 00000000" TIME "ffffffff");
  MadeUpElf spec = {
    .text = text->data, .text_size = text->len, .data = data->data, .data_size = data->len
  };

  for (guint bare = 0; bare < 2; bare++)
    {
      spec.bare = bare == 1;
      g_autoptr (GByteArray) image = made_up_elf (&spec);
      g_auto (BzRewrite) rewrite = { 0 };

      find (image, &rewrite);
      assert_int_equal (rewrite.n, 0);
      assert_int_equal (rewrite.n_refused, 1); /* the one that is aligned */
      assert_int_equal (rewrite.refused[0].address, MADE_UP_DATA + 8);
      assert_string_equal (rewrite.refused[0].text, ".quad 0xffffffffff600400");
    }
}

/* Look-alikes: a call's bytes in data, in the header's page, and inside another instruction. */
static void
test_look_alikes (void **state G_GNUC_UNUSED)
{
  g_autoptr (GByteArray) text = bytes_of ("48b8 48c7c0" TIME "90 81e1" TIME "c3");
  g_autoptr (GByteArray) data = bytes_of (CALL_TIME);
  MadeUpElf spec = {
    .text = text->data, .text_size = text->len, .data = data->data, .data_size = data->len
  };
  g_autoptr (GByteArray) image = made_up_elf (&spec);
  g_auto (BzRewrite) rewrite = { 0 };

  memcpy (image->data + 0x800, data->data, data->len);
  find (image, &rewrite);
  assert_int_equal (rewrite.n, 0);
  assert_int_equal (rewrite.n_left, 0);
  /* and $0xffffffffff600400 as a 32-bit mask isn't that address */
  assert_int_equal (rewrite.n_refused, 0);
}

static void
test_without_section_headers (void **state G_GNUC_UNUSED)
{
  g_autoptr (GByteArray) text = bytes_of (NO_ARGUMENT CALL_TIME CHECK_TIME);
  MadeUpElf spec = {
    .text = text->data, .text_size = text->len, .bare = TRUE, .interpreter = "/lib/ld.so"
  };
  g_autoptr (GByteArray) image = made_up_elf (&spec);
  g_auto (BzRewrite) rewrite = { 0 };

  find (image, &rewrite);
  assert_true (rewrite.is_x86_64);
  assert_int_equal (rewrite.n, 1);
  assert_int_equal (rewrite.lowest, MADE_UP_BASE);
  assert_int_equal (rewrite.entry, MADE_UP_TEXT);
  assert_int_equal (rewrite.type, ET_EXEC);
  assert_string_equal (rewrite.interpreter, "/lib/ld.so");
}

static void
test_other_files (void **state G_GNUC_UNUSED)
{
  g_autoptr (GByteArray) image = image_of (CALL_TIME "c3");
  g_auto (BzRewrite) rewrite = { 0 };

  ((Elf64_Ehdr *) (void *) image->data)->e_machine = EM_AARCH64;
  find (image, &rewrite);
  assert_false (rewrite.is_x86_64);
  assert_int_equal (rewrite.n + rewrite.n_refused, 0);
  assert_true (bz_rewrite_find ((const guint8 *) "#!/bin/sh\n", 10, &rewrite, NULL));
  assert_false (rewrite.is_x86_64);
  assert_true (bz_rewrite_find ((const guint8 *) "", 0, &rewrite, NULL));
}

/* --- hostile images --- */

static void
refuse_input (GByteArray *image)
{
  g_autoptr (GError) error = NULL;
  g_auto (BzRewrite) rewrite = { 0 };

  assert_false (bz_rewrite_find (image->data, image->len, &rewrite, &error));
  assert_int_equal (error->code, BZ_ERROR_INPUT);
  assert_int_equal (rewrite.n, 0);
  assert_null (rewrite.edits);
}

static void
test_truncated (void **state G_GNUC_UNUSED)
{
  g_autoptr (GByteArray) whole = image_of (NO_ARGUMENT CALL_TIME CHECK_TIME);

  for (guint size = 0; size < whole->len; size += size < 512 ? 1 : 97)
    {
      g_autofree guint8 *part =
          g_memdup2 (whole->data, size); /* its end is guarded by sanitizers */
      g_auto (BzRewrite) rewrite = { 0 };

      if (bz_rewrite_find (part, size, &rewrite, NULL))
        for (guint i = 0; i < rewrite.n; i++)
          assert_true (rewrite.edits[i].offset + rewrite.edits[i].length <= size);
    }
}

static void
test_bad_program_headers (void **state G_GNUC_UNUSED)
{
  static const guint16 counts[] = { 65535, 65534, 1171, 1170 };

  for (guint i = 0; i < G_N_ELEMENTS (counts); i++)
    {
      g_autoptr (GByteArray) image = image_of (CALL_TIME "c3");

      ((Elf64_Ehdr *) (void *) image->data)->e_phnum = counts[i];
      refuse_input (image);
    }
  g_autoptr (GByteArray) beyond = image_of (CALL_TIME "c3");
  ((Elf64_Phdr *) (void *) (beyond->data + 64))->p_filesz = G_MAXUINT64 - 5;
  refuse_input (beyond);
  g_autoptr (GByteArray) wrapping = image_of (CALL_TIME "c3");
  ((Elf64_Phdr *) (void *) (wrapping->data + 64))->p_vaddr = G_MAXUINT64 - 5;
  refuse_input (wrapping);
}

/* Two segments that map the same bytes, and two that claim the same addresses. */
static void
test_overlapping_segments (void **state G_GNUC_UNUSED)
{
  g_autoptr (GByteArray) text = bytes_of (CALL_TIME "c3");
  g_autoptr (GByteArray) data = bytes_of (CALL_TIME "c3");
  MadeUpElf spec = { .text = text->data,
                     .text_size = text->len,
                     .bare = TRUE,
                     .data = data->data,
                     .data_size = data->len };
  g_autoptr (GByteArray) image = made_up_elf (&spec);
  Elf64_Phdr *segment = (Elf64_Phdr *) (void *) (image->data + 64);
  g_auto (BzRewrite) same_bytes = { 0 };
  g_auto (BzRewrite) same_addresses = { 0 };

  segment[1].p_flags |= PF_X;
  segment[1].p_vaddr = MADE_UP_TEXT;
  find (image, &same_addresses);
  assert_int_equal (same_addresses.n, 0);
  assert_int_equal (same_addresses.n_refused, 2);

  segment[1].p_offset = 0x1000;
  segment[1].p_vaddr = MADE_UP_DATA;
  find (image, &same_bytes);
  assert_int_equal (same_bytes.n, 1);
}

static void
test_bad_sections (void **state G_GNUC_UNUSED)
{
  static const guint64 offsets[] = { 0, 1, 4096, G_MAXUINT32, G_MAXUINT64 - 16, G_MAXUINT64 };

  for (guint field = 0; field < 3; field++)
    for (guint i = 0; i < G_N_ELEMENTS (offsets); i++)
      {
        g_autoptr (GByteArray) image = image_of (CALL_TIME "c3");
        Elf64_Ehdr *header = (Elf64_Ehdr *) (void *) image->data;
        Elf64_Shdr *section = (Elf64_Shdr *) (void *) (image->data + header->e_shoff);
        g_auto (BzRewrite) rewrite = { 0 };

        if (field == 0)
          header->e_shoff = offsets[i];
        else if (field == 1)
          section[1].sh_offset = offsets[i];
        else
          section[1].sh_size = offsets[i];
        /* The program headers tell the truth, and the use is found with them. */
        if (bz_rewrite_find (image->data, image->len, &rewrite, NULL) && field < 2
            && offsets[i] > image->len)
          assert_int_equal (rewrite.n, 1);
      }
}

/* Hundreds of thousands of look-alikes, the code around each to be decoded: an answer within
 * seconds of processor time. */
static void
test_many_uses (void **state G_GNUC_UNUSED)
{
  g_autoptr (GByteArray) text = g_byte_array_new ();
  g_autoptr (GByteArray) use = bytes_of ("81e1" TIME); /* and $0xff600400,%ecx */
  clock_t before = clock ();

  for (guint i = 0; i < 200000; i++)
    g_byte_array_append (text, use->data, use->len);
  MadeUpElf spec = { .text = text->data, .text_size = text->len };
  g_autoptr (GByteArray) image = made_up_elf (&spec);
  refuse_input (image);
  assert_true (clock () - before < 20 * CLOCKS_PER_SEC);
}

/* --- the facts as bytes --- */

static void
test_bytes_and_back (void **state G_GNUC_UNUSED)
{
  g_autoptr (GByteArray) image =
      image_of (CALL_TIME "48c7c3" TIME "ffd3 c3 48c7c1" GETCPU "480f45c8 c3");
  g_auto (BzRewrite) rewrite = { 0 };
  g_auto (BzRewrite) again = { 0 };
  g_autoptr (GError) error = NULL;

  find (image, &rewrite);
  g_autoptr (GVariant) variant = g_variant_ref_sink (bz_rewrite_to_variant (&rewrite));
  g_autoptr (GBytes) bytes = g_variant_get_data_as_bytes (variant);
  assert_true (bz_rewrite_from_bytes (bytes, image->len, &again, &error));
  assert_int_equal (again.n, 1);
  assert_int_equal (again.n_refused, 1);
  assert_int_equal (again.n_left, 1);
  assert_string_equal (again.edits[0].reason, rewrite.edits[0].reason);
  assert_int_equal (again.refused[0].offset, rewrite.refused[0].offset);
}

static void
refuse_facts (BzRewrite *rewrite, guint64 image_size)
{
  g_autoptr (GVariant) variant = g_variant_ref_sink (bz_rewrite_to_variant (rewrite));
  g_autoptr (GBytes) bytes = g_variant_get_data_as_bytes (variant);
  g_auto (BzRewrite) again = { 0 };
  g_autoptr (GError) error = NULL;

  assert_false (bz_rewrite_from_bytes (bytes, image_size, &again, &error));
  assert_int_equal (error->code, BZ_ERROR_INPUT);
}

static void
test_lies (void **state G_GNUC_UNUSED)
{
  BzEdit edits[2] = { { .offset = 100, .address = 100, .length = 9, .reason = (char *) "one" },
                      { .offset = 109, .address = 109, .length = 9, .reason = (char *) "two" } };
  BzRewrite rewrite = { .is_x86_64 = TRUE, .n = 2, .edits = edits };
  g_autoptr (GVariant) good = g_variant_ref_sink (bz_rewrite_to_variant (&rewrite));
  g_autoptr (GBytes) bytes = g_variant_get_data_as_bytes (good);
  g_auto (BzRewrite) again = { 0 };

  assert_true (bz_rewrite_from_bytes (bytes, 118, &again, NULL));
  refuse_facts (&rewrite, 117); /* behind the end */
  edits[1].offset = 108;        /* overlapping */
  refuse_facts (&rewrite, 4096);
  edits[1].offset = 50; /* out of order */
  refuse_facts (&rewrite, 4096);
  edits[1].offset = G_MAXUINT64 - 3;
  refuse_facts (&rewrite, 4096);
  edits[1].offset = 200;
  edits[1].length = 0;
  refuse_facts (&rewrite, 4096);
  edits[1].length = 9;
  edits[1].reason = (char *) "\033]0;title\007";
  refuse_facts (&rewrite, 4096);
}

static void
test_random_answers (void **state G_GNUC_UNUSED)
{
  g_autoptr (GRand) random = g_rand_new_with_seed (4711);

  for (guint i = 0; i < 20000; i++)
    {
      guint size = (guint) g_rand_int_range (random, 0, 300);
      g_autofree guint8 *data = g_malloc (size + 1);
      g_auto (BzRewrite) rewrite = { 0 };

      for (guint k = 0; k < size; k++)
        data[k] = (guint8) g_rand_int (random);
      g_autoptr (GBytes) bytes = g_bytes_new (data, size);
      if (bz_rewrite_from_bytes (bytes, 4096, &rewrite, NULL))
        fail_msg ("noise was taken for facts");
    }
}

/* --- the process --- */

static int
memfd_of (const GByteArray *image)
{
  int fd = memfd_create ("made-up", MFD_CLOEXEC | MFD_ALLOW_SEALING);

  assert_int_equal (write (fd, image->data, image->len), image->len);
  return fd;
}

static void
test_process (void **state G_GNUC_UNUSED)
{
  g_autoptr (GByteArray) image = image_of (CALL_TIME "48c7c3" TIME "ffd3 c3");
  int fd = memfd_of (image);
  g_auto (BzRewrite) rewrite = { 0 };
  g_autoptr (GError) error = NULL;

  if (!bz_rewriter_run (fd, &rewrite, &error))
    fail_msg ("%s", error->message);
  assert_int_equal (rewrite.n, 1);
  assert_int_equal (rewrite.n_refused, 1);
  assert_memory_equal (rewrite.edits[0].new_bytes, "\xb8\xc9\0\0\0\x0f\x05\x66\x90", 9);
  close (fd);
}

static void
test_process_refuses (void **state G_GNUC_UNUSED)
{
  g_autoptr (GByteArray) image = image_of (CALL_TIME "c3");
  g_auto (BzRewrite) rewrite = { 0 };
  g_autoptr (GError) error = NULL;

  ((Elf64_Ehdr *) (void *) image->data)->e_phnum = 65535;
  int fd = memfd_of (image);
  assert_false (bz_rewriter_run (fd, &rewrite, &error));
  assert_int_equal (error->code, BZ_ERROR_INPUT);
  assert_non_null (strstr (error->message, "program headers"));
  close (fd);
}

/* Programs put in the rewriter's place: one that hangs is not tested for 10 seconds, but these end
 * at once. */
static void
with_impostor (const char *script, const char *message)
{
  g_autoptr (GByteArray) image = image_of (CALL_TIME "c3");
  g_autofree char *dir = g_dir_make_tmp ("brandzone-test-XXXXXX", NULL);
  g_autofree char *path = g_build_filename (dir, "brandzone-rewriter", NULL);
  g_autofree char *before = g_strdup (g_getenv ("BRANDZONE_LIBEXECDIR"));
  g_auto (BzRewrite) rewrite = { 0 };
  g_autoptr (GError) error = NULL;

  assert_true (g_file_set_contents (path, script, -1, NULL));
  assert_int_equal (chmod (path, 0755), 0);
  g_setenv ("BRANDZONE_LIBEXECDIR", dir, TRUE);
  int fd = memfd_of (image);
  gboolean done = bz_rewriter_run (fd, &rewrite, &error);
  if (before != NULL)
    g_setenv ("BRANDZONE_LIBEXECDIR", before, TRUE);
  else
    g_unsetenv ("BRANDZONE_LIBEXECDIR");
  close (fd);
  unlink (path);
  rmdir (dir);
  assert_false (done);
  if (strstr (error->message, message) == NULL)
    fail_msg ("%s", error->message);
}

static void
test_impostors (void **state G_GNUC_UNUSED)
{
  with_impostor ("#!/bin/sh\nkill -SEGV $$\n", "killed by signal 11");
  with_impostor ("#!/bin/sh\nexit 2\n", "sandbox");
  with_impostor ("#!/bin/sh\nprintf nonsense >&4\n", "malformed");
  with_impostor ("#!/bin/sh\nexit 0\n", "malformed");
  with_impostor ("#!/bin/sh\nexec cat /dev/zero >&4\n", "too much");
  with_impostor ("#!/bin/sh\nprintf '\\033[2Jhello' >&4; exit 1\n", "hello");
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_shapes),
    cmocka_unit_test (test_all_entries),
    cmocka_unit_test (test_refusals),
    cmocka_unit_test (test_far_branch),
    cmocka_unit_test (test_symbol_inside),
    cmocka_unit_test (test_conditional_move_is_left),
    cmocka_unit_test (test_address_in_data),
    cmocka_unit_test (test_look_alikes),
    cmocka_unit_test (test_without_section_headers),
    cmocka_unit_test (test_other_files),
    cmocka_unit_test (test_truncated),
    cmocka_unit_test (test_bad_program_headers),
    cmocka_unit_test (test_overlapping_segments),
    cmocka_unit_test (test_bad_sections),
    cmocka_unit_test (test_many_uses),
    cmocka_unit_test (test_bytes_and_back),
    cmocka_unit_test (test_lies),
    cmocka_unit_test (test_random_answers),
    cmocka_unit_test (test_process),
    cmocka_unit_test (test_process_refuses),
    cmocka_unit_test (test_impostors),
  };

  return cmocka_run_group_tests_name ("rewrite", tests, NULL, NULL);
}
