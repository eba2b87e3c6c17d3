#include "config.h"

#include "brand/base/error.h"

#include <errno.h>
#include <stdarg.h>

#define ERRNO_END 134

typedef BzErrorParts BzErrorPrivate;

static void
bz_error_private_init (BzErrorPrivate *parts G_GNUC_UNUSED)
{
}

static void
bz_error_private_copy (const BzErrorPrivate *from, BzErrorPrivate *to)
{
  to->what = g_strdup (from->what);
  to->why = g_strdup (from->why);
  to->hint = g_strdup (from->hint);
  to->row = g_strdup (from->row);
}

static void
bz_error_private_clear (BzErrorPrivate *parts)
{
  g_free (parts->what);
  g_free (parts->why);
  g_free (parts->hint);
  g_free (parts->row);
}

G_DEFINE_EXTENDED_ERROR (BzError, bz_error)

/* What helps with an error of that kind where its place knows nothing better. */
static const char *
hint_of_code (BzErrorCode code)
{
  switch (code)
    {
    case BZ_ERROR_USAGE:
      return "`brandzone help` tells what it takes";
    case BZ_ERROR_NO_ZONE:
      return "`brandzone list` and `brandzone brands` tell what there is";
    case BZ_ERROR_STATE:
      return "try again when that is over";
    case BZ_ERROR_LOCKED:
      return "wait until that has ended";
    case BZ_ERROR_PERMISSION:
      return "run it as root, or as the user whose files these are";
    case BZ_ERROR_HOST:
      return "`brandzone doctor` tells what the host lacks";
    case BZ_ERROR_INPUT:
      return "it is damaged, or not what was meant: look at it, or take another copy";
    case BZ_ERROR_SPACE:
      return "make room there";
    case BZ_ERROR_NOT_EXECUTABLE:
    case BZ_ERROR_NOT_FOUND:
      return "`brandzone check` tells what a program needs";
    case BZ_ERROR_INTERRUPTED:
      return "start it again";
    default:
      return "try it again with -v, and report it if it stays";
    }
}

static void
set_parts (GError **error, BzErrorCode code, char *what, const char *why, const char *hint)
{
  g_autofree char *owned = what;

  if (error == NULL)
    return;
  if (hint == NULL)
    hint = hint_of_code (code);
  *error = g_error_new (BZ_ERROR, (int) code, "%s: %s (%s)", what, why, hint);

  BzErrorPrivate *parts = bz_error_get_private (*error);
  parts->what = g_steal_pointer (&owned);
  parts->why = g_strdup (why);
  parts->hint = g_strdup (hint);
}

gboolean
bz_fail (GError **error, BzErrorCode code, const char *why, const char *hint, const char *format,
         ...)
{
  va_list args;

  va_start (args, format);
  set_parts (error, code, g_strdup_vprintf (format, args), why, hint);
  va_end (args);
  return FALSE;
}

static BzErrorCode
code_of_errno (int saved_errno)
{
  switch (saved_errno)
    {
    case EPERM:
    case EACCES:
      return BZ_ERROR_PERMISSION;
    case ENOSPC:
    case EDQUOT:
      return BZ_ERROR_SPACE;
    default:
      return BZ_ERROR_FAILED;
    }
}

/* What helps wherever it happens. Others depend on the place, whose own hint comes first. */
static const char *
hint_of_errno (int saved_errno)
{
  static const struct {
    int number;
    const char *hint;
  } hints[] = {
    { EACCES, "run it as root, or as the user whose files these are" },
    { EPERM, "run it as root; `brandzone doctor` tells what this user lacks" },
    { ENOSPC, "make room there" },
    { EDQUOT, "make room in the user's quota" },
    { EROFS, "name a place that can be written to" },
    { ENOENT, "look for a slip in its name" },
    { ENOTDIR, "look for a slip in its name" },
    { ELOOP, "look where its links lead" },
    { ENAMETOOLONG, "choose a shorter name" },
    { EBUSY, "end what uses it first" },
    { ENOMEM, "give the host memory, or end other programs" },
    { EMFILE, "raise the limit of open files: ulimit -n" },
    { ENFILE, "raise the host's limit: sysctl fs.file-max" },
    { EIO, "look for errors of the device: dmesg" },
    { ENOSYS, "see `brandzone doctor`: the kernel lacks it" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (hints); i++)
    if (hints[i].number == saved_errno)
      return hints[i].hint;
  return NULL;
}

gboolean
bz_fail_errno (GError **error, int saved_errno, const char *hint, const char *format, ...)
{
  va_list args;

  va_start (args, format);
  set_parts (error, code_of_errno (saved_errno), g_strdup_vprintf (format, args),
             g_strerror (saved_errno), hint != NULL ? hint : hint_of_errno (saved_errno));
  va_end (args);
  return FALSE;
}

/* Zero: it is none of a file, or none that has a name of its own there. */
static int
errno_of_cause (const GError *cause)
{
  if (cause->domain != G_FILE_ERROR || cause->code == G_FILE_ERROR_FAILED)
    return 0;
  for (int number = 1; number < ERRNO_END; number++)
    if ((int) g_file_error_from_errno (number) == cause->code)
      return number;
  return 0;
}

gboolean
bz_fail_file (GError **error, const GError *cause, const char *hint, const char *format, ...)
{
  int number = errno_of_cause (cause);
  va_list args;

  va_start (args, format);
  set_parts (error, code_of_errno (number), g_strdup_vprintf (format, args),
             number != 0 ? g_strerror (number) : cause->message,
             hint != NULL ? hint : hint_of_errno (number));
  va_end (args);
  return FALSE;
}

void
bz_error_set_row (GError *error, const char *row)
{
  if (error == NULL || error->domain != BZ_ERROR)
    return;

  BzErrorPrivate *parts = bz_error_get_private (error);
  g_free (parts->row);
  parts->row = g_strdup (row);
}

const BzErrorParts *
bz_error_parts (const GError *error)
{
  if (error == NULL || error->domain != BZ_ERROR)
    return NULL;
  return bz_error_get_private (error);
}

int
bz_error_exit_status (const GError *error)
{
  return error != NULL && error->domain == BZ_ERROR ? error->code : (int) BZ_ERROR_FAILED;
}
