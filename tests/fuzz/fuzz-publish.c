/* Ports and addresses, as they are written on a command line or in a zone file. */
#include "config.h"

#include "loader/net/address.h"
#include "loader/net/publish.h"

#include <stdint.h>
#include <stdlib.h>
#include <sys/socket.h>

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  g_autofree char *text = g_strndup ((const char *) data, size);
  g_autoptr (GPtrArray) list = g_ptr_array_new_with_free_func ((GDestroyNotify) bz_publish_free);
  BzAddress address;

  if (bz_address_parse (text, AF_UNSPEC, &address))
    {
      BzAddress network = bz_address_network (&address);
      if (!bz_address_within (&address, &network))
        abort ();
    }
  if (bz_publish_parse (text, list) != NULL)
    return 0;
  /* What was taken is written so that it is taken again. */
  guint count = list->len;
  for (guint i = 0; i < count; i++)
    {
      g_autoptr (GPtrArray) again = g_ptr_array_new_with_free_func ((GDestroyNotify) bz_publish_free);
      g_autofree char *written = bz_publish_text (g_ptr_array_index (list, i));
      if (bz_publish_parse (written, again) != NULL)
        abort ();
    }
  return 0;
}
