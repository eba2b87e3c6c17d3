/* The shapes of a vsyscall, and when a system call may stand in its place.
 *
 *
 * Facts: compilers call the page as any C function: `mov $ENTRY,%rax; call *%rax`. In 1,485 x86-64
 * files of real trees nothing else calls it. `mov $NR,%eax; syscall` is 7 bytes; the shape has 9.
 * The kernel's entries were C functions until 3.1, so no caller relies on a register that C
 * functions may change; `syscall` changes rax, rcx, r11 of these. The answer is the same: a value
 * or -errno in rax, which libc turns into errno where it did before. The return address that `call`
 * pushes is read by nobody.
 *
 * Choice, for `mov $ENTRY,%R`:
 *   next instruction calls *%R       one edit over both
 *   ... jumps *%R (a tail call)      the same with `ret` after the system call
 *   some instructions apart          two edits, if these run in straight line and touch neither R
 * nor rax
 * In each case R must be dead afterwards, for R now holds another value: rax is (it has the
 * result); for another one all ways on are followed until it is written, or a call or return makes
 * it worthless. A conditional move of the address is libc 2.12 to 2.17 choosing between the vDSO
 * and the page: left as it is. Anything else is refused with its reason: the tracer of last resort
 * runs it.
 *
 *
 * Limits: a jump table could lead to a call whose address comes from elsewhere too: it isn't
 * followed. No compiler's output is known to do that. A direct `call ENTRY` from a program linked
 * below 2 GiB holds no constant to be found. */
#include "config.h"

#include "loader/shadow/shapes.h"

#include <stdio.h>
#include <string.h>

#define MOST_APART 64   /* instructions between mov and call */
#define MOST_STEPS 4096 /* instructions looked at to prove a register dead */

#define RAX 0U
#define BIT(reg) ((guint16) (1U << (reg)))
/* rbx, rsp, rbp, r12 to r15: a function gives them back as it got them. */
#define KEPT_BY_CALLS \
  ((guint16) (BIT (3) | BIT (4) | BIT (5) | BIT (12) | BIT (13) | BIT (14) | BIT (15)))

static const char *const entry_name[] = { "gettimeofday", "time", "getcpu" };
static const guint32 entry_call[] = { 96, 201, 309 };
/* Registers of each one's arguments: rdi, rsi, rdx in this order. */
static const guint16 entry_arguments[] = { BIT (7) | BIT (6), BIT (7),
                                           BIT (7) | BIT (6) | BIT (2) };
static const char register_name[][4] = { "rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi",
                                         "r8",  "r9",  "r10", "r11", "r12", "r13", "r14", "r15" };

static const BzInsn *
insn_at (const BzCode *code, guint index)
{
  return &g_array_index (code->insns, BzInsn, index);
}

gint
bz_code_find (const BzCode *code, guint64 address)
{
  guint low = 0, high = code->insns->len;

  while (low < high)
    {
      guint middle = low + (high - low) / 2;
      const BzInsn *insn = insn_at (code, middle);

      if (address < insn->address)
        high = middle;
      else if (address >= insn->address + insn->length)
        low = middle + 1;
      else
        return (gint) middle;
    }
  return -1;
}

/* Whether a direct branch leads to first < address < end. */
static gboolean
is_entered (const BzCode *code, guint64 first, guint64 end)
{
  guint low = 0, high = code->targets->len;

  while (low < high)
    {
      guint middle = low + (high - low) / 2;

      if (g_array_index (code->targets, guint64, middle) <= first)
        low = middle + 1;
      else
        high = middle;
    }
  return low < code->targets->len && g_array_index (code->targets, guint64, low) < end;
}

static void conclude (BzShape *shape, BzVerdict verdict, const char *format, ...)
    G_GNUC_PRINTF (3, 4);

static void
conclude (BzShape *shape, BzVerdict verdict, const char *format, ...)
{
  va_list args;

  shape->verdict = verdict;
  va_start (args, format);
  vsnprintf (shape->reason, sizeof shape->reason, format, args);
  va_end (args);
}

/* --- is a register dead? --- */

typedef struct {
  const BzCode *code;
  guint16 reg;
  GHashTable *seen;
  GArray *open; /* of guint: instructions still to look at */
} Search;

/* Adds the instruction at an address; FALSE when it isn't known. */
static gboolean
go_to (Search *search, guint64 address)
{
  gint found = bz_code_find (search->code, address);

  if (found < 0 || insn_at (search->code, (guint) found)->address != address)
    return FALSE;
  if (g_hash_table_add (search->seen, GINT_TO_POINTER (found + 1)))
    g_array_append_val (search->open, found);
  return TRUE;
}

/* FALSE: the register may be read from here on. */
static gboolean
look_at (Search *search, const BzInsn *insn)
{
  guint64 next = insn->address + insn->length;

  if (insn->reads & search->reg)
    return FALSE;
  switch ((BzInsnKind) insn->kind)
    {
    case BZ_INSN_CALL:
    case BZ_INSN_CALL_REG:
    case BZ_INSN_CALL_OTHER:
      return !(search->reg & KEPT_BY_CALLS) || go_to (search, next);
    case BZ_INSN_RETURN:
      return !(search->reg & KEPT_BY_CALLS);
    case BZ_INSN_STOP:
      return TRUE;
    case BZ_INSN_JUMP:
      return go_to (search, insn->target);
    case BZ_INSN_BRANCH:
      return go_to (search, insn->target) && go_to (search, next);
    case BZ_INSN_INVALID:
    case BZ_INSN_JUMP_REG:
    case BZ_INSN_JUMP_OTHER:
      return FALSE;
    default:
      return (insn->writes & search->reg) || go_to (search, next);
    }
}

static gboolean
is_dead_at (const BzCode *code, guint reg, guint64 address)
{
  g_autoptr (GHashTable) seen = g_hash_table_new (NULL, NULL);
  g_autoptr (GArray) open = g_array_new (FALSE, FALSE, sizeof (gint));
  Search search = { code, BIT (reg), seen, open };
  gboolean dead = go_to (&search, address);

  for (guint steps = 0; dead && open->len > 0; steps++)
    {
      guint index = (guint) g_array_index (open, gint, open->len - 1);

      g_array_set_size (open, open->len - 1);
      dead = steps < MOST_STEPS && look_at (&search, insn_at (code, index));
    }
  return dead;
}

/* --- edits --- */

static void
put (BzEdit *edit, const char *bytes, guint length)
{
  memcpy (edit->new_bytes + edit->length, bytes, length);
  edit->length = (guint8) (edit->length + length);
}

static void
put_number (BzEdit *edit, guint32 number)
{
  guint32 little = GUINT32_TO_LE (number);

  put (edit, "\xb8", 1); /* mov $NUMBER,%eax */
  put (edit, (const char *) &little, 4);
}

static void
put_call (BzEdit *edit, gboolean tail)
{
  put (edit, "\x0f\x05", 2); /* syscall */
  if (tail)
    put (edit, "\xc3", 1); /* ret */
}

/* Fills up to `length` with the longest nops: each costs the processor one instruction. */
static void
put_nops (BzEdit *edit, guint length)
{
  static const char *const nop[] = { "\x90", "\x66\x90", "\x0f\x1f\x00", "\x0f\x1f\x40\x00" };

  while (edit->length < length)
    {
      guint size = MIN (length - edit->length, G_N_ELEMENTS (nop));

      put (edit, nop[size - 1], size);
    }
}

static void
make_edits (BzShape *shape, const BzInsn *load, const BzInsn *call, gboolean adjacent)
{
  gboolean tail = call->kind == BZ_INSN_JUMP_REG;
  guint need = 2 + (tail ? 1 : 0);
  BzEdit *first = &shape->edit[0], *second = &shape->edit[1];

  if (adjacent ? load->length + call->length > BZ_REWRITE_MAX_EDIT
                     || load->length + call->length < 5 + need
               : load->length < 5 || call->length < need)
    {
      conclude (shape, BZ_VERDICT_REFUSE, "there is no room for a system call");
      return;
    }
  shape->first = load->address;
  shape->end = call->address + call->length;
  first->address = load->address;
  put_number (first, entry_call[load->entry]);
  if (adjacent)
    {
      put_call (first, tail);
      put_nops (first, load->length + call->length);
      shape->n = 1;
    }
  else
    {
      put_nops (first, load->length);
      second->address = call->address;
      put_call (second, tail);
      put_nops (second, call->length);
      shape->n = 2;
    }
  conclude (shape, BZ_VERDICT_REWRITE,
            "%s %s() of the vsyscall page through %%%s: system call %u instead",
            tail ? "jumps to" : "calls", entry_name[load->entry], register_name[load->reg],
            entry_call[load->entry]);
}

static void
judge_call (const BzCode *code, guint at, guint to, guint16 touched, BzShape *shape)
{
  const BzInsn *load = insn_at (code, at), *call = insn_at (code, to);
  gboolean tail = call->kind == BZ_INSN_JUMP_REG, adjacent = to == at + 1;

  if (entry_arguments[load->entry] & BIT (load->reg))
    conclude (shape, BZ_VERDICT_REFUSE, "%%%s also holds an argument of the call",
              register_name[load->reg]);
  else if (!adjacent && load->reg != RAX && (touched & BIT (RAX)))
    conclude (shape, BZ_VERDICT_REFUSE, "%%rax is in use between the mov and its call");
  else if (is_entered (code, load->address, call->address + call->length))
    conclude (shape, BZ_VERDICT_REFUSE, "a branch leads between the mov and its call");
  else if (load->reg != RAX
           && (tail ? (BIT (load->reg) & KEPT_BY_CALLS) != 0
                    : !is_dead_at (code, load->reg, call->address + call->length)))
    conclude (shape, BZ_VERDICT_REFUSE, "%%%s may be read after the call",
              register_name[load->reg]);
  else
    make_edits (shape, load, call, adjacent);
}

static gboolean
is_flow (const BzInsn *insn)
{
  return insn->kind != BZ_INSN_PLAIN && insn->kind != BZ_INSN_CMOV
         && insn->kind != BZ_INSN_LOAD_ENTRY;
}

static void
judge_load (const BzCode *code, guint at, BzShape *shape)
{
  const BzInsn *load = insn_at (code, at);
  guint16 reg = BIT (load->reg), touched = 0;
  guint64 expected = load->address + load->length;

  for (guint to = at + 1; to < code->insns->len && to <= at + 1 + MOST_APART; to++)
    {
      const BzInsn *insn = insn_at (code, to);

      if (insn->address != expected)
        break;
      expected += insn->length;
      if ((insn->kind == BZ_INSN_CALL_REG || insn->kind == BZ_INSN_JUMP_REG)
          && insn->reg == load->reg)
        {
          judge_call (code, at, to, touched, shape);
          return;
        }
      if (insn->kind == BZ_INSN_CMOV && (insn->reads & reg))
        {
          conclude (shape, BZ_VERDICT_LEAVE,
                    "chosen by a conditional move: %s() of the vDSO comes first",
                    entry_name[load->entry]);
          return;
        }
      if (insn->reads & reg)
        {
          conclude (shape, BZ_VERDICT_REFUSE, "the address in %%%s is kept or computed with",
                    register_name[load->reg]);
          return;
        }
      if ((insn->writes & reg) || is_flow (insn))
        break;
      touched |= insn->reads | insn->writes;
    }
  conclude (shape, BZ_VERDICT_REFUSE, "no call follows in straight line");
}

void
bz_shape_judge (const BzCode *code, guint at, BzShape *shape)
{
  memset (shape, 0, sizeof *shape);
  if (insn_at (code, at)->kind == BZ_INSN_LOAD_ENTRY)
    judge_load (code, at, shape);
  else
    conclude (shape, BZ_VERDICT_REFUSE,
              "the address of %s() is used in a way that isn't a call by register",
              entry_name[insn_at (code, at)->entry]);
}
