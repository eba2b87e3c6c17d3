/* What a zone's programs execute and map, seen from the supervisor.
 *
 * Problem: x86-64 programs linked with glibc before 2.14 call addresses of the vsyscall page, which
 * kernels no longer serve (FAILURES E1); there is no system call to trap.
 *
 * Choice: of a file that holds such calls a rewritten copy is kept (broker.h). A library's
 * descriptor is exchanged for one of its copy just before it is mapped. The program and its
 * interpreter, which execve maps, are edited in memory when they start (exec-hook.h). What is known
 * of a file holds for its device, inode, size and ctime.
 *
 * The way of an ordinary call, of files that are known and hold nothing: one descriptor opened, one
 * fstat. A file that is new is copied and searched for the page's addresses; only if they are in it
 * is the keeper asked.
 *
 * Limits: the exchange stays: fstat of that descriptor shows the copy's inode. A file changed in
 * place within the granularity of its ctime keeps its old copy. Text made executable by mprotect is
 * not seen. */
#include "config.h"

#include "loader/shadow/images.h"

#include "brand/base/error.h"
#include "loader/kernel.h"
#include "loader/shadow/broker.h"
#include "loader/shadow/exec-hook.h"
#include "loader/shadow/hold.h"
#include "loader/shadow/image-copy.h"
#include "loader/shadow/known.h"
#include "loader/shadow/last-resort.h"
#include "loader/shadow/start.h"
#include "syscall-xlat/remote.h"
#include "syscall-xlat/task.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define IMAGE_LIMIT (512 * 1024 * 1024)
#define SMALL_IMAGE (16 * 1024 * 1024)
#define DOUBT_TIME \
  (2 * G_USEC_PER_SEC) /* until a file that could not be examined is tried again: a full disk, a \
                          change */
#define PATH_BYTES 4096
#define INTERPRETER_DEPTH 5 /* scripts of scripts; the kernel's own limit */

typedef struct {
  BzImages base;
  int broker;
  BzKnownFiles *files;
  BzExecContext *context;
  pthread_mutex_t lock;
  GHashTable *late; /* set of tids whose programs are to be looked at when they have begun */
  _Atomic guint late_count;
  _Atomic guint64 in_copy; /* bytes of large files that are being looked at */
  gboolean last_resort;    /* this host's kernel does not serve the vsyscall page */
  BzHoldClass hold;
} Images;

/* --- looking at a file --- */

static gboolean
is_large (guint64 size)
{
  return size > SMALL_IMAGE && size <= IMAGE_LIMIT; /* above, it is refused before it is copied */
}

/* A zone's tasks can have many files examined at once: what is copied of large ones at a time is
 * limited, for it is memory. */
static gboolean
reserve (Images *images, guint64 size)
{
  if (!is_large (size))
    return TRUE;
  if (atomic_fetch_add (&images->in_copy, size) + size <= IMAGE_LIMIT)
    return TRUE;
  atomic_fetch_sub (&images->in_copy, size);
  return FALSE;
}

static void
release (Images *images, guint64 size)
{
  if (is_large (size))
    atomic_fetch_sub (&images->in_copy, size);
}

static char *
base_name_of (int fd)
{
  char path[48];

  g_snprintf (path, sizeof path, "/proc/self/fd/%d", fd);
  g_autofree char *target = g_file_read_link (path, NULL);
  return target != NULL ? g_path_get_basename (target) : g_strdup ("image");
}

/* FALSE: it could not be found out. */
static gboolean
examine_copy (Images *images, int fd, BzKnownFile *file)
{
  g_autoptr (GError) error = NULL;
  gboolean sure = TRUE;

  int copy = bz_image_copy (fd, IMAGE_LIMIT, &error);
  if (copy < 0)
    return g_error_matches (error, BZ_ERROR, BZ_ERROR_INPUT);
  bz_start_read (copy, file);
  if (file->elf64 && bz_image_may_call_vsyscall (copy))
    {
      g_autofree char *name = base_name_of (fd);
      sure = bz_broker_ask (images->broker, copy, name, file);
      if (!sure)
        file->refused = TRUE; /* as long as no copy can be made */
    }
  close (copy);
  return sure;
}

static const BzKnownFile *
examine (Images *images, BzCall *call, int fd, const BzFileKey *key)
{
  BzKnownFile *file = g_new0 (BzKnownFile, 1);
  gboolean sure = FALSE;

  if (call->notifier != NULL) /* else nobody waits for this thread */
    bz_call_will_wait (call);
  file->key = *key;
  file->copy = -1;
  if (reserve (images, key->size))
    {
      sure = examine_copy (images, fd, file);
      release (images, key->size);
    }
  if (!sure)
    file->doubtful = g_get_monotonic_time ();
  return bz_known_files_add (images->files, file);
}

/* FALSE: it is no regular file. *file is NULL when it must be examined. */
static gboolean
look_up (Images *images, int fd, BzFileKey *key, const BzKnownFile **file)
{
  struct stat st;

  if (fstat (fd, &st) != 0 || !S_ISREG (st.st_mode))
    return FALSE;
  bz_file_key (&st, key);
  *file = bz_known_files_find (images->files, key);
  if (*file != NULL && (*file)->doubtful != 0
      && g_get_monotonic_time () - (*file)->doubtful >= DOUBT_TIME)
    *file = NULL;
  return TRUE;
}

/* NULL when it is no regular file. */
static const BzKnownFile *
look (Images *images, BzCall *call, int fd)
{
  const BzKnownFile *file;
  BzFileKey key;

  if (!look_up (images, fd, &key, &file))
    return NULL;
  return file != NULL ? file : examine (images, call, fd, &key);
}

/* Of a file that was only found. What is read is examined under its own name, should it be another
 * one. */
static const BzKnownFile *
look_at_found (Images *images, BzCall *call, int found)
{
  const BzKnownFile *file;
  BzFileKey key;

  if (!look_up (images, found, &key, &file))
    return NULL;
  if (file != NULL)
    return file;
  int fd = bz_exec_context_reopen (images->context, found);
  if (fd < 0)
    return NULL;
  file = look (images, call, fd);
  close (fd);
  return file;
}

/* --- libraries --- */

/* A fresh open file on the read-only mount, at the offset of the one that it replaces. */
static int
open_copy (const BzKnownFile *file, int original)
{
  char path[48];
  off_t offset = lseek (original, 0, SEEK_CUR);

  g_snprintf (path, sizeof path, "/proc/self/fd/%d", file->copy);
  int fd = open (path, O_RDONLY | O_CLOEXEC);
  if (fd >= 0 && offset > 0)
    lseek (fd, offset, SEEK_SET);
  return fd;
}

/* Whether the target's descriptor is close-on-exec: its duplicate does not tell. */
static gboolean
closes_on_exec (pid_t tid, int number)
{
  char path[64], text[256];

  g_snprintf (path, sizeof path, "/proc/%d/fdinfo/%d", (int) tid, number);
  int fd = open (path, O_RDONLY | O_CLOEXEC);
  if (fd < 0)
    return FALSE;
  gssize got = read (fd, text, sizeof text - 1);
  close (fd);
  text[MAX (got, 0)] = '\0';
  const char *line = strstr (text, "flags:");
  return line != NULL && (g_ascii_strtoull (line + strlen ("flags:"), NULL, 8) & O_CLOEXEC) != 0;
}

/* by_linker: what would become of the descriptor at an exec is of no account, and not worth the 10 us
 * of a look at a new task's /proc. */
static gboolean
exchange (const BzKnownFile *file, BzCall *call, int number, int original, gboolean by_linker)
{
  int copy = open_copy (file, original);

  if (copy < 0)
    return FALSE;
  int failed = bz_call_put_fd (call, copy, number, by_linker || closes_on_exec (call->tid, number));
  close (copy);
  return failed == 0;
}

static void cover_process (Images *images, BzCall *call);

static void
map_file (Images *images, BzCall *call, int number, gboolean by_linker)
{
  int fd;

  if (bz_call_take_fd (call, number, &fd) != 0)
    return;
  const BzKnownFile *file = look (images, call, fd);
  gboolean exchanged =
      file == NULL || file->copy < 0 || exchange (file, call, number, fd, by_linker);
  if (images->last_resort && (!exchanged || (file != NULL && file->refused)))
    cover_process (images, call);
  close (fd);
}

/* --- programs ---
 *
 * Where the hook can't be set at execve (the target has a tracer, or is brandzone's own launcher,
 * which nobody may look into while other programs of the zone run), the program is held by other means (hold.h); where
 * that fails too, it is looked at again when it maps its first library, or, without any, at its first ARCH_SET_FS. A path that leads nowhere from here may lead somewhere for the target:
 * /proc/self, or a link to it (libc's fexecve and scripts of /dev/fd take that way). Most such
 * calls just fail, since programs try each directory of PATH; so only a path that can mean /proc is
 * waited for, and then the kernel tells what it was. */

typedef struct {
  pid_t tid;
  BzExecHook hook;
} Attached;

static void
finish_attached (gpointer data)
{
  Attached *attached = data;

  bz_exec_hook_finish (attached->tid, &attached->hook);
  g_free (attached);
}

#define LATE_MAX 4096 /* tasks that never got so far are forgotten, all at once */

static void
remember_late (Images *images, pid_t tid)
{
  pthread_mutex_lock (&images->lock);
  if (g_hash_table_size (images->late) >= LATE_MAX)
    g_hash_table_remove_all (images->late);
  g_hash_table_add (images->late, GINT_TO_POINTER (tid));
  atomic_store (&images->late_count, g_hash_table_size (images->late));
  pthread_mutex_unlock (&images->lock);
}

static gboolean
forget_late (Images *images, pid_t tid)
{
  if (atomic_load (&images->late_count) == 0)
    return FALSE;
  pthread_mutex_lock (&images->lock);
  gboolean known = g_hash_table_remove (images->late, GINT_TO_POINTER (tid));
  atomic_store (&images->late_count, g_hash_table_size (images->late));
  pthread_mutex_unlock (&images->lock);
  return known;
}

static gboolean
needs_edits (const BzExecHook *hook)
{
  return (hook->program != NULL && hook->program->edit_count > 0)
         || (hook->interpreter != NULL && hook->interpreter->edit_count > 0);
}

static gboolean
needs_tracer (const Images *images, const BzExecHook *hook)
{
  return images->last_resort && bz_exec_hook_is_refused (hook);
}

static void find_by_tracer (BzExecHook *hook, pid_t pid);

static gboolean
begin_last_resort (Images *images, pid_t tid, const BzExecHook *hook)
{
  BzExecHook traced = *hook;

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
static void
cover_process (Images *images, BzCall *call)
{
  BzExecHook next = { .find_next = find_by_tracer, .find_data = images };

  bz_call_will_wait (call);
  if (bz_call_begin (call) && bz_last_resort_join (call->tid, &next) != 0)
    tell (call->tid, UNCOVERED);
}

/* The zone's own tracer has the program. */
static void
edit_traced (const Images *images, pid_t pid, const BzExecHook *hook)
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
hook_program (Images *images, BzCall *call, const BzExecHook *found)
{
  BzVerdict verdict = bz_continue ();
  BzExecHook hook = *found;
  BzHold *hold;

  hook.killable = call->plan->wait_killable;
  hook.starting = images->hold.starting;
  bz_call_will_wait (call); /* execve reads from the zone's file systems */
  if (!bz_call_begin (call))
    return verdict;
  forget_late (images, call->tid);
  if (needs_tracer (images, &hook) && begin_last_resort (images, call->tid, &hook))
    return verdict;
  if (bz_exec_hook_begin (call->tid, &hook) == 0)
    {
      Attached *attached = g_new (Attached, 1);
      *attached = (Attached){ .tid = call->tid, .hook = hook };
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
    remember_late (images, bz_task_process_id (call->tid)); /* the first task is the one that is left */
  return verdict;
}

static BzVerdict
hook_if_needed (Images *images, BzCall *call, const BzExecHook *hook)
{
  if (needs_edits (hook) || needs_tracer (images, hook))
    return hook_program (images, call, hook);
  BzVerdict verdict = bz_continue ();
  verdict.stay = !hook->begun;
  return verdict;
}

/* Follows #! lines to the program that is really run. *lost, unless NULL: set to TRUE where a path
 * led nowhere. */
static const BzKnownFile *
find_program (Images *images, BzCall *call, int directory, const char *first, guint flags,
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
      const BzKnownFile *file = look_at_found (images, call, fd);
      close (fd);
      if (file == NULL || file->elf64 || file->interpreter == NULL)
        return file;
      g_free (path);
      path = g_strdup (file->interpreter);
    }
  return NULL;
}

static const BzKnownFile *
find_interpreter (Images *images, BzCall *call, const BzKnownFile *program)
{
  return program != NULL && program->elf64 && program->interpreter != NULL
             ? find_program (images, call, AT_FDCWD, program->interpreter, 0, NULL)
             : NULL;
}

/* What the task runs. */
static void
find_running (Images *images, BzCall *call, BzExecHook *hook)
{
  int fd = bz_exec_context_open_program (images->context, call->tid);

  if (fd < 0)
    return;
  hook->program = look (images, call, fd);
  close (fd);
  hook->interpreter = find_interpreter (images, call, hook->program);
}

static void
find_by_tracer (BzExecHook *hook, pid_t pid)
{
  BzCall call = { .tid = pid };
  Images *images = hook->find_data;

  forget_late (images, pid);
  hook->program = hook->interpreter = NULL;
  find_running (images, &call, hook);
}

static void
find_at_stop (BzExecHook *hook, pid_t pid)
{
  BzCall call = { .tid = pid };
  Images *images = hook->find_data;

  find_running (images, &call, hook);
  if (needs_tracer (images, hook))
    remember_late (images, pid);
}

/* As bz_hold_begin and bz_hold_succeed want it. */
static void
edit_held (gpointer data, pid_t pid, gboolean traced)
{
  Images *images = data;
  BzCall call = { .tid = pid };
  BzExecHook hook = { .begun = TRUE };

  find_running (images, &call, &hook);
  if (traced)
    edit_traced (images, pid, &hook);
  else if (needs_tracer (images, &hook) && begin_last_resort (images, pid, &hook))
    return;
  else if (needs_edits (&hook) && bz_exec_hook_begin (pid, &hook) == 0)
    bz_exec_hook_finish (pid, &hook);
}

static void
lose_held (gpointer data, pid_t pid)
{
  remember_late (data, pid);
}

/* Whether a path that can't be found from here can be one of /proc: spelled so, by a link of /dev,
 * or relative to who knows. */
static gboolean
can_be_of_proc (const char *path)
{
  return path[0] != '/' || strstr (path, "/proc/") != NULL || g_str_has_prefix (path, "/dev/");
}

static BzVerdict
on_execute (BzImages *base, BzCall *call, int directory, guint64 address, guint flags)
{
  Images *images = (Images *) base;
  BzExecHook hook = { 0 };
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
    return hook_if_needed (images, call, &hook);
  if (can_be_of_proc (path))
    {
      hook.find = find_at_stop;
      return hook_program (images, call, &hook);
    }
  remember_late (images, call->tid);
  return bz_continue ();
}

static BzVerdict
on_begun (BzImages *base, BzCall *call)
{
  Images *images = (Images *) base;
  BzExecHook hook = { .begun = TRUE };

  if (!forget_late (images, call->tid))
    return bz_continue ();
  find_running (images, call, &hook);
  return hook_if_needed (images, call, &hook);
}

static BzVerdict
on_map (BzImages *base, BzCall *call, int number, gboolean by_linker)
{
  map_file ((Images *) base, call, number, by_linker);
  return on_begun (base, call); /* of a dynamic program: its first library comes before its first call
                                   of the page */
}

static const BzImagesClass images_class = {
  .map = on_map,
  .execute = on_execute,
  .begun = on_begun,
};

BzImages *
bz_images_new (int broker_socket, BzStarting *starting, GError **error)
{
  BzExecContext *context = bz_exec_context_new (error);

  if (context == NULL)
    return NULL;
  Images *images = g_new0 (Images, 1);
  images->base.class = &images_class;
  images->broker = broker_socket;
  images->files = bz_known_files_new ();
  images->context = context;
  images->last_resort = bz_last_resort_needed ();
  images->late = g_hash_table_new (NULL, NULL);
  pthread_mutex_init (&images->lock, NULL);
  images->hold = (BzHoldClass){
    .edit = edit_held, .lost = lose_held, .data = images, .starting = starting
  };
  bz_hold_succeed (&images->hold);
  return &images->base;
}
