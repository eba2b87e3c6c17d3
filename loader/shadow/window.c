/* The decoded code around a use.
 *
 * Choice: it begins where an instruction surely begins, at least 144 bytes before the use (a short
 * branch reaches 128), and ends as far behind it, so that all short branches to the use are seen.
 * Bounds: 16 KiB to either side at most: static programs name no functions, and a sweep that begins
 * inside an instruction falls into step within some dozen. All windows of an image together hold
 * 8 MiB, which take 2 seconds. */
#include "config.h"

#include "loader/shadow/window.h"

#define SHORT_REACH 144               /* a short branch's reach, and an edit */
#define WINDOW (16 * 1024)            /* bytes to either side */
#define ALL_WINDOWS (8 * 1024 * 1024) /* bytes decoded for one image */

void
bz_window_init (BzWindow *window, const guint8 *image, const BzElfMap *map, BzDecoder *decoder)
{
  *window = (BzWindow){ .image = image, .map = map, .decoder = decoder };
  window->code.insns = g_array_new (FALSE, FALSE, sizeof (BzInsn));
  window->code.targets = g_array_new (FALSE, FALSE, sizeof (guint64));
}

void
bz_window_clear (BzWindow *window)
{
  g_clear_pointer (&window->code.insns, g_array_unref);
  g_clear_pointer (&window->code.targets, g_array_unref);
}

static gint
compare_addresses (gconstpointer a, gconstpointer b)
{
  guint64 one = *(const guint64 *) a, other = *(const guint64 *) b;

  return one < other ? -1 : one > other;
}

/* Number of starts at or below an address. */
static guint
starts_below (const GArray *starts, guint64 address)
{
  guint low = 0, high = starts->len;

  while (low < high)
    {
      guint middle = low + (high - low) / 2;

      if (g_array_index (starts, guint64, middle) <= address)
        low = middle + 1;
      else
        high = middle;
    }
  return low;
}

static void
choose_window (const BzWindow *window, const BzElfRange *range, guint64 address, guint64 *from,
               guint64 *to)
{
  const GArray *starts = window->map->starts;
  guint64 end = range->address + range->size;
  guint64 low = address - range->address > SHORT_REACH ? address - SHORT_REACH : range->address;
  guint64 high = end - address > SHORT_REACH ? address + SHORT_REACH : end;
  guint before = starts_below (starts, low), after = starts_below (starts, high);

  *from = before > 0 ? MAX (g_array_index (starts, guint64, before - 1), range->address)
                     : range->address;
  *to = after < starts->len ? MIN (g_array_index (starts, guint64, after), end) : end;
  if (address - *from > WINDOW)
    *from = address - WINDOW;
  if (*to - address > WINDOW)
    *to = address + WINDOW;
}

/* Linear sweeps from each known start to the next: data between two functions does no harm to the
 * second. A start may be called from elsewhere, as a branch's target is. */
static void
decode_window (BzWindow *window)
{
  const GArray *starts = window->map->starts;
  const BzElfRange *range = window->range;
  guint64 at = window->from;

  g_array_set_size (window->code.insns, 0);
  g_array_set_size (window->code.targets, 0);
  while (at < window->to)
    {
      guint after = starts_below (starts, at);
      guint64 end = after < starts->len ? MIN (g_array_index (starts, guint64, after), window->to)
                                        : window->to;

      g_array_append_val (window->code.targets, at);
      bz_decoder_run (window->decoder, window->image + range->offset + (at - range->address),
                      end - at, at, window->code.insns);
      at = end;
    }
}

static void
collect_targets (BzCode *code)
{
  for (guint i = 0; i < code->insns->len; i++)
    {
      const BzInsn *insn = &g_array_index (code->insns, BzInsn, i);

      if (insn->kind == BZ_INSN_CALL || insn->kind == BZ_INSN_JUMP || insn->kind == BZ_INSN_BRANCH)
        g_array_append_val (code->targets, insn->target);
    }
  g_array_sort (code->targets, compare_addresses);
}

gboolean
bz_window_decode (BzWindow *window, const BzElfRange *range, guint64 address)
{
  guint64 from, to;

  choose_window (window, range, address, &from, &to);
  if (window->range == range && from >= window->from && to <= window->to)
    return TRUE;
  if (to - from > ALL_WINDOWS - window->decoded)
    return FALSE;
  window->decoded += to - from;
  window->range = range;
  window->from = from;
  window->to = to;
  decode_window (window);
  collect_targets (&window->code);
  return TRUE;
}
