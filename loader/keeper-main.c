/* brandzone-keeper SPEC-FD OWNER-FD LOCK-FD LOCK-FD: started by brandzone(1), not by people.
 * brandzone-keeper --take STATE-FD, --try STATE-FD ANSWER-FD: by another keeper (keeper-refresh.c). */
#include "config.h"

#include "brand/base/error.h"
#include "loader/hand-over.h"
#include "loader/kernel.h"
#include "loader/keeper.h"
#include "loader/message.h"
#include "loader/partition-data.h"
#include "loader/shield.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

static gboolean
parse_descriptor (const char *text, int *fd)
{
  gint64 value;

  if (!g_ascii_string_to_signed (text, 10, -1, G_MAXINT, &value, NULL))
    return FALSE;
  *fd = (int) value;
  return *fd < 0 || fcntl (*fd, F_SETFD, FD_CLOEXEC) == 0;
}

/* A private copy of the spec: the descriptor stays for processes that join. */
static BzPartition *
read_spec (int fd, GError **error)
{
  struct stat st;

  if (fstat (fd, &st) != 0 || st.st_size <= 0 || st.st_size > 16 * 1024 * 1024)
    {
      bz_fail (error, BZ_ERROR_INPUT, "it has no sensible size", NULL, "cannot read the partition");
      return NULL;
    }
  gsize size = (gsize) st.st_size;
  char *data = g_malloc (size);
  if (pread (fd, data, size, 0) != (ssize_t) size)
    {
      int saved = errno;
      g_free (data);
      bz_fail_errno (error, saved, NULL, "cannot read the partition");
      return NULL;
    }
  g_autoptr (GBytes) bytes = g_bytes_new_take (data, size);
  g_autoptr (GVariant) variant =
      g_variant_ref_sink (g_variant_new_from_bytes (G_VARIANT_TYPE_VARDICT, bytes, FALSE));
  return bz_partition_from_variant (variant, error);
}

/* Where the caller had a standard stream closed, a socket of ours would take its place. */
static gboolean
fill_streams (void)
{
  int fd;

  do
    fd = open ("/dev/null", O_RDWR); /* kept across no exec but the command's, as its stream */
  while (fd >= 0 && fd < 3);
  if (fd > 2)
    close (fd);
  return fd > 2;
}

static int
go_on (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariantDict) left = NULL;
  BzKeeperOptions options = { .owner = -1, .title = argv[0] };
  gboolean bad = FALSE;
  int state, answer = -1;

  if (argc < 3 || !parse_descriptor (argv[2], &state)
      || (argc > 3 && !parse_descriptor (argv[3], &answer)))
    return BZ_EXIT_BRANDZONE;
  options.title_length = (gsize) (argv[argc - 1] + strlen (argv[argc - 1]) - argv[0]);
  left = bz_hand_over_read (state, &error);
  close (state);
  options.spec = left != NULL ? bz_hand_over_take_fd (left, "spec", &bad) : -1;
  options.partition = options.spec >= 0 && !bad ? read_spec (options.spec, &error) : NULL;
  if (options.partition != NULL)
    return bz_keeper_go_on (&options, left, answer);
  if (answer >= 0)
    bz_message_send_error (answer, error, NULL);
  return BZ_EXIT_BRANDZONE;
}

int
main (int argc, char **argv)
{
  BzKeeperOptions options = { 0 };
  g_autoptr (GError) error = NULL;
  int locks[BZ_LOCKS];
  gboolean shielded = bz_shield (argv, &error);

  if (argc > 2 && shielded && strcmp (argv[1], BZ_KEEPER_TAKE) == 0)
    return go_on (argc, argv);
  if (argc > 3 && shielded && strcmp (argv[1], BZ_KEEPER_TRY) == 0)
    return go_on (argc, argv);
  if (!fill_streams () || argc != 3 + BZ_LOCKS || !parse_descriptor (argv[1], &options.spec)
      || !parse_descriptor (argv[2], &options.owner) || !parse_descriptor (argv[3], &locks[0])
      || !parse_descriptor (argv[4], &locks[1]))
    {
      fputs ("brandzone-keeper is started by brandzone(1)\n", stderr);
      return BZ_EXIT_BRANDZONE;
    }
  if (shielded)
    options.partition = read_spec (options.spec, &error);
  if (options.partition == NULL || (options.partition->command == NULL && !options.partition->idle))
    {
      if (error == NULL)
        bz_fail (&error, BZ_ERROR_INPUT, "it has no command", NULL, "cannot start the zone");
      bz_message_send_error (options.owner, error, NULL);
      return BZ_EXIT_BRANDZONE;
    }
  memcpy (options.partition->lock_fds, locks, sizeof locks);
  options.title = argv[0];
  options.title_length = (gsize) (argv[argc - 1] + strlen (argv[argc - 1]) - argv[0]);
  return bz_keeper_main (&options);
}
