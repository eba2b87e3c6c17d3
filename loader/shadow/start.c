/* Which file execve(2) runs.
 *
 * Problem: the path is the target's: relative to its working directory, below its root directory,
 * through its own links. openat2(2) with RESOLVE_IN_ROOT does that for absolute paths, but a
 * relative one may climb out of the directory that it starts in, up to the target's root.
 *
 * The root is every task's own; but a look at a new task's /proc costs 15 us (6.18), so the zone's
 * serves all tasks until one may have another (BZ_EVER_ROOT: chroot, a mount namespace of its own).
 *
 * Choice: for relative paths the calling thread, which has file system context of its own (unshare
 * (CLONE_FS)), takes the target's root and working directory for the moment of one open. */
#include "config.h"

#include "loader/shadow/start.h"

#include "brand/base/error.h"
#include "loader/kernel.h"
#include "syscall-xlat/program-release.h"
#include "syscall-xlat/remote.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdatomic.h>
#include <string.h>

struct BzExecContext {
  int proc, root;        /* the supervisor's own */
  _Atomic int zone_root; /* every task's, until one may have another; -1: not looked at yet */
};

#define OPEN_FLAGS (O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)
#define FIND_FLAGS (O_PATH | O_CLOEXEC)

BzExecContext *
bz_exec_context_new (GError **error)
{
  int proc = open ("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
  int root = open ("/", O_PATH | O_DIRECTORY | O_CLOEXEC);

  if (proc < 0 || root < 0)
    {
      bz_fail_errno (error, errno, NULL, "cannot open /proc");
      return NULL;
    }
  BzExecContext *context = g_new (BzExecContext, 1);
  *context = (BzExecContext){ .proc = proc, .root = root, .zone_root = -1 };
  return context;
}

static int
open_of_task (const BzExecContext *context, pid_t tid, const char *what)
{
  char name[48];

  g_snprintf (name, sizeof name, "%d/%s", (int) tid, what);
  return openat (context->proc, name, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

static int
open_relative (const BzExecContext *context, int root, int start, const char *path)
{
  static _Thread_local gboolean own_context;
  int fd = -1;

  if (!own_context && unshare (CLONE_FS) != 0)
    return -1;
  own_context = TRUE;
  if (fchdir (root) == 0 && chroot (".") == 0)
    {
      if (fchdir (start) == 0)
        fd = open (path, FIND_FLAGS);
      if (fchdir (context->root) != 0 || chroot (".") != 0)
        g_error ("a thread of the supervisor could not return to its root directory");
    }
  return fd;
}

/* *own: whether it is the caller's to close. */
static int
root_of_task (BzExecContext *context, BzCall *call, gboolean *own)
{
  *own = call->notifier == NULL || bz_call_has_happened (call, BZ_EVER_ROOT);
  if (*own)
    return open_of_task (context, call->tid, "root");
  int root = atomic_load (&context->zone_root);
  if (root >= 0)
    return root;
  int none = -1;
  root = open_of_task (context, call->tid, "root");
  *own = !atomic_compare_exchange_strong (&context->zone_root, &none, root); /* another thread was faster */
  return root;
}

int
bz_exec_context_open (BzExecContext *context, BzCall *call, int directory, const char *path,
                      guint flags)
{
  int start = -1, fd = -1;
  gboolean own;

  if (path[0] == '\0')
    {
      if ((flags & AT_EMPTY_PATH) == 0 || bz_call_take_fd (call, directory, &fd) != 0)
        return -1;
      return fd;
    }
  int root = root_of_task (context, call, &own);
  if (root < 0)
    return -1;
  if (path[0] == '/')
    fd = bz_openat2 (root, path, FIND_FLAGS, 0, BZ_RESOLVE_IN_ROOT);
  else if (directory == AT_FDCWD)
    start = open_of_task (context, call->tid, "cwd");
  else if (bz_call_take_fd (call, directory, &start) != 0)
    start = -1;
  if (start >= 0)
    {
      fd = open_relative (context, root, start, path);
      close (start);
    }
  if (own)
    close (root);
  return fd;
}

int
bz_exec_context_reopen (BzExecContext *context, int fd)
{
  char name[48];

  g_snprintf (name, sizeof name, "self/fd/%d", fd);
  return openat (context->proc, name, OPEN_FLAGS);
}

int
bz_exec_context_open_program (BzExecContext *context, pid_t tid)
{
  char name[48];

  g_snprintf (name, sizeof name, "%d/exe", (int) tid);
  return openat (context->proc, name, OPEN_FLAGS);
}

/* --- the first bytes --- */

static void
read_script (const guint8 *bytes, gsize length, BzKnownFile *file)
{
  gsize i = 2, end;

  while (i < length && (bytes[i] == ' ' || bytes[i] == '\t'))
    i++;
  for (end = i; end < length && !memchr (" \t\n", bytes[end], 4); end++)
    ;
  if (end > i && end < length)
    file->interpreter = g_strndup ((const char *) bytes + i, end - i);
}

static void
read_interpreter (int copy, const Elf64_Phdr *header, BzKnownFile *file)
{
  char name[PATH_MAX];

  if (header->p_filesz < 2 || header->p_filesz > sizeof name
      || pread (copy, name, header->p_filesz, (off_t) header->p_offset)
             != (ssize_t) header->p_filesz
      || name[header->p_filesz - 1] != '\0')
    return;
  g_free (file->interpreter);
  file->interpreter = g_strdup (name);
}

static void
read_elf (int copy, const Elf64_Ehdr *elf, BzKnownFile *file)
{
  Elf64_Phdr headers[64];
  gsize size = sizeof headers[0] * MIN (elf->e_phnum, G_N_ELEMENTS (headers));

  if (elf->e_machine != EM_X86_64 || elf->e_phentsize != sizeof headers[0]
      || pread (copy, headers, size, (off_t) elf->e_phoff) != (ssize_t) size)
    return;
  file->elf64 = TRUE;
  file->entry = elf->e_entry;
  file->lowest = G_MAXUINT64;
  for (gsize i = 0; i < size / sizeof headers[0]; i++)
    {
      if (headers[i].p_type == PT_LOAD)
        file->lowest = MIN (file->lowest, headers[i].p_vaddr & ~(guint64) 4095);
      else if (headers[i].p_type == PT_INTERP)
        read_interpreter (copy, &headers[i], file);
    }
  if (file->lowest == G_MAXUINT64)
    file->lowest = 0;
}

void
bz_start_read (int copy, BzKnownFile *file)
{
  union {
    guint8 bytes[4096];
    Elf64_Ehdr elf;
  } start;
  gssize got = pread (copy, start.bytes, sizeof start.bytes, 0);
  guint32 part[3];

  file->wants = 0;

  if (got > 2 && memcmp (start.bytes, "#!", 2) == 0)
    read_script (start.bytes, (gsize) got, file);
  else if (got >= (gssize) sizeof start.elf && memcmp (start.bytes, ELFMAG, SELFMAG) == 0
           && start.bytes[EI_CLASS] == ELFCLASS64)
    read_elf (copy, &start.elf, file);
  if (got > 0 && bz_program_note (start.bytes, (gsize) got, part))
    file->wants = BZ_RELEASE (part[0], part[1], part[2]);
}
