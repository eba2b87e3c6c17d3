/* A call's way to its target: memory, facts of the task, files of its tree.
 *
 * Handlers use the bz_call_ functions only. Behind them is a table of functions, so that unit tests
 * and fuzzers feed handlers from plain memory. */
#pragma once

#include "syscall-xlat/call.h"
#include "brand/base/owner-record.h"

typedef enum {
  BZ_FACT_START_BRK,   /* where the kernel started the heap */
  BZ_FACT_PERSONALITY, /* personality(2) */
  BZ_FACT_CAPABILITIES /* the effective set; empty for a task of a user namespace inside the zone's
                        * own: capabilities over less than the zone give nothing over it */
} BzFact;

typedef struct {
  char nodename[65], domainname[65]; /* NUL-terminated, zero-filled */
} BzUtsNames;

/* A file as a task names it in a call. */
typedef struct {
  int directory;    /* a descriptor of the task, or AT_FDCWD */
  const char *path; /* NULL: the descriptor itself */
  gboolean follow;  /* a link at its end; a descriptor: also one of O_PATH (AT_EMPTY_PATH) */
} BzPlace;

/* What tasks of a zone seldom do, and which makes things differ from task to task that are alike
 * until then: so they need not be looked at in each task. Where the plan traps the calls. */
typedef enum {
  BZ_EVER_PERSONALITY, /* a task has given itself another personality than the brand's (exec changes
                        * it too: READ_IMPLIES_EXEC, and what a set-uid program loses) */
  BZ_EVER_ROOT,        /* a task may have another root directory, mount or user namespace than the
                        * zone's */
  BZ_EVER_UTS,         /* a task may have another UTS namespace than the zone's */
  BZ_EVER_NEWER,       /* a static program may have run that wants a newer kernel than the brand's: seen where images
                        * of programs are (images.h) */
  BZ_EVERS
} BzEver;

typedef struct {
  int (*read) (BzCall *call, guint64 address, void *buffer, gsize length);
  int (*write) (BzCall *call, guint64 address, const void *buffer, gsize length);
  gboolean (*begin) (BzCall *call);
  void (*will_wait) (BzCall *call);
  int (*fact) (BzCall *call, BzFact fact, guint64 *value);
  gboolean (*has_happened) (BzCall *call, BzEver what, gboolean now);
  int (*uts_names) (BzCall *call, BzUtsNames *names);
  int (*file_read) (BzCall *call, const char *path, void *buffer, gsize size, gsize *length);
  int (*file_write) (BzCall *call, const char *path, const void *buffer, gsize length);
  int (*take_fd) (BzCall *call, int number, int *fd);
  BzVerdict (*move_heap) (BzCall *call);
  int (*put_fd) (BzCall *call, int fd, int number, gboolean close_on_exec);
  int (*add_fd) (BzCall *call, int fd, gboolean close_on_exec, int *number);
  int (*open_master) (BzCall *call, const char *path, guint flags, int *fd);
  const struct BzFileClass *files; /* files.h */
  int (*own) (BzCall *call, const BzPlace *place, const BzOwner *give, BzOwner *record);
  int (*make_placeholder) (BzCall *call, const BzPlace *place, guint mode, BzOwner *record);
  int (*change_mode) (BzCall *call, const BzPlace *place, guint mode, gboolean *reached);
  int (*raise_limit) (BzCall *call, int resource, guint64 soft, guint64 hard, guint64 old[2]);
  void (*stop) (BzCall *call);
} BzNotifierClass;

typedef struct BzNotifier {
  const BzNotifierClass *class;
} BzNotifier;

/* FALSE: the target is gone or no longer waits for this answer; the handler returns bz_errno
 * (ESRCH). To be called before an effect that is not a write to the target's memory (bz_call_write
 * does it itself). */
gboolean bz_call_begin (BzCall *call);

/* Says that what follows may wait for somebody else: another thread receives meanwhile. */
void bz_call_will_wait (BzCall *call);

/* 0 or a positive errno (the task is gone, or it may not be looked at). */
int bz_call_fact (BzCall *call, BzFact fact, guint64 *value);
gboolean bz_call_capable (BzCall *call, int capability);

/* Whether it has happened since the zone began; a supervisor that takes over knows it too. */
gboolean bz_call_has_happened (BzCall *call, BzEver what);
/* To be called before a call that does it is let through. */
void bz_call_happens (BzCall *call, BzEver what);
int bz_call_uts_names (BzCall *call, BzUtsNames *names);

/* Reads or writes a regular file below the target's root, with the target's credentials, within the
 * call's budget. *length gets at most size bytes' worth. 0 or a positive errno; ETIMEDOUT when the
 * file did not answer. */
int bz_call_file_read (BzCall *call, const char *path, void *buffer, gsize size, gsize *length);
int bz_call_file_write (BzCall *call, const char *path, const void *buffer, gsize length);

/* A duplicate of the target's descriptor `number`, close-on-exec, the caller's to close. 0 or a
 * positive errno. */
int bz_call_take_fd (BzCall *call, int number, int *fd);

/* Puts a duplicate of fd under the target's `number`, which is closed first. 0 or a positive errno.
 */
int bz_call_put_fd (BzCall *call, int fd, int number, gboolean close_on_exec);

/* Gives the target a duplicate of fd under a number that is free. 0 or a positive errno. */
int bz_call_add_fd (BzCall *call, int fd, gboolean close_on_exec, int *number);

/* As bz_task_open_master (task.h). */
int bz_call_open_master (BzCall *call, const char *path, guint flags, int *fd);

/* 0 when the place is one of the mounts and nodes that the loader has made for the zone and whose
 * owner is the host; or, if `give`, when the task could give the file to these owners, which is
 * then done. record, or NULL: the owner that the file should have (BZ_OWNER_UNCHANGED: as it is), which
 * is kept with the file; `known` afterwards: it was. Else a positive errno, and nothing was done. */
int bz_call_own (BzCall *call, const BzPlace *place, const BzOwner *give, BzOwner *record);

/* Makes a character device without a device (0:0) as the task; or, where record is given and can be kept,
 * an empty file with it: `known` afterwards. 0 or a positive errno. */
int bz_call_make_placeholder (BzCall *call, const BzPlace *place, guint mode, BzOwner *record);

/* fchmodat(2) as the task. 0 or a positive errno; *reached: it is that of the call, made as the task. */
int bz_call_change_mode (BzCall *call, const BzPlace *place, guint mode, gboolean *reached);

/* 0 when `hard` is above the task's own hard limit: its soft one is then as near to `soft` as it can
 * be; old: what both were. Else a positive errno, and nothing was done. */
int bz_call_raise_limit (BzCall *call, int resource, guint64 soft, guint64 hard, guint64 old[2]);

/* Kills the task's process and has it told to the user. */
void bz_call_stop (BzCall *call);

/* Continues the i386 target's brk, and has it made once more with the heap at the end of bss
 * (heap.h). */
BzVerdict bz_call_move_heap (BzCall *call);

/* Reads a NUL-terminated string of at most size - 1 bytes. ENAMETOOLONG when it is longer. */
int bz_call_read_string (BzCall *call, guint64 address, char *buffer, gsize size);

/* One pointer-sized word of the caller's ABI. */
int bz_call_read_word (BzCall *call, guint64 address, guint64 *value);
int bz_call_write_word (BzCall *call, guint64 address, guint64 value);

/* process_vm_readv and process_vm_writev with the semantics of the kernel's copy_from_user and
 * copy_to_user (page protections hold), for loop.c. tid may be any thread's. */
int bz_remote_read (pid_t tid, guint64 address, void *buffer, gsize length);
int bz_remote_write (pid_t tid, guint64 address, const void *buffer, gsize length);
