/* Messages between the parts of a zone: what is sent arrives, what is malformed is refused. */
#include "config.h"

#include "brand/base/error.h"
#include "loader/message.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static int
open_pair (void **state)
{
  static int pair[2];

  *state = pair;
  return socketpair (AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair);
}

static int
close_pair (void **state)
{
  int *pair = *state;

  close (pair[0]);
  if (pair[1] >= 0)
    close (pair[1]);
  return 0;
}

static void
test_body_and_descriptor (void **state)
{
  int *pair = *state;
  int null = open ("/dev/null", O_RDONLY | O_CLOEXEC);
  GVariantDict body;
  gint32 number = 0;
  struct stat sent, received;

  g_variant_dict_init (&body, NULL);
  g_variant_dict_insert (&body, "number", "i", 42);
  assert_true (bz_message_send (pair[0], "kind", g_variant_dict_end (&body), &null, 1, NULL));
  g_autoptr (BzMessage) message = bz_message_receive (pair[1], NULL, NULL);
  assert_non_null (message);
  assert_string_equal (message->kind, "kind");
  assert_true (g_variant_dict_lookup (message->body, "number", "i", &number));
  assert_int_equal (number, 42);
  int fd = bz_message_take_fd (message, 0);
  assert_true (fd >= 0);
  assert_true ((fcntl (fd, F_GETFD) & FD_CLOEXEC) != 0);
  fstat (null, &sent);
  fstat (fd, &received);
  assert_int_equal (sent.st_rdev, received.st_rdev);
  assert_int_equal (bz_message_take_fd (message, 0), -1);
  close (fd);
  close (null);
}

static void
test_error_keeps_its_parts (void **state)
{
  int *pair = *state;
  g_autoptr (GError) problem = NULL, error = NULL;

  bz_fail (&problem, BZ_ERROR_HOST, "why", "hint", "what %d", 7);
  bz_error_set_row (problem, "E9");
  assert_true (bz_message_send_error (pair[0], problem, NULL));
  g_autoptr (BzMessage) message = bz_message_receive (pair[1], NULL, NULL);
  assert_false (bz_message_check (message, &error));
  assert_string_equal (error->message, "what 7: why (hint)");
  assert_int_equal (error->code, BZ_ERROR_HOST);
  assert_string_equal (bz_error_parts (error)->row, "E9");
}

static void
test_end_is_told_apart (void **state)
{
  int *pair = *state;
  gboolean ended = FALSE;
  g_autoptr (GError) error = NULL;

  close (pair[1]);
  pair[1] = -1;
  assert_null (bz_message_receive (pair[0], &ended, &error));
  assert_true (ended);
}

static void
test_garbage_is_refused (void **state)
{
  int *pair = *state;
#define GARBAGE(bytes) \
  { \
    bytes, sizeof bytes - 1 \
  }
  static const struct {
    const char *bytes;
    gsize length;
  } garbage[] = { GARBAGE ("x"), GARBAGE ("\xff\xff\xff\xff"), GARBAGE ("kind"),
                  GARBAGE ("kind\0\0\0\0\0\0\0\0\0\0\x7f") };

  for (guint i = 0; i < G_N_ELEMENTS (garbage); i++)
    {
      g_autoptr (GError) error = NULL;
      gboolean ended = TRUE;
      assert_true (send (pair[0], garbage[i].bytes, garbage[i].length, 0)
                   == (gssize) garbage[i].length);
      assert_null (bz_message_receive (pair[1], &ended, &error));
      assert_false (ended);
      assert_true (g_error_matches (error, BZ_ERROR, BZ_ERROR_INPUT));
    }
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup_teardown (test_body_and_descriptor, open_pair, close_pair),
    cmocka_unit_test_setup_teardown (test_error_keeps_its_parts, open_pair, close_pair),
    cmocka_unit_test_setup_teardown (test_end_is_told_apart, open_pair, close_pair),
    cmocka_unit_test_setup_teardown (test_garbage_is_refused, open_pair, close_pair),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
