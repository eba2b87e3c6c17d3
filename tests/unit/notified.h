/* Tasks whose calls are reported to a listener, for tests of the loop. */
#pragma once

#include "syscall-xlat/remote.h"

#include <sys/types.h>

/* Forks a task that runs `function` and exits with its result, under a filter that reports the
 * x86-64 calls `numbers` (ended by -1). Its listener goes to *listener. It waits for bz_task_go()
 * before it begins. Skips the test when the kernel gives no listener. */
typedef int (*BzTaskFunction) (gpointer data);
typedef struct {
  pid_t pid;
  int listener;
  int go;
} BzTask;
BzTask bz_task_new (const int *numbers, BzTaskFunction function, gpointer data);
/* The same under a filter of the caller's. killable: only fatal signals interrupt a call that was
 * received (Linux 5.19). */
struct sock_fprog;
BzTask bz_task_new_filtered (const struct sock_fprog *program, gboolean killable,
                             BzTaskFunction function, gpointer data);
void bz_task_go (BzTask *task);
int bz_task_wait (BzTask *task); /* its exit status, or -signal */

/* Whether filters can be told that only fatal signals interrupt a received call (Linux 5.19). */
gboolean bz_task_can_wait_killable (void);
