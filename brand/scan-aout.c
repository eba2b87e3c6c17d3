/* Problem: the magic numbers of a.out are two bytes, and plenty of data files begin with
 * those.
 *
 * Facts: the header is eight words: magic with machine and flags, sizes of text, data, bss,
 * symbols, entry, sizes of the two tables of relocations. OMAGIC text is linked at 0 and begins
 * behind the header, ZMAGIC text at 0 and at 1024 in the file, QMAGIC text with its header at 4096.
 * Shared libraries of libc4 are linked at 0x60000000 and above; objects are OMAGIC with
 * relocations.
 *
 * Choice: a header counts when its sizes fit the file and the entry lies in the text. */
#include "config.h"

#include "brand/scan.h"

#include <string.h>

#define HEADER 32
#define LIBRARIES 0x60000000
#define PAGE 4096

static const struct {
  guint number;
  const char *name;
} magics[BZ_AOUT_COUNT] = {
  [BZ_AOUT_OMAGIC] = { 0407, "OMAGIC" },
  [BZ_AOUT_NMAGIC] = { 0410, "NMAGIC" },
  [BZ_AOUT_ZMAGIC] = { 0413, "ZMAGIC" },
  [BZ_AOUT_QMAGIC] = { 0314, "QMAGIC" },
};

const char *
bz_aout_name (BzAoutMagic magic)
{
  return (guint) magic < BZ_AOUT_COUNT ? magics[magic].name : NULL;
}

static guint32
word (const guint8 *image, guint index)
{
  guint32 value;

  memcpy (&value, image + 4 * (gsize) index, sizeof value);
  return GUINT32_FROM_LE (value);
}

static gboolean
find_magic (guint number, BzAoutMagic *magic)
{
  for (guint i = 0; i < BZ_AOUT_COUNT; i++)
    if (magics[i].number == number)
      {
        *magic = (BzAoutMagic) i;
        return TRUE;
      }
  return FALSE;
}

/* Programs of libc4 name their linker, those before it the library itself. */
static gboolean
wants_library (const guint8 *image, gsize size)
{
  static const char *const names[] = { "/lib/ld.so", "/lib/libc.so.", "/lib/libc.so" };

  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    if (memmem (image, size, names[i], strlen (names[i])) != NULL)
      return TRUE;
  return FALSE;
}

gboolean
bz_aout_magic (const guint8 *image, gsize size, BzAoutMagic *magic)
{
  return size >= HEADER && find_magic (word (image, 0) & 0xffff, magic);
}

gboolean
bz_scan_aout (const guint8 *image, gsize size, BzScan *scan)
{
  BzAoutMagic magic;

  if (!bz_aout_magic (image, size, &magic) || (image[2] != 0 && image[2] != 100))
    return FALSE;

  guint64 text = word (image, 1), data = word (image, 2), entry = word (image, 5);
  guint64 start = magic == BZ_AOUT_QMAGIC ? PAGE : 0;
  gboolean relocations = word (image, 6) != 0 || word (image, 7) != 0;

  if (text == 0 || text + data > size || relocations || entry >= LIBRARIES || entry < start
      || entry >= start + text)
    return FALSE;
  scan->kind = BZ_SCAN_AOUT;
  scan->program = TRUE;
  scan->magic = magic;
  scan->address = (guint32) start;
  scan->uselib = wants_library (image, size);
  return TRUE;
}
