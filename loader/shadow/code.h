/* Instructions of x86-64, as far as the question "who uses this address?" needs them. Private to
 * brandzone-rewriter. */
#pragma once

#include <glib.h>

typedef enum {
  BZ_INSN_PLAIN,
  BZ_INSN_INVALID,    /* one byte that begins no instruction */
  BZ_INSN_LOAD_ENTRY, /* mov $ENTRY,%reg: a 64-bit register becomes a vsyscall address */
  BZ_INSN_CMOV,
  BZ_INSN_CALL,       /* to `target` */
  BZ_INSN_CALL_REG,   /* call *%reg */
  BZ_INSN_CALL_OTHER, /* call *memory */
  BZ_INSN_JUMP,       /* to `target` */
  BZ_INSN_JUMP_REG,
  BZ_INSN_JUMP_OTHER,
  BZ_INSN_BRANCH, /* to `target` or on */
  BZ_INSN_RETURN,
  BZ_INSN_STOP, /* hlt, ud2, int3: not passed */
} BzInsnKind;

/* Registers are bits: 0 rax, 1 rcx, 2 rdx, 3 rbx, 4 rsp, 5 rbp, 6 rsi, 7 rdi, 8 to 15 r8 to r15. */
typedef struct {
  guint64 address;
  guint64 target; /* 0: none */
  guint16 reads;  /* also: partly written */
  guint16 writes; /* wholly, or zero-extended */
  guint8 length, kind;
  guint8 reg;  /* of LOAD_ENTRY, CALL_REG, JUMP_REG */
  gint8 entry; /* BzVsyscall whose address it holds as an immediate or displacement; -1: none */
} BzInsn;

typedef struct BzDecoder BzDecoder;

/* NULL when capstone can't be had. */
BzDecoder *bz_decoder_new (GError **error);
void bz_decoder_free (BzDecoder *decoder);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BzDecoder, bz_decoder_free)

/* Appends the instructions (BzInsn) of `size` bytes to `insns`, by linear sweep. */
void bz_decoder_run (BzDecoder *decoder, const guint8 *bytes, gsize size, guint64 address,
                     GArray *insns);

/* One instruction as objdump prints it; owned by the caller. */
char *bz_decoder_text (BzDecoder *decoder, const guint8 *bytes, gsize size, guint64 address);

/* BzVsyscall of an address, or -1. */
gint8 bz_vsyscall_of (guint64 address);
