/* Tasks whose programs are to be looked at when they have begun. */
#include "config.h"

#include "loader/shadow/images-data.h"

#define LATE_MAX 4096 /* tasks that never got so far are forgotten, all at once */

void
bz_late_remember (BzImagesState *images, pid_t tid)
{
  pthread_mutex_lock (&images->lock);
  if (g_hash_table_size (images->late) >= LATE_MAX)
    g_hash_table_remove_all (images->late);
  g_hash_table_add (images->late, GINT_TO_POINTER (tid));
  atomic_store (&images->late_count, g_hash_table_size (images->late));
  pthread_mutex_unlock (&images->lock);
}

gboolean
bz_late_forget (BzImagesState *images, pid_t tid)
{
  if (atomic_load (&images->late_count) == 0)
    return FALSE;
  pthread_mutex_lock (&images->lock);
  gboolean known = g_hash_table_remove (images->late, GINT_TO_POINTER (tid));
  atomic_store (&images->late_count, g_hash_table_size (images->late));
  pthread_mutex_unlock (&images->lock);
  return known;
}
