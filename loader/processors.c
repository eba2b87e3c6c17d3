/* Problem: an old program's processor mask has no room for all processors of today (O6); and where the kernel can't wake
 * a supervisor on its caller's processor (before Linux 6.6), each answer costs two wake-ups of another one.
 *
 * Facts: a process's processors are inherited by all that it starts, and are what sched_getaffinity(2) shows to the zone.
 * The kernel takes those that are there, and says EINVAL where none is.
 *
 * Choice: the keeper binds itself before it starts anything of the zone, its supervisor too; who joins does the same.
 *
 * Limits: no cpuset: a zone's root may choose others. /proc/cpuinfo and /proc/stat show all. */
#include "config.h"

#include "loader/processors.h"

#include "brand/base/error.h"

#include <errno.h>
#include <sched.h>
#include <string.h>

#define PROCESSORS 8192 /* the most that Linux 6.18 can be built for */

/* Reads "N" or "N-M" and what separates it from the next. */
static gboolean
take_range (const char **list, guint64 *first, guint64 *last)
{
  char *end;

  if (!g_ascii_isdigit (**list))
    return FALSE;
  *first = *last = g_ascii_strtoull (*list, &end, 10);
  if (*end == '-')
    {
      if (!g_ascii_isdigit (end[1]))
        return FALSE;
      *last = g_ascii_strtoull (end + 1, &end, 10);
    }
  if (*end == ',' ? end[1] == '\0' : *end != '\0')
    return FALSE;
  *list = *end == ',' ? end + 1 : end;
  return *first <= *last && *last < PROCESSORS;
}

static gboolean
parse (const char *list, cpu_set_t *set, gsize size)
{
  guint64 first, last;

  CPU_ZERO_S (size, set);
  do
    {
      if (!take_range (&list, &first, &last))
        return FALSE;
      for (guint64 number = first; number <= last; number++)
        CPU_SET_S (number, size, set);
    }
  while (*list != '\0');
  return TRUE;
}

const char *
bz_processors_check (const char *list)
{
  cpu_set_t set[PROCESSORS / CPU_SETSIZE];

  return parse (list, set, sizeof set) ? NULL : "a list of processors looks like 0-3,8, with numbers below 8192";
}

gboolean
bz_processors_bind (const BzSettings *settings, GError **error)
{
  cpu_set_t set[PROCESSORS / CPU_SETSIZE];

  if (settings->processors == NULL)
    return TRUE;
  if (!parse (settings->processors, set, sizeof set))
    return bz_fail (error, BZ_ERROR_INPUT, "it is no list such as 0-3,8", NULL, "the processors \"%s\"", settings->processors);
  if (sched_setaffinity (0, sizeof set, set) == 0)
    return TRUE;
  if (errno != EINVAL)
    return bz_fail_errno (error, errno, NULL, "cannot keep the zone on the processors %s", settings->processors);
  return bz_fail (error, BZ_ERROR_HOST, "this host has none of them, or they are not for this user's programs",
                  "nproc and /proc/self/status (Cpus_allowed_list) tell which there are; --cpuset-cpus or CpuSet= names others",
                  "cannot keep the zone on the processors %s", settings->processors);
}
