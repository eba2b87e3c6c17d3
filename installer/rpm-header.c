/* One package file: headers by librpm, what they say of the payload, where signatures are.
 *
 * Facts: a package is a lead of 96 bytes, a signature header padded to 8 bytes, a header and a
 * payload. Two kinds of OpenPGP signature lie in the first: of the header alone (RPM 4), and of
 * header and payload (RPM 3, and for long beside the other). The payload is covered by the MD5 sum
 * of the signature header (of no worth against an attacker), in new packages by a digest in the
 * header. librpm would look for keys in the host's database and takes an expired key for a good one.
 * Choice: librpm reads and checks the structure and the header's own digests, with an empty keyring;
 * signatures are handed out as bytes and checked by gpgv (installer/requests.c). */
#include "config.h"

#include "installer/packages.h"

#include "brand/base/error.h"
#include "installer/rpm-read.h"

#include <errno.h>
#include <fcntl.h>
#include <rpm/rpmkeyring.h>
#include <rpm/rpmlib.h>
#include <rpm/rpmlog.h>
#include <rpm/rpmtag.h>
#include <rpm/rpmtd.h>
#include <rpm/rpmts.h>
#include <string.h>
#include <unistd.h>

#define LEAD 96
#define INTRO 16
#define INDEX_MAX 0x10000
#define DATA_MAX 0x10000000
#define BLOCK (256 * 1024)

void
bz_rpm_header_free (BzRpmHeader *header)
{
  g_free (header->name);
  for (gsize i = 0; i < G_N_ELEMENTS (header->signatures); i++)
    g_clear_pointer (&header->signatures[i], g_bytes_unref);
  g_free (header);
}

static gboolean
fail (const char *label, const char *why, GError **error)
{
  return bz_fail (error, BZ_ERROR_INPUT, why, "get it again", "package %s", label);
}

/* Our transaction set: no host database, no host keys, no signatures. */
static rpmts
quiet_set (void)
{
  static gboolean ready;
  rpmts set;

  if (!ready)
    {
      rpmlogSetMask (RPMLOG_UPTO (RPMLOG_EMERG));
      rpmReadConfigFiles (NULL, NULL);
      ready = TRUE;
    }
  set = rpmtsCreate ();
  rpmKeyring none = rpmKeyringNew ();
  rpmtsSetKeyring (set, none);
  rpmKeyringFree (none);
  rpmtsSetVSFlags (set, RPMVSF_MASK_NOSIGNATURES | RPMVSF_NEEDPAYLOAD | RPMVSF_NOMD5);
  return set;
}

Header
bz_rpm_read (int fd, const char *label, GError **error)
{
  rpmts set = quiet_set ();
  Header header = NULL;
  FD_t file = NULL;
  rpmRC result = RPMRC_FAIL;

  if (lseek (fd, 0, SEEK_SET) == 0)
    file = fdDup (fd);
  if (file != NULL)
    {
      result = rpmReadPackageFile (set, file, label, &header);
      Fclose (file);
    }
  rpmtsFree (set);
  if (header != NULL && (result == RPMRC_OK || result == RPMRC_NOTTRUSTED || result == RPMRC_NOKEY))
    return header;
  headerFree (header);
  fail (label, result == RPMRC_NOTFOUND ? "it is no RPM package" : "its headers are damaged",
        error);
  return NULL;
}

static guint32
be32 (const guint8 *at)
{
  return (guint32) at[0] << 24 | (guint32) at[1] << 16 | (guint32) at[2] << 8 | at[3];
}

/* The size of the header at `at`, or 0. */
static guint64
header_size (int fd, guint64 at)
{
  static const guint8 magic[4] = { 0x8e, 0xad, 0xe8, 0x01 };
  guint8 intro[INTRO];

  if (pread (fd, intro, sizeof intro, (off_t) at) != sizeof intro
      || memcmp (intro, magic, sizeof magic) != 0 || be32 (intro + 8) > INDEX_MAX
      || be32 (intro + 12) > DATA_MAX)
    return 0;
  return INTRO + (guint64) be32 (intro + 8) * 16 + be32 (intro + 12);
}

static gboolean
find_places (int fd, const char *label, BzRpmHeader *result, GError **error)
{
  guint64 signatures = header_size (fd, LEAD), size;

  result->header = LEAD + (signatures + 7) / 8 * 8;
  size = signatures == 0 ? 0 : header_size (fd, result->header);
  result->payload = result->header + size;
  return size != 0 || fail (label, "its headers are damaged", error);
}

static GBytes *
take_bytes (Header header, rpmTagVal first, rpmTagVal second)
{
  const rpmTagVal tags[] = { first, second };
  GBytes *bytes = NULL;

  for (gsize i = 0; bytes == NULL && i < G_N_ELEMENTS (tags); i++)
    {
      struct rpmtd_s data;

      if (headerGet (header, tags[i], &data, HEADERGET_MINMEM) == 0)
        continue;
      if (data.type == RPM_BIN_TYPE && data.count > 0)
        bytes = g_bytes_new (data.data, data.count);
      rpmtdFreeData (&data);
    }
  return bytes;
}

/* The digest of `fd` from `at` to its end. */
static char *
digest (BzJob *job, int fd, guint64 at, GChecksumType kind, GError **error)
{
  g_autoptr (GChecksum) sum = g_checksum_new (kind);
  g_autofree guint8 *block = g_malloc (BLOCK);
  gssize size;

  while ((size = pread (fd, block, BLOCK, (off_t) at)) > 0)
    {
      g_checksum_update (sum, block, size);
      at += (guint64) size;
      if (!bz_job_step (job, error))
        return NULL;
    }
  return g_strdup (g_checksum_get_string (sum));
}

static gboolean
check_payload (BzJob *job, int fd, Header header, const char *label, BzRpmHeader *result,
               GError **error)
{
  const char *told = headerGetString (header, RPMTAG_PAYLOADDIGEST);
  g_autoptr (GBytes) md5 = take_bytes (header, RPMTAG_SIGMD5, RPMTAG_SIGMD5);
  g_autofree char *found = NULL;
  g_autoptr (GString) wanted = g_string_new (NULL);

  if (told != NULL && strlen (told) == 64)
    {
      g_string_assign (wanted, told);
      found = digest (job, fd, result->payload, G_CHECKSUM_SHA256, error);
      result->digests = TRUE;
    }
  else if (md5 != NULL && g_bytes_get_size (md5) == 16)
    {
      const guint8 *bytes = g_bytes_get_data (md5, NULL);

      for (int i = 0; i < 16; i++)
        g_string_append_printf (wanted, "%02x", bytes[i]);
      found = digest (job, fd, result->header, G_CHECKSUM_MD5, error);
    }
  else
    return TRUE;
  if (found == NULL)
    return FALSE;
  return strcmp (found, wanted->str) == 0
         || fail (label, "its contents are not what its headers say", error);
}

BzRpmHeader *
bz_rpm_header_read (BzJob *job, int fd, const char *label, GError **error)
{
  g_autoptr (BzRpmHeader) result = g_new0 (BzRpmHeader, 1);
  Header header = bz_rpm_read (fd, label, error);

  if (header == NULL)
    return NULL;
  result->name = g_strdup (headerGetString (header, RPMTAG_NAME));
  struct rpmtd_s names;
  if (headerGet (header, RPMTAG_BASENAMES, &names, HEADERGET_MINMEM) != 0
      || headerGet (header, RPMTAG_OLDFILENAMES, &names, HEADERGET_MINMEM) != 0)
    {
      result->files = rpmtdCount (&names);
      rpmtdFreeData (&names);
    }
  result->bytes = headerGetNumber (header, RPMTAG_LONGSIZE);
  if (result->bytes == 0)
    result->bytes = headerGetNumber (header, RPMTAG_SIZE);
  result->signatures[0] = take_bytes (header, RPMTAG_RSAHEADER, RPMTAG_DSAHEADER);
  result->signatures[1] = take_bytes (header, RPMTAG_SIGPGP, RPMTAG_SIGGPG);
  gboolean good = find_places (fd, label, result, error)
                  && check_payload (job, fd, header, label, result, error);
  headerFree (header);
  return good ? g_steal_pointer (&result) : NULL;
}
