/* What a task sees of each translated call: result, errno and bytes in its memory. */
#include "config.h"

#include "syscall-xlat/calls/guest.h"
#include "syscall-xlat/calls/handlers.h"
#include "syscall-xlat/calls/nfs-guest.h"
#include "syscall-xlat/heap.h"
#include "syscall-xlat/mounter.h"
#include "tests/unit/cmocka-all.h"
#include "syscall-xlat/program-release.h"
#include "tests/unit/fake-call.h"
#include "tests/unit/made-up-tree.h"

#include <elf.h>
#include <errno.h>
#include <linux/capability.h>
#include <linux/loop.h>
#include <linux/magic.h>
#include <linux/reboot.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <time.h>

#ifndef UNAME26
#define UNAME26 0x0020000
#endif
#define BAD_ADDRESS 16
#define NOBODY_HAS 0

static void
assert_value (BzVerdict verdict, gint64 value)
{
  assert_int_equal (verdict.kind, BZ_VERDICT_VALUE);
  assert_int_equal (verdict.value, value);
}

static void
assert_errno (BzVerdict verdict, int error)
{
  assert_int_equal (verdict.kind, BZ_VERDICT_ERRNO);
  assert_int_equal (verdict.value, error);
}

static void
assert_continues (BzVerdict verdict)
{
  assert_int_equal (verdict.kind, BZ_VERDICT_CONTINUE);
}

static void
assert_pretended (BzVerdict verdict, gint64 value)
{
  assert_value (verdict, value);
  assert_true (verdict.pretended);
}

static BzVerdict
run (BzFake *fake, BzHandler handler, guint64 a, guint64 b, guint64 c)
{
  return bz_fake_run (fake, handler, a, b, c, 0, 0);
}

static void
test_uname_is_the_brand_s (void **state G_GNUC_UNUSED)
{
  BzFake fake;
  const BzGuestUtsname *names = (const BzGuestUtsname *) fake.memory;

  bz_fake_init (&fake, BZ_ABI_I386, "uname");
  memset (fake.memory, 0xee, sizeof fake.memory);
  assert_value (run (&fake, bz_call_uname, bz_fake_at (0), 0, 0), 0);
  assert_string_equal (names->sysname, "Linux");
  assert_string_equal (names->nodename, "oldbox");
  assert_string_equal (names->release, "2.4.20");
  assert_string_equal (names->version, "#1 SMP Mon Mar 17 22:02:15 PST 2003");
  assert_string_equal (names->machine, "i586");
  assert_string_equal (names->domainname, "(none)");
  assert_int_equal (fake.memory[sizeof *names], 0xee);
  assert_errno (run (&fake, bz_call_uname, BAD_ADDRESS, 0, 0), EFAULT);
}

static void
test_machine_is_the_task_s (void **state G_GNUC_UNUSED)
{
  BzFake fake;
  const BzGuestUtsname *names = (const BzGuestUtsname *) fake.memory;
  struct utsname host;

  uname (&host);
  bz_fake_init (&fake, BZ_ABI_X86_64, "uname");
  run (&fake, bz_call_uname, bz_fake_at (0), 0, 0);
  assert_string_equal (names->machine, "x86_64");
  fake.fact[BZ_FACT_PERSONALITY] = PER_LINUX32;
  fake.happened[BZ_EVER_PERSONALITY] = TRUE;
  run (&fake, bz_call_uname, bz_fake_at (0), 0, 0);
  assert_string_equal (names->machine, "i586");

  /* Only the machine is the brand's. */
  fake.plan.quirk[BZ_QUIRK_RELEASE] = 0;
  run (&fake, bz_call_uname, bz_fake_at (0), 0, 0);
  assert_string_equal (names->release, host.release);
  assert_string_equal (names->machine, "i586");
  fake.plan.quirk[BZ_QUIRK_MACHINE] = 0;
  run (&fake, bz_call_uname, bz_fake_at (0), 0, 0);
  assert_string_equal (names->machine, "i686");
}

static void
test_uname_looks_at_no_task_before_one_has_changed (void **state G_GNUC_UNUSED)
{
  BzFake fake;
  const BzGuestUtsname *names = (const BzGuestUtsname *) fake.memory;

  bz_fake_init (&fake, BZ_ABI_X86_64, "uname");
  fake.plan.personality = PER_LINUX32; /* a 64-bit program of an i386 zone */
  fake.fact_error = EACCES;
  run (&fake, bz_call_uname, bz_fake_at (0), 0, 0);
  assert_string_equal (names->machine, "i586");

  /* A query changes nothing; a change counts from then on. */
  fake.fact_error = 0;
  fake.fact[BZ_FACT_PERSONALITY] = PER_LINUX;
  fake.plan.quirk[BZ_QUIRK_PERSONALITY] = 0;
  assert_continues (run (&fake, bz_call_personality, 0xffffffff, 0, 0));
  run (&fake, bz_call_uname, bz_fake_at (0), 0, 0);
  assert_string_equal (names->machine, "i586");
  assert_continues (run (&fake, bz_call_personality, PER_LINUX, 0, 0));
  run (&fake, bz_call_uname, bz_fake_at (0), 0, 0);
  assert_string_equal (names->machine, "x86_64");
}

static void
test_uname26_counts_on_from_the_claimed_release (void **state G_GNUC_UNUSED)
{
  BzFake fake;
  const BzGuestUtsname *names = (const BzGuestUtsname *) fake.memory;

  bz_fake_init (&fake, BZ_ABI_X86_64, "uname");
  fake.fact[BZ_FACT_PERSONALITY] = UNAME26;
  fake.happened[BZ_EVER_PERSONALITY] = TRUE;
  fake.plan.release = (char *) "3.10.0-1160.el7.x86_64";
  fake.plan.release_number = BZ_RELEASE (3, 10, 0);
  run (&fake, bz_call_uname, bz_fake_at (0), 0, 0);
  assert_string_equal (names->release, "2.6.50-1160.el7.x86_64");
  fake.plan.release = (char *) "4.9.0-3-amd64";
  fake.plan.release_number = BZ_RELEASE (4, 9, 0);
  run (&fake, bz_call_uname, bz_fake_at (0), 0, 0);
  assert_string_equal (names->release, "2.6.69-3-amd64");
  fake.plan.release = (char *) "2.6.32-754.el6";
  fake.plan.release_number = BZ_RELEASE (2, 6, 32);
  run (&fake, bz_call_uname, bz_fake_at (0), 0, 0);
  assert_string_equal (names->release, "2.6.32-754.el6");
}

static void
test_abi_notes (void **state G_GNUC_UNUSED)
{
  guint32 part[3];
  gsize size;

  for (guint bits = 32; bits <= 64; bits += 32)
    {
      static const guint32 words[4] = { 0, 3, 2, 1 };
      g_autoptr (GBytes) image = elf_make (
          &(MadeUpElf){ bits, bits == 32 ? EM_386 : EM_X86_64, ET_EXEC, NULL, NULL, words });
      const guint8 *head = g_bytes_get_data (image, &size);

      assert_true (bz_program_note (head, size, part));
      assert_true (part[0] == 3 && part[1] == 2 && part[2] == 1);
      /* Cut off and damaged, at every place: no read past the end (the sanitizers look). */
      for (gsize length = 0; length < size; length++)
        {
          g_autofree guint8 *cut = g_memdup2 (head, length);
          bz_program_note (cut, length, part);
        }
      for (gsize at = 4; at < size; at++)
        {
          g_autofree guint8 *copy = g_memdup2 (head, size);
          copy[at] = 0xff;
          bz_program_note (copy, size, part);
        }
    }
}

static void
test_variables (void **state G_GNUC_UNUSED)
{
  static const char environment[] = "XA=1\0A\0A=2\0AB=3\0A=4";

  assert_string_equal (bz_program_variable (environment, sizeof environment, "A"), "2");
  assert_string_equal (bz_program_variable (environment, sizeof environment, "AB"), "3");
  assert_null (bz_program_variable (environment, sizeof environment, "B"));
  assert_null (bz_program_variable (environment + 16, 3, "A")); /* cut off */
  assert_null (bz_program_variable (environment, 0, "A"));
}

static void
test_elder_unames (void **state G_GNUC_UNUSED)
{
  BzFake fake;

  bz_fake_init (&fake, BZ_ABI_I386, "olduname");
  memset (fake.memory, 0xee, sizeof fake.memory);
  strcpy (fake.names.nodename, "a-long-name.example");
  assert_value (run (&fake, bz_call_olduname, bz_fake_at (0), 0, 0), 0);
  assert_string_equal (fake.memory + 4 * 65, "i586");
  assert_int_equal (fake.memory[5 * 65], 0xee);

  memset (fake.memory, 0xee, sizeof fake.memory);
  assert_value (run (&fake, bz_call_oldolduname, bz_fake_at (0), 0, 0), 0);
  assert_string_equal (fake.memory, "Linux");
  assert_string_equal (fake.memory + 9, "a-long-n");
  assert_string_equal (fake.memory + 18, "2.4.20");
  assert_string_equal (fake.memory + 36, "i586");
  assert_int_equal (fake.memory[45], 0xee);
}

static void
put_segment (guint8 *image, guint index, guint32 address, guint32 size)
{
  Elf32_Phdr segment = { .p_type = PT_LOAD, .p_vaddr = address, .p_memsz = size };

  memcpy (image + sizeof (Elf32_Ehdr) + index * sizeof segment, &segment, sizeof segment);
}

/* An i386 program of two segments, the second one with its bss up to `end`. */
static void
put_program (guint8 *image, guint32 end)
{
  Elf32_Ehdr elf = {
    .e_type = ET_EXEC, .e_phoff = sizeof elf, .e_phentsize = sizeof (Elf32_Phdr), .e_phnum = 2
  };

  memcpy (elf.e_ident, ELFMAG, SELFMAG);
  elf.e_ident[EI_CLASS] = ELFCLASS32;
  memcpy (image, &elf, sizeof elf);
  put_segment (image, 0, 0x8048000, 0x1234);
  put_segment (image, 1, 0x804a234, end - 0x804a234);
}

static void
test_heap_starts_at_the_end_of_bss (void **state G_GNUC_UNUSED)
{
  BzFake fake;

  bz_fake_init (&fake, BZ_ABI_I386, "brk");
  fake.fact[BZ_FACT_START_BRK] = 0x804b000;
  assert_value (run (&fake, bz_call_brk, 0x804a123, 0, 0), 0x804a123);
  assert_value (run (&fake, bz_call_brk, 0x804afff, 0, 0), 0x804afff);
  assert_continues (run (&fake, bz_call_brk, 0x804a000, 0, 0));
  assert_continues (run (&fake, bz_call_brk, 0x804b001, 0, 0));
  assert_int_equal (fake.heap_moves, 0);
  /* Below bss's last page: the heap was randomised, and is moved. */
  assert_continues (run (&fake, bz_call_brk, 0x8049fff, 0, 0));
  assert_int_equal (fake.heap_moves, 1);
  assert_continues (run (&fake, bz_call_brk, 0, 0, 0));
  assert_int_equal (fake.heap_moves, 1);
  /* A host that starts it there itself. */
  fake.fact[BZ_FACT_START_BRK] = 0x804a124;
  assert_continues (run (&fake, bz_call_brk, 0x804a124, 0, 0));
  assert_continues (run (&fake, bz_call_brk, 0x8049fff, 0, 0));
  /* Unknown. */
  fake.fact[BZ_FACT_START_BRK] = 0;
  assert_continues (run (&fake, bz_call_brk, 0x804a123, 0, 0));
  fake.fact[BZ_FACT_START_BRK] = 0x804b000;
  fake.fact_error = EACCES;
  assert_continues (run (&fake, bz_call_brk, 0x804a123, 0, 0));
}

static void
test_heap_s_start_is_told_by_the_program (void **state G_GNUC_UNUSED)
{
  BzFake fake;

  bz_fake_init (&fake, BZ_ABI_I386, "brk");
  put_program (fake.program, 0x804c235);
  fake.fact[BZ_FACT_PERSONALITY] = ADDR_NO_RANDOMIZE;
  assert_value (run (&fake, bz_call_brk, 0x804c235, 0, 0), 0x804c235);
  assert_continues (run (&fake, bz_call_brk, 0x804d001, 0, 0));
  assert_int_equal (fake.heap_moves, 0);

  /* A set-uid program: its heap is somewhere else, and only the kernel knows where. */
  fake.fact[BZ_FACT_PERSONALITY] = 0;
  fake.fact[BZ_FACT_START_BRK] = 0x9000000;
  assert_continues (run (&fake, bz_call_brk, 0x804c235, 0, 0));
  assert_int_equal (fake.heap_moves, 1);
  /* So may be that of a program that has set the flag itself. */
  fake.fact[BZ_FACT_PERSONALITY] = ADDR_NO_RANDOMIZE;
  fake.happened[BZ_EVER_PERSONALITY] = TRUE;
  assert_continues (run (&fake, bz_call_brk, 0x804c235, 0, 0));
  assert_int_equal (fake.heap_moves, 2);
}

static void
test_where_a_program_s_bss_ends (void **state G_GNUC_UNUSED)
{
  guint8 image[256] = { 0 };

  put_program (image, 0x804c235);
  assert_int_equal (bz_heap_end_of_program (image, sizeof image), 0x804d000);
  /* Cut off, past the end of the address space, another kind. */
  assert_int_equal (bz_heap_end_of_program (image, sizeof (Elf32_Ehdr) + sizeof (Elf32_Phdr) + 1), 0);
  assert_int_equal (bz_heap_end_of_program (image, 3), 0);
  put_segment (image, 1, 0xfffff000, 0xffffffff);
  assert_int_equal (bz_heap_end_of_program (image, sizeof image), 0);
  put_segment (image, 1, 0x804a234, 0x2001);
  image[EI_CLASS] = ELFCLASS64;
  assert_int_equal (bz_heap_end_of_program (image, sizeof image), 0);
}

static void
test_personality_keeps_the_brand_s_flags (void **state G_GNUC_UNUSED)
{
  BzFake fake;

  bz_fake_init (&fake, BZ_ABI_I386, "personality");
  fake.plan.personality = ADDR_NO_RANDOMIZE | PER_LINUX32;
  fake.fact[BZ_FACT_PERSONALITY] = ADDR_NO_RANDOMIZE | PER_LINUX32;
  assert_value (run (&fake, bz_call_personality, 0xffffffff, 0, 0), 0);
  assert_value (run (&fake, bz_call_personality, PER_LINUX, 0, 0), 0);
  assert_value (run (&fake, bz_call_personality, PER_LINUX32, 0, 0), 0);
  assert_value (run (&fake, bz_call_personality, ADDR_NO_RANDOMIZE, 0, 0), 0);
  assert_continues (run (&fake, bz_call_personality, ADDR_LIMIT_3GB, 0, 0));
  assert_continues (run (&fake, bz_call_personality, PER_SVR4, 0, 0));

  /* What the task set itself shows, can be put back, and can be cleared. */
  fake.fact[BZ_FACT_PERSONALITY] |= ADDR_LIMIT_3GB;
  assert_value (run (&fake, bz_call_personality, 0xffffffff, 0, 0), ADDR_LIMIT_3GB);
  assert_value (run (&fake, bz_call_personality, ADDR_LIMIT_3GB, 0, 0), ADDR_LIMIT_3GB);
  assert_continues (run (&fake, bz_call_personality, 0, 0, 0));

  /* The upper half of a 64-bit register is no part of the argument. */
  fake.plan.personality = 0;
  fake.fact[BZ_FACT_PERSONALITY] = 0;
  assert_value (run (&fake, bz_call_personality, 0xabcdef00ffffffff, 0, 0), 0);
  fake.fact_error = EACCES;
  assert_continues (run (&fake, bz_call_personality, 0, 0, 0));
}

static void
test_ld_so_s_personality_is_known (void **state G_GNUC_UNUSED)
{
  BzFake fake;

  /* No look at the task while nobody has changed anything. */
  bz_fake_init (&fake, BZ_ABI_I386, "personality");
  fake.plan.personality = ADDR_NO_RANDOMIZE;
  fake.fact_error = EACCES;
  assert_value (run (&fake, bz_call_personality, PER_LINUX, 0, 0), PER_LINUX);
  fake.fact_error = 0;
  fake.fact[BZ_FACT_PERSONALITY] = ADDR_NO_RANDOMIZE;
  assert_continues (run (&fake, bz_call_personality, PER_SVR4, 0, 0));
  fake.fact[BZ_FACT_PERSONALITY] = PER_SVR4;
  assert_continues (run (&fake, bz_call_personality, PER_LINUX, 0, 0));

  /* Kernels since 2.6.8 show what exec has set. */
  bz_fake_init (&fake, BZ_ABI_I386, "personality");
  fake.plan.release_number = BZ_RELEASE (2, 6, 18);
  fake.fact[BZ_FACT_PERSONALITY] = READ_IMPLIES_EXEC;
  fake.plan.personality = 0;
  assert_value (run (&fake, bz_call_personality, PER_LINUX, 0, 0), READ_IMPLIES_EXEC);
}

static void
test_sysinfo_fits_old_programs (void **state G_GNUC_UNUSED)
{
  BzFake fake;
  struct sysinfo host;
  const BzGuestSysinfo32 *old = (const BzGuestSysinfo32 *) fake.memory;
  const BzGuestSysinfo64 *wide = (const BzGuestSysinfo64 *) fake.memory;

  sysinfo (&host);
  bz_fake_init (&fake, BZ_ABI_I386, "sysinfo");
  memset (fake.memory, 0xee, sizeof fake.memory);
  assert_value (run (&fake, bz_call_sysinfo, bz_fake_at (0), 0, 0), 0);
  assert_true (old->totalram > 0 && old->totalram <= 0x7ffff000);
  assert_true (old->freeram <= old->totalram && old->freeswap <= old->totalswap);
  assert_int_equal (old->mem_unit, 1);
  assert_int_equal (old->procs > 0, 1);
  assert_true (ABS (old->uptime - host.uptime) <= 1);
  assert_int_equal (fake.memory[64], 0xee);

  fake.plan.quirk[BZ_QUIRK_SYSINFO] = BZ_SYSINFO_NO_UNIT;
  run (&fake, bz_call_sysinfo, bz_fake_at (0), 0, 0);
  const guint8 nothing[22] = { 0 };
  assert_memory_equal (fake.memory + 42, nothing, 22);
  assert_errno (run (&fake, bz_call_sysinfo, BAD_ADDRESS, 0, 0), EFAULT);

  bz_fake_init (&fake, BZ_ABI_X86_64, "sysinfo");
  run (&fake, bz_call_sysinfo, bz_fake_at (0), 0, 0);
  assert_true (wide->totalram == (guint64) host.totalram * host.mem_unit);
}

static void
test_a_kernel_without_modules (void **state G_GNUC_UNUSED)
{
  BzFake fake;
  guint32 *returned = (guint32 *) (fake.memory + 64);

  bz_fake_init (&fake, BZ_ABI_I386, "query_module");
  strcpy ((char *) fake.memory, "ext3");
  *returned = 99;
  assert_value (run (&fake, bz_call_query_module, 0, 0, 0), 0);
  assert_value (bz_fake_run (&fake, bz_call_query_module, 0, 1, 0, 0, bz_fake_at (64)), 0);
  assert_int_equal (*returned, 0);
  assert_errno (bz_fake_run (&fake, bz_call_query_module, 0, 1, 0, 0, BAD_ADDRESS), EFAULT);
  assert_errno (run (&fake, bz_call_query_module, 0, 2, 0), EINVAL);
  assert_errno (run (&fake, bz_call_query_module, bz_fake_at (0), 1, 0), ENOENT);
  assert_errno (run (&fake, bz_call_query_module, bz_fake_at (8), 1, 0), EINVAL);
  assert_errno (run (&fake, bz_call_query_module, BAD_ADDRESS, 1, 0), EFAULT);
  memset (fake.memory, 'm', sizeof fake.memory);
  assert_errno (run (&fake, bz_call_query_module, bz_fake_at (0), 1, 0), ENAMETOOLONG);
  assert_value (run (&fake, bz_call_get_kernel_syms, 0, 0, 0), 0);
  assert_errno (run (&fake, bz_call_create_module, bz_fake_at (0), 100, 0), EPERM);
}

static void
test_bdflush (void **state G_GNUC_UNUSED)
{
  BzFake fake;

  bz_fake_init (&fake, BZ_ABI_I386, "bdflush");
  assert_errno (run (&fake, bz_call_bdflush, 1, 0, 0), EPERM);
  fake.fact[BZ_FACT_CAPABILITIES] = G_GUINT64_CONSTANT (1) << CAP_SYS_ADMIN;
  assert_pretended (run (&fake, bz_call_bdflush, 0, 0, 0), 0);
  assert_pretended (run (&fake, bz_call_bdflush, 1, 0, 0), 0);
  assert_value (run (&fake, bz_call_bdflush, 2, bz_fake_at (0), 0), 0);
  assert_int_equal (*(gint32 *) fake.memory, 40);
  assert_errno (run (&fake, bz_call_bdflush, 2, BAD_ADDRESS, 0), EFAULT);
  assert_pretended (run (&fake, bz_call_bdflush, 3, 50, 0), 0);
  assert_errno (run (&fake, bz_call_bdflush, 3, 101, 0), EINVAL);
  assert_errno (run (&fake, bz_call_bdflush, 20, 0, 0), EINVAL);
}

static void
test_an_empty_kernel_log (void **state G_GNUC_UNUSED)
{
  BzFake fake;

  bz_fake_init (&fake, BZ_ABI_I386, "syslog");
  assert_value (run (&fake, bz_call_syslog, 3, bz_fake_at (0), 100), 0);
  assert_errno (run (&fake, bz_call_syslog, 2, bz_fake_at (0), 100), EPERM);
  assert_errno (run (&fake, bz_call_syslog, 10, 0, 0), EPERM);
  fake.fact[BZ_FACT_CAPABILITIES] = G_GUINT64_CONSTANT (1) << CAP_SYS_ADMIN;
  BzVerdict waiting = run (&fake, bz_call_syslog, 2, bz_fake_at (0), 100);
  assert_int_equal (waiting.kind, BZ_VERDICT_DEFERRED);
  assert_int_equal (waiting.value, EINTR);
  assert_true (waiting.delay_ms >= 500);
  assert_errno (run (&fake, bz_call_syslog, 2, 0, 100), EINVAL);
  assert_errno (run (&fake, bz_call_syslog, 3, bz_fake_at (0), 0xffffffff), EINVAL);
  assert_value (run (&fake, bz_call_syslog, 9, 0, 0), 0);
  assert_pretended (run (&fake, bz_call_syslog, 8, 0, 1), 0);
  assert_errno (run (&fake, bz_call_syslog, 8, 0, 9), EINVAL);
  assert_errno (run (&fake, bz_call_syslog, 10, 0, 0), EINVAL);
  assert_errno (run (&fake, bz_call_syslog, 99, 0, 0), EINVAL);
  fake.plan.release_number = BZ_RELEASE (2, 6, 32);
  assert_true (run (&fake, bz_call_syslog, 10, 0, 0).value > 0);
}

static void
test_the_clock_can_be_set_in_appearance (void **state G_GNUC_UNUSED)
{
  BzFake fake;
  gint32 *memory = (gint32 *) fake.memory;
  BzGuestTimex32 *timex = (BzGuestTimex32 *) (fake.memory + 512);

  bz_fake_init (&fake, BZ_ABI_I386, "settimeofday");
  memory[0] = 1000;
  assert_errno (run (&fake, bz_call_settimeofday, bz_fake_at (0), 0, 0), EPERM);
  assert_errno (run (&fake, bz_call_stime, bz_fake_at (0), 0, 0), EPERM);
  assert_errno (run (&fake, bz_call_stime, BAD_ADDRESS, 0, 0), EFAULT);
  fake.fact[BZ_FACT_CAPABILITIES] = G_GUINT64_CONSTANT (1) << CAP_SYS_TIME;
  assert_pretended (run (&fake, bz_call_settimeofday, bz_fake_at (0), 0, 0), 0);
  assert_pretended (run (&fake, bz_call_stime, bz_fake_at (0), 0, 0), 0);
  assert_errno (run (&fake, bz_call_settimeofday, BAD_ADDRESS, 0, 0), EFAULT);
  memory[1] = 1000001;
  assert_errno (run (&fake, bz_call_settimeofday, bz_fake_at (0), 0, 0), EINVAL);
  memory[2] = 16 * 60;
  assert_errno (run (&fake, bz_call_settimeofday, 0, bz_fake_at (8), 0), EINVAL);

  fake.row.name = "clock_settime";
  memory[1] = 999999999;
  assert_pretended (run (&fake, bz_call_clock_settime, CLOCK_REALTIME, bz_fake_at (0), 0), 0);
  memory[1] = -1;
  assert_errno (run (&fake, bz_call_clock_settime, CLOCK_REALTIME, bz_fake_at (0), 0), EINVAL);
  assert_continues (run (&fake, bz_call_clock_settime, CLOCK_MONOTONIC, bz_fake_at (0), 0));
  fake.row.name = "clock_settime64";
  memset (fake.memory, 0, 16);
  memory[3] = 0x7fffffff; /* padding above the nanoseconds */
  assert_pretended (run (&fake, bz_call_clock_settime, CLOCK_REALTIME, bz_fake_at (0), 0), 0);

  fake.row.name = "adjtimex";
  assert_continues (run (&fake, bz_call_adjtimex, bz_fake_at (512), 0, 0));
  timex->modes = 0xa001;
  assert_continues (run (&fake, bz_call_adjtimex, bz_fake_at (512), 0, 0));
  timex->modes = 1;
  BzVerdict set = run (&fake, bz_call_adjtimex, bz_fake_at (512), 0, 0);
  assert_true (set.kind == BZ_VERDICT_VALUE && set.pretended && set.value >= 0);
  assert_true (ABS (timex->time.sec - (gint32) time (NULL)) <= 1);
  assert_true (timex->tick > 0);
  timex->modes = 0x4000; /* ADJ_TICK */
  timex->tick = 8999;
  assert_errno (run (&fake, bz_call_adjtimex, bz_fake_at (512), 0, 0), EINVAL);
  timex->modes = 0x8000; /* ADJ_ADJTIME without an offset */
  assert_errno (run (&fake, bz_call_adjtimex, bz_fake_at (512), 0, 0), EINVAL);
  timex->modes = 0x8001; /* adjtime(3), which is told what is left of the last one */
  timex->offset = 12345;
  assert_int_equal (run (&fake, bz_call_adjtimex, bz_fake_at (512), 0, 0).pretended, TRUE);
  assert_int_not_equal (timex->offset, 12345);
  timex->modes = 0x100; /* ADJ_SETOFFSET */
  timex->time.part = 1000000;
  assert_errno (run (&fake, bz_call_clock_adjtime, CLOCK_REALTIME, bz_fake_at (512), 0), EINVAL);
  timex->modes = 1;
  fake.fact[BZ_FACT_CAPABILITIES] = NOBODY_HAS;
  assert_errno (run (&fake, bz_call_adjtimex, bz_fake_at (512), 0, 0), EPERM);
}

static void
test_vhangup (void **state G_GNUC_UNUSED)
{
  BzFake fake;

  bz_fake_init (&fake, BZ_ABI_X86_64, "vhangup");
  assert_errno (run (&fake, bz_call_vhangup, 0, 0, 0), EPERM);
  fake.fact[BZ_FACT_CAPABILITIES] = G_GUINT64_CONSTANT (1) << CAP_SYS_TTY_CONFIG;
  assert_pretended (run (&fake, bz_call_vhangup, 0, 0, 0), 0);
}

static void
test_mount (void **state G_GNUC_UNUSED)
{
  static const struct {
    const char *type, *target;
    long magic;
    gboolean busy;
  } cases[] = {
    { "proc", "/proc", PROC_SUPER_MAGIC, TRUE },    { "proc", "proc/", PROC_SUPER_MAGIC, TRUE },
    { "proc", "/proc/.", PROC_SUPER_MAGIC, TRUE },  { "proc", "/proc", TMPFS_MAGIC, FALSE },
    { "proc", "/mnt", PROC_SUPER_MAGIC, FALSE },    { "tmpfs", "/proc", PROC_SUPER_MAGIC, FALSE },
    { "procfs-long", "/proc", PROC_SUPER_MAGIC, FALSE },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      BzFake fake;

      bz_fake_init (&fake, BZ_ABI_X86_64, "mount");
      strcpy ((char *) fake.memory + 64, cases[i].target);
      strcpy ((char *) fake.memory + 256, cases[i].type);
      fake.files.file_system.f_type = cases[i].magic;
      if (cases[i].busy)
        assert_errno (run (&fake, bz_call_mount, bz_fake_at (0), bz_fake_at (64), bz_fake_at (256)),
                      EBUSY);
      else
        assert_continues (
            run (&fake, bz_call_mount, bz_fake_at (0), bz_fake_at (64), bz_fake_at (256)));
    }
}

typedef struct {
  BzMounter mounter; /* first */
  guint refused, asked;
  char source[64], target[64], options[256];
  guint64 flags;
  int answer;
} FakeMounter;

static void
fake_refuse (BzMounter *mounter, const BzFileSystem *system)
{
  assert_string_equal (system->name, "nfs");
  ((FakeMounter *) mounter)->refused++;
}

static int
fake_mount (BzMounter *mounter, BzCall *call G_GNUC_UNUSED, const BzMountRequest *request)
{
  FakeMounter *self = (FakeMounter *) mounter;

  self->asked++;
  g_strlcpy (self->source, request->source, sizeof self->source);
  g_strlcpy (self->target, request->target, sizeof self->target);
  g_strlcpy (self->options, request->options, sizeof self->options);
  self->flags = request->flags;
  return self->answer;
}

static BzVerdict
mount_call (BzFake *fake, FakeMounter *mounter, guint quirk, const char *type)
{
  fake->call.mounter = &mounter->mounter;
  fake->plan.quirk[BZ_QUIRK_MOUNTS] = (guint8) quirk;
  strcpy ((char *) fake->memory, "server:/dir");
  strcpy ((char *) fake->memory + 64, "/mnt");
  strcpy ((char *) fake->memory + 128, type);
  return bz_fake_run (fake, bz_call_mount, bz_fake_at (0), bz_fake_at (64), bz_fake_at (128),
                      0xc0ed0001, bz_fake_at (256));
}

/* Catalogue row B12. */
static void
test_mount_for_a_zone (void **state G_GNUC_UNUSED)
{
  static const BzMounterClass class = { .refuse = fake_refuse, .mount = fake_mount };
  FakeMounter mounter = { .mounter = { .class = &class } };
  BzFake fake;

  bz_fake_init (&fake, BZ_ABI_I386, "mount");
  strcpy ((char *) fake.memory + 256, "vers=3,addr=192.0.2.1");
  assert_continues (mount_call (&fake, &mounter, BZ_MOUNTS_ASK, "nfs"));
  assert_int_equal (mounter.refused + mounter.asked, 0); /* without the capability */
  fake.fact[BZ_FACT_CAPABILITIES] = G_GUINT64_CONSTANT (1) << CAP_SYS_ADMIN;
  assert_continues (mount_call (&fake, &mounter, BZ_MOUNTS_HOST, "nfs"));
  assert_continues (mount_call (&fake, &mounter, BZ_MOUNTS_ASK, "tmpfs"));
  assert_int_equal (mounter.refused + mounter.asked, 0);
  assert_continues (mount_call (&fake, &mounter, BZ_MOUNTS_TELL, "nfs"));
  assert_int_equal (mounter.refused, 1);
  assert_value (mount_call (&fake, &mounter, BZ_MOUNTS_ASK, "nfs"), 0);
  assert_int_equal (mounter.asked, 1);
  assert_string_equal (mounter.source, "server:/dir");
  assert_string_equal (mounter.target, "/mnt");
  assert_string_equal (mounter.options, "vers=3,addr=192.0.2.1");
  assert_int_equal (mounter.flags, 1); /* without the magic number of old */
  mounter.answer = EACCES;
  assert_errno (mount_call (&fake, &mounter, BZ_MOUNTS_ASK, "nfs"), EACCES);
  mounter.answer = BZ_MOUNT_NOT_OURS;
  assert_continues (mount_call (&fake, &mounter, BZ_MOUNTS_ASK, "nfs"));
}

static int
fake_loop (BzMounter *mounter, BzCall *call G_GNUC_UNUSED, BzLoopRequest *request)
{
  FakeMounter *self = (FakeMounter *) mounter;

  g_snprintf (self->source, sizeof self->source, "%s %" G_GUINT64_FORMAT " %" G_GUINT64_FORMAT " %u %d",
              request->what, request->offset, request->limit, request->flags, request->file >= 0);
  request->value = 5;
  return self->answer;
}

static void
fake_refuse_loops (BzMounter *mounter, const BzFileSystem *system)
{
  assert_string_equal (system->name, BZ_FILE_SYSTEM_LOOP);
  ((FakeMounter *) mounter)->refused++;
}

/* Catalogue row B12. */
static void
test_loop_devices (void **state G_GNUC_UNUSED)
{
  static const BzMounterClass class = { .refuse = fake_refuse_loops, .loop = fake_loop };
  struct loop_info64 info = { .lo_offset = 512, .lo_sizelimit = 4096, .lo_flags = LO_FLAGS_AUTOCLEAR };
  struct loop_config config = { .fd = 0, .info = info };
  const struct
  {
    guint32 request;
    const char *asked;
    int answer, expected; /* BZ_MOUNT_NOT_OURS: continues; above 0: errno */
  } cases[] = {
    { LOOP_CTL_GET_FREE, "free 0 0 0 0", 0, 0 },
    { LOOP_CTL_GET_FREE, "free 0 0 0 0", ENOSPC, ENOSPC },
    { LOOP_SET_FD, "attach 0 0 0 1", EBUSY, EBUSY },
    { LOOP_CONFIGURE, "attach 512 4096 4 1", 0, 0 },
    { LOOP_SET_STATUS64, "set 512 4096 4 0", 0, 0 },
    { LOOP_GET_STATUS64, "look 0 0 0 0", ENXIO, ENXIO },
    { LOOP_GET_STATUS64, "look 0 0 0 0", BZ_MOUNT_NOT_OURS, BZ_MOUNT_NOT_OURS },
    { LOOP_CLR_FD, "clear 0 0 0 0", 0, 0 },
    { LOOP_CLR_FD, "clear 0 0 0 0", BZ_MOUNT_NOT_OURS, ENOTTY }, /* of what is no loop device */
    { LOOP_SET_STATUS64, "set 512 4096 4 0", BZ_MOUNT_NOT_OURS, ENOTTY },
    { LOOP_CTL_REMOVE, "", 0, BZ_MOUNT_NOT_OURS },
  };
  BzFake fake;

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      FakeMounter mounter = { .mounter = { .class = &class }, .answer = cases[i].answer };
      guint64 argument = cases[i].request == LOOP_SET_FD ? 0 : bz_fake_at (0);

      bz_fake_init (&fake, BZ_ABI_X86_64, "ioctl");
      fake.call.mounter = &mounter.mounter;
      fake.plan.quirk[BZ_QUIRK_MOUNTS] = BZ_MOUNTS_ASK;
      if (cases[i].request == LOOP_CONFIGURE)
        memcpy (fake.memory, &config, sizeof config);
      else
        memcpy (fake.memory, &info, sizeof info);
      BzVerdict verdict = run (&fake, bz_call_ioctl, 0, cases[i].request, argument);
      assert_string_equal (mounter.source, cases[i].asked);
      if (cases[i].expected == BZ_MOUNT_NOT_OURS)
        assert_continues (verdict);
      else if (cases[i].expected > 0)
        assert_errno (verdict, cases[i].expected);
      else
        assert_value (verdict, 5);
      /* Where the zone may not, it is told. */
      fake.plan.quirk[BZ_QUIRK_MOUNTS] = BZ_MOUNTS_TELL;
      assert_continues (run (&fake, bz_call_ioctl, 0, cases[i].request, argument));
      assert_int_equal (mounter.refused, cases[i].request == LOOP_CTL_GET_FREE);
    }
}

/* struct loop_info of i386: offset and flags stand elsewhere than on x86-64. */
static void
test_old_loop_status (void **state G_GNUC_UNUSED)
{
  static const BzMounterClass class = { .loop = fake_loop };
  FakeMounter mounter = { .mounter = { .class = &class } };
  guint32 offset = 1024, flags = LO_FLAGS_AUTOCLEAR;
  BzFake fake;

  bz_fake_init (&fake, BZ_ABI_I386, "ioctl");
  fake.call.mounter = &mounter.mounter;
  fake.plan.quirk[BZ_QUIRK_MOUNTS] = BZ_MOUNTS_ASK;
  memcpy (fake.memory + 16, &offset, sizeof offset);
  memcpy (fake.memory + 28, &flags, sizeof flags);
  assert_value (run (&fake, bz_call_ioctl, 0, LOOP_SET_STATUS, bz_fake_at (0)), 5);
  assert_string_equal (mounter.source, "set 1024 0 4 0");
}

/* Catalogue row B8. */
static void
test_masters_of_bsd_ptys (void **state G_GNUC_UNUSED)
{
  static const struct {
    const char *path;
    int error; /* of opening it; -1: it is not tried */
  } cases[] = {
    { "/dev/ptyp0", 0 },  { "/dev/ptypf", ENOSPC },   { "/dev/ptyp0", ENOTSUP }, { "/dev/ttyp0", -1 },
    { "/dev/pty", -1 },   { "/dev/ptyp", -1 },        { "/dev/ptyp00", -1 },     { "/dev/pty/0", -1 },
    { "/dev/ptypg", -1 }, { "/var/run/utmp/long", -1 },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      BzFake fake;

      bz_fake_init (&fake, BZ_ABI_I386, "open");
      strcpy ((char *) fake.memory, cases[i].path);
      fake.own_error = cases[i].error;
      BzVerdict verdict = run (&fake, bz_call_open, bz_fake_at (0), 2, 0);
      assert_int_equal (fake.masters, cases[i].error >= 0);
      if (cases[i].error == 0)
        assert_value (verdict, 42);
      else if (cases[i].error == ENOSPC)
        assert_errno (verdict, EIO);
      else
        assert_continues (verdict);
    }
}

/* As util-linux 2.12 filled it in: version 4, 716 bytes. */
static void
test_nfs_data (void **state G_GNUC_UNUSED)
{
  g_autoptr (GString) options = g_string_new (NULL);
  guint8 data[716] = { 4 };
  const gint32 numbers[] = { 0x40 | 0x80 | 0x200, 8192, 4096, 7, 3, 0, 60, 30, -1 };

  memcpy (data + 40, numbers, sizeof numbers);
  memcpy (data + 76, "\2\0\x08\x01\xc0\0\2\1", 8);
  assert_true (bz_nfs_is_binary (data, sizeof data));
  assert_true (bz_nfs_options (data, sizeof data, options));
  assert_string_equal (options->str, "addr=192.0.2.1,port=2049,hard,proto=tcp,vers=3,nolock,"
                                     "rsize=8192,wsize=4096,timeo=7,retrans=3,acregmax=60,acdirmin=30");
  g_string_truncate (options, 0);
  data[40] = 0x1;
  data[41] = 0;
  assert_true (bz_nfs_options (data, sizeof data, options));
  assert_true (g_str_has_prefix (options->str, "addr=192.0.2.1,port=2049,soft,proto=udp,vers=2,rsize="));
  data[76] = 10;
  assert_false (bz_nfs_options (data, sizeof data, options)); /* no IPv4 */
  data[76] = 2;
  assert_false (bz_nfs_options (data, 347, options));
  assert_false (bz_nfs_is_binary ((const guint8 *) "vers=3", 6));
  data[0] = 7;
  assert_false (bz_nfs_is_binary (data, sizeof data));
}

static void
test_the_switch_of_ctrl_alt_del (void **state G_GNUC_UNUSED)
{
  BzFake fake;
  const guint64 magic = LINUX_REBOOT_MAGIC1;

  bz_fake_init (&fake, BZ_ABI_I386, "reboot");
  assert_errno (run (&fake, bz_call_reboot, magic, LINUX_REBOOT_MAGIC2, LINUX_REBOOT_CMD_CAD_OFF),
                EPERM);
  fake.fact[BZ_FACT_CAPABILITIES] = G_GUINT64_CONSTANT (1) << CAP_SYS_BOOT;
  assert_pretended (run (&fake, bz_call_reboot, magic, LINUX_REBOOT_MAGIC2,
                         LINUX_REBOOT_CMD_CAD_OFF),
                    0);
  assert_pretended (run (&fake, bz_call_reboot, magic, LINUX_REBOOT_MAGIC2B,
                         LINUX_REBOOT_CMD_CAD_ON),
                    0);
  assert_errno (run (&fake, bz_call_reboot, magic, 1, LINUX_REBOOT_CMD_CAD_OFF), EINVAL);
  assert_continues (run (&fake, bz_call_reboot, magic, LINUX_REBOOT_MAGIC2, LINUX_REBOOT_CMD_HALT));
}

static void
test_nothing_is_written_for_a_dead_task (void **state G_GNUC_UNUSED)
{
  BzFake fake;

  bz_fake_init (&fake, BZ_ABI_I386, "uname");
  fake.gone = TRUE;
  assert_errno (run (&fake, bz_call_uname, bz_fake_at (0), 0, 0), ESRCH);
  assert_errno (run (&fake, bz_call_sysinfo, bz_fake_at (0), 0, 0), ESRCH);
  assert_int_equal (fake.writes, 0);
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_uname_is_the_brand_s),
    cmocka_unit_test (test_machine_is_the_task_s),
    cmocka_unit_test (test_uname_looks_at_no_task_before_one_has_changed),
    cmocka_unit_test (test_uname26_counts_on_from_the_claimed_release),
    cmocka_unit_test (test_abi_notes),
    cmocka_unit_test (test_variables),
    cmocka_unit_test (test_elder_unames),
    cmocka_unit_test (test_heap_starts_at_the_end_of_bss),
    cmocka_unit_test (test_heap_s_start_is_told_by_the_program),
    cmocka_unit_test (test_where_a_program_s_bss_ends),
    cmocka_unit_test (test_personality_keeps_the_brand_s_flags),
    cmocka_unit_test (test_ld_so_s_personality_is_known),
    cmocka_unit_test (test_sysinfo_fits_old_programs),
    cmocka_unit_test (test_a_kernel_without_modules),
    cmocka_unit_test (test_bdflush),
    cmocka_unit_test (test_vhangup),
    cmocka_unit_test (test_mount),
    cmocka_unit_test (test_mount_for_a_zone),
    cmocka_unit_test (test_loop_devices),
    cmocka_unit_test (test_old_loop_status),
    cmocka_unit_test (test_nfs_data),
    cmocka_unit_test (test_masters_of_bsd_ptys),
    cmocka_unit_test (test_an_empty_kernel_log),
    cmocka_unit_test (test_the_clock_can_be_set_in_appearance),
    cmocka_unit_test (test_the_switch_of_ctrl_alt_del),
    cmocka_unit_test (test_nothing_is_written_for_a_dead_task),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
