/* Attaching to the console of a zone that has booted. */
#include "config.h"

#include "brand/base/error.h"
#include "loader/attend.h"
#include "loader/client.h"
#include "loader/loader.h"

#include <sys/socket.h>
#include <unistd.h>

typedef struct {
  int connection; /* to the keeper: window sizes; it closes at the end of the zone */
  gboolean left;  /* a signal ended the caller's interest */
  guint terminal;
} Attached;

static void
leave (int sig G_GNUC_UNUSED, gpointer data)
{
  Attached *attached = data;

  attached->left = TRUE;
  shutdown (attached->connection, SHUT_RDWR);
}

static gboolean
on_keeper (gpointer data)
{
  Attached *attached = data;
  gboolean ended;
  g_autoptr (BzMessage) message = bz_message_receive (attached->connection, &ended, NULL);

  return message == NULL;
}

static void
resize (const struct winsize *size, gpointer data)
{
  const Attached *attached = data;
  GVariantDict body;

  g_variant_dict_init (&body, NULL);
  g_variant_dict_insert (&body, "terminal", "u", (guint32) attached->terminal);
  g_variant_dict_insert (&body, "rows", "u", (guint32) size->ws_row);
  g_variant_dict_insert (&body, "columns", "u", (guint32) size->ws_col);
  bz_message_send (attached->connection, "winsize", g_variant_dict_end (&body), NULL, 0, NULL);
}

static int
ask_for_console (int connection, guint terminal, guint replay, gboolean follow, GError **error)
{
  GVariantDict body;

  g_variant_dict_init (&body, NULL);
  g_variant_dict_insert (&body, "terminal", "u", (guint32) terminal);
  g_variant_dict_insert (&body, "replay", "u", (guint32) replay);
  g_variant_dict_insert (&body, "plain", "b", follow);
  g_autoptr (BzMessage) answer =
      bz_client_ask (connection, "console", g_variant_dict_end (&body), NULL, 0, error);
  if (answer == NULL)
    return -1;
  int fd = bz_message_take_fd (answer, 0);
  if (fd < 0)
    bz_fail (error, BZ_ERROR_FAILED, "its keeper gave none", NULL, "cannot attach to the console");
  return fd;
}

gboolean
bz_loader_console (const char *run_dir, guint number, guint replay, gboolean follow,
                   gboolean *detached, GError **error)
{
  Attached attached = { .connection = bz_client_connect (run_dir, error), .terminal = number };
  gboolean by_hand = FALSE;
  sigset_t saved_mask;

  if (attached.connection < 0)
    return FALSE;
  int terminal = ask_for_console (attached.connection, number, replay, follow, error);
  if (terminal < 0)
    {
      close (attached.connection);
      return FALSE;
    }
  BzAttend attend = { .end_fd = attached.connection,
                      .terminal = terminal,
                      .interactive = !follow,
                      .leave_at_end = TRUE,
                      .forward = leave,
                      .on_news = on_keeper,
                      .resize = follow ? NULL : resize,
                      .data = &attached };
  bz_attend_hold_signals (&saved_mask);
  gboolean good = bz_attend (&attend, &by_hand, error);
  sigprocmask (SIG_SETMASK, &saved_mask, NULL);
  if (detached != NULL)
    *detached = by_hand || attached.left;
  close (terminal);
  close (attached.connection);
  return good;
}
