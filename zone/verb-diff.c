/* diff: what a zone has changed since a snapshot, or since it was cloned. */
#include "config.h"

#include "brand/base/error.h"
#include "loader/message.h"
#include "zone/difference.h"
#include "zone/names.h"
#include "zone/output.h"
#include "zone/snapshots.h"
#include "zone/still.h"
#include "zone/storage.h"
#include "zone/verbs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

typedef struct {
  BzChange kind;
  char *path;
} Change;

static void
change_free (gpointer data)
{
  Change *change = data;

  g_free (change->path);
  g_free (change);
}

static void
keep (BzChange kind, const char *path, gpointer data)
{
  Change *change = g_new (Change, 1);

  change->kind = kind;
  change->path = g_strdup (path);
  g_ptr_array_add (data, change);
}

static int
by_path (gconstpointer a, gconstpointer b)
{
  const Change *first = *(Change *const *) a, *second = *(Change *const *) b;

  return strcmp (first->path, second->path);
}

/* Without a snapshot: the layers below what the zone itself has written. */
static BzZoneState *
base_of (const BzContext *context, const BzZoneState *state, const char *snapshot, GError **error)
{
  if (snapshot != NULL)
    return bz_snapshot_load (context->dirs, state->name, snapshot, error);
  if (!bz_storage_is_layered (state))
    {
      g_autofree char *hint = g_strdup_printf ("take one: brandzone snapshot %s", state->name);
      bz_fail (error, BZ_ERROR_STATE, "it was neither cloned nor has it a snapshot", hint,
               "zone %s", state->name);
      return NULL;
    }
  BzZoneState *base = bz_zone_state_new (state->name);
  g_array_append_vals (base->uids, state->uids->data, state->uids->len);
  g_array_append_vals (base->gids, state->gids->data, state->gids->len);
  for (guint i = 0; i < state->layers->len; i++)
    g_ptr_array_add (base->layers, g_strdup (g_ptr_array_index (state->layers, i)));
  return base;
}

typedef struct {
  int then, now;
  int socket;     /* for an error */
  FILE *file;     /* for the changes: a letter, the path and a zero each */
  GPtrArray *changes;
} Comparison;

static void
write_change (BzChange kind, const char *path, gpointer data)
{
  Comparison *comparison = data;

  fputc (kind, comparison->file);
  fwrite (path, 1, strlen (path) + 1, comparison->file);
}

static int
compare_inside (gpointer data)
{
  Comparison *comparison = data;
  g_autoptr (GError) problem = NULL;

  if (bz_difference (comparison->then, comparison->now, write_change, comparison, &problem)
      && fflush (comparison->file) != 0)
    bz_fail_errno (&problem, errno, NULL, "keeping what differs");
  if (problem == NULL)
    return 0;
  bz_message_send_error (comparison->socket, problem, NULL);
  return 1;
}

static void
read_changes (FILE *file, GPtrArray *changes)
{
  g_autofree char *line = NULL;
  size_t size = 0;

  rewind (file);
  while (getdelim (&line, &size, '\0', file) > 1)
    keep ((BzChange) line[0], line + 1, changes);
}

/* A plain user reads all of his trees only as their root: in a process there. */
static gboolean
compare_mapped (Comparison *comparison, const BzZoneState *state, GError **error)
{
  g_autoptr (BzMessage) answer = NULL;
  int pair[2], status = 0;

  comparison->file = tmpfile ();
  if (comparison->file == NULL
      || socketpair (AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
    return bz_fail_errno (error, errno, NULL, "cannot compare zone %s", state->name);
  comparison->socket = pair[1];
  gboolean ran =
      bz_userns_run (state->uids, state->gids, compare_inside, comparison, &status, error);
  close (pair[1]);
  if (ran && status != 0 && (answer = bz_message_receive (pair[0], NULL, error)) != NULL)
    bz_message_check (answer, error);
  close (pair[0]);
  if (ran && status == 0)
    read_changes (comparison->file, comparison->changes);
  fclose (comparison->file);
  return ran && status == 0;
}

static gboolean
compare (const BzContext *context, const BzZoneState *state, const BzZoneState *base,
         GPtrArray *changes, GError **error)
{
  Comparison comparison = { .changes = changes };
  gboolean done = FALSE;

  comparison.then = bz_storage_open_snapshot (context->dirs, base, error);
  if (comparison.then < 0)
    return FALSE;
  comparison.now = bz_storage_open (context->dirs, state, FALSE, error);
  if (comparison.now >= 0)
    {
      done = geteuid () == 0 ? bz_difference (comparison.then, comparison.now, keep, changes, error)
                             : compare_mapped (&comparison, state, error);
      close (comparison.now);
    }
  close (comparison.then);
  return done;
}

static void
report (const BzContext *context, const GPtrArray *changes)
{
  JsonBuilder *builder = context->json ? bz_json_begin () : NULL;

  if (builder != NULL)
    {
      json_builder_set_member_name (builder, "changes");
      json_builder_begin_array (builder);
    }
  for (guint i = 0; i < changes->len; i++)
    {
      const Change *change = g_ptr_array_index (changes, i);
      g_autofree char *safe = bz_text_safe (change->path);
      char kind[2] = { (char) change->kind, '\0' };

      if (builder == NULL)
        {
          printf ("%s %s\n", kind, safe);
          continue;
        }
      json_builder_begin_object (builder);
      bz_json_text (builder, "change", kind);
      bz_json_text (builder, "path", safe);
      json_builder_end_object (builder);
    }
  if (builder != NULL)
    {
      json_builder_end_array (builder);
      bz_json_end (builder);
    }
}

/* One that does not run can't be started meanwhile; one that runs stands still, unless nothing on this
 * host can hold it. A descriptor, or -1. */
static int
hold (const BzContext *context, const char *name, GError **error)
{
  g_autoptr (GError) cause = NULL;
  gboolean running;
  int still = bz_zone_hold_still (context->dirs, name, &running, &cause);

  if (still < 0 && running)
    {
      bz_context_note (context, "it may change while it is compared: %s", cause->message);
      return open ("/", O_PATH | O_CLOEXEC);
    }
  if (still < 0)
    g_propagate_error (error, g_steal_pointer (&cause));
  return still;
}

int
bz_verb_diff (BzContext *context, const BzArguments *arguments, GError **error)
{
  const char *name = bz_arguments_word (arguments, 0);
  g_autoptr (BzZoneState) state = bz_state_load (context->dirs, name, error);
  g_autoptr (BzZoneState) base =
      state != NULL ? base_of (context, state, bz_arguments_word (arguments, 1), error) : NULL;
  g_autoptr (GPtrArray) changes = g_ptr_array_new_with_free_func (change_free);

  if (base == NULL)
    return -1;
  int still = hold (context, name, error);
  if (still < 0)
    return -1;
  gboolean done = compare (context, state, base, changes, error);
  close (still);
  if (!done)
    return -1;
  g_ptr_array_sort (changes, by_path);
  report (context, changes);
  return 0;
}
