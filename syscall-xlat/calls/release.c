/* uname(2) and its elders.
 *
 * The release and the version are the brand's. The machine is the one of the task's own ABI: an
 * i386 task sees the i386 one, and so does any task whose personality is PER_LINUX32. The names of
 * the node and its domain are those of the task's UTS namespace, which need not be the zone's.
 *
 * UNAME26 (setarch --uname-2.6) is honoured as the kernel does it, on the release that the brand
 * claims: 3.x becomes 2.6.(40+x), later ones 2.6.(60+x). A brand below 3.0 knew no such flag.
 *
 * One program may be told another release than its zone: program-release.c.
 *
 * The elders have five fields, of 65 bytes (olduname) and of 9 (oldolduname): eight characters and
 * a NUL, whatever is cut off. */
#include "config.h"

#include "syscall-xlat/calls/guest.h"
#include "syscall-xlat/calls/handlers.h"
#include "syscall-xlat/program-release.h"
#include "syscall-xlat/remote.h"

#include <errno.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/utsname.h>

#ifndef UNAME26
#define UNAME26 0x0020000
#endif
#define OLD_LENGTH 9

static void
set_field (char field[65], const char *text)
{
  memset (field, 0, 65);
  g_strlcpy (field, text, 65);
}

/* What the kernel's override_release() makes of a release of 3.0 or later. */
static void
apply_uname26 (const BzPlan *plan, char field[65])
{
  guint major = (guint) (plan->release_number >> 32),
        minor = (guint) (plan->release_number >> 16) & 0xffff;
  const char *rest = field;
  guint dots = 0;
  char text[65];

  if (major < 3)
    return;
  while (*rest != '\0' && (g_ascii_isdigit (*rest) || *rest == '.'))
    {
      if (*rest == '.' && ++dots >= 3)
        break;
      rest++;
    }
  g_snprintf (text, sizeof text, "2.6.%u%s", minor + (major == 3 ? 40 : 60), rest);
  set_field (field, text);
}

/* What uname(2) makes of a personality changes by personality(2) alone, which is trapped with it; exec leaves the base
 * and UNAME26 as they are (Linux 2.6.8 to 6.18). So all tasks have the zone's until one calls it. */
static int
personality_of (BzCall *call, guint64 *personality)
{
  if (bz_call_has_happened (call, BZ_EVER_PERSONALITY))
    return bz_call_fact (call, BZ_FACT_PERSONALITY, personality);
  *personality = call->plan->personality;
  return 0;
}

/* Where the brand tells the machine, an i386 task's needs no look at its personality, unless its
 * release does; where the host does, the personality decides, as in the kernel. A task that can't
 * be looked at is plain. */
static void
look_at_personality (BzCall *call, gboolean *linux32, gboolean *uname26)
{
  gboolean new_release = call->plan->release_number >= BZ_RELEASE (3, 0, 0);
  guint64 personality;

  *linux32 = call->abi == BZ_ABI_I386 && call->plan->quirk[BZ_QUIRK_MACHINE] != 0;
  *uname26 = FALSE;
  if ((*linux32 && !new_release) || personality_of (call, &personality) != 0)
    return;
  *linux32 = *linux32 || (personality & PER_MASK) == PER_LINUX32;
  *uname26 = (personality & UNAME26) != 0;
}

static int
fill (BzCall *call, BzGuestUtsname *names)
{
  const BzPlan *plan = call->plan;
  gboolean linux32, uname26;
  struct utsname host;
  char other[65];
  BzUtsNames own;
  int failed = bz_call_uts_names (call, &own);

  if (failed != 0)
    return failed;
  look_at_personality (call, &linux32, &uname26);

  gboolean brand = plan->quirk[BZ_QUIRK_RELEASE] != 0;
  if ((!brand || plan->version == NULL) && uname (&host) != 0)
    return errno;
  const char *machine = plan->quirk[BZ_QUIRK_MACHINE] != 0
                            ? plan->machine[linux32 ? BZ_ABI_I386 : BZ_ABI_X86_64]
                            : NULL;
  if (machine == NULL)
    machine = linux32 ? "i686" : "x86_64";
  set_field (names->sysname, "Linux");
  set_field (names->nodename, own.nodename);
  set_field (names->release, brand ? plan->release : host.release);
  set_field (names->version, brand && plan->version != NULL ? plan->version : host.version);
  set_field (names->machine, machine);
  set_field (names->domainname, own.domainname);
  if (brand && bz_program_release (call, other, sizeof other))
    set_field (names->release, other);
  if (uname26 && brand)
    apply_uname26 (plan, names->release);
  return 0;
}

static BzVerdict
answer (BzCall *call, const void *bytes, gsize length)
{
  int failed = bz_call_write (call, call->args[0], bytes, length);

  return failed != 0 ? bz_errno (failed) : bz_value (0);
}

BzVerdict
bz_call_uname (BzCall *call)
{
  BzGuestUtsname names;
  int failed = fill (call, &names);

  return failed != 0 ? bz_errno (failed) : answer (call, &names, sizeof names);
}

BzVerdict
bz_call_olduname (BzCall *call)
{
  BzGuestUtsname names;
  int failed = fill (call, &names);

  return failed != 0 ? bz_errno (failed)
                     : answer (call, &names, G_STRUCT_OFFSET (BzGuestUtsname, domainname));
}

BzVerdict
bz_call_oldolduname (BzCall *call)
{
  BzGuestUtsname names;
  int failed = fill (call, &names);
  char old[5][OLD_LENGTH];

  if (failed != 0)
    return bz_errno (failed);
  const char *const fields[5] = { names.sysname, names.nodename, names.release, names.version,
                                  names.machine };
  memset (old, 0, sizeof old);
  for (int i = 0; i < 5; i++)
    memcpy (old[i], fields[i], OLD_LENGTH - 1);
  return answer (call, old, sizeof old);
}
