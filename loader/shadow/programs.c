/* Programs that are executed.
 *
 * Where the hook can't be set at execve (the target has a tracer, or is brandzone's own launcher,
 * which nobody may look into while other programs of the zone run), the program is held by other
 * means (hold.h); where that fails too, it is looked at again when it maps its first library, or,
 * without any, at its first ARCH_SET_FS. A path that leads nowhere from here may lead somewhere for
 * the target: /proc/self, or a link to it (libc's fexecve and scripts of /dev/fd take that way).
 * Most such calls just fail, since programs try each directory of PATH; so only a path that can
 * mean /proc is waited for, and then the kernel tells what it was. */
#include "config.h"

#include "loader/shadow/images-data.h"

#include "loader/shadow/exec-hook.h"
#include "loader/shadow/last-resort.h"
#include "syscall-xlat/remote.h"
#include "syscall-xlat/task.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define PATH_BYTES 4096
#define INTERPRETER_DEPTH 5 /* scripts of scripts; the kernel's own limit */

typedef struct {
  pid_t tid;
  BzExecHook hook;
} Attached;

static void
finish_attached (gpointer data)
{
  Attached *attached = data;

  bz_exec_hook_finish (attached->tid, &attached->hook);
  bz_exec_hook_clear (&attached->hook);
  g_free (attached);
}

static gboolean
needs_edits (const BzExecHook *hook)
{
  return (hook->program != NULL && hook->program->edit_count > 0)
         || (hook->interpreter != NULL && hook->interpreter->edit_count > 0);
}

static gboolean
needs_tracer (const BzImagesState *images, const BzExecHook *hook)
{
  return images->last_resort && bz_exec_hook_is_refused (hook);
}

static void find_by_tracer (BzExecHook *hook, pid_t pid);

static gboolean
begin_last_resort (BzImagesState *images, pid_t tid, const BzExecHook *hook)
{
  BzExecHook traced = *hook; /* who traces makes a copy */

  traced.find_next = find_by_tracer;
  traced.find_data = images;
  return bz_last_resort_begin (tid, &traced) == 0;
}

static void
tell (pid_t pid, const char *what)
{
  char name[16];

  if (bz_task_name (pid, name) != 0)
    return;
  g_autofree char *shown = g_strescape (name, NULL);
  g_printerr ("brandzone: %s: %s (E1)\n", shown, what);
}

#define UNCOVERED \
  "it has a tracer already: its calls of the vsyscall page that can't be rewritten end in SIGSEGV"

/* The program's text is mapped from a file with places that can't be rewritten. */
void
bz_programs_cover (BzImagesState *images, BzCall *call)
{
  BzExecHook next = { .find_next = find_by_tracer, .find_data = images };

  bz_call_will_wait (call);
  if (bz_call_begin (call) && bz_last_resort_join (call->tid, &next) != 0)
    tell (call->tid, UNCOVERED);
}

/* The zone's own tracer has the program. */
static void
edit_traced (const BzImagesState *images, pid_t pid, const BzExecHook *hook)
{
  if (!bz_exec_hook_write (pid, hook))
    tell (pid, "it has a tracer, and this kernel lets nobody else put its text right: "
               "boot without proc_mem.force_override");
  else if (needs_tracer (images, hook))
    tell (pid, UNCOVERED);
}

static void
finish_hold (gpointer data)
{
  bz_hold_finish (data);
}

static BzVerdict
hook_program (BzImagesState *images, BzCall *call, const BzExecHook *found)
{
  BzVerdict verdict = bz_continue ();
  g_auto (BzExecHook) hook = bz_exec_hook_copy (found);
  BzHold *hold;

  hook.killable = call->plan->wait_killable;
  hook.starting = images->hold.starting;
  bz_call_will_wait (call); /* execve reads from the zone's file systems */
  if (!bz_call_begin (call))
    return verdict;
  bz_late_forget (images, call->tid);
  if (needs_tracer (images, &hook) && begin_last_resort (images, call->tid, &hook))
    return verdict;
  if (bz_exec_hook_begin (call->tid, &hook) == 0)
    {
      Attached *attached = g_new (Attached, 1);
      *attached = (Attached){ .tid = call->tid, .hook = bz_exec_hook_copy (&hook) };
      verdict.after = finish_attached;
      verdict.after_data = attached;
    }
  else if (hook.begun)
    edit_traced (images, call->tid, &hook);
  else if ((hold = bz_hold_begin (call->tid, hook.killable, &images->hold)) != NULL)
    {
      verdict.after = finish_hold;
      verdict.after_data = hold;
    }
  else
    bz_late_remember (images,
                      bz_task_process_id (call->tid)); /* the first task is the one that is left */
  return verdict;
}

static BzVerdict
hook_if_needed (BzImagesState *images, BzCall *call, const BzExecHook *hook)
{
  if (needs_edits (hook) || needs_tracer (images, hook))
    return hook_program (images, call, hook);
  BzVerdict verdict = bz_continue ();
  verdict.stay = !hook->begun && hook->interpreter != NULL; /* it maps a library first: worker-pin.c */
  return verdict;
}

/* Follows #! lines to the program that is really run. *lost, unless NULL: set to TRUE where a path
 * led nowhere. */
static BzKnownFile *
find_program (BzImagesState *images, BzCall *call, int directory, const char *first, guint flags,
              gboolean *lost)
{
  g_autofree char *path = g_strdup (first);

  for (guint depth = 0; depth < INTERPRETER_DEPTH; depth++)
    {
      int fd = bz_exec_context_open (images->context, call, depth == 0 ? directory : AT_FDCWD, path,
                                     depth == 0 ? flags : 0);
      if (fd < 0)
        {
          if (lost != NULL)
            *lost = TRUE;
          return NULL;
        }
      g_autoptr (BzKnownFile) file = bz_images_look_at_found (images, call, fd);
      close (fd);
      if (file == NULL || file->elf64 || file->interpreter == NULL)
        return g_steal_pointer (&file);
      g_free (path);
      path = g_strdup (file->interpreter);
    }
  return NULL;
}

static BzKnownFile *
find_interpreter (BzImagesState *images, BzCall *call, const BzKnownFile *program)
{
  return program != NULL && program->elf64 && program->interpreter != NULL
             ? find_program (images, call, AT_FDCWD, program->interpreter, 0, NULL)
             : NULL;
}

/* Where uname(2) must look for a release of the program's own: program-release.c. */
static void
look_at_release (BzImagesState *images, const BzKnownFile *program)
{
  if (program == NULL || program->wants > images->release)
    atomic_store_explicit (images->newer, 1, memory_order_relaxed);
}

/* What the task runs. */
static void
find_running (BzImagesState *images, BzCall *call, BzExecHook *hook)
{
  int fd = bz_exec_context_open_program (images->context, call->tid);

  bz_exec_hook_clear (hook);
  if (fd < 0)
    {
      look_at_release (images, NULL);
      return;
    }
  hook->program = bz_images_look (images, call, fd);
  close (fd);
  look_at_release (images, hook->program);
  hook->interpreter = find_interpreter (images, call, hook->program);
}

static void
find_by_tracer (BzExecHook *hook, pid_t pid)
{
  BzCall call = { .tid = pid };
  BzImagesState *images = hook->find_data;

  bz_late_forget (images, pid);
  find_running (images, &call, hook);
}

static void
find_at_stop (BzExecHook *hook, pid_t pid)
{
  BzCall call = { .tid = pid };
  BzImagesState *images = hook->find_data;

  find_running (images, &call, hook);
  if (needs_tracer (images, hook))
    bz_late_remember (images, pid);
}

void
bz_programs_edit_held (gpointer data, pid_t pid, gboolean traced)
{
  BzImagesState *images = data;
  BzCall call = { .tid = pid };
  g_auto (BzExecHook) hook = { .begun = TRUE };

  find_running (images, &call, &hook);
  if (traced)
    edit_traced (images, pid, &hook);
  else if (needs_tracer (images, &hook) && begin_last_resort (images, pid, &hook))
    return;
  else if (needs_edits (&hook) && bz_exec_hook_begin (pid, &hook) == 0)
    bz_exec_hook_finish (pid, &hook);
}

void
bz_programs_lose_held (gpointer data, pid_t pid)
{
  bz_late_remember (data, pid);
}

/* Whether a path that can't be found from here can be one of /proc: spelled so, by a link of /dev,
 * or relative to who knows. */
static gboolean
can_be_of_proc (const char *path)
{
  return path[0] != '/' || strstr (path, "/proc/") != NULL || g_str_has_prefix (path, "/dev/");
}

BzVerdict
bz_programs_execute (BzImages *base, BzCall *call, int directory, guint64 address, guint flags)
{
  BzImagesState *images = (BzImagesState *) base;
  g_auto (BzExecHook) hook = { 0 };
  char path[PATH_BYTES];
  gboolean lost = FALSE;

  /* Nobody may look into the launcher of `exec`: what it has executed is seen when it is there. */
  hook.find = find_at_stop;
  hook.find_data = images;
  if (bz_call_read_string (call, address, path, sizeof path) != 0)
    return hook_program (images, call, &hook);
  hook.find = NULL;
  hook.program = find_program (images, call, directory, path, flags, &lost);
  hook.interpreter = find_interpreter (images, call, hook.program);
  if (!lost)
    look_at_release (images, hook.program);
  if (!lost)
    return hook_if_needed (images, call, &hook);
  if (can_be_of_proc (path))
    {
      hook.find = find_at_stop;
      return hook_program (images, call, &hook);
    }
  bz_late_remember (images, call->tid);
  return bz_continue ();
}

BzVerdict
bz_programs_begun (BzImages *base, BzCall *call)
{
  BzImagesState *images = (BzImagesState *) base;
  g_auto (BzExecHook) hook = { .begun = TRUE };

  if (!bz_late_forget (images, call->tid))
    return bz_continue ();
  find_running (images, call, &hook);
  return hook_if_needed (images, call, &hook);
}
