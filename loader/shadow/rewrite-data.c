#include "config.h"

#include "loader/shadow/rewrite.h"

#include "brand/base/error.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

static gboolean
is_half (const guint8 *at)
{
  return at[2] == 0x60 && at[3] == 0xff && at[0] == 0 && (at[1] == 0 || at[1] == 4 || at[1] == 8);
}

/* memmem is ten times faster than a loop where hits are rare, and ten times slower where somebody
 * made them dense: behind a wrong hit a stretch is walked. */
gsize
bz_vsyscall_next (const guint8 *bytes, gsize size, gsize from)
{
  while (size >= BZ_VSYSCALL_HALF && from <= size - BZ_VSYSCALL_HALF)
    {
      const guint8 *found = memmem (bytes + from + 2, size - from - 2, "\x60\xff", 2);

      if (found == NULL)
        break;
      from = (gsize) (found - bytes) - 2;
      for (gsize end = from + 256; from < end && from <= size - BZ_VSYSCALL_HALF; from++)
        if (is_half (bytes + from))
          return from;
    }
  return size;
}

static void
clear_places (BzPlace *places, guint n)
{
  for (guint i = 0; i < n; i++)
    {
      g_free (places[i].text);
      g_free (places[i].reason);
    }
  g_free (places);
}

void
bz_rewrite_clear (BzRewrite *rewrite)
{
  for (guint i = 0; i < rewrite->n; i++)
    g_free (rewrite->edits[i].reason);
  g_free (rewrite->edits);
  clear_places (rewrite->refused, rewrite->n_refused);
  clear_places (rewrite->left, rewrite->n_left);
  g_free (rewrite->interpreter);
  memset (rewrite, 0, sizeof *rewrite);
}

static GVariant *
bytes_variant (const guint8 *data, gsize length)
{
  return g_variant_new_fixed_array (G_VARIANT_TYPE_BYTE, data, length, 1);
}

static GVariant *
places_variant (const BzPlace *places, guint n)
{
  GVariantBuilder builder;

  g_variant_builder_init (&builder, G_VARIANT_TYPE ("a(ttss)"));
  for (guint i = 0; i < n; i++)
    g_variant_builder_add (&builder, "(ttss)", places[i].offset, places[i].address, places[i].text,
                           places[i].reason);
  return g_variant_builder_end (&builder);
}

GVariant *
bz_rewrite_to_variant (const BzRewrite *rewrite)
{
  const char *interpreter = rewrite->interpreter != NULL ? rewrite->interpreter : "";
  GVariantBuilder edits;

  g_variant_builder_init (&edits, G_VARIANT_TYPE ("a(ttayays)"));
  for (guint i = 0; i < rewrite->n; i++)
    {
      const BzEdit *edit = &rewrite->edits[i];

      g_variant_builder_add (&edits, "(tt@ay@ays)", edit->offset, edit->address,
                             bytes_variant (edit->old_bytes, edit->length),
                             bytes_variant (edit->new_bytes, edit->length), edit->reason);
    }
  return g_variant_new ("(ubutt@ay@a(ttayays)@a(ttss)@a(ttss))", (guint32) BZ_REWRITE_VERSION,
                        rewrite->is_x86_64, rewrite->type, rewrite->lowest, rewrite->entry,
                        bytes_variant ((const guint8 *) interpreter, strlen (interpreter)),
                        g_variant_builder_end (&edits),
                        places_variant (rewrite->refused, rewrite->n_refused),
                        places_variant (rewrite->left, rewrite->n_left));
}

/* Texts end on terminals: printable ASCII only. */
static gboolean
is_plain_text (const char *text)
{
  gsize length = 0;

  for (; text[length] != '\0'; length++)
    if (length >= BZ_REWRITE_MAX_TEXT || !g_ascii_isprint (text[length]))
      return FALSE;
  return length > 0;
}

static gboolean
take_bytes (GVariant *variant, guint8 *into, gsize *length)
{
  gconstpointer data = g_variant_get_fixed_array (variant, length, 1);

  if (*length == 0 || *length > BZ_REWRITE_MAX_EDIT)
    return FALSE;
  memcpy (into, data, *length);
  return TRUE;
}

static gboolean
take_edit (GVariant *child, guint64 image_size, guint64 *end, BzEdit *edit)
{
  g_autoptr (GVariant) old_bytes = NULL;
  g_autoptr (GVariant) new_bytes = NULL;
  gsize old_length, new_length;

  g_variant_get (child, "(tt@ay@ays)", &edit->offset, &edit->address, &old_bytes, &new_bytes,
                 &edit->reason);
  if (!take_bytes (old_bytes, edit->old_bytes, &old_length)
      || !take_bytes (new_bytes, edit->new_bytes, &new_length) || old_length != new_length)
    return FALSE;
  edit->length = (guint8) old_length;
  if (edit->offset < *end || edit->offset > image_size || edit->length > image_size - edit->offset
      || edit->address > G_MAXUINT64 - edit->length || !is_plain_text (edit->reason))
    return FALSE;
  *end = edit->offset + edit->length;
  return TRUE;
}

static gboolean
take_edits (GVariant *array, guint64 image_size, BzRewrite *rewrite)
{
  gsize count = g_variant_n_children (array);
  guint64 end = 0;

  if (count > BZ_REWRITE_MAX_PLACES)
    return FALSE;
  rewrite->edits = g_new0 (BzEdit, MAX (count, 1));
  for (gsize i = 0; i < count; i++)
    {
      g_autoptr (GVariant) child = g_variant_get_child_value (array, i);

      rewrite->n++; /* counted first, so that its reason is freed */
      if (!take_edit (child, image_size, &end, &rewrite->edits[i]))
        return FALSE;
    }
  return TRUE;
}

static gboolean
take_places (GVariant *array, guint64 image_size, BzPlace **places, guint *n)
{
  gsize count = g_variant_n_children (array);

  if (count > BZ_REWRITE_MAX_PLACES)
    return FALSE;
  *places = g_new0 (BzPlace, MAX (count, 1));
  for (gsize i = 0; i < count; i++)
    {
      BzPlace *place = &(*places)[(*n)++];

      g_variant_get_child (array, i, "(ttss)", &place->offset, &place->address, &place->text,
                           &place->reason);
      if (place->offset >= image_size || !is_plain_text (place->text)
          || !is_plain_text (place->reason))
        return FALSE;
    }
  return TRUE;
}

static gboolean
take_interpreter (GVariant *variant, BzRewrite *rewrite)
{
  gsize length;
  gconstpointer data = g_variant_get_fixed_array (variant, &length, 1);

  if (length > BZ_REWRITE_MAX_INTERPRETER || (length > 0 && memchr (data, 0, length) != NULL))
    return FALSE;
  if (length > 0)
    rewrite->interpreter = g_strndup (data, length);
  return TRUE;
}

static gboolean
take_all (GVariant *variant, guint64 image_size, BzRewrite *rewrite)
{
  g_autoptr (GVariant) interpreter = NULL;
  g_autoptr (GVariant) edits = NULL;
  g_autoptr (GVariant) refused = NULL;
  g_autoptr (GVariant) left = NULL;
  guint32 version, type;

  if (!g_variant_is_normal_form (variant))
    return FALSE;
  g_variant_get (variant, "(ubutt@ay@a(ttayays)@a(ttss)@a(ttss))", &version, &rewrite->is_x86_64,
                 &type, &rewrite->lowest, &rewrite->entry, &interpreter, &edits, &refused, &left);
  rewrite->type = type;
  return version == BZ_REWRITE_VERSION && take_interpreter (interpreter, rewrite)
         && take_edits (edits, image_size, rewrite)
         && take_places (refused, image_size, &rewrite->refused, &rewrite->n_refused)
         && take_places (left, image_size, &rewrite->left, &rewrite->n_left);
}

gboolean
bz_rewrite_from_bytes (GBytes *bytes, guint64 image_size, BzRewrite *rewrite, GError **error)
{
  g_autoptr (GVariant) variant = g_variant_ref_sink (
      g_variant_new_from_bytes (G_VARIANT_TYPE (BZ_REWRITE_VARIANT), bytes, FALSE));

  memset (rewrite, 0, sizeof *rewrite);
  if (take_all (variant, image_size, rewrite))
    return TRUE;
  bz_rewrite_clear (rewrite);
  return bz_fail (error, BZ_ERROR_INPUT, "it is malformed or contradicts itself", NULL,
                  "reading the list of edits of an image");
}

gboolean
bz_rewrite_matches (const BzRewrite *rewrite, int fd, GError **error)
{
  for (guint i = 0; i < rewrite->n; i++)
    {
      const BzEdit *edit = &rewrite->edits[i];
      guint8 bytes[BZ_REWRITE_MAX_EDIT];
      gssize got = pread (fd, bytes, edit->length, (off_t) edit->offset);

      if (got < 0)
        return bz_fail_errno (error, errno, NULL, "reading an image");
      if (got != edit->length || memcmp (bytes, edit->old_bytes, edit->length) != 0)
        return bz_fail (error, BZ_ERROR_INPUT, "its bytes are not those that the edit replaces",
                        NULL, "checking the edit at file offset 0x%" G_GINT64_MODIFIER "x",
                        edit->offset);
    }
  return TRUE;
}
