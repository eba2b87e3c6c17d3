/* Images are written by a zone's users: any bytes must do no harm, and no edit may lie outside
 * them, overlap another, or differ from what was there. The first byte chooses: the rest is an
 * image, or the code (and data) of a well-formed one. */
#include "config.h"

#include "loader/shadow/rewrite.h"
#include "loader/shadow/vdso.h"
#include "tests/unit/made-up-elf.h"

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

      if (edit->offset < end || edit->length == 0 || edit->offset > size
          || edit->length > size - edit->offset
          || memcmp (data + edit->offset, edit->old_bytes, edit->length) != 0)
        abort ();
      end = edit->offset + edit->length;
    }
}

static void
try_image (const uint8_t *data, size_t size)
{
  static const BzVdso vdso = { .offset = { 0x800, 0x900, 0xa00 } };
  g_auto (BzRewrite) rewrite = { 0 };
  g_auto (BzRewrite) again = { 0 };
  g_autoptr (GBytes) noise = g_bytes_new_static (data, size);

  if (bz_rewrite_from_bytes (noise, size, &again, NULL))
    bz_rewrite_clear (&again);
  if (!bz_rewrite_find (data, size, &rewrite, NULL))
    return;
  check (data, size, &rewrite);
  bz_rewrite_use_vdso (data, size, &vdso, &rewrite);
  check (data, size, &rewrite);
  g_autoptr (GVariant) variant = g_variant_ref_sink (bz_rewrite_to_variant (&rewrite));
  g_autoptr (GBytes) bytes = g_variant_get_data_as_bytes (variant);
  if (!bz_rewrite_from_bytes (bytes, size, &again, NULL))
    abort ();
}

static void
try_code (const uint8_t *code, size_t size, guint8 choice)
{
  MadeUpElf spec = {
    .text = code, .text_size = size, .bare = (choice & 2) != 0, .interpreter = "/lib/ld.so"
  };

  if ((choice & 4) && size > 16)
    {
      spec.text_size = size - 16;
      spec.data = code + size - 16;
      spec.data_size = 16;
    }
  if (choice & 8)
    spec.function[0] = MADE_UP_TEXT + (choice >> 4);
  g_autoptr (GByteArray) image = made_up_elf (&spec);
  try_image (image->data, image->len);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  if (size == 0)
    return 0;
  if (data[0] & 1)
    try_code (data + 1, size - 1, data[0]);
  else
    try_image (data + 1, size - 1);
  return 0;
}
