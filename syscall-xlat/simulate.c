/* An interpreter of seccomp's classic BPF.
 *
 * Problem: what a compiled filter does with a call has to be known for every call, on build
 * machines whose kernel may not take the filter, and for programs read from a cache.
 *
 * Facts: seccomp takes a part of classic BPF only (seccomp_check_filter): 32-bit loads
 * at aligned offsets of struct seccomp_data, no packet access, at most BPF_MAXINSNS instructions.
 * Jumps go forward only, so every program ends. Division by a register that holds 0 ends it with 0.
 *
 * Choice: one function decides whether an instruction is fit, and both the check and the
 * interpreter ask it; the interpreter trusts nothing that it did not check in the same step.
 */
#include "config.h"

#include "syscall-xlat/simulate.h"

#include "brand/base/error.h"

#include <string.h>

static gboolean
refuse (GError **error, gsize at, const char *why)
{
  return bz_fail (error, BZ_ERROR_INPUT, why, NULL, "filter instruction %" G_GSIZE_FORMAT, at);
}

/* Returns why the instruction is unfit, or NULL. left: instructions after it. */
static const char *
unfit_jump (const struct sock_filter *insn, gsize left)
{
  switch (insn->code)
    {
    case BPF_JMP | BPF_JA:
      return insn->k < left ? NULL : "jumps out of the program";
    case BPF_JMP | BPF_JEQ | BPF_K:
    case BPF_JMP | BPF_JEQ | BPF_X:
    case BPF_JMP | BPF_JGE | BPF_K:
    case BPF_JMP | BPF_JGE | BPF_X:
    case BPF_JMP | BPF_JGT | BPF_K:
    case BPF_JMP | BPF_JGT | BPF_X:
    case BPF_JMP | BPF_JSET | BPF_K:
    case BPF_JMP | BPF_JSET | BPF_X:
      return insn->jt < left && insn->jf < left ? NULL : "jumps out of the program";
    default:
      return "not an instruction of seccomp";
    }
}

static const char *
unfit_arithmetic (const struct sock_filter *insn)
{
  gboolean constant = BPF_SRC (insn->code) == BPF_K;

  if ((insn->code & ~(0xf0u | BPF_X | BPF_ALU)) != 0)
    return "not an instruction of seccomp";
  switch (BPF_OP (insn->code))
    {
    case BPF_ADD:
    case BPF_SUB:
    case BPF_MUL:
    case BPF_AND:
    case BPF_OR:
    case BPF_XOR:
      return NULL;
    case BPF_DIV:
      return constant && insn->k == 0 ? "divides by zero" : NULL;
    case BPF_LSH:
    case BPF_RSH:
      return constant && insn->k >= 32 ? "shifts by more than 31" : NULL;
    case BPF_NEG:
      return constant ? NULL : "not an instruction of seccomp";
    default:
      return "not an instruction of seccomp";
    }
}

static const char *
unfit (const struct sock_filter *insn, gsize left)
{
  switch (insn->code)
    {
    case BPF_LD | BPF_W | BPF_ABS:
      if (insn->k % 4 != 0 || insn->k >= sizeof (struct seccomp_data))
        return "loads from outside of the call";
      return left > 0 ? NULL : "runs off the end";
    case BPF_LD | BPF_MEM:
    case BPF_LDX | BPF_MEM:
    case BPF_ST:
    case BPF_STX:
      if (insn->k >= BPF_MEMWORDS)
        return "uses scratch memory that does not exist";
      return left > 0 ? NULL : "runs off the end";
    case BPF_LD | BPF_IMM:
    case BPF_LDX | BPF_IMM:
    case BPF_LD | BPF_W | BPF_LEN:
    case BPF_LDX | BPF_W | BPF_LEN:
    case BPF_MISC | BPF_TAX:
    case BPF_MISC | BPF_TXA:
      return left > 0 ? NULL : "runs off the end";
    case BPF_RET | BPF_K:
    case BPF_RET | BPF_A:
      return NULL;
    default:
      break;
    }
  if (BPF_CLASS (insn->code) == BPF_JMP)
    return unfit_jump (insn, left);
  if (BPF_CLASS (insn->code) == BPF_ALU)
    return left > 0 ? unfit_arithmetic (insn) : "runs off the end";
  return "not an instruction of seccomp";
}

static gboolean
check_length (gsize count, GError **error)
{
  if (count > 0 && count <= BPF_MAXINSNS)
    return TRUE;
  return bz_fail (error, BZ_ERROR_INPUT, "a filter has 1 to 4096 instructions", NULL,
                  "filter of %" G_GSIZE_FORMAT " instructions", count);
}

gboolean
bz_simulate_check (const struct sock_filter *program, gsize count, GError **error)
{
  if (!check_length (count, error))
    return FALSE;
  for (gsize i = 0; i < count; i++)
    {
      const char *why = unfit (&program[i], count - i - 1);

      if (why != NULL)
        return refuse (error, i, why);
    }
  if (BPF_CLASS (program[count - 1].code) != BPF_RET)
    return refuse (error, count - 1, "the last instruction must return");
  return TRUE;
}

typedef struct {
  guint32 a, x;
  guint32 memory[BPF_MEMWORDS];
} Machine;

static gboolean
jump_is_taken (const struct sock_filter *insn, const Machine *machine)
{
  guint32 operand = BPF_SRC (insn->code) == BPF_X ? machine->x : insn->k;

  switch (BPF_OP (insn->code))
    {
    case BPF_JEQ:
      return machine->a == operand;
    case BPF_JGE:
      return machine->a >= operand;
    case BPF_JGT:
      return machine->a > operand;
    default:
      return (machine->a & operand) != 0;
    }
}

/* FALSE: division by a register that holds zero. */
static gboolean
calculate (const struct sock_filter *insn, Machine *machine)
{
  guint32 operand = BPF_SRC (insn->code) == BPF_X ? machine->x : insn->k;

  switch (BPF_OP (insn->code))
    {
    case BPF_ADD:
      machine->a += operand;
      break;
    case BPF_SUB:
      machine->a -= operand;
      break;
    case BPF_MUL:
      machine->a *= operand;
      break;
    case BPF_DIV:
      if (operand == 0)
        return FALSE;
      machine->a /= operand;
      break;
    case BPF_AND:
      machine->a &= operand;
      break;
    case BPF_OR:
      machine->a |= operand;
      break;
    case BPF_XOR:
      machine->a ^= operand;
      break;
    case BPF_LSH:
      machine->a <<= operand & 31;
      break;
    case BPF_RSH:
      machine->a >>= operand & 31;
      break;
    default: /* BPF_NEG */
      machine->a = 0u - machine->a;
      break;
    }
  return TRUE;
}

static void
move (const struct sock_filter *insn, const struct seccomp_data *data, Machine *machine)
{
  switch (insn->code)
    {
    case BPF_LD | BPF_W | BPF_ABS:
      memcpy (&machine->a, (const guint8 *) data + insn->k, sizeof machine->a);
      break;
    case BPF_LD | BPF_W | BPF_LEN:
      machine->a = sizeof *data;
      break;
    case BPF_LDX | BPF_W | BPF_LEN:
      machine->x = sizeof *data;
      break;
    case BPF_LD | BPF_IMM:
      machine->a = insn->k;
      break;
    case BPF_LDX | BPF_IMM:
      machine->x = insn->k;
      break;
    case BPF_LD | BPF_MEM:
      machine->a = machine->memory[insn->k];
      break;
    case BPF_LDX | BPF_MEM:
      machine->x = machine->memory[insn->k];
      break;
    case BPF_ST:
      machine->memory[insn->k] = machine->a;
      break;
    case BPF_STX:
      machine->memory[insn->k] = machine->x;
      break;
    case BPF_MISC | BPF_TAX:
      machine->x = machine->a;
      break;
    default: /* BPF_MISC | BPF_TXA */
      machine->a = machine->x;
      break;
    }
}

gboolean
bz_simulate (const struct sock_filter *program, gsize count, const struct seccomp_data *data,
             guint32 *action, guint *steps, GError **error)
{
  Machine machine = { 0 };
  guint executed = 0;

  if (!check_length (count, error))
    return FALSE;
  for (gsize at = 0; at < count; at++)
    {
      const struct sock_filter *insn = &program[at];
      const char *why = unfit (insn, count - at - 1);
      gboolean running = TRUE;

      if (why != NULL)
        return refuse (error, at, why);
      executed++;
      switch (BPF_CLASS (insn->code))
        {
        case BPF_RET:
          *action = BPF_RVAL (insn->code) == BPF_A ? machine.a : insn->k;
          running = FALSE;
          break;
        case BPF_JMP:
          if (insn->code == (BPF_JMP | BPF_JA))
            at += insn->k;
          else
            at += jump_is_taken (insn, &machine) ? insn->jt : insn->jf;
          break;
        case BPF_ALU:
          running = calculate (insn, &machine);
          if (!running)
            *action = 0;
          break;
        default:
          move (insn, data, &machine);
          break;
        }
      if (!running)
        {
          if (steps != NULL)
            *steps = executed;
          return TRUE;
        }
    }
  return refuse (error, count, "runs off the end");
}
