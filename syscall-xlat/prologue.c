/* The part of a filter that decides by number alone.
 *
 * Problem: most rows of an old brand are "newer than the release": hundreds of numbers that all
 * answer ENOSYS, between hot calls that must cost next to nothing.
 *
 * Facts: libseccomp makes a chain or tree of single numbers and does not know calls newer than
 * itself. Since 5.11 the kernel runs a filter once per number at installation, and remembers the
 * numbers that are allowed without a look at ip or arguments; their later calls skip the filter.
 * For that it interprets loads of nr and arch, jumps by constants, AND with a constant and returns,
 * nothing else (seccomp_is_const_allow). Conditional jumps reach 255 instructions, BPF_JA any.
 *
 * Choice: a balanced tree over ranges of equal fate; its leaves return, or jump to a comparison of
 * ours or to libseccomp's program. Registers are loaded behind the tree only.
 *
 *   ld arch; jump to the ABI's part, or ENOSYS
 *   part: ld nr; tree; comparisons; libseccomp's program        (twice)
 */
#include "config.h"

#include "syscall-xlat/prologue.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <stddef.h>

#define RET_ENOSYS (SECCOMP_RET_ERRNO | ENOSYS)
#define FARTHEST 255 /* of a conditional jump */

static const guint32 audit_arch[BZ_ABI_COUNT] = {
  [BZ_ABI_I386] = AUDIT_ARCH_I386,
  [BZ_ABI_X86_64] = AUDIT_ARCH_X86_64,
};

static void
emit (GArray *program, guint16 code, guint32 k, guint8 jt, guint8 jf)
{
  struct sock_filter insn = { .code = code, .jt = jt, .jf = jf, .k = k };

  g_array_append_val (program, insn);
}

static void
emit_return (GArray *program, guint32 action)
{
  emit (program, BPF_RET | BPF_K, action, 0, 0);
}

/* The number of instructions of a tree over `count` ranges. */
static guint
tree_size (guint count)
{
  guint left;

  if (count == 1)
    return 1;
  left = tree_size (count / 2);
  return 1 + (left > FARTHEST) + left + tree_size (count - count / 2);
}

/* A jump whose target is not known yet. */
typedef struct {
  guint insn;
  const BzRange *range;
} Leaf;

static void
emit_leaf (GArray *program, const BzRange *range, GArray *leaves)
{
  Leaf leaf = { program->len, range };

  switch (range->what)
    {
    case BZ_DO_ALLOW:
      emit_return (program, SECCOMP_RET_ALLOW);
      break;
    case BZ_DO_ENOSYS:
      emit_return (program, RET_ENOSYS);
      break;
    case BZ_DO_NOTIFY:
      emit_return (program, SECCOMP_RET_USER_NOTIF);
      break;
    default:
      emit (program, BPF_JMP | BPF_JA, 0, 0, 0);
      g_array_append_val (leaves, leaf);
      break;
    }
}

static void
emit_tree (GArray *program, const GArray *ranges, guint first, guint count, GArray *leaves)
{
  guint left = count / 2, distance;
  guint32 middle;

  if (count == 1)
    {
      emit_leaf (program, &g_array_index (ranges, BzRange, first), leaves);
      return;
    }
  middle = g_array_index (ranges, BzRange, first + left).first;
  distance = tree_size (left);
  if (distance > FARTHEST)
    {
      emit (program, BPF_JMP | BPF_JGE | BPF_K, middle, 0, 1);
      emit (program, BPF_JMP | BPF_JA, distance, 0, 0);
    }
  else
    {
      emit (program, BPF_JMP | BPF_JGE | BPF_K, middle, (guint8) distance, 0);
    }
  emit_tree (program, ranges, first, left, leaves);
  emit_tree (program, ranges, first + left, count - left, leaves);
}

/* Points the leaf's jump at the next instruction to be emitted. */
static void
land (GArray *program, const Leaf *leaf)
{
  g_array_index (program, struct sock_filter, leaf->insn).k = program->len - leaf->insn - 1;
}

/* Half of an argument: both ABIs are little endian. */
static void
emit_comparison (GArray *program, const BzCondition *condition)
{
  guint32 holds = condition->negate ? SECCOMP_RET_ALLOW : SECCOMP_RET_USER_NOTIF;
  guint32 fails = condition->negate ? SECCOMP_RET_USER_NOTIF : SECCOMP_RET_ALLOW;

  emit (program, BPF_LD | BPF_W | BPF_ABS,
        offsetof (struct seccomp_data, args) + 8u * (guint) condition->arg
            + (condition->high ? 4u : 0u),
        0, 0);
  if (condition->mask != G_MAXUINT32)
    emit (program, BPF_ALU | BPF_AND | BPF_K, condition->mask, 0, 0);
  if (condition->value[0] != condition->value[1])
    emit (program, BPF_JMP | BPF_JEQ | BPF_K, condition->value[0], 1, 0);
  emit (program, BPF_JMP | BPF_JEQ | BPF_K, condition->value[1], 0, 1);
  emit_return (program, holds);
  emit_return (program, fails);
}

static void
emit_part (GArray *program, const BzPart *part)
{
  g_autoptr (GArray) leaves = g_array_new (FALSE, FALSE, sizeof (Leaf));

  emit (program, BPF_LD | BPF_W | BPF_ABS, offsetof (struct seccomp_data, nr), 0, 0);
  emit_tree (program, part->ranges, 0, part->ranges->len, leaves);
  for (guint i = 0; i < leaves->len; i++)
    {
      const Leaf *leaf = &g_array_index (leaves, Leaf, i);

      if (leaf->range->what != BZ_DO_COMPARE)
        continue;
      land (program, leaf);
      emit_comparison (program, &leaf->range->row->condition);
    }
  for (guint i = 0; i < leaves->len; i++)
    {
      const Leaf *leaf = &g_array_index (leaves, Leaf, i);

      if (leaf->range->what == BZ_DO_SECCOMP)
        land (program, leaf);
    }
  if (part->seccomp->len > 0)
    g_array_append_vals (program, part->seccomp->data, part->seccomp->len);
}

void
bz_prologue_emit (GArray *program, const BzPart parts[BZ_ABI_COUNT], BzAbi first)
{
  BzAbi second = first == BZ_ABI_I386 ? BZ_ABI_X86_64 : BZ_ABI_I386;
  guint hop;

  emit (program, BPF_LD | BPF_W | BPF_ABS, offsetof (struct seccomp_data, arch), 0, 0);
  emit (program, BPF_JMP | BPF_JEQ | BPF_K, audit_arch[first], 3, 0);
  emit (program, BPF_JMP | BPF_JEQ | BPF_K, audit_arch[second], 1, 0);
  emit_return (program, RET_ENOSYS);
  hop = program->len;
  emit (program, BPF_JMP | BPF_JA, 0, 0, 0);
  emit_part (program, &parts[first]);
  g_array_index (program, struct sock_filter, hop).k = program->len - hop - 1;
  emit_part (program, &parts[second]);
}
