/* guest-mounts: mount(2) and umount(2) as their arguments say, without what mount(8) does before.
 *
 *   mounts TYPE SOURCE TARGET OPTIONS FLAGS     prints 0 or the errno; "ADDRESS:nfs3" as the options
 *                                               stands for struct nfs_mount_data with that address
 *   mounts umount TARGET */
#include "guest.h"

static u8 data[716];

static word
number (const char *text)
{
  word value = 0;

  for (; *text >= '0' && *text <= '9'; text++)
    value = value * 10 + (word) (*text - '0');
  return value;
}

static int
ends_so (const char *text, const char *end)
{
  usize a = 0, b = 0;

  while (text[a] != 0)
    a++;
  while (end[b] != 0)
    b++;
  for (usize i = 0; i < b; i++)
    if (a < b || text[a - b + i] != end[i])
      return 0;
  return 1;
}

static void
put (usize at, u32 value)
{
  for (u32 i = 0; i < 4; i++)
    data[at + i] = (u8) (value >> (8 * i));
}

/* Version 4, as mount(8) of util-linux 2.12 made it: NFS 3 over TCP, without locks. */
static void
make_nfs_data (const char *address)
{
  put (0, 4);
  put (40, 0x40 | 0x80 | 0x200);
  put (44, 8192);
  put (48, 8192);
  data[76] = 2;
  for (u32 i = 0; i < 4; i++)
    {
      data[80 + i] = (u8) number (address);
      while (*address >= '0' && *address <= '9')
        address++;
      address++;
    }
}

int
guest_main (int argc, char **argv, char **envp)
{
  long result;

  (void) envp;
  if (argc == 3)
    result = call (NR_umount2, argv[2], 0);
  else if (argc == 6 && ends_so (argv[4], ":nfs3"))
    {
      make_nfs_data (argv[4]);
      result = call (NR_mount, argv[2], argv[3], argv[1], number (argv[5]), data);
    }
  else if (argc == 6)
    result = call (NR_mount, argv[2], argv[3], argv[1], number (argv[5]), argv[4]);
  else
    return 2;
  print ("%d\n", (int) -result);
  return result != 0;
}
