/* Calls by which program text comes into a process: execve, execveat, mmap (vsyscall=rewrite); and
 * those after which a path means one file to one task and another one to another.
 *
 * They always continue: the text is put right around them (loader/shadow/images.c). Register
 * arguments alone decide whether one is looked at, but for execve's path, which is read again by
 * the kernel: a target that changes it in between runs a program that was not looked at, and is
 * itself to blame. */
#include "config.h"

#include "syscall-xlat/calls/handlers.h"
#include "syscall-xlat/images.h"

#include "syscall-xlat/remote.h"

#include <asm/prctl.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/mman.h>

BzVerdict
bz_call_mmap (BzCall *call)
{
  guint protection = (guint) call->args[2], flags = (guint) call->args[3];

  if (call->images == NULL || (protection & PROT_EXEC) == 0 || (flags & MAP_ANONYMOUS) != 0)
    return bz_continue ();
  return call->images->class->map (call->images, call, (int) call->args[4],
                                   (flags & MAP_DENYWRITE) != 0);
}

BzVerdict
bz_call_execve (BzCall *call)
{
  if (call->images == NULL)
    return bz_continue ();
  return call->images->class->execute (call->images, call, AT_FDCWD, call->args[0], 0);
}

BzVerdict
bz_call_execveat (BzCall *call)
{
  if (call->images == NULL)
    return bz_continue ();
  return call->images->class->execute (call->images, call, (int) call->args[0], call->args[1],
                                       (guint) call->args[4]);
}

/* A static program's thread pointer is set to its heap, which lies below 4 GiB but for programs
 * whose data fill that; a dynamic one's is not looked at here: it maps its first library before. */
BzVerdict
bz_call_arch_prctl (BzCall *call)
{
  if (call->images == NULL || call->args[0] != ARCH_SET_FS)
    return bz_continue ();
  return call->images->class->begun (call->images, call);
}

BzVerdict
bz_call_root_change (BzCall *call)
{
  bz_call_happens (call, BZ_EVER_ROOT);
  return bz_continue ();
}

/* clone and unshare, whose first argument has the flags. */
BzVerdict
bz_call_namespace (BzCall *call)
{
  if ((call->args[0] & (CLONE_NEWNS | CLONE_NEWUSER)) != 0)
    bz_call_happens (call, BZ_EVER_ROOT);
  if ((call->args[0] & CLONE_NEWUTS) != 0)
    bz_call_happens (call, BZ_EVER_UTS);
  return bz_continue ();
}

/* setns and clone3, which do not tell in registers. */
BzVerdict
bz_call_any_namespace (BzCall *call)
{
  bz_call_happens (call, BZ_EVER_ROOT);
  bz_call_happens (call, BZ_EVER_UTS);
  return bz_continue ();
}
