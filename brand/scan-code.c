/* Problem: the kernel interfaces that code uses directly leave no trace in an image's
 * tables: calls of the vsyscall page at fixed addresses, and in static programs the system calls.
 *
 * Facts: compilers load the address of a vsyscall as a sign-extended 32-bit or as a 64-bit
 * immediate (48 c7 c0 00 04 60 ff; 48 b8 ...) and call through the register at once. glibc 2.12
 * to 2.17 also loads it to choose by cmov between it and what the vDSO gave: that is never called
 * where there is a vDSO. Static code loads the call's number (b8 imm32) right before `int $0x80`,
 * `syscall` or the call through the thread's vector (65 ff 15 10 00 00 00).
 *
 * Choice: search for the constants, then look at the bytes around. It takes no decoder, about
 * a second for a gigabyte, and its answer foretells; what is rewritten is decided elsewhere, by
 * instructions.
 *
 * Limits: addresses that are computed, and direct calls of the page from below 2 GiB, which hold a distance, are missed, as
 * numbers computed or loaded elsewhere are missed. Two
 * bytes of an operand may look like a system call: only a number close before it counts. */
#include "config.h"

#include "brand/scan.h"

#include <string.h>

#define MOST_HITS 65536
#define REACH 24 /* bytes in which the register's call, or the number, is looked for */

/* Whether the register is called or jumped through soon: ff d0+r, ff e0+r, with 41 for r8 to r15.
 */
static gboolean
called_soon (const guint8 *at, const guint8 *end, guint reg)
{
  for (const guint8 *stop = end - at > REACH ? at + REACH : end; at + 1 < stop; at++)
    {
      gboolean high = *at == 0x41;
      const guint8 *op = at + (high ? 1 : 0);

      if (op + 1 < end && *op == 0xff && ((op[1] & 0xf8) == 0xd0 || (op[1] & 0xf8) == 0xe0)
          && (op[1] & 7u) + (high ? 8 : 0) == reg)
        return TRUE;
    }
  return FALSE;
}

static gboolean
chosen_soon (const guint8 *at, const guint8 *end)
{
  for (const guint8 *stop = end - at > REACH ? at + REACH : end; at + 1 < stop; at++)
    if (at[0] == 0x0f && (at[1] & 0xf0) == 0x40)
      return TRUE;
  return FALSE;
}

/* The register that the immediate at `at` is moved to, or -1. *after: behind the instruction. */
static int
moved_to (const guint8 *code, const guint8 *at, const guint8 *end, const guint8 **after)
{
  gsize before = (gsize) (at - code);

  if (before >= 3 && (at[-3] & 0xfe) == 0x48 && at[-2] == 0xc7 && (at[-1] & 0xf8) == 0xc0)
    {
      *after = at + 4;
      return (at[-1] & 7) + (at[-3] & 1) * 8;
    }
  if (before >= 2 && (at[-2] & 0xfe) == 0x48 && (at[-1] & 0xf8) == 0xb8 && end - at >= 8
      && memcmp (at + 4, "\377\377\377\377", 4) == 0)
    {
      *after = at + 8;
      return (at[-1] & 7) + (at[-2] & 1) * 8;
    }
  return -1;
}

/* Bytes from the opcode c7 to its immediate, by what follows it: the operand is memory. */
static guint
length_to_immediate (const guint8 *modrm)
{
  guint mode = modrm[0] >> 6, base = modrm[0] & 7u;
  guint length = 2 + (base == 4 ? 1u : 0) + (mode == 1 ? 1u : 0) + (mode == 2 ? 4u : 0);

  if (mode == 0 && (base == 5 || (base == 4 && (modrm[1] & 7) == 5)))
    length += 4;
  return mode == 3 || (modrm[0] & 0x38) != 0 ? 0 : length;
}

/* Whether the immediate or displacement at `at` belongs to a push, to a lea of a fixed address or to a store: rare ways
 * to call the page, which nobody takes by accident; or is a whole address among the code. */
static gboolean
used_otherwise (const guint8 *code, const guint8 *at, const guint8 *end)
{
  gsize before = (gsize) (at - code);

  if (before >= 1 && at[-1] == 0x68)
    return TRUE;
  if (before >= 4 && (at[-4] & 0xf8) == 0x48 && at[-3] == 0x8d && (at[-2] & 0xc7) == 0x04 && at[-1] == 0x25)
    return TRUE;
  for (guint back = 2; back <= 7 && back < before; back++)
    if (at[-(gssize) back] == 0xc7 && (at[-(gssize) back - 1] & 0xf8) == 0x48
        && length_to_immediate (at - back + 1) == back)
      return TRUE;
  return end - at >= 8 && memcmp (at + 4, "\377\377\377\377", 4) == 0;
}

void
bz_scan_vsyscall (const guint8 *code, gsize size, BzScan *scan)
{
  const guint8 *at = code, *end = code + size, *after = NULL;

  for (guint hits = 0; hits < MOST_HITS && at < end; hits++)
    {
      at = memmem (at, (gsize) (end - at), "\x60\xff", 2);
      if (at == NULL)
        return;
      const guint8 *value = at - 2;
      at += 2;
      if (value < code || value[0] != 0 || (value[1] & 0xf3) != 0 || value[1] > 8)
        continue;
      int reg = moved_to (code, value, end, &after);
      if (reg < 0)
        {
          scan->vsyscall_others += used_otherwise (code, value, end);
          continue;
        }
      if (called_soon (after, end, (guint) reg))
        scan->vsyscall_calls++;
      else if (!chosen_soon (after, end))
        scan->vsyscall_others++;
    }
}

void
bz_scan_vsyscall_data (const guint8 *data, gsize size, BzScan *scan)
{
  const guint8 *at = data, *end = data + size;

  for (guint hits = 0; hits < MOST_HITS && at < end; hits++)
    {
      at = memmem (at, (gsize) (end - at), "\x60\xff\xff\xff\xff\xff", 6);
      if (at == NULL)
        return;
      if (at - data >= 2 && at[-2] == 0 && (at[-1] & 0xf3) == 0 && at[-1] <= 8)
        scan->vsyscall_others++;
      at += 6;
    }
}

/* The number in the nearest `mov $imm32,%eax` that ends at `at` or up to REACH before it. */
static void
note_number (const guint8 *code, const guint8 *at, guint bits, BzScan *scan)
{
  for (guint back = 5; back <= REACH && back <= (gsize) (at - code); back++)
    {
      const guint8 *move = at - back;
      guint length = *move == 0xb8 ? 1 : 0;
      guint32 number;

      if (bits == 64 && back >= 7 && move[0] == 0x48 && move[1] == 0xc7 && move[2] == 0xc0)
        length = 3;
      if (length == 0)
        continue;
      memcpy (&number, move + length, sizeof number);
      number = GUINT32_FROM_LE (number);
      if (number >= BZ_SCAN_CALLS)
        continue;
      guint64 *set = move + length + 4 == at ? scan->calls : scan->calls_near;
      set[number / 64] |= G_GUINT64_CONSTANT (1) << number % 64;
      return;
    }
}

static void
scan_pattern (const guint8 *code, gsize size, const char *pattern, gsize length, guint bits,
              BzScan *scan)
{
  const guint8 *at = code, *end = code + size;

  for (guint hits = 0; hits < MOST_HITS && at < end; hits++)
    {
      at = memmem (at, (gsize) (end - at), pattern, length);
      if (at == NULL)
        return;
      note_number (code, at, bits, scan);
      at += length;
    }
}

void
bz_scan_calls (const guint8 *code, gsize size, guint bits, BzScan *scan)
{
  if (bits == 64)
    {
      scan_pattern (code, size, "\x0f\x05", 2, bits, scan);
      return;
    }
  scan_pattern (code, size, "\xcd\x80", 2, bits, scan);
  scan_pattern (code, size, "\x65\xff\x15\x10\0\0\0", 7, bits, scan);
}
