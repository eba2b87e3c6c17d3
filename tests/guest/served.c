/* guest-served DIRECTORY PROGRAM [ARGUMENT...]: runs the program while DIRECTORY/image is a megabyte of zeros that a
 * process of the zone serves by FUSE, which ends with the zone. Once it was read nobody is told of its attributes any
 * more: who asks waits for ever. Needs /dev/fuse in the zone. */
#include "serve.h"

struct fuse_get {
  u64 valid;
  u32 valid_nsec, padding;
  struct fuse_attributes attr;
};

struct fuse_entry {
  u64 node, generation, valid, attr_valid;
  u32 valid_nsec, attr_valid_nsec;
  struct fuse_attributes attr;
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
describe (struct fuse_attributes *attr, u64 node)
{
  attr->inode = node;
  attr->size = node == 1 ? 0 : 1 << 20;
  attr->mode = node == 1 ? 040777 : 0100666;
  attr->links = 1;
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
    case FUSE_INIT:
      reply.body.init.major = 7;
      reply.body.init.minor = 31;
      reply.body.init.max_write = 4096;
      return sizeof reply.body.init;
    case FUSE_LOOKUP:
      if (!equal ((const char *) (in + 1), "image"))
        return -E_NOENT;
      reply.body.entry.node = 2;
      describe (&reply.body.entry.attr, 2);
      return sizeof reply.body.entry;
    case FUSE_GETATTR:
      if (was_read && in->node == 2)
        return SILENCE;
      describe (&reply.body.get.attr, in->node);
      return sizeof reply.body.get;
    case FUSE_STATFS:
      reply.body.statfs.bsize = reply.body.statfs.frsize = 4096;
      reply.body.statfs.namelen = 255;
      return sizeof reply.body.statfs;
    case FUSE_OPEN:
    case FUSE_OPENDIR:
      return sizeof reply.body.open;
    case FUSE_READ:
      was_read = 1;
      return (s32) (part->size < sizeof reply.body ? part->size : sizeof reply.body);
    case FUSE_RELEASE:
    case FUSE_RELEASEDIR:
    case FUSE_FLUSH:
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
      if (in->opcode == FUSE_FORGET || in->opcode == FUSE_BATCH_FORGET)
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
