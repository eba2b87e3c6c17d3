#include "config.h"

#include "loader/hand-over.h"

#include "brand/base/error.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define SIZE_MAX_BYTES (1024 * 1024)

void
bz_hand_over_init (BzHandOver *left)
{
  g_variant_dict_init (&left->values, NULL);
  left->fds = g_array_new (FALSE, FALSE, sizeof (int));
}

void
bz_hand_over_clear (BzHandOver *left)
{
  g_variant_dict_clear (&left->values);
  g_clear_pointer (&left->fds, g_array_unref);
}

void
bz_hand_over_fd (BzHandOver *left, const char *key, int fd)
{
  g_variant_dict_insert (&left->values, key, "i", (gint32) fd);
  if (fd >= 0)
    g_array_append_val (left->fds, fd);
}

void
bz_hand_over_fds (BzHandOver *left, const char *key, const int *fds, guint count)
{
  GVariantBuilder builder;

  g_variant_builder_init (&builder, G_VARIANT_TYPE ("ai"));
  for (guint i = 0; i < count; i++)
    {
      g_variant_builder_add (&builder, "i", (gint32) fds[i]);
      if (fds[i] >= 0)
        g_array_append_val (left->fds, fds[i]);
    }
  g_variant_dict_insert_value (&left->values, key, g_variant_builder_end (&builder));
}

void
bz_hand_over_text (BzHandOver *left, const char *key, const char *text)
{
  if (text != NULL)
    g_variant_dict_insert_value (&left->values, key, g_variant_new_bytestring (text));
}

int
bz_hand_over_write (BzHandOver *left, GError **error)
{
  g_autoptr (GVariant) all = g_variant_ref_sink (g_variant_dict_end (&left->values));
  gsize size = g_variant_get_size (all);
  int fd = memfd_create ("brandzone-hand-over", MFD_CLOEXEC);

  g_variant_dict_init (&left->values, NULL);
  if (fd < 0 || write (fd, g_variant_get_data (all), size) != (ssize_t) size)
    {
      bz_fail_errno (error, errno, NULL, "cannot write down the zone's state");
      if (fd >= 0)
        close (fd);
      return -1;
    }
  g_array_append_val (left->fds, fd);
  return fd;
}

void
bz_hand_over_open (const BzHandOver *left, gboolean passes)
{
  for (guint i = 0; i < left->fds->len; i++)
    fcntl (g_array_index (left->fds, int, i), F_SETFD, passes ? 0 : FD_CLOEXEC);
}

GVariantDict *
bz_hand_over_read (int fd, GError **error)
{
  struct stat st;
  g_autofree char *data = NULL;

  if (fstat (fd, &st) != 0 || st.st_size <= 0 || st.st_size > SIZE_MAX_BYTES
      || pread (fd, data = g_malloc ((gsize) st.st_size), (gsize) st.st_size, 0) != st.st_size)
    {
      bz_fail (error, BZ_ERROR_INPUT, "it has no sensible size", NULL,
               "cannot read the zone's state");
      return NULL;
    }
  g_autoptr (GBytes) bytes = g_bytes_new_take (g_steal_pointer (&data), (gsize) st.st_size);
  g_autoptr (GVariant) all =
      g_variant_ref_sink (g_variant_new_from_bytes (G_VARIANT_TYPE_VARDICT, bytes, FALSE));
  return g_variant_dict_new (all);
}

static int
take (gint32 fd, gboolean *bad)
{
  if (fd >= 0 && fcntl (fd, F_SETFD, FD_CLOEXEC) != 0)
    *bad = TRUE;
  return fd;
}

int
bz_hand_over_take_fd (GVariantDict *values, const char *key, gboolean *bad)
{
  gint32 fd = -1;

  g_variant_dict_lookup (values, key, "i", &fd);
  return take (fd, bad);
}

guint
bz_hand_over_take_fds (GVariantDict *values, const char *key, int *fds, guint count, gboolean *bad)
{
  g_autoptr (GVariant) list = g_variant_dict_lookup_value (values, key, G_VARIANT_TYPE ("ai"));
  gsize there = list != NULL ? g_variant_n_children (list) : 0;

  for (guint i = 0; i < count; i++)
    {
      gint32 fd = -1;
      if (i < there)
        g_variant_get_child (list, i, "i", &fd);
      fds[i] = take (fd, bad);
    }
  if (there > count)
    *bad = TRUE;
  return (guint) MIN (there, count);
}
