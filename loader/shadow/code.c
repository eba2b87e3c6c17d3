/* Two capstone handles, because in AT&T syntax the operands of the detail come in the other order.
 */
#include "config.h"

#include "loader/shadow/code.h"

#include "brand/base/error.h"
#include "loader/shadow/rewrite.h"

#include <capstone/capstone.h>

struct BzDecoder {
  csh detail, text;
  cs_insn *insn; /* of detail */
};

#define FAMILY(nr, r64, r32, r16, r8) \
  case X86_REG_##r64: \
  case X86_REG_##r32: \
  case X86_REG_##r16: \
  case X86_REG_##r8: \
    return nr;

static int
family_of (x86_reg reg)
{
  switch (reg)
    {
      FAMILY (0, RAX, EAX, AX, AL)
      FAMILY (1, RCX, ECX, CX, CL)
      FAMILY (2, RDX, EDX, DX, DL)
      FAMILY (3, RBX, EBX, BX, BL)
      FAMILY (4, RSP, ESP, SP, SPL)
      FAMILY (5, RBP, EBP, BP, BPL)
      FAMILY (6, RSI, ESI, SI, SIL)
      FAMILY (7, RDI, EDI, DI, DIL)
      FAMILY (8, R8, R8D, R8W, R8B)
      FAMILY (9, R9, R9D, R9W, R9B)
      FAMILY (10, R10, R10D, R10W, R10B)
      FAMILY (11, R11, R11D, R11W, R11B)
      FAMILY (12, R12, R12D, R12W, R12B)
      FAMILY (13, R13, R13D, R13W, R13B)
      FAMILY (14, R14, R14D, R14W, R14B)
      FAMILY (15, R15, R15D, R15W, R15B)
    case X86_REG_AH:
      return 0;
    case X86_REG_CH:
      return 1;
    case X86_REG_DH:
      return 2;
    case X86_REG_BH:
      return 3;
    default:
      return -1;
    }
}

static gboolean
is_wide (x86_reg reg)
{
  switch (reg)
    {
    case X86_REG_RAX:
    case X86_REG_RCX:
    case X86_REG_RDX:
    case X86_REG_RBX:
    case X86_REG_RSP:
    case X86_REG_RBP:
    case X86_REG_RSI:
    case X86_REG_RDI:
    case X86_REG_EAX:
    case X86_REG_ECX:
    case X86_REG_EDX:
    case X86_REG_EBX:
    case X86_REG_ESP:
    case X86_REG_EBP:
    case X86_REG_ESI:
    case X86_REG_EDI:
      return TRUE;
    default:
      return (reg >= X86_REG_R8 && reg <= X86_REG_R15)
             || (reg >= X86_REG_R8D && reg <= X86_REG_R15D);
    }
}

static gboolean
is_quad (x86_reg reg)
{
  switch (reg)
    {
    case X86_REG_RAX:
    case X86_REG_RCX:
    case X86_REG_RDX:
    case X86_REG_RBX:
    case X86_REG_RSP:
    case X86_REG_RBP:
    case X86_REG_RSI:
    case X86_REG_RDI:
      return TRUE;
    default:
      return reg >= X86_REG_R8 && reg <= X86_REG_R15;
    }
}

gint8
bz_vsyscall_of (guint64 address)
{
  for (int entry = 0; entry < BZ_VSYSCALL_COUNT; entry++)
    if (address == BZ_VSYSCALL_ADDRESS (entry))
      return (gint8) entry;
  return -1;
}

BzDecoder *
bz_decoder_new (GError **error)
{
  g_autoptr (BzDecoder) decoder = g_new0 (BzDecoder, 1);

  if (cs_open (CS_ARCH_X86, CS_MODE_64, &decoder->detail) != CS_ERR_OK
      || cs_open (CS_ARCH_X86, CS_MODE_64, &decoder->text) != CS_ERR_OK
      || cs_option (decoder->detail, CS_OPT_DETAIL, CS_OPT_ON) != CS_ERR_OK
      || cs_option (decoder->text, CS_OPT_SYNTAX, CS_OPT_SYNTAX_ATT) != CS_ERR_OK
      || (decoder->insn = cs_malloc (decoder->detail)) == NULL)
    {
      bz_fail (error, BZ_ERROR_HOST, "the library has no x86, or there is no memory", NULL,
               "starting capstone");
      return NULL;
    }
  return g_steal_pointer (&decoder);
}

void
bz_decoder_free (BzDecoder *decoder)
{
  if (decoder->insn != NULL)
    cs_free (decoder->insn, 1);
  if (decoder->detail != 0)
    cs_close (&decoder->detail);
  if (decoder->text != 0)
    cs_close (&decoder->text);
  g_free (decoder);
}

static void
take_registers (BzDecoder *decoder, const cs_insn *from, BzInsn *insn)
{
  const cs_x86 *x86 = &from->detail->x86;
  cs_regs reads, writes;
  guint8 n_reads = 0, n_writes = 0;
  int family;

  if (cs_regs_access (decoder->detail, from, reads, &n_reads, writes, &n_writes) != CS_ERR_OK)
    {
      insn->reads = G_MAXUINT16; /* unknown: nobody may rely on it */
      return;
    }
  for (guint8 i = 0; i < n_reads; i++)
    if ((family = family_of (reads[i])) >= 0)
      insn->reads |= (guint16) (1U << family);
  for (guint8 i = 0; i < n_writes; i++)
    if ((family = family_of (writes[i])) >= 0)
      {
        if (is_wide (writes[i]))
          insn->writes |= (guint16) (1U << family);
        else
          insn->reads |= (guint16) (1U << family);
      }
  /* What addresses memory is read, and an operand that capstone calls neither read nor written is
   * taken for read. */
  for (guint8 i = 0; i < x86->op_count; i++)
    {
      const cs_x86_op *op = &x86->operands[i];

      if (op->type == X86_OP_MEM && (family = family_of (op->mem.base)) >= 0)
        insn->reads |= (guint16) (1U << family);
      if (op->type == X86_OP_MEM && (family = family_of (op->mem.index)) >= 0)
        insn->reads |= (guint16) (1U << family);
      if (op->type == X86_OP_REG && !(op->access & CS_AC_WRITE)
          && (family = family_of (op->reg)) >= 0)
        insn->reads |= (guint16) (1U << family);
    }
}

static void
take_flow (BzInsn *insn, const cs_x86 *x86, BzInsnKind direct, BzInsnKind by_register,
           BzInsnKind other)
{
  const cs_x86_op *op = &x86->operands[0];

  insn->kind = (guint8) other;
  if (x86->op_count != 1)
    return;
  if (op->type == X86_OP_IMM)
    {
      insn->kind = (guint8) direct;
      insn->target = (guint64) op->imm;
    }
  else if (op->type == X86_OP_REG && is_quad (op->reg))
    {
      insn->kind = (guint8) by_register;
      insn->reg = (guint8) family_of (op->reg);
    }
}

static void
take_kind (BzDecoder *decoder, const cs_insn *from, BzInsn *insn)
{
  const cs_x86 *x86 = &from->detail->x86;

  switch (from->id)
    {
    case X86_INS_CALL:
      take_flow (insn, x86, BZ_INSN_CALL, BZ_INSN_CALL_REG, BZ_INSN_CALL_OTHER);
      return;
    case X86_INS_JMP:
      take_flow (insn, x86, BZ_INSN_JUMP, BZ_INSN_JUMP_REG, BZ_INSN_JUMP_OTHER);
      return;
    case X86_INS_LCALL:
      insn->kind = BZ_INSN_CALL_OTHER;
      return;
    case X86_INS_LJMP:
      insn->kind = BZ_INSN_JUMP_OTHER;
      return;
    case X86_INS_HLT:
    case X86_INS_UD2:
    case X86_INS_INT3:
    case X86_INS_SYSRET:
    case X86_INS_SYSEXIT:
      insn->kind = BZ_INSN_STOP;
      return;
    case X86_INS_CMOVA ... X86_INS_CMOVS:
      insn->kind = BZ_INSN_CMOV;
      insn->reads |= insn->writes; /* not always */
      insn->writes = 0;
      return;
    case X86_INS_XOR:
    case X86_INS_SUB:
      if (x86->op_count == 2 && x86->operands[0].type == X86_OP_REG
          && x86->operands[1].type == X86_OP_REG && x86->operands[0].reg == x86->operands[1].reg
          && is_wide (x86->operands[0].reg))
        insn->reads = 0; /* a way to write zero */
      return;
    default:
      break;
    }
  if (cs_insn_group (decoder->detail, from, X86_GRP_RET)
      || cs_insn_group (decoder->detail, from, X86_GRP_IRET))
    insn->kind = BZ_INSN_RETURN;
  else if (cs_insn_group (decoder->detail, from, X86_GRP_JUMP) || from->id == X86_INS_XBEGIN
           || from->id == X86_INS_LOOP || from->id == X86_INS_LOOPE || from->id == X86_INS_LOOPNE)
    take_flow (insn, x86, BZ_INSN_BRANCH, BZ_INSN_JUMP_OTHER, BZ_INSN_JUMP_OTHER);
}

/* Which entry's address it holds: as an immediate, or as the address of memory. */
static void
take_entry (const cs_insn *from, BzInsn *insn)
{
  const cs_x86 *x86 = &from->detail->x86;

  insn->entry = -1;
  for (guint8 i = 0; i < x86->op_count; i++)
    {
      const cs_x86_op *op = &x86->operands[i];

      if (op->type == X86_OP_IMM && insn->entry < 0)
        insn->entry = bz_vsyscall_of ((guint64) op->imm);
      else if (op->type == X86_OP_MEM && insn->entry < 0 && op->mem.base == X86_REG_INVALID
               && op->mem.segment == X86_REG_INVALID)
        insn->entry = bz_vsyscall_of ((guint64) op->mem.disp);
    }
  if (insn->entry >= 0 && insn->kind == BZ_INSN_PLAIN && x86->op_count == 2
      && (from->id == X86_INS_MOV || from->id == X86_INS_MOVABS)
      && x86->operands[0].type == X86_OP_REG && x86->operands[1].type == X86_OP_IMM
      && is_quad (x86->operands[0].reg) && x86->operands[0].reg != X86_REG_RSP)
    {
      insn->kind = BZ_INSN_LOAD_ENTRY;
      insn->reg = (guint8) family_of (x86->operands[0].reg);
    }
}

void
bz_decoder_run (BzDecoder *decoder, const guint8 *bytes, gsize size, guint64 address, GArray *insns)
{
  uint64_t at = address;
  size_t left = size;

  while (left > 0)
    {
      BzInsn insn = { .address = at, .entry = -1, .length = 1, .kind = BZ_INSN_INVALID };

      if (cs_disasm_iter (decoder->detail, &bytes, &left, &at, decoder->insn)
          && decoder->insn->size > 0)
        {
          insn.kind = BZ_INSN_PLAIN;
          insn.length = (guint8) decoder->insn->size;
          take_registers (decoder, decoder->insn, &insn);
          take_kind (decoder, decoder->insn, &insn);
          take_entry (decoder->insn, &insn);
        }
      else
        {
          bytes++;
          left--;
          at++;
        }
      g_array_append_val (insns, insn);
    }
}

char *
bz_decoder_text (BzDecoder *decoder, const guint8 *bytes, gsize size, guint64 address)
{
  cs_insn *insn = NULL;
  char *text = NULL;

  if (cs_disasm (decoder->text, bytes, MIN (size, 15), address, 1, &insn) == 1)
    text = g_strdup_printf ("%s %s", insn->mnemonic, insn->op_str);
  if (insn != NULL)
    cs_free (insn, 1);
  return text != NULL ? text : g_strdup ("(no instruction)");
}
