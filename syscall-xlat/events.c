/* Trace events. Nobody who does not subscribe pays for them: one load of a number per call. */
#include "config.h"

#include "syscall-xlat/loop-data.h"
#include "syscall-xlat/task.h"

#include <errno.h>
#include <linux/audit.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* With the lock held. */
static void
drop (BzLoop *loop, BzSubscriber *subscriber)
{
  close (subscriber->fd);
  subscriber->fd = -1;
  atomic_fetch_sub (&loop->subscribed, 1);
}

/* Who has gone is found out when an event is sent: in a zone without calls, never. */
static void
drop_gone (BzLoop *loop)
{
  for (guint i = 0; i < BZ_SUBSCRIBERS; i++)
    {
      struct pollfd peer = { .fd = loop->subscriber[i].fd };

      if (peer.fd >= 0 && poll (&peer, 1, 0) == 1 && (peer.revents & (POLLHUP | POLLERR)) != 0)
        drop (loop, &loop->subscriber[i]);
    }
}

void
bz_loop_subscribe (BzLoop *loop, int socket)
{
  pthread_mutex_lock (&loop->events_lock);
  drop_gone (loop);
  for (guint i = 0; i < BZ_SUBSCRIBERS && socket >= 0; i++)
    if (loop->subscriber[i].fd < 0)
      {
        loop->subscriber[i] = (BzSubscriber){ .fd = socket };
        atomic_fetch_add (&loop->subscribed, 1);
        socket = -1;
      }
  pthread_mutex_unlock (&loop->events_lock);
  if (socket >= 0)
    close (socket); /* more watchers than places: the peer sees the end of file */
}

/* Before the answer is sent: the task's name can still be read. */
void
bz_event_fill (BzTraceEvent *event, const BzSlot *slot, BzVerdict verdict)
{
  const struct seccomp_data *data = &slot->notif.data;

  *event = (BzTraceEvent){
    .size = sizeof *event,
    .tid = slot->notif.pid,
    .abi = data->arch == AUDIT_ARCH_I386 ? BZ_ABI_I386 : BZ_ABI_X86_64,
    .nr = data->nr,
    .verdict = verdict.kind,
    .pretended = verdict.pretended,
    .value = verdict.value,
  };
  memcpy (event->args, data->args, sizeof event->args);
  if (bz_task_name ((pid_t) slot->notif.pid, event->comm) != 0)
    memset (event->comm, 0, sizeof event->comm);
}

void
bz_event_send (BzLoop *loop, BzTraceEvent *event)
{
  pthread_mutex_lock (&loop->events_lock);
  for (guint i = 0; i < BZ_SUBSCRIBERS; i++)
    {
      BzSubscriber *subscriber = &loop->subscriber[i];

      if (subscriber->fd < 0)
        continue;
      event->lost = subscriber->lost;
      if (send (subscriber->fd, event, sizeof *event, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0)
        continue;
      if (errno == EAGAIN || errno == ENOBUFS || errno == ENOMEM || errno == EINTR)
        subscriber->lost++;
      else
        drop (loop, subscriber);
    }
  pthread_mutex_unlock (&loop->events_lock);
}

void
bz_events_close (BzLoop *loop)
{
  for (guint i = 0; i < BZ_SUBSCRIBERS; i++)
    if (loop->subscriber[i].fd >= 0)
      close (loop->subscriber[i].fd);
}
