/* ioctl(2) of loop devices (catalogue row B12): what mount(8) does before it mounts an image.
 *
 * Problem: loop devices are the host's, and a zone has none. Where it may mount images the loader gives it
 * nodes, and does what is asked of them (loader/keeper-loops.c, by mounter.h).
 *
 * The filter traps these requests alone, by their numbers. Requests for other devices are the kernel's; those that could free one
 * of ours, or have the host look for partitions on it, are made here, by the descriptor that was looked at: another thread
 * can't have put one of ours in its place. */
#include "config.h"

#include "syscall-xlat/calls/handlers.h"
#include "syscall-xlat/mounter.h"
#include "syscall-xlat/remote.h"

#include <errno.h>
#include <linux/loop.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

_Static_assert (sizeof (struct loop_info64) == 232, "struct loop_info64 is the same for every ABI");

/* struct loop_info, of LOOP_SET_STATUS: where its members stand. */
#define OLD_INFO_BYTES_32 140
#define OLD_INFO_BYTES_64 168
static const struct {
  gsize bytes, offset, flags;
} old_info[] = { { OLD_INFO_BYTES_32, 16, 28 }, { OLD_INFO_BYTES_64, 32, 44 } };

static void
take_info (BzLoopRequest *request, const struct loop_info64 *info)
{
  request->offset = info->lo_offset;
  request->limit = info->lo_sizelimit;
  request->flags = info->lo_flags;
}

static int
read_old_info (BzCall *call, BzLoopRequest *request)
{
  guint8 bytes[OLD_INFO_BYTES_64];
  guint kind = bz_call_word (call) == 8;
  guint32 offset;
  int failed = bz_call_read (call, call->args[2], bytes, old_info[kind].bytes);

  if (failed != 0)
    return failed;
  memcpy (&offset, bytes + old_info[kind].offset, sizeof offset);
  memcpy (&request->flags, bytes + old_info[kind].flags, sizeof request->flags);
  request->offset = offset;
  return 0;
}

static int
read_info (BzCall *call, BzLoopRequest *request)
{
  struct loop_info64 info;
  int failed = bz_call_read (call, call->args[2], &info, sizeof info);

  if (failed == 0)
    take_info (request, &info);
  return failed;
}

/* LOOP_CONFIGURE (Linux 5.8): everything at once. */
static int
read_config (BzCall *call, BzLoopRequest *request, int *file)
{
  struct loop_config config;
  int failed = bz_call_read (call, call->args[2], &config, sizeof config);

  if (failed != 0)
    return failed;
  take_info (request, &config.info);
  request->block = config.block_size;
  *file = (int) config.fd;
  return 0;
}

/* What the request asks for; BZ_MOUNT_NOT_OURS: nothing that is answered here. */
static int
read_request (BzCall *call, BzLoopRequest *request)
{
  int file = (int) call->args[2];
  int failed = 0;

  switch ((guint32) call->args[1])
    {
    case LOOP_CTL_GET_FREE:
      request->what = "free";
      return 0;
    case LOOP_CTL_ADD:
    case LOOP_CTL_REMOVE:
      return BZ_MOUNT_NOT_OURS;
    case LOOP_CLR_FD:
      request->what = "clear";
      return 0;
    case LOOP_SET_STATUS:
      request->what = "set";
      return read_old_info (call, request);
    case LOOP_SET_STATUS64:
      request->what = "set";
      return read_info (call, request);
    case LOOP_CONFIGURE:
      failed = read_config (call, request, &file);
      break;
    case LOOP_SET_FD:
      break;
    default:
      request->what = "look";
      return 0;
    }
  request->what = "attach";
  return failed != 0 ? failed : bz_call_take_fd (call, file, &request->file);
}

/* Its answer of the kernel's own. */
static BzVerdict
leave_it (BzCall *call, const BzLoopRequest *request)
{
  struct loop_info64 info = { .lo_offset = request->offset,
                              .lo_sizelimit = request->limit,
                              .lo_flags = request->flags };
  int failed;

  switch ((guint32) call->args[1])
    {
    case LOOP_CLR_FD:
      failed = ioctl (request->device, LOOP_CLR_FD, 0);
      break;
    case LOOP_SET_STATUS:
    case LOOP_SET_STATUS64:
      failed = ioctl (request->device, LOOP_SET_STATUS64, &info);
      break;
    default:
      return bz_continue ();
    }
  return failed == 0 ? bz_value (0) : bz_errno (errno);
}

static BzVerdict
ask (BzCall *call, BzLoopRequest *request)
{
  int failed = call->mounter->class->loop (call->mounter, call, request);

  if (failed == BZ_MOUNT_NOT_OURS)
    return leave_it (call, request);
  if (failed == 0 && request->handed >= 0)
    failed = bz_call_put_fd (call, request->handed, (int) call->args[0], FALSE);
  return failed != 0 ? bz_errno (failed) : bz_value (request->value);
}

BzVerdict
bz_call_ioctl (BzCall *call)
{
  BzLoopRequest request = { .device = -1, .file = -1, .handed = -1 };
  guint quirk = call->plan->quirk[BZ_QUIRK_MOUNTS];

  if (quirk == BZ_MOUNTS_HOST || call->mounter == NULL)
    return bz_continue ();
  if (quirk != BZ_MOUNTS_ASK)
    {
      if ((guint32) call->args[1] == LOOP_CTL_GET_FREE)
        call->mounter->class->refuse (call->mounter, bz_file_system_lookup (BZ_FILE_SYSTEM_LOOP));
      return bz_continue ();
    }
  int failed = bz_call_take_fd (call, (int) call->args[0], &request.device);
  if (failed == 0)
    failed = read_request (call, &request);
  BzVerdict verdict = failed == 0                   ? ask (call, &request)
                      : failed == BZ_MOUNT_NOT_OURS ? bz_continue ()
                                                    : bz_errno (failed);
  const int fds[] = { request.device, request.file, request.handed };
  for (guint i = 0; i < G_N_ELEMENTS (fds); i++)
    if (fds[i] >= 0)
      close (fds[i]);
  return verdict;
}
