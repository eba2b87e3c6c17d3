/* Reading qcow2 images, versions 2 and 3.
 *
 * Problem: a virtual machine's disk is often a qcow2 file. The library that is packaged for it
 * (libqcow) calls itself experimental and knows neither zstd nor version 3's flags; qemu-img as a
 * helper is another program to have and to fence in, and writes the whole disk out first.
 * Choice: this reader. The format is two levels of tables: an L1 entry leads to an L2 table, an
 * entry of that to a cluster of the file, or to a compressed run of bytes, or says "zeros".
 * All numbers are checked against the file and the disk; memory is bounded by eight L2 tables and
 * eight unpacked clusters of at most 2 MiB each. A table may lead many places to one cluster: that
 * costs what a file of that size costs, and the job's limit on bytes ends it.
 * Limits: backing files, encryption, data in another file and subclusters are refused by name;
 * snapshots inside are not looked at, the disk is taken as it is now. */
#include "config.h"

#include "installer/disk.h"

#include "brand/base/error.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#define MAGIC 0x514649fbU
#define SLOTS 8
#define L1_ENTRIES_MAX (4U << 20) /* 32 MiB, as qemu has it */
#define OFFSET_MASK G_GUINT64_CONSTANT (0x00fffffffffffe00)
#define COMPRESSED (G_GUINT64_CONSTANT (1) << 62)
#define ALL_ZEROS 1U

/* incompatible_features */
#define DIRTY (1U << 0) /* counts of references only: nothing that a reader looks at */
#define CORRUPT (1U << 1)
#define DATA_FILE (1U << 2)
#define COMPRESSION (1U << 3)
#define SUBCLUSTERS (1U << 4)

typedef struct {
  guint64 key; /* 1 + what is in it; 0: nothing */
  guint8 *data;
} Slot;

struct BzQcow2 {
  int fd;
  char *label;
  guint64 size, l1_offset;
  guint32 l1_entries;
  guint bits; /* of a cluster's size */
  gboolean zstd;
  Slot tables[SLOTS], clusters[SLOTS];
  guint8 *packed; /* a compressed run */
};

static guint32
be32 (const guint8 *at)
{
  return (guint32) at[0] << 24 | (guint32) at[1] << 16 | (guint32) at[2] << 8 | at[3];
}

static guint64
be64 (const guint8 *at)
{
  return (guint64) be32 (at) << 32 | be32 (at + 4);
}

static gsize
cluster_size (const BzQcow2 *image)
{
  return (gsize) 1 << image->bits;
}

gboolean
bz_qcow2_is (const guint8 *head, gsize size)
{
  return size >= 4 && be32 (head) == MAGIC;
}

static gboolean
fail (const BzQcow2 *image, const char *why, GError **error)
{
  return bz_fail (error, BZ_ERROR_INPUT, why, "check the image with: qemu-img check",
                  "reading the qcow2 image %s", image->label);
}

static gboolean
refuse (const BzQcow2 *image, const char *why, GError **error)
{
  return bz_fail (error, BZ_ERROR_INPUT, why,
                  "make a plain image of it: qemu-img convert -O qcow2 IMAGE NEW",
                  "the qcow2 image %s", image->label);
}

static gboolean
read_file (const BzQcow2 *image, void *data, gsize size, guint64 at, GError **error)
{
  if (bz_disk_pread (image->fd, data, size, at))
    return TRUE;
  if (errno != 0)
    return bz_fail_errno (error, errno, NULL, "reading %s", image->label);
  return fail (image, "one of its tables leads beyond the end of the file", error);
}

static gboolean
check_features (BzQcow2 *image, const guint8 *head, GError **error)
{
  guint64 incompatible = be64 (head + 72);
  guint32 length = be32 (head + 100);

  if (incompatible & CORRUPT)
    return fail (image, "it is marked as corrupt", error);
  if (incompatible & DATA_FILE)
    return refuse (image, "its data lies in another file", error);
  if (incompatible & SUBCLUSTERS)
    return refuse (image, "it has subclusters (extended_l2), which brandzone can't read", error);
  if (incompatible & ~(guint64) (DIRTY | CORRUPT | DATA_FILE | COMPRESSION | SUBCLUSTERS))
    return refuse (image, "it has a feature that brandzone does not know", error);
  if ((incompatible & COMPRESSION) == 0)
    return TRUE;
  if (length < 105 || head[104] > 1)
    return refuse (image, "it is compressed in a way that brandzone does not know", error);
  image->zstd = head[104] == 1;
  return TRUE;
}

static gboolean
parse (BzQcow2 *image, const guint8 *head, GError **error)
{
  guint32 version = be32 (head + 4), bits = be32 (head + 20);

  if (version != 2 && version != 3)
    return refuse (image, "it is of a version that brandzone does not know", error);
  if (be64 (head + 8) != 0)
    return refuse (image, "it needs a backing file: what it does not hold lies in another image",
                   error);
  if (be32 (head + 32) != 0)
    return refuse (image, "it is encrypted", error);
  if (bits < 9 || bits > 21)
    return fail (image, "its cluster size makes no sense", error);
  image->bits = bits;
  image->size = be64 (head + 24);
  image->l1_entries = be32 (head + 36);
  image->l1_offset = be64 (head + 40);
  if (version == 3 && !check_features (image, head, error))
    return FALSE;
  /* One L2 table speaks of 2^(bits-3) clusters. */
  guint64 per_table = G_GUINT64_CONSTANT (1) << (bits + bits - 3);
  if (image->size > (guint64) G_MAXINT64 - per_table || image->l1_entries > L1_ENTRIES_MAX
      || (image->size + per_table - 1) / per_table > image->l1_entries)
    return fail (image, "its first table is not as long as its size asks for", error);
  return TRUE;
}

BzQcow2 *
bz_qcow2_open (int fd, const char *label, guint64 *size, GError **error)
{
  BzQcow2 *image = g_new0 (BzQcow2, 1);
  guint8 head[112] = { 0 };

  image->fd = fd;
  image->label = g_strdup (label);
  /* A version 2 header is 72 bytes long and a table follows it, so the rest is there. */
  if (!read_file (image, head, sizeof head, 0, error) || !parse (image, head, error))
    {
      bz_qcow2_close (image);
      return NULL;
    }
  *size = image->size;
  return image;
}

void
bz_qcow2_close (BzQcow2 *image)
{
  for (guint i = 0; i < SLOTS; i++)
    {
      g_free (image->tables[i].data);
      g_free (image->clusters[i].data);
    }
  g_free (image->packed);
  g_free (image->label);
  g_free (image);
}

/* The slot for `key`, empty unless it holds that already. */
static Slot *
slot_for (BzQcow2 *image, Slot *slots, guint64 key)
{
  Slot *slot = &slots[key % SLOTS];

  if (slot->data == NULL)
    slot->data = g_malloc (cluster_size (image));
  if (slot->key != key + 1)
    slot->key = 0;
  return slot;
}

/* The L2 entry of a cluster of the disk; 0: nothing is there, which reads as zeros. */
static gboolean
find_cluster (BzQcow2 *image, guint64 cluster, guint64 *entry, GError **error)
{
  guint64 table = cluster >> (image->bits - 3);
  guint64 index = cluster & ((G_GUINT64_CONSTANT (1) << (image->bits - 3)) - 1);
  Slot *slot = slot_for (image, image->tables, table);

  if (slot->key == 0)
    {
      guint8 first[8];

      if (table >= image->l1_entries)
        return fail (image, "its first table is too short", error);
      if (!read_file (image, first, sizeof first, image->l1_offset + table * 8, error))
        return FALSE;
      guint64 at = be64 (first) & OFFSET_MASK;
      if (at == 0)
        memset (slot->data, 0, cluster_size (image));
      else if (!read_file (image, slot->data, cluster_size (image), at, error))
        return FALSE;
      slot->key = table + 1;
    }
  *entry = be64 (slot->data + index * 8);
  return TRUE;
}

static gboolean
unpack_deflate (const BzQcow2 *image, guint8 *to, gsize packed)
{
  z_stream stream = { .next_in = image->packed, .avail_in = (uInt) packed };
  gsize size = cluster_size (image);
  int result;

  if (inflateInit2 (&stream, -12) != Z_OK)
    return FALSE;
  stream.next_out = to;
  stream.avail_out = (uInt) size;
  result = inflate (&stream, Z_FINISH);
  inflateEnd (&stream);
  /* The run is told in sectors: there may be bytes behind its end. */
  return (result == Z_STREAM_END || result == Z_BUF_ERROR) && stream.avail_out == 0;
}

static gboolean
unpack_zstd (const BzQcow2 *image, guint8 *to, gsize packed)
{
  gsize size = cluster_size (image);
  ZSTD_DCtx *context = ZSTD_createDCtx ();
  ZSTD_inBuffer in = { image->packed, packed, 0 };
  ZSTD_outBuffer out = { to, size, 0 };
  size_t result = 1;

  while (context != NULL && out.pos < size)
    {
      gsize before = in.pos + out.pos;

      result = ZSTD_decompressStream (context, &out, &in);
      if (ZSTD_isError (result) || in.pos + out.pos == before)
        break;
    }
  ZSTD_freeDCtx (context);
  return !ZSTD_isError (result) && out.pos == size;
}

/* The unpacked cluster, kept for the next read of it. */
static const guint8 *
unpacked (BzQcow2 *image, guint64 entry, GError **error)
{
  guint shift = 62 - (image->bits - 8);
  guint64 at = entry & ((G_GUINT64_CONSTANT (1) << shift) - 1);
  guint64 sectors = (entry & ~(COMPRESSED | G_GUINT64_CONSTANT (1) << 63)) >> shift;
  gsize size = (gsize) ((sectors + 1) * 512 - (at & 511)), got = 0;
  Slot *slot = slot_for (image, image->clusters, at);

  if (slot->key != 0)
    return slot->data;
  if (image->packed == NULL)
    image->packed = g_malloc (2 * cluster_size (image) + 512);
  /* The last run of a file may end before its sector does. */
  while (got < size)
    {
      gssize result = pread (image->fd, image->packed + got, size - got, (off_t) (at + got));

      if (result < 0 && errno == EINTR)
        continue;
      if (result <= 0)
        break;
      got += (gsize) result;
    }
  if (!(image->zstd ? unpack_zstd (image, slot->data, got)
                    : unpack_deflate (image, slot->data, got)))
    {
      fail (image, "a compressed part of it is damaged", error);
      return NULL;
    }
  slot->key = at + 1;
  return slot->data;
}

gboolean
bz_qcow2_read (BzQcow2 *image, guint64 at, void *data, gsize size, GError **error)
{
  guint8 *to = data;
  guint64 mask = (G_GUINT64_CONSTANT (1) << image->bits) - 1;

  while (size > 0)
    {
      gsize piece = (gsize) MIN (size, mask + 1 - (at & mask));
      guint64 entry = 0, host;

      if (!find_cluster (image, at >> image->bits, &entry, error))
        return FALSE;
      host = entry & OFFSET_MASK;
      if (entry & COMPRESSED)
        {
          const guint8 *cluster = unpacked (image, entry, error);
          if (cluster == NULL)
            return FALSE;
          memcpy (to, cluster + (at & mask), piece);
        }
      else if ((entry & ALL_ZEROS) != 0 || host == 0)
        memset (to, 0, piece);
      else if (!read_file (image, to, piece, host + (at & mask), error))
        return FALSE;
      to += piece;
      at += piece;
      size -= piece;
    }
  return TRUE;
}
