/* The keeper's side of files with figures of the machine, and what both sides share. views-main.c has the whole. */
#include "config.h"

#include "loader/views.h"

#include "brand/base/error.h"
#include "brand/base/libexec.h"
#include "loader/userns.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define PROGRAM "brandzone-views"
#define FIRST_FD 3

gboolean
bz_views_wanted (const BzPlan *plan)
{
  for (guint i = 0; plan->fuse && plan->files != NULL && i < plan->files->len; i++)
    if (((const BzFile *) g_ptr_array_index (plan->files, i))->kind == BZ_FILE_FORM)
      return TRUE;
  return FALSE;
}

gboolean
bz_views_send (int socket, BzViews *views, GError **error)
{
  GVariantBuilder forms;
  GVariantDict body;

  g_variant_builder_init (&forms, G_VARIANT_TYPE ("as"));
  for (guint i = 0; i < views->count; i++)
    g_variant_builder_add (&forms, "s", bz_form_name (views->form[i]));
  g_variant_dict_init (&body, NULL);
  g_variant_dict_insert_value (&body, "forms", g_variant_builder_end (&forms));
  gboolean sent =
      bz_message_send (socket, "views", g_variant_dict_end (&body), views->fd, views->count, error);
  for (guint i = 0; i < views->count; i++)
    close (views->fd[i]);
  views->count = 0;
  return sent;
}

/* The descriptors become 3 and up; between fork and exec. */
static G_GNUC_NORETURN void
become_program (const char *path, char *const *argv, int *fds, guint count)
{
  char *environment[] = { NULL };
  sigset_t none;

  sigemptyset (&none);
  sigprocmask (SIG_SETMASK, &none, NULL);
  for (int sig = 1; sig < NSIG; sig++)
    signal (sig, SIG_DFL);
  for (guint i = 0; i < count; i++) /* out of the way of each other */
    if ((fds[i] = fcntl (fds[i], F_DUPFD, FIRST_FD + BZ_VIEWS_MAX)) < 0)
      _exit (BZ_EXIT_BRANDZONE);
  for (guint i = 0; i < count; i++)
    if (dup2 (fds[i], (int) (FIRST_FD + i)) < 0)
      _exit (BZ_EXIT_BRANDZONE);
  execve (path, argv, environment);
  _exit (BZ_EXIT_BRANDZONE);
}

static gboolean
start_program (char *const *argv, int *fds, guint count, GError **error)
{
  g_autofree char *path = bz_libexec_program (PROGRAM);
  int status = 0;
  pid_t pid = fork ();

  if (pid == 0)
    become_program (path, argv, fds, count);
  if (pid < 0)
    return bz_fail_errno (error, errno, NULL, "cannot fork");
  while (waitpid (pid, &status, 0) < 0 && errno == EINTR)
    ;
  if (WIFEXITED (status) && WEXITSTATUS (status) == 0)
    return TRUE;
  return bz_fail (error, BZ_ERROR_FAILED, "it ended at once", "is brandzone installed as a whole?",
                  "cannot start %s", path);
}

gboolean
bz_views_start (BzMessage *message, const BzPartition *partition, GError **error)
{
  g_autoptr (GPtrArray) argv = g_ptr_array_new_with_free_func (g_free);
  g_autofree const char **forms = NULL;
  int fds[BZ_VIEWS_MAX];
  guint count = 0;

  if (!g_variant_dict_lookup (message->body, "forms", "^a&s", &forms))
    return bz_fail (error, BZ_ERROR_FAILED, "it says nothing of its files", NULL, "cannot serve the zone");
  g_ptr_array_add (argv, g_strdup (PROGRAM));
  if (geteuid () == 0 && partition->uids->len > 0)
    {
      g_ptr_array_add (argv, g_strdup ("--ids"));
      g_ptr_array_add (argv, g_strdup_printf ("%u:%u", bz_userns_root_id (partition->uids),
                                              bz_userns_root_id (partition->gids)));
    }
  for (; forms[count] != NULL && count < BZ_VIEWS_MAX && count < message->fd_count; count++)
    {
      fds[count] = message->fds[count];
      g_ptr_array_add (argv, g_strdup (forms[count]));
    }
  g_ptr_array_add (argv, NULL);
  return count == 0 || start_program ((char *const *) argv->pdata, fds, count, error);
}
