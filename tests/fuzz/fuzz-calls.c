/* Every handler, over a memory of random contents with random arguments: it must neither crash nor
 * look or write outside (the fake memory and the sanitizers see to that), and give a verdict that
 * makes sense. */
#include "config.h"

#include "syscall-xlat/calls/handlers.h"
#include "tests/unit/fake-call.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);

static const struct {
  const char *name;
  BzHandler handler;
} handlers[] = {
  { "uname", bz_call_uname },
  { "olduname", bz_call_olduname },
  { "oldolduname", bz_call_oldolduname },
  { "brk", bz_call_brk },
  { "personality", bz_call_personality },
  { "sysinfo", bz_call_sysinfo },
  { "_sysctl", bz_call_sysctl },
  { "create_module", bz_call_create_module },
  { "init_module", bz_call_init_module },
  { "delete_module", bz_call_delete_module },
  { "query_module", bz_call_query_module },
  { "get_kernel_syms", bz_call_get_kernel_syms },
  { "bdflush", bz_call_bdflush },
  { "syslog", bz_call_syslog },
  { "settimeofday", bz_call_settimeofday },
  { "stime", bz_call_stime },
  { "clock_settime", bz_call_clock_settime },
  { "clock_settime64", bz_call_clock_settime },
  { "adjtimex", bz_call_adjtimex },
  { "clock_adjtime", bz_call_clock_adjtime },
  { "clock_adjtime64", bz_call_clock_adjtime },
  { "reboot", bz_call_reboot },
  { "vhangup", bz_call_vhangup },
  { "mount", bz_call_mount },
  { "oldstat", bz_call_oldstat },
  { "oldfstat", bz_call_oldfstat },
  { "lstat", bz_call_lstat },
  { "fstat", bz_call_fstat },
  { "stat64", bz_call_stat64 },
  { "fstatat64", bz_call_fstatat64 },
  { "statx", bz_call_statx },
  { "readdir", bz_call_readdir },
  { "getdents", bz_call_getdents },
  { "getdents64", bz_call_getdents64 },
  { "lseek", bz_call_lseek },
  { "_llseek", bz_call_llseek },
  { "statfs", bz_call_statfs },
  { "fstatfs", bz_call_fstatfs },
  { "sched_getaffinity", bz_call_sched_getaffinity },
};

typedef struct {
  guint8 which, abi, sysinfo, release, flags[4];
  guint64 args[5], facts[3];
} Head;

static guint64
inside (guint64 value)
{
  return bz_fake_at (value % (BZ_FAKE_SIZE + 64));
}

/* Most random addresses would hit nothing: the flags turn some into addresses of the memory or just
 * behind it. */
static void
aim (BzFake *fake, const Head *head, guint64 args[5])
{
  for (int i = 0; i < 5; i++)
    {
      args[i] = head->flags[3] >> i & 1 ? inside (head->args[i]) : head->args[i];
      if (fake->call.abi == BZ_ABI_I386)
        args[i] = (guint32) args[i];
    }
  for (int i = 0; i < 6 && (head->flags[3] & 0x80) != 0; i++)
    {
      guint32 word;
      gsize at = (gsize) i * bz_call_word (&fake->call);

      memcpy (&word, fake->memory + at, sizeof word);
      word = word & 1 ? (guint32) inside (word) : word & 0xff;
      memcpy (fake->memory + at, &word, sizeof word);
    }
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  static BzFake fake;
  Head head;
  guint64 args[5];

  if (size < sizeof head)
    return 0;
  memcpy (&head, data, sizeof head);
  data += sizeof head;
  size -= sizeof head;

  guint which = head.which % G_N_ELEMENTS (handlers);
  bz_fake_init (&fake, head.abi % BZ_ABI_COUNT, handlers[which].name);
  fake.plan.quirk[BZ_QUIRK_SYSINFO] = head.sysinfo % 3;
  fake.plan.release_number = BZ_RELEASE (head.release % 8, head.flags[0], head.flags[1]);
  fake.plan.personality = head.facts[0];
  fake.gone = head.flags[2] & 1;
  fake.read_only = head.flags[2] >> 1 & 1;
  fake.file = head.flags[2] & 4 ? "proc/sys/kernel/sem" : "proc/sys/kernel/random/uuid";
  memcpy (fake.fact, head.facts, sizeof fake.fact);
  memcpy (fake.memory, data, MIN (size, sizeof fake.memory));
  memcpy (fake.text, data, MIN (size, sizeof fake.text - 1));
  fake.files.length = MIN (size, sizeof fake.files.entries);
  memcpy (fake.files.entries, data, fake.files.length);
  memcpy (&fake.files.status, data, MIN (size, sizeof fake.files.status));
  memcpy (&fake.files.file_system, data, MIN (size, sizeof fake.files.file_system));
  aim (&fake, &head, args);

  BzVerdict verdict =
      bz_fake_run (&fake, handlers[which].handler, args[0], args[1], args[2], args[3], args[4]);
  if (verdict.kind > BZ_VERDICT_DEFERRED)
    abort ();
  if ((verdict.kind == BZ_VERDICT_ERRNO || verdict.kind == BZ_VERDICT_DEFERRED)
      && (verdict.value <= 0 || verdict.value > 4095))
    abort ();
  return 0;
}
