/* The zone's passwd and group files are the zone's to write: any bytes must do no harm. */
#include "config.h"

#include "loader/user.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  static const char *const specs[] = { NULL, "root", "a:b", "7", ":" };
  g_autofree char *text = g_strndup ((const char *) data, size);

  for (guint i = 0; i < G_N_ELEMENTS (specs); i++)
    {
      g_auto (BzUser) user = { 0 };
      bz_user_find (specs[i], text, text, &user, NULL);
    }
  return 0;
}
