/* _sysctl(2) (catalogue rows S1 and E33): a name vector stands for a file below /proc/sys.
 *
 * glibc 2.1 to 2.5 (LinuxThreads, the dynamic linker) ask KERN_VERSION for "SMP" at the start of
 * programs; libevent, Tor and others took random bytes from KERN_RANDOM, RANDOM_UUID. What the plan
 * knows (type, release, version) and what uname knows is answered at once. The rest is read from
 * the task's own view of /proc/sys, by a process with its credentials (task-file.c), so that the
 * zone's masks over these files hold, and a task sees no more than by cat.
 *
 * Errors and lengths as in 2.4 and 2.6's kernel/sysctl.c: ENOTDIR for a name of no value and a bad
 * number of names; EFAULT for a bad pointer, and for an old value without a length; EPERM for what
 * may not be read or written. A short buffer takes the beginning, without an error; *oldlenp gets
 * what was copied, for a string without its NUL. One difference is meant: old kernels wrote a
 * string's NUL even behind the end of a full buffer; here the string is cut off by one more,
 * as 2.6.24 does. Limit: the names of the node and its domain can't be set in this way (EPERM);
 * sethostname(2) can. */
#include "config.h"

#include "syscall-xlat/calls/guest.h"
#include "syscall-xlat/calls/handlers.h"
#include "syscall-xlat/calls/sysctl-value.h"
#include "syscall-xlat/remote.h"

#include <errno.h>
#include <string.h>
#include <sys/utsname.h>

#define VALUE_SIZE 1024

typedef struct {
  guint64 name, oldval, oldlenp, newval, newlen;
  gint32 nlen;
} Arguments;

static int
read_arguments (BzCall *call, Arguments *arguments)
{
  BzGuestSysctl32 narrow;
  BzGuestSysctl64 wide;
  int failed;

  if (call->abi == BZ_ABI_I386)
    {
      failed = bz_call_read (call, call->args[0], &narrow, sizeof narrow);
      if (failed == 0)
        *arguments = (Arguments){ narrow.name,   narrow.oldval, narrow.oldlenp,
                                  narrow.newval, narrow.newlen, narrow.nlen };
    }
  else
    {
      failed = bz_call_read (call, call->args[0], &wide, sizeof wide);
      if (failed == 0)
        *arguments = (Arguments){ wide.name,   wide.oldval, wide.oldlenp,
                                  wide.newval, wide.newlen, wide.nlen };
    }
  return failed;
}

static int
read_name (BzCall *call, const Arguments *arguments, const BzSysctlName **found)
{
  gint32 name[BZ_SYSCTL_DEPTH];

  if (arguments->nlen <= 0 || arguments->nlen >= BZ_SYSCTL_DEPTH)
    return ENOTDIR;
  int failed = bz_call_read (call, arguments->name, name, (gsize) arguments->nlen * sizeof name[0]);
  if (failed != 0)
    return failed;
  *found = bz_sysctl_find (name, (gsize) arguments->nlen);
  return *found == NULL ? ENOTDIR : 0;
}

static int
own_value (BzCall *call, BzSysctlKind kind, char text[65])
{
  const BzPlan *plan = call->plan;
  gboolean brand = plan->quirk[BZ_QUIRK_RELEASE] != 0;
  struct utsname host;
  BzUtsNames names;

  if (kind == BZ_SYSCTL_NODENAME || kind == BZ_SYSCTL_DOMAINNAME)
    {
      int failed = bz_call_uts_names (call, &names);
      if (failed == 0)
        g_strlcpy (text, kind == BZ_SYSCTL_NODENAME ? names.nodename : names.domainname, 65);
      return failed;
    }
  if (uname (&host) != 0)
    return errno;
  if (kind == BZ_SYSCTL_OSTYPE)
    g_strlcpy (text, host.sysname, 65);
  else if (kind == BZ_SYSCTL_RELEASE)
    g_strlcpy (text, brand ? plan->release : host.release, 65);
  else
    g_strlcpy (text, brand && plan->version != NULL ? plan->version : host.version, 65);
  return 0;
}

/* How _sysctl(2) would have said what the file said. */
static int
translate_errno (int failed)
{
  switch (failed)
    {
    case EACCES:
    case EROFS:
      return EPERM;
    case ENOENT:
    case ELOOP:
      return ENOTDIR;
    case ETIMEDOUT:
      return EIO;
    default:
      return failed;
    }
}

static int
get_value (BzCall *call, const BzSysctlName *name, guint8 *value, gsize size, gsize *length)
{
  char text[4096], path[128];
  gsize read_length;
  int failed;

  if (name->kind >= BZ_SYSCTL_OSTYPE)
    {
      failed = own_value (call, name->kind, text);
      read_length = failed == 0 ? strlen (text) : 0;
    }
  else
    {
      g_snprintf (path, sizeof path, "proc/sys/%s", name->file);
      failed = translate_errno (bz_call_file_read (call, path, text, sizeof text, &read_length));
    }
  if (failed != 0)
    return failed;
  *length = bz_sysctl_to_binary (name->kind, text, read_length, bz_call_word (call), value, size);
  return *length == 0 && !bz_sysctl_is_string (name->kind) ? ENOTDIR : 0;
}

static int
give_old (BzCall *call, const Arguments *arguments, const BzSysctlName *name)
{
  guint8 value[VALUE_SIZE];
  guint64 room;
  gsize length;
  int failed = bz_call_read_word (call, arguments->oldlenp, &room);

  if (failed != 0 || room == 0)
    return failed;
  failed = get_value (call, name, value, sizeof value - 1, &length);
  if (failed != 0)
    return failed;

  gsize copied;
  if (bz_sysctl_is_string (name->kind))
    {
      length = MIN (length, room - 1);
      value[length] = '\0';
      copied = length + 1;
    }
  else
    copied = length = MIN (length, room);
  failed = bz_call_write (call, arguments->oldval, value, copied);
  return failed != 0 ? failed : bz_call_write_word (call, arguments->oldlenp, length);
}

static int
take_new (BzCall *call, const Arguments *arguments, const BzSysctlName *name)
{
  char value[VALUE_SIZE], text[4096], path[128];
  gsize length = MIN (arguments->newlen, sizeof value);
  int failed = bz_call_read (call, arguments->newval, value, length);

  if (failed != 0)
    return failed;
  if (bz_sysctl_is_string (name->kind))
    length = strnlen (value, length);
  if (!bz_sysctl_to_text (name->kind, value, length, bz_call_word (call), text, sizeof text))
    return EINVAL;
  g_snprintf (path, sizeof path, "proc/sys/%s", name->file);
  return translate_errno (bz_call_file_write (call, path, text, strlen (text)));
}

BzVerdict
bz_call_sysctl (BzCall *call)
{
  const BzSysctlName *name = NULL;
  Arguments arguments;
  guint64 room;
  int failed = read_arguments (call, &arguments);

  if (failed == 0 && arguments.oldval != 0)
    failed = arguments.oldlenp == 0 ? EFAULT : bz_call_read_word (call, arguments.oldlenp, &room);
  if (failed == 0)
    failed = read_name (call, &arguments, &name);
  if (failed == 0 && arguments.newval != 0 && !name->writable)
    failed = EPERM;
  if (failed == 0 && arguments.oldval != 0)
    failed = give_old (call, &arguments, name);
  if (failed == 0 && arguments.newval != 0 && arguments.newlen != 0)
    failed = take_new (call, &arguments, name);
  return failed != 0 ? bz_errno (failed) : bz_value (0);
}
