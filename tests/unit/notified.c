#include "config.h"

#include "tests/unit/notified.h"

#include "tests/unit/cmocka-all.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1UL << 5)
#endif

static int
install (const struct sock_fprog *program, gboolean killable)
{
  prctl (PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  return (int) syscall (SYS_seccomp, SECCOMP_SET_MODE_FILTER,
                        SECCOMP_FILTER_FLAG_NEW_LISTENER
                            | (killable ? SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV : 0),
                        program);
}

gboolean
bz_task_can_wait_killable (void)
{
  struct sock_filter allow = BPF_STMT (BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
  const struct sock_fprog program = { 1, &allow };
  int status = 0;
  pid_t child = fork ();

  if (child == 0)
    _exit (install (&program, TRUE) >= 0 ? 0 : 1);
  waitpid (child, &status, 0);
  return status == 0;
}

typedef union {
  char bytes[CMSG_SPACE (sizeof (int))];
  struct cmsghdr align;
} Control;

static void
send_fd (int to, int fd)
{
  Control control = { 0 };
  char byte = 0;
  struct iovec data = { &byte, 1 };
  struct msghdr message = { .msg_iov = &data,
                            .msg_iovlen = 1,
                            .msg_control = control.bytes,
                            .msg_controllen = sizeof control.bytes };
  struct cmsghdr *header = CMSG_FIRSTHDR (&message);

  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN (sizeof fd);
  memcpy (CMSG_DATA (header), &fd, sizeof fd);
  sendmsg (to, &message, 0);
}

static int
receive_fd (int from)
{
  Control control = { 0 };
  char byte;
  int fd = -1;
  struct iovec data = { &byte, 1 };
  struct msghdr message = { .msg_iov = &data,
                            .msg_iovlen = 1,
                            .msg_control = control.bytes,
                            .msg_controllen = sizeof control.bytes };

  if (recvmsg (from, &message, MSG_CMSG_CLOEXEC) <= 0 || CMSG_FIRSTHDR (&message) == NULL)
    return -1;
  memcpy (&fd, CMSG_DATA (CMSG_FIRSTHDR (&message)), sizeof fd);
  return fd;
}

BzTask
bz_task_new_filtered (const struct sock_fprog *program, gboolean killable, BzTaskFunction function,
                      gpointer data)
{
  BzTask task = { 0 };
  int ends[2];
  char byte;

  assert_int_equal (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
  task.pid = fork ();
  if (task.pid == 0)
    {
      int listener = install (program, killable);

      if (listener < 0)
        _exit (126);
      prctl (PR_SET_PDEATHSIG, SIGKILL);
      close (ends[0]);
      send_fd (ends[1], listener);
      close (listener);
      if (read (ends[1], &byte, 1) != 1)
        _exit (125);
      _exit (function (data));
    }
  assert_true (task.pid > 0);
  close (ends[1]);
  task.go = ends[0];
  task.listener = receive_fd (ends[0]);
  if (task.listener < 0)
    {
      print_message ("skipped: the kernel gives no seccomp listener (user-notify)\n");
      waitpid (task.pid, NULL, 0);
      skip ();
    }
  return task;
}

BzTask
bz_task_new (const int *numbers, BzTaskFunction function, gpointer data)
{
  struct sock_filter code[64];
  struct sock_fprog program = { 0, code };

  code[program.len++] =
      (struct sock_filter) BPF_STMT (BPF_LD | BPF_W | BPF_ABS, offsetof (struct seccomp_data, nr));
  for (int i = 0; numbers[i] >= 0 && program.len < 60; i++)
    {
      code[program.len++] =
          (struct sock_filter) BPF_JUMP (BPF_JMP | BPF_JEQ | BPF_K, (unsigned) numbers[i], 0, 1);
      code[program.len++] = (struct sock_filter) BPF_STMT (BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF);
    }
  code[program.len++] = (struct sock_filter) BPF_STMT (BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
  return bz_task_new_filtered (&program, bz_task_can_wait_killable (), function, data);
}

void
bz_task_go (BzTask *task)
{
  assert_int_equal (write (task->go, "g", 1), 1);
  close (task->go);
}

int
bz_task_wait (BzTask *task)
{
  int status = 0;

  while (waitpid (task->pid, &status, 0) < 0 && errno == EINTR)
    continue;
  return WIFEXITED (status) ? WEXITSTATUS (status) : -WTERMSIG (status);
}
