/* A zone file's bytes are the user's: whatever they are, an answer and no harm. */
#include "config.h"

#include "zone/names.h"
#include "zone/zone-file.h"

int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autoptr (BzZoneFile) file = bz_zone_file_new ();
  g_autoptr (GError) error = NULL;
  g_autofree char *text = g_strndup ((const char *) data, size);
  g_autofree char *safe = bz_text_safe (text);

  g_assert_true (g_utf8_validate (safe, -1, NULL));
  /* Twice, as with a drop-in. */
  if (bz_zone_file_parse (file, (const char *) data, size, "fuzz.zone", &error))
    g_assert_true (bz_zone_file_parse (file, (const char *) data, size, "fuzz.zone", NULL));
  else
    g_assert_nonnull (error);
  return 0;
}
