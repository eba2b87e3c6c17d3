#include "config.h"

#include "syscall-xlat/calls/sysctl-value.h"

#include <errno.h>
#include <linux/sysctl.h>
#include <string.h>

static const BzSysctlName names[] = {
#define BZ_SYSCTL(kind, file, writable, ...) { BZ_SYSCTL_##kind, file, writable, { __VA_ARGS__ } },
#include "syscall-xlat/calls/sysctl-names.def"
#undef BZ_SYSCTL
};

const BzSysctlName *
bz_sysctl_find (const gint32 *name, gsize length)
{
  gint32 padded[G_N_ELEMENTS (names[0].name)] = { 0 };

  if (length == 0 || length >= G_N_ELEMENTS (padded))
    return NULL;
  memcpy (padded, name, length * sizeof *name);
  for (gsize i = 0; i < length; i++)
    if (padded[i] == 0)
      return NULL;
  for (gsize i = 0; i < G_N_ELEMENTS (names); i++)
    if (memcmp (padded, names[i].name, sizeof padded) == 0)
      return &names[i];
  return NULL;
}

gboolean
bz_sysctl_is_string (BzSysctlKind kind)
{
  return kind != BZ_SYSCTL_INTS && kind != BZ_SYSCTL_WORDS && kind != BZ_SYSCTL_UUID;
}

static gboolean
is_blank (char c)
{
  return c == ' ' || c == '\t' || c == '\n';
}

/* One number, clamped to what the guest's type holds. FALSE at the end or at anything else. */
static gboolean
next_number (const char **at, BzSysctlKind kind, gsize width, gint64 *value)
{
  char *end;

  while (is_blank (**at))
    (*at)++;
  if (!g_ascii_isdigit (**at) && !(**at == '-' && g_ascii_isdigit ((*at)[1])))
    return FALSE;
  if (kind == BZ_SYSCTL_WORDS)
    {
      guint64 word = g_ascii_strtoull (*at, &end, 10);
      *value = (gint64) (width == 4 ? MIN (word, G_MAXUINT32) : word);
    }
  else
    *value = CLAMP (g_ascii_strtoll (*at, &end, 10), G_MININT32, G_MAXINT32);
  *at = end;
  return **at == '\0' || is_blank (**at);
}

static gsize
numbers_to_binary (BzSysctlKind kind, const char *text, gsize width, guint8 *value, gsize size)
{
  gsize length = 0;
  gint64 number;

  while (length + width <= size && next_number (&text, kind, width, &number))
    {
      memcpy (value + length, &number, width);
      length += width;
    }
  return length;
}

static gsize
uuid_to_binary (const char *text, guint8 value[16])
{
  gsize have = 0;

  while (have < 16)
    {
      if (*text == '-')
        text++;
      if (!g_ascii_isxdigit (text[0]) || !g_ascii_isxdigit (text[1]))
        return 0;
      value[have++] =
          (guint8) (g_ascii_xdigit_value (text[0]) << 4 | g_ascii_xdigit_value (text[1]));
      text += 2;
    }
  return have;
}

gsize
bz_sysctl_to_binary (BzSysctlKind kind, const char *text, gsize length, gsize word, void *value,
                     gsize size)
{
  char copy[4097];

  length = MIN (length, sizeof copy - 1);
  memcpy (copy, text, length);
  copy[length] = '\0';
  switch (kind)
    {
    case BZ_SYSCTL_INTS:
      return numbers_to_binary (kind, copy, 4, value, size);
    case BZ_SYSCTL_WORDS:
      return numbers_to_binary (kind, copy, word, value, size);
    case BZ_SYSCTL_UUID:
      return size < 16 ? 0 : uuid_to_binary (copy, value);
    default:
      length = MIN (strcspn (copy, "\n"), size);
      memcpy (value, copy, length);
      return length;
    }
}

static gboolean
numbers_to_text (BzSysctlKind kind, const guint8 *value, gsize length, gsize width, char *text,
                 gsize size)
{
  gsize used = 0;

  text[0] = '\0';
  if (length == 0 || length % width != 0)
    return FALSE;
  for (gsize at = 0; at < length; at += width)
    {
      gint64 number = 0;

      memcpy (&number, value + at, width);
      used += (gsize) (kind == BZ_SYSCTL_WORDS
                           ? g_snprintf (text + used, size - used, "%" G_GUINT64_FORMAT "\n",
                                         (guint64) number)
                           : g_snprintf (text + used, size - used, "%d ", (gint32) number));
      if (used >= size)
        return FALSE;
    }
  return TRUE;
}

gboolean
bz_sysctl_to_text (BzSysctlKind kind, const void *value, gsize length, gsize word, char *text,
                   gsize size)
{
  if (kind == BZ_SYSCTL_INTS)
    return numbers_to_text (kind, value, length, 4, text, size);
  if (kind == BZ_SYSCTL_WORDS)
    return numbers_to_text (kind, value, length, word, text, size);
  if (kind == BZ_SYSCTL_UUID || length >= size)
    return FALSE;
  memcpy (text, value, length);
  text[length] = '\0';
  return TRUE;
}
