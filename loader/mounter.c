/* What the supervisor does for mount(2), and for device nodes that harm nobody: the paths are opened as
 * the task (task-mount.c, task-node.c), the rest is the keeper's, which decides and has the host's rights
 * (mount-broker.c, keeper-nodes.c). */
#include "config.h"

#include "loader/mounter.h"

#include "loader/message.h"
#include "syscall-xlat/remote.h"
#include "syscall-xlat/task.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <unistd.h>

typedef struct {
  BzMounter mounter; /* first */
  int socket;
  gboolean nodes;
} Mounter;

static void
refuse (BzMounter *mounter, const BzFileSystem *system)
{
  const Mounter *self = (const Mounter *) mounter;
  GVariantDict body;

  g_variant_dict_init (&body, NULL);
  g_variant_dict_insert (&body, "type", "s", system->name);
  bz_message_send (self->socket, "mount-refused", g_variant_dict_end (&body), NULL, 0, NULL);
}

static GVariant *
describe (const BzMountRequest *request)
{
  GVariantDict body;

  g_variant_dict_init (&body, NULL);
  g_variant_dict_insert (&body, "type", "s", request->system->name);
  g_variant_dict_insert_value (&body, "source", g_variant_new_bytestring (request->source));
  g_variant_dict_insert_value (&body, "options", g_variant_new_bytestring (request->options));
  g_variant_dict_insert (&body, "flags", "t", request->flags);
  return g_variant_dict_end (&body);
}

/* fds: the first is the reply's other end, which is put there here. more: what the answer tells beside the error, or
 * NULL. */
static int
ask_keeper (int socket, const char *kind, GVariant *body, int *fds, guint count, BzMessage **more)
{
  struct timeval limit = { .tv_sec = BZ_MOUNT_BUDGET_MS / 1000, .tv_usec = 200 * 1000 };
  g_autoptr (BzMessage) answer = NULL;
  gint32 failed = ETIMEDOUT;
  int pair[2];

  if (socketpair (AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
    return errno;
  setsockopt (pair[0], SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  fds[0] = pair[1];
  gboolean sent = bz_message_send (socket, kind, body, fds, count, NULL);
  close (pair[1]);
  if (sent)
    answer = bz_message_receive (pair[0], NULL, NULL);
  close (pair[0]);
  if (answer != NULL)
    g_variant_dict_lookup (answer->body, "error", "i", &failed);
  if (more != NULL)
    *more = g_steal_pointer (&answer);
  return failed;
}

/* --- loop devices --- */

static GVariant *
describe_loop (const BzLoopRequest *request, pid_t tid)
{
  GVariantDict body;

  g_variant_dict_init (&body, NULL);
  g_variant_dict_insert (&body, "do", "s", request->what);
  g_variant_dict_insert (&body, "tid", "i", (gint32) tid);
  g_variant_dict_insert (&body, "offset", "t", request->offset);
  g_variant_dict_insert (&body, "limit", "t", request->limit);
  g_variant_dict_insert (&body, "block", "u", request->block);
  g_variant_dict_insert (&body, "flags", "u", request->flags);
  return g_variant_dict_end (&body);
}

static int
ask_for_loop (const Mounter *self, pid_t tid, BzLoopRequest *request)
{
  int fds[] = { -1, request->device, request->file };
  g_autoptr (BzMessage) answer = NULL;
  int failed = ask_keeper (self->socket, "loops", describe_loop (request, tid), fds,
                           request->file >= 0 ? 3 : 2, &answer);

  if (answer != NULL)
    {
      g_variant_dict_lookup (answer->body, "value", "i", &request->value);
      request->handed = bz_message_take_fd (answer, 0);
    }
  return failed;
}

static int
loop_for (BzMounter *mounter, BzCall *call, BzLoopRequest *request)
{
  bz_call_will_wait (call);
  return ask_for_loop ((const Mounter *) mounter, call->tid, request);
}

/* One that was to clear itself does so with the mount. */
static void
tell_mounted (const Mounter *self, pid_t tid, int device)
{
  BzLoopRequest request = { .what = "mounted", .device = device, .file = -1, .handed = -1 };

  ask_for_loop (self, tid, &request);
}

/* --- mounts --- */

static int
open_namespace (pid_t tid)
{
  char path[48];

  g_snprintf (path, sizeof path, "/proc/%d/ns/mnt", (int) tid);
  return open (path, O_RDONLY | O_CLOEXEC);
}

static int
mount_for (BzMounter *mounter, BzCall *call, const BzMountRequest *request)
{
  const Mounter *self = (const Mounter *) mounter;
  BzTarget target = { .tid = call->tid, .begin = bz_call_begin, .call = call };
  gboolean image = request->system->kind == BZ_FILE_SYSTEM_IMAGE;
  gboolean writes = (request->flags & MS_RDONLY) == 0 && !request->system->read_only;
  int opened[2] = { -1, -1 };

  bz_call_will_wait (call);
  int namespace = open_namespace (call->tid);
  if (namespace < 0)
    return BZ_MOUNT_NOT_OURS;
  int failed = bz_task_open_mount (target, request->target, image ? request->source : NULL, writes,
                                   opened, BZ_CALL_BUDGET_MS - 500);
  if (failed == 0)
    {
      int fds[] = { -1, opened[0], namespace, opened[1] };
      failed = ask_keeper (self->socket, "mount", describe (request), fds, image ? 4 : 3, NULL);
      if (failed == 0 && image)
        tell_mounted (self, call->tid, opened[1]);
    }
  close (namespace);
  for (guint i = 0; i < 2; i++)
    if (opened[i] >= 0)
      close (opened[i]);
  return failed;
}

/* --- nodes --- */

static GVariant *
describe_node (const char *name, guint32 number)
{
  GVariantDict body;

  g_variant_dict_init (&body, NULL);
  g_variant_dict_insert_value (&body, "name", g_variant_new_bytestring (name));
  g_variant_dict_insert (&body, "number", "u", number);
  return g_variant_dict_end (&body);
}

/* What the keeper can't do is the placeholder's (calls/nodes.c) to do. */
static int
node_for (BzMounter *mounter, BzCall *call, const BzPlace *place, guint32 mode, guint32 number)
{
  const Mounter *self = (const Mounter *) mounter;
  BzTarget target = { .tid = call->tid, .begin = bz_call_begin, .call = call };
  const char *slash = strrchr (place->path, '/');
  int opened[2];

  if (!self->nodes)
    return BZ_MOUNT_NOT_OURS;
  bz_call_will_wait (call);
  int failed = bz_task_begin_node (target, place, mode, opened, BZ_CALL_BUDGET_MS - 500);
  if (failed != 0)
    return failed;
  int fds[] = { -1, opened[0], opened[1] };
  failed = ask_keeper (self->socket, "node", describe_node (slash != NULL ? slash + 1 : place->path, number), fds,
                       G_N_ELEMENTS (fds), NULL);
  close (opened[0]);
  close (opened[1]);
  if (failed == 0)
    return 0;
  bz_task_take_back (target, place, BZ_CALL_BUDGET_MS - 500);
  return BZ_MOUNT_NOT_OURS;
}

static const BzMounterClass mounter_class = { .refuse = refuse, .mount = mount_for, .loop = loop_for, .node = node_for };

BzMounter *
bz_mounter_new (int socket, gboolean nodes)
{
  Mounter *self = g_new0 (Mounter, 1);

  self->mounter.class = &mounter_class;
  self->socket = socket;
  self->nodes = nodes;
  return &self->mounter;
}
