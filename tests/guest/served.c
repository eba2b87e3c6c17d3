/* guest-served DIRECTORY PROGRAM [ARGUMENT...]: runs the program while DIRECTORY/image is a megabyte of zeros that a
 * process of the zone serves by FUSE, which ends with the zone. Once it was read nobody is told of its attributes any
 * more: who asks waits for ever. Needs /dev/fuse in the zone. */
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
  u64 ino, size, blocks, atime, mtime, ctime;
  u32 atimensec, mtimensec, ctimensec, mode, nlink, uid, gid, rdev, blksize, flags;
};

struct fuse_get {
  u64 valid;
  u32 valid_nsec, padding;
  struct fuse_attr attr;
};

struct fuse_entry {
  u64 node, generation, valid, attr_valid;
  u32 valid_nsec, attr_valid_nsec;
  struct fuse_attr attr;
};

struct fuse_statfs {
  u64 blocks, bfree, bavail, files, ffree;
  u32 bsize, namelen, frsize, padding, spare[6];
};

struct fuse_open {
  u64 handle;
  u32 flags, padding;
};

struct fuse_read {
  u64 handle, offset;
  u32 size;
};

enum {
  LOOKUP = 1,
  FORGET = 2,
  GETATTR = 3,
  OPEN = 14,
  READ = 15,
  STATFS = 17,
  RELEASE = 18,
  FLUSH = 25,
  INIT = 26,
  OPENDIR = 27,
  RELEASEDIR = 29,
  BATCH_FORGET = 42,
};

#define SILENCE 1 /* in place of a reply's length */

static u8 request[1 << 17] __attribute__ ((aligned (8)));
static struct {
  struct fuse_out head;
  union {
    struct fuse_init init;
    struct fuse_get get;
    struct fuse_entry entry;
    struct fuse_statfs statfs;
    struct fuse_open open;
    u8 bytes[1 << 17];
  } body;
} reply;

static void
describe (struct fuse_attr *attr, u64 node)
{
  attr->ino = node;
  attr->size = node == 1 ? 0 : 1 << 20;
  attr->mode = node == 1 ? 040777 : 0100666;
  attr->nlink = 1;
}

/* How long the reply's body is, SILENCE, or a negative errno. */
static s32
answer (const struct fuse_in *in)
{
  static int was_read;
  const struct fuse_read *part = (const struct fuse_read *) (const void *) (in + 1);

  memset (&reply.body, 0, 256);
  switch (in->opcode)
    {
    case INIT:
      reply.body.init.major = 7;
      reply.body.init.minor = 31;
      reply.body.init.max_write = 4096;
      return sizeof reply.body.init;
    case LOOKUP:
      if (!equal ((const char *) (in + 1), "image"))
        return -E_NOENT;
      reply.body.entry.node = 2;
      describe (&reply.body.entry.attr, 2);
      return sizeof reply.body.entry;
    case GETATTR:
      if (was_read && in->node == 2)
        return SILENCE;
      describe (&reply.body.get.attr, in->node);
      return sizeof reply.body.get;
    case STATFS:
      reply.body.statfs.bsize = reply.body.statfs.frsize = 4096;
      reply.body.statfs.namelen = 255;
      return sizeof reply.body.statfs;
    case OPEN:
    case OPENDIR:
      return sizeof reply.body.open;
    case READ:
      was_read = 1;
      return (s32) (part->size < sizeof reply.body ? part->size : sizeof reply.body);
    case RELEASE:
    case RELEASEDIR:
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
      if (length == SILENCE)
        continue;
      reply.head = (struct fuse_out){ sizeof reply.head + (u32) (length > 0 ? length : 0), length < 0 ? length : 0,
                                      in->unique };
      call (NR_write, fd, &reply, reply.head.length);
    }
}

int
guest_main (int argc, char **argv, char **envp)
{
  char options[128] = "rootmode=40777,user_id=0,group_id=0,allow_other,fd=";
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
