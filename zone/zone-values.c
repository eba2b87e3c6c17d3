/* The values of a zone file: what each looks like. */
#include "config.h"

#include "zone/zone-keys.h"

#include "brand/file-systems.h"
#include "brand/release.h"
#include "loader/processors.h"
#include "zone/copy-way.h"
#include "zone/names.h"

#include <cap-ng.h>
#include <string.h>

#define HOSTNAME_MAX_LENGTH 64

static void
set_text (char **where, const char *value)
{
  g_free (*where);
  *where = value[0] != '\0' ? g_strdup (value) : NULL;
}

const char *
bz_take_format (gpointer field G_GNUC_UNUSED, const char *value)
{
  return g_str_equal (value, "1") ? NULL : "this brandzone reads Format=1 only";
}

const char *
bz_take_text (gpointer field, const char *value)
{
  set_text (field, value);
  return NULL;
}

static gboolean
is_hostname (const char *text)
{
  gsize length = strlen (text);

  return length <= HOSTNAME_MAX_LENGTH && text[0] != '-' && text[0] != '.'
         && strspn (text, G_CSET_a_2_z G_CSET_A_2_Z G_CSET_DIGITS "-._") == length;
}

const char *
bz_take_hostname (gpointer field, const char *value)
{
  if (!is_hostname (value))
    return "a host name has letters, digits, '-' and '.', at most 64";
  set_text (field, value);
  return NULL;
}

const char *
bz_take_brand (gpointer field, const char *value)
{
  if (value[0] != '\0' && !bz_name_valid (value))
    return "this is not a brand's name; `brandzone brands` lists them";
  set_text (field, value);
  return NULL;
}

const char *
bz_take_release (gpointer field, const char *value)
{
  BzRelease release;

  if (value[0] != '\0' && (!bz_release_parse (value, &release) || strlen (value) > 64))
    return "a release looks like 2.6.32-754.el6, at most 64 characters";
  set_text (field, value);
  return NULL;
}

const char *
bz_take_abi (gpointer field, const char *value)
{
  BzZoneAbi *abi = field;

  abi->set = bz_abi_lookup (value, &abi->value);
  return abi->set ? NULL : "the ABIs are i386 and x86_64";
}

/* Splits a list at ';', without empty ones. */
static GPtrArray *
split (const char *value)
{
  g_auto (GStrv) all = g_strsplit (value, ";", -1);
  GPtrArray *kept = g_ptr_array_new_with_free_func (g_free);

  for (char **one = all; *one != NULL; one++)
    {
      g_strstrip (*one);
      if (**one != '\0')
        g_ptr_array_add (kept, g_strdup (*one));
    }
  return kept;
}

static void
set_list (char ***where, GPtrArray *list)
{
  g_ptr_array_add (list, NULL);
  g_strfreev (*where);
  *where = (char **) g_ptr_array_free (list, FALSE);
}

const char *
bz_take_volumes (gpointer field, const char *value)
{
  g_autoptr (GPtrArray) kept = split (value);

  for (guint i = 0; i < kept->len; i++)
    {
      const char *one = g_ptr_array_index (kept, i);
      g_autofree char *source = NULL;
      g_autofree char *target = NULL;
      gboolean read_only;

      if (one[0] != '/' || !bz_volume_parse (one, &source, &target, &read_only, NULL))
        return "a volume is /SOURCE:/TARGET or /SOURCE:/TARGET:ro; ';' separates several";
    }
  set_list (field, g_steal_pointer (&kept));
  return NULL;
}

const char *
bz_take_mounts (gpointer field, const char *value)
{
  g_autoptr (GPtrArray) kept = split (value);

  for (guint i = 0; i < kept->len; i++)
    {
      const BzFileSystem *system = bz_file_system_lookup (g_ptr_array_index (kept, i));

      if (system == NULL || system->kind == BZ_FILE_SYSTEM_REFUSED)
        return "what can be mounted for a zone is ext2, ext3, ext4, minix, msdos, vfat, iso9660, udf, romfs, "
               "cramfs, squashfs, nfs and nfs4; ';' separates several";
    }
  set_list (field, g_steal_pointer (&kept));
  return NULL;
}

const char *
bz_take_network (gpointer field, const char *value)
{
  BzZoneNetwork *network = field;

  network->set = bz_network_lookup (value, &network->value);
  return network->set ? NULL : "the networks are none, host, private and macvlan";
}

gboolean
bz_fold_mode_lookup (const char *name, BzFoldMode *mode)
{
  static const char *const names[] = { "auto", "yes", "no" };

  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    if (g_str_equal (name, names[i]))
      {
        *mode = (BzFoldMode) i;
        return TRUE;
      }
  return FALSE;
}

const char *
bz_take_fold_mode (gpointer field, const char *value)
{
  return bz_fold_mode_lookup (value, field) ? NULL : "it is auto, yes or no";
}

const char *
bz_take_copy_way (gpointer field, const char *value)
{
  return bz_copy_way_lookup (value, field) ? NULL : "it is auto, overlay, btrfs, reflink or copy";
}

const char *
bz_take_host_id (gpointer field, const char *value)
{
  BzZoneHostId *id = field;
  const char *digits = g_str_has_prefix (value, "0x") ? value + 2 : value;
  guint64 number = 0;

  id->set = value[0] != '\0';
  if (id->set && !g_ascii_string_to_unsigned (digits, 16, 0, G_MAXUINT32, &number, NULL))
    return "a host id has up to eight hexadecimal digits";
  id->value = (guint32) number;
  return NULL;
}

const char *
bz_take_machine_id (gpointer field, const char *value)
{
  gsize length = strlen (value);

  if (length != 0 && (length != 32 || strspn (value, "0123456789abcdef") != length))
    return "a machine id has 32 digits of 0 to 9 and a to f";
  set_text (field, value);
  return NULL;
}

const char *
bz_take_environment (gpointer field, const char *value)
{
  g_autoptr (GPtrArray) kept = split (value);

  for (guint i = 0; i < kept->len; i++)
    {
      const char *one = g_ptr_array_index (kept, i);
      gsize length = strspn (one, G_CSET_a_2_z G_CSET_A_2_Z G_CSET_DIGITS "_");

      if (length == 0 || one[length] != '=' || g_ascii_isdigit (one[0]))
        return "a variable is NAME=VALUE; ';' separates several";
    }
  set_list (field, g_steal_pointer (&kept));
  return NULL;
}

/* The group bit and the all-zero address are nothing that an interface can have. */
const char *
bz_take_mac (gpointer field, const char *value)
{
  gboolean good = strlen (value) == 17;

  for (guint i = 0; good && i < 17; i++)
    good = i % 3 == 2 ? value[i] == ':' : g_ascii_isxdigit (value[i]);
  if (value[0] != '\0'
      && (!good || g_ascii_xdigit_value (value[1]) % 2 != 0
          || strspn (value, "0:") == strlen (value)))
    return "an address looks like 02:00:5e:10:20:30; its first byte is even";
  set_text (field, value);
  return NULL;
}

static gboolean
is_clean_path (const char *value)
{
  g_auto (GStrv) parts = g_strsplit (value, "/", -1);

  return value[0] == '/' && !g_strv_contains ((const char *const *) parts, "..");
}

const char *
bz_take_source (gpointer field, const char *value)
{
  if (!is_clean_path (value))
    return "it is no absolute path without ..";
  set_text (field, value);
  return NULL;
}

const char *
bz_take_target (gpointer field, const char *value)
{
  if (!is_clean_path (value) || strspn (value, "/") == strlen (value))
    return "it is no absolute path below / without ..";
  set_text (field, value);
  return NULL;
}

const char *
bz_take_device_target (gpointer field, const char *value)
{
  if (value[0] != '\0' && !bz_device_target_valid (value))
    return "a device's path in the zone is below /dev";
  set_text (field, value);
  return NULL;
}

const char *
bz_take_bool (gpointer field, const char *value)
{
  gboolean yes = g_str_equal (value, "yes") || g_str_equal (value, "true");

  *(gboolean *) field = yes;
  return yes || g_str_equal (value, "no") || g_str_equal (value, "false") ? NULL
                                                                          : "it is yes or no";
}

/* An empty value is 0: the default. */
static gboolean
take_number (const char *value, guint base, guint64 max, guint64 *number)
{
  *number = 0;
  return value[0] == '\0' || g_ascii_string_to_unsigned (value, base, 0, max, number, NULL);
}

const char *
bz_take_mode (gpointer field, const char *value)
{
  guint64 number;

  if (!take_number (value, 8, 0777, &number))
    return "permissions are octal, such as 0660";
  *(guint32 *) field = (guint32) number;
  return NULL;
}

const char *
bz_take_id (gpointer field, const char *value)
{
  guint64 number;

  if (!take_number (value, 10, G_MAXUINT32 - 1, &number))
    return "it is a number: names are the zone's own affair";
  *(guint32 *) field = (guint32) number;
  return NULL;
}

const char *
bz_take_bytes (gpointer field, const char *value)
{
  static const char suffixes[] = "kmgt";
  static const char why[] = "a size looks like 512M or 2G, at least 1M";
  g_autofree char *digits = g_ascii_strdown (value, -1);
  gsize length = strlen (digits);
  guint shift = 0;
  guint64 number;

  if (length > 1 && digits[length - 1] == 'b')
    digits[--length] = '\0';
  if (length > 1 && strchr (suffixes, digits[length - 1]) != NULL)
    {
      shift = 10 * (guint) (strchr (suffixes, digits[length - 1]) - suffixes + 1);
      digits[length - 1] = '\0';
    }
  if (!take_number (digits, 10, G_MAXINT64 >> shift, &number))
    return why;
  number <<= shift;
  /* Less does not even start a shell. */
  if (number != 0 && number < 1024 * 1024)
    return why;
  *(guint64 *) field = number;
  return NULL;
}

const char *
bz_take_cpus (gpointer field, const char *value)
{
  char *end = NULL;
  double number = value[0] != '\0' ? g_ascii_strtod (value, &end) : 0;

  if (value[0] != '\0' && (*end != '\0' || !(number >= 0.01 && number <= 8192)))
    return "a number of processors looks like 2 or 0.5, at least 0.01";
  *(guint32 *) field = (guint32) (number * 100 + 0.5);
  return NULL;
}

const char *
bz_take_processors (gpointer field, const char *value)
{
  char **list = field;
  const char *why = value[0] != '\0' ? bz_processors_check (value) : NULL;

  if (why != NULL)
    return why;
  g_free (*list);
  *list = value[0] != '\0' ? g_strdup (value) : NULL;
  return NULL;
}

const char *
bz_take_count (gpointer field, const char *value)
{
  if (!take_number (value, 10, 4194304, field))
    return "it is a number from 1 to 4194304";
  return NULL;
}

const char *
bz_take_descriptors (gpointer field, const char *value)
{
  g_auto (GStrv) parts = g_strsplit (value, ":", 2);
  BzLimit *limit = field;
  guint64 soft, hard;

  limit->set = value[0] != '\0';
  if (!limit->set)
    return NULL;
  if (!take_number (parts[0], 10, 1 << 30, &soft) || soft == 0
      || !take_number (parts[1] != NULL ? parts[1] : parts[0], 10, 1 << 30, &hard) || hard < soft)
    return "it is a number, or SOFT:HARD with HARD not below SOFT";
  limit->soft = soft;
  limit->hard = hard;
  return NULL;
}

const char *
bz_take_capabilities (gpointer field, const char *value)
{
  g_autoptr (GPtrArray) names = split (value);
  guint64 set = 0;

  for (guint i = 0; i < names->len; i++)
    {
      g_autofree char *name = g_ascii_strdown (g_ptr_array_index (names, i), -1);
      int number = capng_name_to_capability (
          g_str_has_prefix (name, "cap_") ? name + strlen ("cap_") : name);

      if (number < 0 || number > 63)
        return "capabilities(7) lists them: CAP_NET_RAW;CAP_MKNOD";
      set |= (guint64) 1 << number;
    }
  *(guint64 *) field = set;
  return NULL;
}
