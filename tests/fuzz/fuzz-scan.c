/* Programs, libraries, a.out images and scripts as `check` reads them: any bytes. */
#include "config.h"

#include "brand/scan.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  g_autoptr (GBytes) bytes = g_bytes_new (data, size);
  g_autoptr (GHashTable) names = g_hash_table_new (g_str_hash, g_str_equal);
  g_autofree char *text = g_strndup ((const char *) data, size);
  g_auto (BzScan) scan = { .kind = BZ_SCAN_NONE };

  g_hash_table_add (names, (gpointer) "stat");
  g_hash_table_add (names, (gpointer) "");
  bz_scan_read (bytes, names, &scan);
  bz_isa_of_cpu (text);
  return 0;
}
