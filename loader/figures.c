/* Problem: ps, top, free and vmstat of the 1990s compute with what their kernel wrote, and do not look whether it makes
 * sense. procps 2.0 divides the processors' time in /proc/stat by /proc/uptime and takes what comes out for the rate of
 * the clock: with two processors it says "Unknown HZ value! (200)", or counts by a wrong one. It knows no number of
 * processors; other versions of the time take it from /proc/cpuinfo. Its vmstat dies where /proc/stat has no line "page".
 *
 * Facts: Linux 2.0 to 2.4 wrote user, nice, system and idle time, and idle was what the others left of uptime times
 * processors: kernel/sched.c and fs/proc counted nothing else. Since 2.6 there are times for waiting, interrupts and
 * what a hypervisor took, and not all of a processor's time is in any of them. Figures were 32 bits wide.
 *
 * Choice: the old sums again, so that time divided by uptime is the rate, 100, exactly. Before 2.4 there is one
 * processor, as busy as the zone's are on average, in /proc/cpuinfo too: whatever a program counts by, it comes
 * out right. The form of 2.4 shows all, for its procps is told the rate by the kernel (AT_CLKTCK).
 *
 * Limits: with more than 497 days of uptime the sum does not fit, as it did not then. */
#include "config.h"

#include "loader/figures.h"

#include <string.h>

#define RATE 100 /* USER_HZ of i386 and x86-64 */
#define PROCESSORS CPU_SETSIZE /* the most that are counted */
#define N "%8" G_GUINT64_FORMAT

/* --- reading --- */

static const char *
next_line (const char *at)
{
  at = strchr (at, '\n');
  return at != NULL ? at + 1 : NULL;
}

/* What follows the word `key` at the start of a line, or NULL. */
static const char *
find_line (const char *text, const char *key)
{
  gsize length = strlen (key);

  for (const char *at = text; at != NULL && *at != '\0'; at = next_line (at))
    if (strncmp (at, key, length) == 0 && strchr (" \t:", at[length]) != NULL && at[length] != '\0')
      return at + length + 1;
  return NULL;
}

/* Reads at most `count` numbers of one line; returns how many there were, the others are 0. */
static guint
read_numbers (const char *at, guint64 *numbers, guint count)
{
  guint found = 0;

  memset (numbers, 0, count * sizeof *numbers);
  for (; at != NULL && found < count; found++)
    {
      char *end;

      at += strspn (at, " \t");
      if (!g_ascii_isdigit (*at))
        break;
      numbers[found] = g_ascii_strtoull (at, &end, 10);
      at = end;
    }
  return found;
}

static guint64
number_of (const char *text, const char *key)
{
  guint64 number;

  read_numbers (find_line (text, key), &number, 1);
  return number;
}

/* --- meminfo --- */

#define LARGEST G_GUINT64_CONSTANT (0x7ffff000)

/* part of whole, both in KiB, as bytes below 2 GiB. */
static guint64
scale (guint64 part, guint64 whole)
{
  part = MIN (part, whole);
  if (whole > LARGEST / 1024)
    return (guint64) ((unsigned __int128) part * LARGEST / whole) & ~G_GUINT64_CONSTANT (0xfff);
  return part * 1024;
}

static char *
write_meminfo_2_4 (const BzFigures *figures, const cpu_set_t *processors G_GNUC_UNUSED)
{
  const char *today = figures->meminfo;
  guint64 memory = number_of (today, "MemTotal"), swap = number_of (today, "SwapTotal");
  guint64 total = scale (memory, memory), free = scale (number_of (today, "MemFree"), memory);
  guint64 shared = scale (number_of (today, "Shmem"), memory);
  guint64 buffers = scale (number_of (today, "Buffers"), memory);
  guint64 cached = scale (number_of (today, "Cached"), memory);
  guint64 swap_total = scale (swap, swap), swap_free = scale (number_of (today, "SwapFree"), swap);

  return g_strdup_printf ("        total:    used:    free:  shared: buffers:  cached:\n"
                          "Mem:  " N " " N " " N " " N " " N " " N "\n"
                          "Swap: " N " " N " " N "\n"
                          "MemTotal:  " N " kB\nMemFree:   " N " kB\nMemShared: " N " kB\n"
                          "Buffers:   " N " kB\nCached:    " N " kB\n"
                          "SwapTotal: " N " kB\nSwapFree:  " N " kB\n",
                          total, total - free, free, shared, buffers, cached, swap_total,
                          swap_total - swap_free, swap_free, total / 1024, free / 1024,
                          shared / 1024, buffers / 1024, cached / 1024, swap_total / 1024,
                          swap_free / 1024);
}

/* --- stat --- */

typedef struct {
  guint64 user, nice, system, idle; /* in ticks */
} Times;

enum { USER, NICE, SYSTEM, IDLE, WAITING, IRQ, SOFTIRQ, FIELDS };

/* Ticks since the machine's start; 0: unknown. */
static guint64
uptime_ticks (const char *text)
{
  guint64 seconds = 0, hundredths = 0;
  char *end;

  if (!g_ascii_isdigit (*text))
    return 0;
  seconds = g_ascii_strtoull (text, &end, 10);
  if (end[0] == '.' && g_ascii_isdigit (end[1]) && g_ascii_isdigit (end[2]))
    hundredths = (guint64) (end[1] - '0') * 10 + (guint64) (end[2] - '0');
  return seconds < G_MAXUINT64 / RATE / 2 ? seconds * RATE + hundredths : 0;
}

/* Times that are together the ticks. */
static void
fit (Times *times, guint64 ticks)
{
  guint64 *const busy[] = { &times->user, &times->nice, &times->system };

  times->idle = ticks;
  for (guint i = 0; i < G_N_ELEMENTS (busy); i++)
    {
      *busy[i] = MIN (*busy[i], times->idle);
      times->idle -= *busy[i];
    }
}

/* The times of a line "cpu3 ..." that counts; FALSE: it does not. */
static gboolean
read_processor (const char *line, const cpu_set_t *processors, Times *times)
{
  guint64 field[FIELDS];
  char *end;

  if (strncmp (line, "cpu", 3) != 0 || !g_ascii_isdigit (line[3]))
    return FALSE;
  guint64 number = g_ascii_strtoull (line + 3, &end, 10);
  if (*end != ' ' || number >= PROCESSORS || !CPU_ISSET ((gsize) number, processors)
      || read_numbers (end, field, FIELDS) <= IDLE)
    return FALSE;
  *times = (Times){ .user = field[USER],
                    .nice = field[NICE],
                    .system = field[SYSTEM] + field[IRQ] + field[SOFTIRQ] };
  return TRUE;
}

/* The processors' times, in their order. */
static GArray *
read_processors (const char *stat, const cpu_set_t *processors, guint64 ticks)
{
  GArray *all = g_array_new (FALSE, FALSE, sizeof (Times));
  Times times;

  for (const char *line = stat; line != NULL && *line != '\0' && all->len < PROCESSORS; line = next_line (line))
    if (read_processor (line, processors, &times))
      {
        fit (&times, ticks);
        g_array_append_val (all, times);
      }
  return all;
}

static Times
sum_of (const GArray *all)
{
  Times sum = { 0 };

  for (guint i = 0; i < all->len; i++)
    {
      const Times *one = &g_array_index (all, Times, i);
      sum.user += one->user;
      sum.nice += one->nice;
      sum.system += one->system;
      sum.idle += one->idle;
    }
  return sum;
}

/* As an old kernel's unsigned int would have it. */
#define U "%" G_GUINT32_FORMAT
#define WRAP(number) ((guint32) (number))

static void
append_times (GString *text, const char *name, Times times)
{
  g_string_append_printf (text, "%s " U " " U " " U " " U "\n", name, WRAP (times.user), WRAP (times.nice),
                          WRAP (times.system), WRAP (times.idle));
}

/* page, swap, intr and those of 2.2 and later after it. */
static void
append_events (GString *text, const BzFigures *figures, guint lines, const char *disks)
{
  guint64 interrupts[225];
  guint found = read_numbers (find_line (figures->stat, "intr"), interrupts, MIN (lines, 224) + 1);

  g_string_append_printf (text, "page " U " " U "\nswap " U " " U "\nintr",
                          WRAP (number_of (figures->vmstat, "pgpgin")),
                          WRAP (number_of (figures->vmstat, "pgpgout")),
                          WRAP (number_of (figures->vmstat, "pswpin")),
                          WRAP (number_of (figures->vmstat, "pswpout")));
  for (guint i = 0; i < found; i++)
    g_string_append_printf (text, " " U, WRAP (interrupts[i]));
  g_string_append_printf (text, "\n%sctxt " U "\nbtime " U "\nprocesses " U "\n", disks,
                          WRAP (number_of (figures->stat, "ctxt")),
                          WRAP (number_of (figures->stat, "btime")),
                          WRAP (number_of (figures->stat, "processes")));
}

/* One processor; fs/proc/array.c of 2.0 and 2.2. A zone has no disks. */
static char *
write_stat_2_2 (const BzFigures *figures, const cpu_set_t *processors)
{
  guint64 ticks = uptime_ticks (figures->uptime);
  g_autoptr (GArray) all = read_processors (figures->stat, processors, ticks);
  GString *text;
  Times mean;

  if (all->len == 0 || ticks == 0)
    return NULL;
  mean = sum_of (all);
  mean.user /= all->len;
  mean.nice /= all->len;
  mean.system /= all->len;
  fit (&mean, ticks);
  text = g_string_new (NULL);
  append_times (text, "cpu ", mean);
  g_string_append (text, "disk 0 0 0 0\ndisk_rio 0 0 0 0\ndisk_wio 0 0 0 0\ndisk_rblk 0 0 0 0\ndisk_wblk 0 0 0 0\n");
  append_events (text, figures, 16, "");
  return g_string_free (text, FALSE);
}

/* fs/proc/proc_misc.c of 2.4. */
static char *
write_stat_2_4 (const BzFigures *figures, const cpu_set_t *processors)
{
  guint64 ticks = uptime_ticks (figures->uptime);
  g_autoptr (GArray) all = read_processors (figures->stat, processors, ticks);
  GString *text;

  if (all->len == 0 || ticks == 0)
    return NULL;
  /* No more than have room in the sum. */
  g_array_set_size (all, (guint) CLAMP (G_MAXUINT32 / ticks, 1, all->len));
  text = g_string_new (NULL);
  append_times (text, "cpu ", sum_of (all));
  for (guint i = 0; i < all->len; i++)
    {
      char name[16];

      g_snprintf (name, sizeof name, "cpu%u", i);
      append_times (text, name, g_array_index (all, Times, i));
    }
  append_events (text, figures, 224, "disk_io: \n");
  return g_string_free (text, FALSE);
}

/* --- cpuinfo --- */

static char *
write_cpuinfo_one (const BzFigures *figures, const cpu_set_t *processors G_GNUC_UNUSED)
{
  const char *end = strstr (figures->cpuinfo, "\n\n");

  return end != NULL ? g_strndup (figures->cpuinfo, (gsize) (end - figures->cpuinfo) + 2) : NULL;
}

/* --- all --- */

static const struct {
  char *(*write) (const BzFigures *figures, const cpu_set_t *processors);
  gboolean stat, meminfo, cpuinfo; /* what it is made from */
} forms[BZ_FORM_COUNT] = {
  [BZ_FORM_MEMINFO_2_4] = { write_meminfo_2_4, .meminfo = TRUE },
  [BZ_FORM_STAT_2_2] = { write_stat_2_2, .stat = TRUE },
  [BZ_FORM_STAT_2_4] = { write_stat_2_4, .stat = TRUE },
  [BZ_FORM_CPUINFO_ONE] = { write_cpuinfo_one, .cpuinfo = TRUE },
};

char *
bz_figures_write (BzForm form, const BzFigures *figures, const cpu_set_t *processors)
{
  return forms[form].write (figures, processors);
}

static gboolean
read_file (gboolean wanted, const char *path, char **text)
{
  return !wanted || g_file_get_contents (path, text, NULL, NULL);
}

gboolean
bz_figures_read (BzForm form, BzFigures *figures)
{
  *figures = (BzFigures){ NULL };
  if (read_file (forms[form].stat, "/proc/stat", &figures->stat)
      && read_file (forms[form].stat, "/proc/vmstat", &figures->vmstat)
      && read_file (forms[form].meminfo, "/proc/meminfo", &figures->meminfo)
      && read_file (forms[form].cpuinfo, "/proc/cpuinfo", &figures->cpuinfo)
      && read_file (forms[form].stat, "/proc/uptime", &figures->uptime))
    return TRUE;
  bz_figures_clear (figures);
  return FALSE;
}

void
bz_figures_clear (BzFigures *figures)
{
  g_free (figures->stat);
  g_free (figures->uptime);
  g_free (figures->vmstat);
  g_free (figures->meminfo);
  g_free (figures->cpuinfo);
  *figures = (BzFigures){ NULL };
}
