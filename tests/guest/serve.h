/* What a guest that serves a file system says and hears (linux/fuse.h, protocol 7.31). */
#pragma once

#include "guest.h"

enum {
  FUSE_LOOKUP = 1,
  FUSE_FORGET = 2,
  FUSE_GETATTR = 3,
  FUSE_OPEN = 14,
  FUSE_READ = 15,
  FUSE_STATFS = 17,
  FUSE_RELEASE = 18,
  FUSE_FLUSH = 25,
  FUSE_INIT = 26,
  FUSE_OPENDIR = 27,
  FUSE_RELEASEDIR = 29,
  FUSE_INTERRUPT = 36,
  FUSE_BATCH_FORGET = 42,
};

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

struct fuse_attributes {
  u64 inode, size, blocks, seconds[3];
  u32 nanoseconds[3], mode, links, uid, gid, special, block_size, flags;
};
