/* brandzone-views [--ids UID:GID] FORM...: serves files with figures of the machine to a zone.
 *
 * Problem: free, top and vmstat look again every few seconds, so what they read can't be written once. procfs takes no
 * files of ours, and no system call tells beforehand that such a file is read.
 *
 * Facts: a FUSE file system's root may be a regular file: mounted on the one that it stands for, it needs no directory
 * and no look-up. A user namespace may mount it (Linux 4.18) with a device that was opened in it; with allow_other all
 * of that namespace and of those below may read it.
 *
 * Choice: the zone's first process mounts one for each file (view-figures.c) and hands the devices over; they are
 * descriptors 3 and up here, in the order of the forms. A text is made when a reader is at the file's start, from the
 * host's files, so that one that was read in parts fits together and one that is read again is new. The process
 * takes the zone root's ids; a device that says ENODEV has been unmounted, and with the last one it ends: nobody has to
 * end it. It runs outside the zone, on the processors that its keeper was bound to: these count.
 *
 * Limits: killed, it leaves ENOTCONN in the place of these files until the zone starts again. */
#define FUSE_USE_VERSION 31
#include "config.h"

#include "loader/figures.h"
#include "loader/kernel.h"

#include <errno.h>
#include <fuse_lowlevel.h>
#include <grp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define FIRST_FD 3
#define FOR_EVER 1e9     /* seconds */
#define READERS_MAX 4096 /* their texts are not counted as the zone's memory */

typedef struct {
  char *text; /* what this opener reads; NULL: nothing yet */
  gsize length;
} Reader;

static cpu_set_t processors;
static guint readers;

/* --- one file --- */

static void
on_getattr (fuse_req_t request, fuse_ino_t inode, struct fuse_file_info *file G_GNUC_UNUSED)
{
  const time_t now = time (NULL);
  const struct stat st = { .st_ino = inode,
                           .st_mode = S_IFREG | 0444,
                           .st_nlink = 1,
                           .st_atime = now,
                           .st_mtime = now,
                           .st_ctime = now };

  fuse_reply_attr (request, &st, FOR_EVER);
}

static void
end_reader (Reader *reader)
{
  g_free (reader->text);
  g_free (reader);
  readers--;
}

static void
on_open (fuse_req_t request, fuse_ino_t inode G_GNUC_UNUSED, struct fuse_file_info *file)
{
  if (readers >= READERS_MAX)
    {
      fuse_reply_err (request, ENFILE);
      return;
    }
  Reader *reader = g_new0 (Reader, 1);

  readers++;
  file->fh = (guint64) (gsize) reader;
  file->direct_io = 1; /* its length is not known beforehand, as in /proc */
  if (fuse_reply_open (request, file) != 0)
    end_reader (reader); /* the opener is gone: it is not released */
}

static gboolean
make_text (BzForm form, Reader *reader)
{
  BzFigures figures;

  g_clear_pointer (&reader->text, g_free);
  if (!bz_figures_read (form, &figures))
    return FALSE;
  reader->text = bz_figures_write (form, &figures, &processors);
  reader->length = reader->text != NULL ? strlen (reader->text) : 0;
  bz_figures_clear (&figures);
  return reader->text != NULL;
}

static void
on_read (fuse_req_t request, fuse_ino_t inode G_GNUC_UNUSED, size_t size, off_t offset, struct fuse_file_info *file)
{
  const BzForm *form = fuse_req_userdata (request);
  Reader *reader = (Reader *) (gsize) file->fh;
  gsize from = (gsize) MAX (offset, 0);

  if ((from == 0 || reader->text == NULL) && !make_text (*form, reader))
    fuse_reply_err (request, EIO);
  else if (from >= reader->length)
    fuse_reply_buf (request, NULL, 0);
  else
    fuse_reply_buf (request, reader->text + from, MIN (size, reader->length - from));
}

static void
on_release (fuse_req_t request, fuse_ino_t inode G_GNUC_UNUSED, struct fuse_file_info *file)
{
  end_reader ((Reader *) (gsize) file->fh);
  fuse_reply_err (request, 0);
}

static const struct fuse_lowlevel_ops operations = {
  .getattr = on_getattr,
  .open = on_open,
  .read = on_read,
  .release = on_release,
};

/* --- all --- */

static struct fuse_session *
serve_device (int fd, BzForm *form)
{
  char *words[] = { (char *) "brandzone-views", NULL };
  struct fuse_args arguments = FUSE_ARGS_INIT (1, words);
  struct fuse_session *session = fuse_session_new (&arguments, &operations, sizeof operations, form);
  char place[32];

  g_snprintf (place, sizeof place, "/dev/fd/%d", fd);
  if (session == NULL || fuse_session_mount (session, place) != 0)
    return NULL;
  return session;
}

/* One request; FALSE: there will be no other. */
static gboolean
serve_one (struct fuse_session *session, struct fuse_buf *buffer)
{
  int got = fuse_session_receive_buf (session, buffer);

  if (got > 0)
    fuse_session_process_buf (session, buffer);
  return !fuse_session_exited (session) && (got > 0 || got == -EINTR || got == -EAGAIN);
}

static void
serve (struct fuse_session **sessions, guint count)
{
  struct fuse_buf buffer = { .mem = NULL };
  struct pollfd ready[BZ_FILES_MAX];
  guint left = count;

  for (guint i = 0; i < count; i++)
    ready[i] = (struct pollfd){ fuse_session_fd (sessions[i]), POLLIN, 0 };
  while (left > 0)
    {
      if (poll (ready, count, -1) < 0)
        continue;
      for (guint i = 0; i < count; i++)
        if (ready[i].fd >= 0 && ready[i].revents != 0 && !serve_one (sessions[i], &buffer))
          {
            ready[i].fd = -1;
            left--;
          }
    }
}

static gboolean
take_ids (const char *text)
{
  g_auto (GStrv) words = g_strsplit (text, ":", -1);
  guint64 number[2];

  for (guint i = 0; i < 2; i++)
    if (words[i] == NULL || !g_ascii_string_to_unsigned (words[i], 10, 0, G_MAXUINT32 - 1, &number[i], NULL))
      return FALSE;
  uid_t uid = (uid_t) number[0];
  gid_t gid = (gid_t) number[1];
  return words[2] == NULL && setgroups (0, NULL) == 0 && setresgid (gid, gid, gid) == 0
         && setresuid (uid, uid, uid) == 0;
}

/* Whoever has started this waits for its end: then all devices are in their place. */
static gboolean
leave_parent (void)
{
  pid_t child = fork ();

  if (child > 0)
    _exit (0);
  return child == 0 && setsid () >= 0;
}

int
main (int argc, char **argv)
{
  static BzForm forms[BZ_FILES_MAX];
  struct fuse_session *sessions[BZ_FILES_MAX];
  int first = argc > 2 && strcmp (argv[1], "--ids") == 0 ? 3 : 1;
  guint count = argc > first ? (guint) (argc - first) : 0;

  if (count == 0 || count > BZ_FILES_MAX)
    {
      fputs ("brandzone-views is started by brandzone(1)\n", stderr);
      return 2;
    }
  bz_close_range (FIRST_FD + count, ~0U, 0);
  if (sched_getaffinity (0, sizeof processors, &processors) != 0)
    memset (&processors, 0xff, sizeof processors); /* there are more than it has room for */
  if ((first == 3 && !take_ids (argv[2])) || prctl (PR_SET_DUMPABLE, 0) != 0
      || prctl (PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || chdir ("/") != 0)
    return 1;
  for (guint i = 0; i < count; i++)
    {
      forms[i] = bz_form_find (argv[first + (int) i]);
      sessions[i] = forms[i] < BZ_FORM_COUNT ? serve_device ((int) (FIRST_FD + i), &forms[i]) : NULL;
      if (sessions[i] == NULL)
        return 1;
    }
  if (!leave_parent ())
    return 1;
  serve (sessions, count);
  return 0;
}
