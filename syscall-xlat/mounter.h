/* Who mounts for a zone what no user namespace may mount: the loader (loader/mounter.c). */
#pragma once

#include "brand/file-systems.h"
#include "syscall-xlat/call.h"

/* mount(2)'s arguments, read from the target's memory. */
typedef struct {
  const BzFileSystem *system;
  const char *source;  /* NULL: none */
  const char *target;
  const char *options; /* never NULL */
  guint64 flags;       /* MS_ */
} BzMountRequest;

/* What mount answers, besides 0 and a positive errno: the kernel shall have the call. */
#define BZ_MOUNT_NOT_OURS (-1)

typedef struct BzMounter BzMounter;

typedef struct {
  /* The zone may not have it; the user is told. */
  void (*refuse) (BzMounter *mounter, const BzFileSystem *system);
  int (*mount) (BzMounter *mounter, BzCall *call, const BzMountRequest *request);
} BzMounterClass;

struct BzMounter {
  const BzMounterClass *class;
};
