/* The target's memory.
 *
 * process_vm_readv and _writev take a thread id (any thread of the process, not only the first:
 * seen on 6.18) and fault pages in with their protections respected, as the kernel's own copies do;
 * /proc/TID/mem would write through read-only pages, and a plain user's supervisor can't open it. A
 * partial transfer is EFAULT: the kernel's calls would have left the same partial bytes behind. */
#include "config.h"

#include "syscall-xlat/remote.h"

#include <errno.h>
#include <string.h>
#include <sys/uio.h>

#define PAGE 4096

static gboolean
range_wraps (guint64 address, gsize length)
{
  return address + length < address;
}

int
bz_remote_read (pid_t tid, guint64 address, void *buffer, gsize length)
{
  struct iovec local = { buffer, length }, remote = { (void *) (gsize) address, length };

  if (length == 0)
    return 0;
  if (range_wraps (address, length))
    return EFAULT;
  gssize got = process_vm_readv (tid, &local, 1, &remote, 1, 0);
  if (got < 0)
    return errno;
  return (gsize) got == length ? 0 : EFAULT;
}

int
bz_remote_write (pid_t tid, guint64 address, const void *buffer, gsize length)
{
  struct iovec local = { (void *) buffer, length }, remote = { (void *) (gsize) address, length };

  if (length == 0)
    return 0;
  if (range_wraps (address, length))
    return EFAULT;
  gssize put = process_vm_writev (tid, &local, 1, &remote, 1, 0);
  if (put < 0)
    return errno;
  return (gsize) put == length ? 0 : EFAULT;
}

int
bz_call_read (BzCall *call, guint64 address, void *buffer, gsize length)
{
  return call->notifier->class->read (call, address, buffer, length);
}

int
bz_call_write (BzCall *call, guint64 address, const void *buffer, gsize length)
{
  if (!bz_call_begin (call))
    return ESRCH;
  return call->notifier->class->write (call, address, buffer, length);
}

gboolean
bz_call_begin (BzCall *call)
{
  return call->notifier->class->begin (call);
}

void
bz_call_will_wait (BzCall *call)
{
  call->notifier->class->will_wait (call);
}

int
bz_call_fact (BzCall *call, BzFact fact, guint64 *value)
{
  return call->notifier->class->fact (call, fact, value);
}

gboolean
bz_call_has_happened (BzCall *call, BzEver what)
{
  return call->notifier->class->has_happened (call, what, FALSE);
}

void
bz_call_happens (BzCall *call, BzEver what)
{
  call->notifier->class->has_happened (call, what, TRUE);
}

gboolean
bz_call_capable (BzCall *call, int capability)
{
  guint64 set;

  return bz_call_fact (call, BZ_FACT_CAPABILITIES, &set) == 0 && (set >> capability & 1) != 0;
}

int
bz_call_uts_names (BzCall *call, BzUtsNames *names)
{
  return call->notifier->class->uts_names (call, names);
}

int
bz_call_file_read (BzCall *call, const char *path, void *buffer, gsize size, gsize *length)
{
  return call->notifier->class->file_read (call, path, buffer, size, length);
}

int
bz_call_file_write (BzCall *call, const char *path, const void *buffer, gsize length)
{
  return call->notifier->class->file_write (call, path, buffer, length);
}

int
bz_call_take_fd (BzCall *call, int number, int *fd)
{
  return call->notifier->class->take_fd (call, number, fd);
}

int
bz_call_put_fd (BzCall *call, int fd, int number, gboolean close_on_exec)
{
  if (!bz_call_begin (call))
    return ESRCH;
  return call->notifier->class->put_fd (call, fd, number, close_on_exec);
}

int
bz_call_add_fd (BzCall *call, int fd, gboolean close_on_exec, int *number)
{
  if (!bz_call_begin (call))
    return ESRCH;
  return call->notifier->class->add_fd (call, fd, close_on_exec, number);
}

int
bz_call_open_master (BzCall *call, const char *path, guint flags, int *fd)
{
  return call->notifier->class->open_master (call, path, flags, fd);
}

int
bz_call_own (BzCall *call, const BzPlace *place, const BzOwner *give, BzOwner *record)
{
  return call->notifier->class->own (call, place, give, record);
}

int
bz_call_make_placeholder (BzCall *call, const BzPlace *place, guint mode, BzOwner *record)
{
  return call->notifier->class->make_placeholder (call, place, mode, record);
}

int
bz_call_change_mode (BzCall *call, const BzPlace *place, guint mode, gboolean *reached)
{
  return call->notifier->class->change_mode (call, place, mode, reached);
}

int
bz_call_raise_limit (BzCall *call, int resource, guint64 soft, guint64 hard, guint64 old[2])
{
  if (!bz_call_begin (call))
    return ESRCH;
  return call->notifier->class->raise_limit (call, resource, soft, hard, old);
}

void
bz_call_stop (BzCall *call)
{
  call->notifier->class->stop (call);
}

BzVerdict
bz_call_move_heap (BzCall *call)
{
  return call->notifier->class->move_heap (call);
}

int
bz_call_read_string (BzCall *call, guint64 address, char *buffer, gsize size)
{
  gsize have = 0;

  /* Page by page: the string may end right before one that is not mapped. */
  while (have < size)
    {
      gsize room = MIN (size - have, PAGE - (address + have) % PAGE);
      int failed = bz_call_read (call, address + have, buffer + have, room);

      if (failed != 0)
        return failed;
      if (memchr (buffer + have, '\0', room) != NULL)
        return 0;
      have += room;
    }
  return ENAMETOOLONG;
}

int
bz_call_read_word (BzCall *call, guint64 address, guint64 *value)
{
  *value = 0; /* little-endian: a short word fills the low half */
  return bz_call_read (call, address, value, bz_call_word (call));
}

int
bz_call_write_word (BzCall *call, guint64 address, guint64 value)
{
  return bz_call_write (call, address, &value, bz_call_word (call));
}
