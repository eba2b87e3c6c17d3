/* The finder.
 *
 * Problem: find what calls the vsyscall page, and nothing else, in megabytes of hostile bytes.
 *
 * Choice: every use holds the low half of one of three addresses; there are a handful in a file.
 * For each that lies in code (elf-map.c), the code around is decoded from the place before it where
 * an instruction surely begins (code.c), and judged (shapes.c). Branches: short ones are known from
 * the decoded code (window.c); for near ones every byte of the code that could be one is looked at,
 * whatever the instruction boundaries. Bytes in code that are no instruction's constant are no use,
 * unless they are a whole 64-bit address, or a complete `mov; call`: these, and addresses in data,
 * are refused. */
#include "config.h"

#include "loader/shadow/rewrite.h"

#include "brand/base/error.h"
#include "loader/shadow/elf-map.h"
#include "loader/shadow/window.h"

#include <string.h>

/* A use to be rewritten. */
typedef struct {
  BzShape shape;
  const BzElfRange *range;
} Use;

typedef struct {
  const guint8 *image;
  gsize size;
  BzElfMap map;
  BzDecoder *decoder;
  BzWindow window;
  GArray *uses;           /* of Use */
  GArray *refused, *left; /* of BzPlace */
  gboolean overflow;
} Finder;

static void
add_place (Finder *finder, GArray *places, guint64 offset, guint64 address, char *text,
           const char *reason)
{
  BzPlace place = { offset, address, text, g_strdup (reason) };

  if (strlen (text) > BZ_REWRITE_MAX_TEXT)
    text[BZ_REWRITE_MAX_TEXT] = '\0';
  if (places->len >= BZ_REWRITE_MAX_PLACES)
    {
      finder->overflow = TRUE;
      g_free (place.text);
      g_free (place.reason);
    }
  else
    g_array_append_val (places, place);
}

static void
add_insn_place (Finder *finder, GArray *places, const BzElfRange *range, guint64 address,
                const char *reason)
{
  guint64 offset = range->offset + (address - range->address);

  add_place (finder, places, offset, address,
             bz_decoder_text (finder->decoder, finder->image + offset,
                              range->offset + range->size - offset, address),
             reason);
}

static gboolean
is_whole_address (const guint8 *bytes, gsize left)
{
  return left >= 8 && memcmp (bytes + BZ_VSYSCALL_HALF, "\xff\xff\xff\xff", 4) == 0;
}

/* --- one use --- */

/* Bytes around a constant that look like `mov $ENTRY,%reg; call *%reg` though no instruction was
 * found there. */
static gboolean
looks_like_call (const guint8 *bytes, gsize at, gsize size)
{
  return at >= 3 && size - at >= BZ_VSYSCALL_HALF + 2 && (bytes[at - 3] & 0xfe) == 0x48
         && bytes[at - 2] == 0xc7 && (bytes[at - 1] & 0xf8) == 0xc0
         && (bytes[at + 4] == 0xff || bytes[at + 4] == 0x41);
}

static void
judge_non_instruction (Finder *finder, const BzElfRange *range, gsize at)
{
  const guint8 *bytes = finder->image + range->offset;
  char text[32];

  if (looks_like_call (bytes, at, range->size))
    add_insn_place (finder, finder->refused, range, range->address + at - 3,
                    "looks like a call, but the instructions before it don't lead there");
  else if (is_whole_address (bytes + at, range->size - at))
    {
      g_snprintf (text, sizeof text, ".quad 0xffffffffff600%x00", bytes[at + 1]);
      add_place (finder, finder->refused, range->offset + at, range->address + at, g_strdup (text),
                 "an address among the code, to be called through memory");
    }
}

static void
keep_use (Finder *finder, const BzElfRange *range, const BzShape *shape)
{
  Use use = { *shape, range };

  if (finder->uses->len >= BZ_REWRITE_MAX_PLACES / 2)
    finder->overflow = TRUE;
  else
    g_array_append_val (finder->uses, use);
}

/* at: the constant's offset in the range. */
static void
judge_constant (Finder *finder, const BzElfRange *range, gsize at)
{
  guint64 address = range->address + at;
  BzShape shape;

  if (!bz_window_decode (&finder->window, range, address))
    {
      add_insn_place (finder, finder->refused, range, address - MIN (at, 3),
                      "there is too much code to be looked through");
      return;
    }
  gint found = bz_code_find (&finder->window.code, address);
  const BzInsn *insn = found < 0 ? NULL : &g_array_index (finder->window.code.insns, BzInsn, found);
  if (insn == NULL || insn->entry < 0 || address + BZ_VSYSCALL_HALF > insn->address + insn->length)
    {
      judge_non_instruction (finder, range, at);
      return;
    }
  bz_shape_judge (&finder->window.code, (guint) found, &shape);
  if (shape.verdict == BZ_VERDICT_REWRITE)
    keep_use (finder, range, &shape);
  else
    add_insn_place (finder, shape.verdict == BZ_VERDICT_REFUSE ? finder->refused : finder->left,
                    range, insn->address, shape.reason);
}

static void
find_in_code (Finder *finder)
{
  for (guint i = 0; i < finder->map.code->len; i++)
    {
      const BzElfRange *range = &g_array_index (finder->map.code, BzElfRange, i);
      const guint8 *bytes = finder->image + range->offset;
      gsize at = bz_vsyscall_next (bytes, range->size, 0);

      for (; at < range->size && !finder->overflow;
           at = bz_vsyscall_next (bytes, range->size, at + 1))
        judge_constant (finder, range, at);
    }
}

static void
find_in_data (Finder *finder)
{
  for (guint i = 0; i < finder->map.data->len; i++)
    {
      const BzElfRange *range = &g_array_index (finder->map.data, BzElfRange, i);
      const guint8 *bytes = finder->image + range->offset;
      gsize at = bz_vsyscall_next (bytes, range->size, 0);

      for (; at < range->size && !finder->overflow;
           at = bz_vsyscall_next (bytes, range->size, at + 1))
        if ((range->address + at) % 8 == 0 && is_whole_address (bytes + at, range->size - at))
          {
            g_autofree char *text = g_strdup_printf (".quad 0xffffffffff600%x00", bytes[at + 1]);

            add_place (finder, finder->refused, range->offset + at, range->address + at,
                       g_steal_pointer (&text), "an address in data, to be called through memory");
          }
    }
}

/* --- near branches into edits, from anywhere --- */

/* The use that `target` leads into, or NULL. Uses are ordered by address and, but for refused ones,
 * disjoint. */
static Use *
use_entered (const GArray *uses, guint64 target)
{
  guint low = 0, high = uses->len;

  while (low < high)
    {
      guint middle = low + (high - low) / 2;
      Use *use = &g_array_index (uses, Use, middle);

      if (target <= use->shape.first)
        high = middle;
      else if (target >= use->shape.end)
        low = middle + 1;
      else
        return use;
    }
  return NULL;
}

static void
find_near_branches (Finder *finder, const BzElfRange *range)
{
  const guint8 *bytes = finder->image + range->offset;
  guint64 lowest = g_array_index (finder->uses, Use, 0).shape.first;
  guint64 highest = g_array_index (finder->uses, Use, finder->uses->len - 1).shape.end;

  for (gsize at = 0; at + 5 <= range->size; at++)
    {
      gboolean conditional = at > 0 && bytes[at - 1] == 0x0f && (bytes[at] & 0xf0) == 0x80;
      gint32 distance;

      if ((bytes[at] & 0xfe) != 0xe8 && !conditional)
        continue;
      memcpy (&distance, bytes + at + 1, sizeof distance);
      guint64 target = range->address + at + 5 + (guint64) (gint64) distance;
      if (target <= lowest || target >= highest)
        continue;
      Use *use = use_entered (finder->uses, target);
      if (use != NULL)
        use->shape.verdict = BZ_VERDICT_REFUSE;
    }
}

static gint
compare_uses (gconstpointer a, gconstpointer b)
{
  const Use *one = a, *other = b;

  if (one->shape.first != other->shape.first)
    return one->shape.first < other->shape.first ? -1 : 1;
  return one->range->offset < other->range->offset ? -1 : one->range->offset > other->range->offset;
}

/* Two code ranges of a damaged file may claim the same addresses. */
static void
refuse_overlaps (GArray *uses)
{
  for (guint i = 1; i < uses->len; i++)
    {
      Use *before = &g_array_index (uses, Use, i - 1), *use = &g_array_index (uses, Use, i);

      if (use->shape.first < before->shape.end)
        before->shape.verdict = use->shape.verdict = BZ_VERDICT_REFUSE;
    }
}

static void
check_entries (Finder *finder)
{
  if (finder->uses->len == 0)
    return;
  g_array_sort (finder->uses, compare_uses);
  refuse_overlaps (finder->uses);
  for (guint i = 0; i < finder->map.code->len; i++)
    find_near_branches (finder, &g_array_index (finder->map.code, BzElfRange, i));
}

/* --- the result --- */

static void
take_edits (Finder *finder, const Use *use, GArray *edits)
{
  const BzShape *shape = &use->shape;
  const BzElfRange *range = use->range;

  if (shape->verdict != BZ_VERDICT_REWRITE)
    {
      add_insn_place (finder, finder->refused, range, shape->first,
                      "a branch leads between the mov and its call");
      return;
    }
  for (guint i = 0; i < shape->n; i++)
    {
      BzEdit edit = shape->edit[i];

      edit.offset = range->offset + (edit.address - range->address);
      memcpy (edit.old_bytes, finder->image + edit.offset, edit.length);
      edit.reason = g_strdup (shape->reason);
      g_array_append_val (edits, edit);
    }
}

static gint
compare_edits (gconstpointer a, gconstpointer b)
{
  const BzEdit *one = a, *other = b;

  return one->offset < other->offset ? -1 : one->offset > other->offset;
}

static gint
compare_places (gconstpointer a, gconstpointer b)
{
  const BzPlace *one = a, *other = b;

  return one->offset < other->offset ? -1 : one->offset > other->offset;
}

static void
take_result (Finder *finder, BzRewrite *result)
{
  GArray *edits = g_array_new (FALSE, TRUE, sizeof (BzEdit));

  for (guint i = 0; i < finder->uses->len; i++)
    take_edits (finder, &g_array_index (finder->uses, Use, i), edits);
  g_array_sort (edits, compare_edits);
  g_array_sort (finder->refused, compare_places);
  g_array_sort (finder->left, compare_places);
  result->is_x86_64 = finder->map.is_x86_64;
  result->type = finder->map.type;
  result->lowest = finder->map.lowest;
  result->entry = finder->map.entry;
  result->interpreter = g_steal_pointer (&finder->map.interpreter);
  result->n = edits->len;
  result->edits = (BzEdit *) (void *) g_array_free (edits, FALSE);
  result->n_refused = finder->refused->len;
  result->refused = (BzPlace *) (void *) g_array_free (g_steal_pointer (&finder->refused), FALSE);
  result->n_left = finder->left->len;
  result->left = (BzPlace *) (void *) g_array_free (g_steal_pointer (&finder->left), FALSE);
}

static void
clear_place (gpointer data)
{
  BzPlace *place = data;

  g_free (place->text);
  g_free (place->reason);
}

static gboolean
find (Finder *finder, BzRewrite *result, GError **error)
{
  if (finder->size > BZ_REWRITE_MAX_IMAGE)
    return bz_fail (error, BZ_ERROR_INPUT, "it is larger than 512 MiB", NULL,
                    "looking for vsyscalls in an image");
  if (!bz_elf_map_read (finder->image, finder->size, &finder->map, error))
    return FALSE;
  finder->decoder = bz_decoder_new (error);
  if (finder->decoder == NULL)
    return FALSE;
  bz_window_init (&finder->window, finder->image, &finder->map, finder->decoder);
  find_in_code (finder);
  find_in_data (finder);
  check_entries (finder);
  take_result (finder, result);
  if (!finder->overflow)
    return TRUE;
  bz_rewrite_clear (result);
  return bz_fail (error, BZ_ERROR_INPUT, "it uses the vsyscall page in thousands of places", NULL,
                  "looking for vsyscalls in an image");
}

gboolean
bz_rewrite_find (const guint8 *image, gsize size, BzRewrite *result, GError **error)
{
  Finder finder = { .image = image, .size = size };

  memset (result, 0, sizeof *result);
  finder.uses = g_array_new (FALSE, FALSE, sizeof (Use));
  finder.refused = g_array_new (FALSE, FALSE, sizeof (BzPlace));
  finder.left = g_array_new (FALSE, FALSE, sizeof (BzPlace));
  g_array_set_clear_func (finder.refused, clear_place);
  g_array_set_clear_func (finder.left, clear_place);
  gboolean found = find (&finder, result, error);

  bz_elf_map_clear (&finder.map);
  g_clear_pointer (&finder.decoder, bz_decoder_free);
  bz_window_clear (&finder.window);
  g_array_unref (finder.uses);
  g_clear_pointer (&finder.refused, g_array_unref);
  g_clear_pointer (&finder.left, g_array_unref);
  return found;
}
