/* Images are written by a zone's users: any bytes must do no harm, and no edit may lie outside them, overlap another, or
 * differ from what was there. */
#include "config.h"

#include "loader/shadow/rewrite.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

static void
check (const uint8_t *data, size_t size, const BzRewrite *rewrite)
{
  guint64 end = 0;

  for (guint i = 0; i < rewrite->n; i++)
    {
      const BzEdit *edit = &rewrite->edits[i];

      if (edit->offset < end || edit->length == 0 || edit->offset > size || edit->length > size - edit->offset
          || memcmp (data + edit->offset, edit->old_bytes, edit->length) != 0)
        abort ();
      end = edit->offset + edit->length;
    }
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  g_auto (BzRewrite) rewrite = { 0 };
  g_auto (BzRewrite) again = { 0 };
  g_autoptr (GBytes) noise = g_bytes_new_static (data, size);

  if (bz_rewrite_from_bytes (noise, size, &again, NULL))
    bz_rewrite_clear (&again);
  if (!bz_rewrite_find (data, size, &rewrite, NULL))
    return 0;
  check (data, size, &rewrite);
  g_autoptr (GVariant) variant = g_variant_ref_sink (bz_rewrite_to_variant (&rewrite));
  g_autoptr (GBytes) bytes = g_variant_get_data_as_bytes (variant);
  if (!bz_rewrite_from_bytes (bytes, size, &again, NULL))
    abort ();
  return 0;
}
