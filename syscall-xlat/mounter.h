/* Who mounts for a zone what no user namespace may mount: the loader (loader/mounter.c). */
#pragma once

#include "brand/file-systems.h"
#include "syscall-xlat/call.h"
#include "syscall-xlat/remote.h"

/* mount(2)'s arguments, read from the target's memory. */
typedef struct {
  const BzFileSystem *system;
  const char *source;  /* NULL: none */
  const char *target;
  const char *options; /* never NULL */
  guint64 flags;       /* MS_ */
} BzMountRequest;

/* What mount and loop answer, besides 0 and a positive errno: the kernel shall have the call. */
#define BZ_MOUNT_NOT_OURS (-1)

typedef struct BzMounter BzMounter;

/* What is asked of a loop device (calls/loops.c). */
typedef struct {
  const char *what; /* "free": which is; "attach" a file; "set": other bytes of it; "clear"; "look": at one that is bound */
  int device, file; /* borrowed; file: -1 */
  guint64 offset, limit;
  guint32 block, flags; /* LO_FLAGS_ */
  int value;            /* the answer's */
  int handed;           /* for the task, in the place of the device; -1; the caller's to close */
} BzLoopRequest;

/* Devices that are nobody's: what one task writes no other reads. */
gboolean bz_is_harmless_device (guint32 mode, guint32 number);

typedef struct {
  /* The zone may not have it; the user is told. */
  void (*refuse) (BzMounter *mounter, const BzFileSystem *system);
  int (*mount) (BzMounter *mounter, BzCall *call, const BzMountRequest *request);
  int (*loop) (BzMounter *mounter, BzCall *call, BzLoopRequest *request);
  /* Makes a harmless device. 0; what is wrong with the place; or BZ_MOUNT_NOT_OURS: nobody here can. */
  int (*node) (BzMounter *mounter, BzCall *call, const BzPlace *place, guint32 mode, guint32 number);
} BzMounterClass;

struct BzMounter {
  const BzMounterClass *class;
};
