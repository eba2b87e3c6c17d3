/* guest-memory clamp|no-unit: sysinfo(2) tells figures that programs of the time can hold (O7). */
#include "guest.h"

/* i386: Linux 2.2 has no mem_unit, and its structure ends with the padding of 22 bytes; later ones
 * have totalhigh, freehigh, mem_unit. */
struct sysinfo_guest {
  long uptime;
  word loads[3];
  word total, free, shared, buffer, swap_total, swap_free;
  u16 processes, pad;
  word high_total, high_free;
  u32 unit;
  u8 room[64];
};

/* The memory that the zone has, at most 2 GiB, in MiB. */
static long
megabytes (void)
{
  static char text[256];
  const char *at = text;
  long kilobytes;

  if (read_file ("/proc/meminfo", text, sizeof text) <= 0 || !starts_with (text, "MemTotal:"))
    return 0;
  for (at += length_of ("MemTotal:"); *at == ' '; at++)
    ;
  kilobytes = number_of (at);
  return kilobytes > 2 * 1024 * 1024 ? 2048 : kilobytes / 1024;
}

int
guest_main (int argc, char **argv, char **envp)
{
  static struct sysinfo_guest info;
  int no_unit = argc > 1 && equal (argv[1], "no-unit");

  (void) envp;
  memset (&info, 0, sizeof info);
  is (call (NR_sysinfo, &info), 0, "sysinfo succeeds");
  print ("# total %lu free %lu swap %lu unit %u processes %d\n", info.total, info.free,
         info.swap_total, info.unit, info.processes);
  ok (info.uptime > 0, "uptime is above zero");
  ok (info.processes > 0, "there are processes");
  ok (info.total > 0, "there is memory");
  ok (info.free <= info.total, "no more is free than there is");
  ok (info.swap_free <= info.swap_total, "no more swap is free than there is");
  /* A 64-bit program holds whatever the host has. */
  if (argc > 1 && sizeof (long) == 4)
    {
      u64 unit = no_unit || info.unit == 0 ? 1 : info.unit;
      /* 2.2's programs know no unit, and take what they get for bytes. */
      ok ((long) ((info.total * unit) >> 20) >= megabytes () / 2,
          "in bytes, it is the machine's memory or 2 GiB");
      ok (info.total * unit <= 0x7fffffff + 1ull, "and at most 2 GiB: it fits a signed long");
      ok (info.swap_total * unit <= 0x7fffffff + 1ull, "so does swap");
    }
  if (no_unit)
    ok (info.unit == 0, "Linux 2.2 leaves mem_unit alone");
  is (call (NR_sysinfo, 1), -E_FAULT, "sysinfo of a bad address is EFAULT");
  return done ();
}
