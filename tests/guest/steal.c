/* guest-steal FILE [UID]: FILE calls the vsyscall page, so a descriptor that is mapped for
 * execution becomes one of the rewritten copy, which other zones use too. Tries to change that copy
 * in every way: all must be refused. The caller compares the copy with what it was. */
#include "guest.h"

enum {
  NR_fstat = 5,
  NR_mprotect = 10,
  NR_ioctl = 16,
  NR_pwrite64 = 18,
  NR_truncate = 76,
  NR_ftruncate = 77,
  NR_chmod = 90,
  NR_fchmod = 91,
  NR_chown = 92,
  NR_fchown = 93,
  NR_setxattr = 188,
  NR_fsetxattr = 190,
  NR_utimensat = 280,
  NR_linkat = 265,
  NR_fallocate = 285,
  NR_fcntl = 72,
  NR_unlink = 87,
  NR_name_to_handle_at = 303,
  NR_open_by_handle_at = 304,
  NR_unshare = 272,
  NR_open_tree = 428,
  NR_mount_setattr = 442,
  NR_madvise = 28,
  NR_process_vm_writev = 311,
  NR_pread64 = 17,
  NR_fremovexattr = 199,
  NR_copy_file_range = 326,
  NR_sendfile = 40,
  AT_FDCWD = -100,
  AT_EMPTY_PATH = 0x1000,
  AT_SYMLINK_FOLLOW = 0x400,
  O_WRONLY = 1,
  O_RDWR = 2,
  O_CREAT = 0100,
  O_TRUNC = 01000,
  O_APPEND = 02000,
  O_DIRECTORY = 0200000,
  O_PATH = 010000000,
  PROT_READ = 1,
  PROT_WRITE = 2,
  PROT_EXEC = 4,
  MAP_SHARED = 1,
  MAP_PRIVATE = 2,
  MAP_DENYWRITE = 0x800,
  MS_RDONLY = 1,
  MS_REMOUNT = 32,
  MS_BIND = 4096,
  MNT_DETACH = 2,
  MADV_REMOVE = 9,
  F_SETLEASE = 1024,
  F_WRLCK = 1,
  CLONE_NEWNS = 0x20000,
  CLONE_NEWUSER = 0x10000000,
  OPEN_TREE_CLONE = 1,
};

struct kernel_stat {
  u64 device, inode, links;
  u32 mode, uid, gid, padding;
  u64 special;
  s64 size, block_size, blocks;
  u64 times[6];
  s64 unused[3];
};

static const char *file;
static char by_fd[64], by_map[96], own_words[] = "changed by a zone";

static void
append (char *text, word number, u32 base)
{
  char digits[24];
  usize at = length_of (text);
  int n = 0;
  u32 digit;

  do
    {
      u64 value = number;
      number = base == 16 ? (word) (value >> 4) : (word) divide (value, base, &digit);
      digits[n++] = "0123456789abcdef"[base == 16 ? value & 15 : digit];
    }
  while (number != 0);
  while (n > 0)
    text[at++] = digits[--n];
  text[at] = '\0';
}

static void
add (char *text, const char *more)
{
  memcpy (text + length_of (text), more, length_of (more) + 1);
}

/* As a linker maps (all linkers of a zone get the same open file), or as anybody else does. */
static word how = MAP_PRIVATE;

/* A descriptor of the copy, mapped at *address; negative: the file has none. */
static long
take_copy (word *address, word *length)
{
  struct kernel_stat before, after;
  long fd = call (NR_open, file, 0, 0);

  if (fd < 0 || call (NR_fstat, fd, &before) != 0)
    return -1;
  *length = ((word) before.size + 4095) & ~(word) 4095;
  *address = (word) call (NR_mmap, 0, *length, PROT_READ | PROT_EXEC, how, fd, 0);
  if (*address > (word) -4096 || call (NR_fstat, fd, &after) != 0)
    return -1;
  if (before.device == after.device && before.inode == after.inode)
    return -1;
  return fd;
}

static void
refused (long result, const char *name)
{
  if (result >= 0)
    print ("# %s: it gave %ld\n", name, result);
  ok (result < 0, name);
}

static void
try_to_open (const char *path, const char *name)
{
  static const int flags[] = { O_WRONLY, O_RDWR, O_RDWR | O_TRUNC, O_WRONLY | O_APPEND };
  long result = -1;

  for (usize i = 0; i < sizeof flags / sizeof flags[0] && result < 0; i++)
    result = call (NR_open, path, flags[i], 0);
  refused (result, name);
}

static void
try_descriptor (long fd)
{
  static u64 times[4];
  u32 flags = 0x10;
  u8 verity[128] = { 1, 0, 0, 0, 1, 0, 0, 0, 0, 16 };

  refused (call (NR_write, fd, own_words, 8), "write");
  refused (call (NR_pwrite64, fd, own_words, 8, 0), "pwrite");
  refused (call (NR_ftruncate, fd, 0), "ftruncate");
  refused (call (NR_fallocate, fd, 3, 0, 4096), "a hole");
  long other = call (NR_open, "/proc/self/exe", 0, 0);
  refused (call (NR_copy_file_range, other, NULL, fd, NULL, 8, 0), "copy_file_range");
  refused (call (NR_sendfile, fd, other, NULL, 8), "sendfile");
  call (NR_close, other);
  refused (call (NR_fchmod, fd, 0777), "fchmod");
  refused (call (NR_fchown, fd, 0, 0), "fchown");
  refused (call (NR_utimensat, fd, NULL, times, 0), "futimens");
  refused (call (NR_fsetxattr, fd, "user.zone", own_words, 4, 0), "fsetxattr");
  refused (call (NR_fsetxattr, fd, "security.capability", own_words, 4, 0),
           "fsetxattr of capabilities");
  refused (call (NR_fremovexattr, fd, "security.capability"), "fremovexattr");
  refused (call (NR_ioctl, fd, 0x40086602, &flags), "the immutable flag");
  refused (call (NR_ioctl, fd, 0x40806685, verity), "fs-verity");
  refused (call (NR_ioctl, fd, 0x40049409, fd), "a clone of another file in it");
  refused (call (NR_fcntl, fd, F_SETLEASE, F_WRLCK),
           "a lease, for which others would have to wait");
  refused (call (NR_mmap, 0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) >= 0 ? 0 : -1,
           "a shared mapping to write to");
  word shared = (word) call (NR_mmap, 0, 4096, PROT_READ, MAP_SHARED, fd, 0);
  ok (shared < (word) -4096, "a shared mapping to read");
  refused (call (NR_mprotect, shared, 4096, PROT_READ | PROT_WRITE), "and to make that writable");
  refused (call (NR_madvise, shared, 4096, MADV_REMOVE), "and to make a hole by it");
}

static void
try_paths (word address, word length)
{
  try_to_open (by_fd, "to open /proc/self/fd/N for writing");
  by_map[0] = '\0';
  add (by_map, "/proc/self/map_files/");
  append (by_map, address, 16);
  add (by_map, "-");
  append (by_map, address + length, 16);
  try_to_open (by_map, "to open the mapped file for writing");
  refused (call (NR_truncate, by_fd, 0), "truncate");
  refused (call (NR_chmod, by_fd, 0777), "chmod");
  refused (call (NR_chown, by_fd, 0, 0), "chown");
  refused (call (NR_setxattr, by_fd, "user.zone", own_words, 4, 0), "setxattr");
  refused (call (NR_linkat, AT_FDCWD, by_fd, AT_FDCWD, "/tmp/stolen", AT_SYMLINK_FOLLOW),
           "a link of it in the zone");
}

static void
try_link (long fd)
{
  refused (call (NR_linkat, fd, "", AT_FDCWD, "/tmp/stolen", AT_EMPTY_PATH),
           "a link by descriptor");
  call (NR_unlink, "/tmp/stolen");
}

/* A handle leads to the file from any mount of its file system, were it not for its place. */
static void
try_handle (long fd)
{
  struct {
    u32 bytes;
    s32 type;
    u8 handle[128];
  } handle = { 128, 0, { 0 } };
  s32 mount = 0;
  static const char *const roots[] = { "/", "/tmp", "/guest", "/proc/1/root" };

  if (call (NR_name_to_handle_at, fd, "", &handle, &mount, AT_EMPTY_PATH) != 0)
    {
      skip ("to open it by its handle", "it has none here");
      return;
    }
  long result = call (NR_open_by_handle_at, fd, &handle, O_RDWR);
  for (usize i = 0; i < sizeof roots / sizeof roots[0] && result < 0; i++)
    {
      long root = call (NR_open, roots[i], O_DIRECTORY, 0);
      result = root < 0 ? root : call (NR_open_by_handle_at, root, &handle, O_RDWR);
    }
  refused (result, "to open it by its handle, from each root");
}

static void
try_mounts (long fd)
{
  struct {
    u64 set, clear, propagation, user;
  } writable = { 0, MS_RDONLY, 0, 0 };

  long place = call (NR_open, "/tmp/place", O_CREAT | O_RDWR, 0600);
  if (place >= 0)
    call (NR_close, place);
  long mounted = call (NR_mount, by_fd, "/tmp/place", NULL, MS_BIND, NULL);
  if (mounted == 0)
    {
      call (NR_mount, NULL, "/tmp/place", NULL, MS_REMOUNT | MS_BIND, NULL);
      try_to_open ("/tmp/place", "to write to it where it was mounted");
      call (NR_umount2, "/tmp/place", MNT_DETACH);
    }
  else
    ok (1, "to mount it elsewhere");
  call (NR_unlink, "/tmp/place");
  refused (call (NR_mount_setattr, fd, "", AT_EMPTY_PATH, &writable, sizeof writable),
           "to make its mount writable");
  long tree = call (NR_open_tree, fd, "", OPEN_TREE_CLONE | AT_EMPTY_PATH);
  if (tree >= 0)
    {
      call (NR_mount_setattr, tree, "", AT_EMPTY_PATH, &writable, sizeof writable);
      char path[64] = "/proc/self/fd/";
      append (path, (word) tree, 10);
      try_to_open (path, "to write to a clone of its mount");
    }
  else
    ok (1, "to clone its mount");
}

/* One's own memory is one's own. */
static void
change_own_memory (word address)
{
  char now[8], own[8];
  struct {
    word address, length;
  } from = { (word) own_words, 8 }, to = { address, 8 };
  word other, length;

  long fd = call (NR_open, "/proc/self/mem", O_RDWR, 0);
  long written = fd < 0 ? fd : call (NR_pwrite64, fd, own_words, 8, address);
  if (written < 0)
    {
      call (NR_mprotect, address, 4096, PROT_READ | PROT_WRITE);
      written = call (NR_process_vm_writev, call (NR_getpid), &from, 1, &to, 1, 0);
    }
  memcpy (own, (void *) address, 8);
  ok (written < 0 || memcmp (own, own_words, 8) == 0, "a private mapping can be changed");
  long again = take_copy (&other, &length);
  call (NR_pread64, again, now, 8, 0);
  ok (again >= 0 && memcmp (now, "\177ELF", 4) == 0 && memcmp ((void *) other, "\177ELF", 4) == 0,
      "and stays what it is for others");
}

static void
try_all (const char *who)
{
  word address, length;
  long fd = take_copy (&address, &length);

  print ("# %s\n", who);
  ok (fd >= 0, "a mapped descriptor is one of the copy");
  if (fd < 0)
    return;
  by_fd[0] = '\0';
  add (by_fd, "/proc/self/fd/");
  append (by_fd, (word) fd, 10);
  try_descriptor (fd);
  try_paths (address, length);
  try_link (fd);
  try_handle (fd);
  try_mounts (fd);
  change_own_memory (address);
}

int
guest_main (int argc, char **argv, char **envp)
{
  (void) envp;
  if (argc < 2)
    return 2;
  file = argv[1];
  if (argc > 2)
    is (call (NR_setuid, number_of (argv[2])), 0, "another user of the zone");
  how = argc > 2 ? MAP_PRIVATE : MAP_PRIVATE | MAP_DENYWRITE;
  try_all ("as it is");
  how ^= MAP_DENYWRITE;
  /* All capabilities over namespaces of its own. */
  if (call (NR_unshare, CLONE_NEWUSER | CLONE_NEWNS) == 0)
    try_all ("in namespaces of its own");
  else
    skip ("in namespaces of its own", "they can't be made here");
  return done ();
}
