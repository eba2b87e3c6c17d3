/* Name vectors and values of _sysctl(2): what is found fits its buffer, and a value that was read
 * can be written again. */
#include "config.h"

#include "syscall-xlat/calls/sysctl-value.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);

static void
check_value (BzSysctlKind kind, const char *text, gsize length, gsize word, gsize room)
{
  g_autofree guint8 *value = g_malloc (room + 1);
  char back[8192];

  value[room] = 0xa5;
  gsize got = bz_sysctl_to_binary (kind, text, length, word, value, room);
  if (got > room || value[room] != 0xa5)
    abort ();
  if (got > 0 && bz_sysctl_to_text (kind, value, got, word, back, sizeof back)
      && strlen (back) >= sizeof back)
    abort ();
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  gint32 name[BZ_SYSCTL_DEPTH] = { 0 };
  gsize length = MIN (size / 4, G_N_ELEMENTS (name));

  memcpy (name, data, length * 4);
  const BzSysctlName *found = bz_sysctl_find (name, length);
  if (found != NULL && (found->name[0] != name[0] || length > G_N_ELEMENTS (found->name)))
    abort ();

  if (size < 3)
    return 0;
  BzSysctlKind kind = data[0] % (BZ_SYSCTL_DOMAINNAME + 1);
  check_value (kind, (const char *) data + 3, size - 3, data[1] % 2 ? 8 : 4, data[2]);

  char text[256];
  bz_sysctl_to_text (kind, data + 3, size - 3, data[1] % 2 ? 8 : 4, text, sizeof text);
  return 0;
}
