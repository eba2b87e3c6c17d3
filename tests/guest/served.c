/* guest-served FILE PROGRAM [ARGUMENT...]: runs the program while FILE is a megabyte of zeros that a process of the zone
 * serves by FUSE, which ends with the zone. Needs /dev/fuse in the zone. */
#include "guest.h"

struct fuse_in {
  u32 length, opcode;
  u64 unique, node;
  u32 uid, gid, pid, padding;
};

struct fuse_out {
  u32 length;
  s32 error;
  u64 unique;
};

struct fuse_init {
  u32 major, minor, max_readahead, flags;
  u16 max_background, congestion_threshold;
  u32 max_write, time_gran;
  u16 max_pages, map_alignment;
  u32 flags2, unused[7];
};

struct fuse_attr {
  u64 valid;
  u32 valid_nsec, padding;
  u64 ino, size, blocks, atime, mtime, ctime;
  u32 atimensec, mtimensec, ctimensec, mode, nlink, uid, gid, rdev, blksize, flags;
};

struct fuse_open {
  u64 handle;
  u32 flags, padding;
};

struct fuse_read {
  u64 handle, offset;
  u32 size;
};

enum { FORGET = 2, GETATTR = 3, OPEN = 14, READ = 15, RELEASE = 18, FLUSH = 25, INIT = 26, BATCH_FORGET = 42 };

static u8 request[1 << 17] __attribute__ ((aligned (8)));
static struct {
  struct fuse_out head;
  union {
    struct fuse_init init;
    struct fuse_attr attr;
    struct fuse_open open;
    u8 bytes[1 << 17];
  } body;
} reply;

/* How long the reply's body is, or a negative errno. */
static s32
answer (const struct fuse_in *in)
{
  const struct fuse_read *part = (const struct fuse_read *) (const void *) (in + 1);

  memset (&reply.body.init, 0, sizeof reply.body.init);
  memset (&reply.body.attr, 0, sizeof reply.body.attr);
  switch (in->opcode)
    {
    case INIT:
      reply.body.init.major = 7;
      reply.body.init.minor = 31;
      reply.body.init.max_write = 4096;
      return sizeof reply.body.init;
    case GETATTR:
      reply.body.attr.ino = 1;
      reply.body.attr.size = 1 << 20;
      reply.body.attr.mode = 0100666;
      reply.body.attr.nlink = 1;
      return sizeof reply.body.attr;
    case OPEN:
      return sizeof reply.body.open;
    case READ:
      return (s32) (part->size < sizeof reply.body ? part->size : sizeof reply.body);
    case RELEASE:
    case FLUSH:
      return 0;
    default:
      return -E_NOSYS;
    }
}

static void
serve (long fd)
{
  const struct fuse_in *in = (const struct fuse_in *) (const void *) request;
  long n;

  while ((n = call (NR_read, fd, request, sizeof request)) >= (long) sizeof *in)
    {
      if (in->opcode == FORGET || in->opcode == BATCH_FORGET)
        continue;
      s32 length = answer (in);
      reply.head = (struct fuse_out){ sizeof reply.head + (u32) (length > 0 ? length : 0), length < 0 ? length : 0,
                                      in->unique };
      call (NR_write, fd, &reply, reply.head.length);
    }
}

int
guest_main (int argc, char **argv, char **envp)
{
  char options[128] = "rootmode=100666,user_id=0,group_id=0,allow_other,fd=";
  usize end = length_of (options);

  if (argc < 3)
    return 2;
  long fd = call (NR_open, "/dev/fuse", 2, 0);
  if (fd < 0 || fd > 9)
    return 3;
  options[end] = (char) ('0' + fd);
  long result = call (NR_mount, "guest", argv[1], "fuse", 0, options);
  if (result != 0)
    {
      print ("mount: %ld\n", result);
      return 4;
    }
  if (guest_fork () == 0)
    {
      serve (fd);
      call (NR_exit, 0);
    }
  call (NR_close, fd);
  call (NR_execve, argv[2], argv + 2, envp);
  return 127;
}
