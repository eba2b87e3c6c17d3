/* Looking at a file once: a private copy is searched for the vsyscall page's addresses, and what
 * holds one is sent to the broker, which has it rewritten. A file that could not be examined (a
 * full disk, a change in between) is tried again after a while. */
#include "config.h"

#include "loader/shadow/images-data.h"

#include "brand/base/error.h"
#include "loader/shadow/broker.h"
#include "loader/shadow/image-copy.h"
#include "syscall-xlat/remote.h"

#include <sys/stat.h>
#include <unistd.h>

#define IMAGE_LIMIT (512 * 1024 * 1024)
#define SMALL_IMAGE (16 * 1024 * 1024)
#define DOUBT_TIME (2 * G_USEC_PER_SEC) /* until a file that could not be examined is tried again \
                                         */

static gboolean
is_large (guint64 size)
{
  return size > SMALL_IMAGE && size <= IMAGE_LIMIT; /* above, it is refused before it is copied */
}

/* A zone's tasks can have many files examined at once: what is copied of large ones at a time is
 * limited, for it is memory. */
static gboolean
reserve (BzImagesState *images, guint64 size)
{
  if (!is_large (size))
    return TRUE;
  if (atomic_fetch_add (&images->in_copy, size) + size <= IMAGE_LIMIT)
    return TRUE;
  atomic_fetch_sub (&images->in_copy, size);
  return FALSE;
}

static void
release (BzImagesState *images, guint64 size)
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
examine_copy (BzImagesState *images, int fd, BzKnownFile *file)
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

static BzKnownFile *
examine (BzImagesState *images, BzCall *call, int fd, const BzFileKey *key)
{
  BzKnownFile *file = bz_known_file_new ();
  gboolean sure = FALSE;

  if (call->notifier != NULL) /* else nobody waits for this thread */
    bz_call_will_wait (call);
  file->key = *key;
  file->wants = G_MAXUINT64; /* until it has been read */
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
look_up (BzImagesState *images, int fd, BzFileKey *key, BzKnownFile **file)
{
  struct stat st;

  if (fstat (fd, &st) != 0 || !S_ISREG (st.st_mode))
    return FALSE;
  bz_file_key (&st, key);
  *file = bz_known_files_find (images->files, key);
  if (*file != NULL && (*file)->doubtful != 0
      && g_get_monotonic_time () - (*file)->doubtful >= DOUBT_TIME)
    g_clear_pointer (file, bz_known_file_unref);
  return TRUE;
}

BzKnownFile *
bz_images_look (BzImagesState *images, BzCall *call, int fd)
{
  BzKnownFile *file;
  BzFileKey key;

  if (!look_up (images, fd, &key, &file))
    return NULL;
  return file != NULL ? file : examine (images, call, fd, &key);
}

/* What is read is examined under its own name, should it be another one. */
BzKnownFile *
bz_images_look_at_found (BzImagesState *images, BzCall *call, int found)
{
  BzKnownFile *file;
  BzFileKey key;

  if (!look_up (images, found, &key, &file))
    return NULL;
  if (file != NULL)
    return file;
  int fd = bz_exec_context_reopen (images->context, found);
  if (fd < 0)
    return NULL;
  file = bz_images_look (images, call, fd);
  close (fd);
  return file;
}
