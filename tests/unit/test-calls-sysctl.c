/* _sysctl(2): names, lengths, errors, as programs of its time met them. */
#include "config.h"

#include "syscall-xlat/calls/guest.h"
#include "syscall-xlat/calls/handlers.h"
#include "syscall-xlat/calls/sysctl-value.h"
#include "tests/unit/cmocka-all.h"
#include "tests/unit/fake-call.h"

#include <errno.h>
#include <linux/sysctl.h>
#include <string.h>

enum { ARGUMENTS = 0, NAME = 128, LENGTH = 256, OLD = 512, NEW = 1024 };

typedef struct {
  BzFake fake;
  BzGuestSysctl32 *arguments;
  gint32 *name;
  guint32 *length;
  char *old, *new;
} Fixture;

static int
setup (void **state)
{
  Fixture *fixture = g_new0 (Fixture, 1);

  bz_fake_init (&fixture->fake, BZ_ABI_I386, "_sysctl");
  fixture->arguments = (BzGuestSysctl32 *) (fixture->fake.memory + ARGUMENTS);
  fixture->name = (gint32 *) (fixture->fake.memory + NAME);
  fixture->length = (guint32 *) (fixture->fake.memory + LENGTH);
  fixture->old = (char *) fixture->fake.memory + OLD;
  fixture->new = (char *) fixture->fake.memory + NEW;
  fixture->arguments->name = (guint32) bz_fake_at (NAME);
  fixture->arguments->oldval = (guint32) bz_fake_at (OLD);
  fixture->arguments->oldlenp = (guint32) bz_fake_at (LENGTH);
  *fixture->length = 256;
  memset (fixture->old, 0xee, 256);
  *state = fixture;
  return 0;
}

static int
teardown (void **state)
{
  g_free (*state);
  return 0;
}

static void
name (Fixture *fixture, gint32 a, gint32 b, gint32 c)
{
  fixture->name[0] = a;
  fixture->name[1] = b;
  fixture->name[2] = c;
  fixture->arguments->nlen = c != 0 ? 3 : 2;
}

static int
call (Fixture *fixture)
{
  BzVerdict verdict =
      bz_fake_run (&fixture->fake, bz_call_sysctl, bz_fake_at (ARGUMENTS), 0, 0, 0, 0);

  assert_true (verdict.kind == BZ_VERDICT_VALUE || verdict.kind == BZ_VERDICT_ERRNO);
  return verdict.kind == BZ_VERDICT_VALUE ? 0 : (int) verdict.value;
}

static void
test_release_and_version_are_the_plan_s (void **state)
{
  Fixture *fixture = *state;

  name (fixture, CTL_KERN, KERN_VERSION, 0);
  assert_int_equal (call (fixture), 0);
  assert_string_equal (fixture->old, "#1 SMP Mon Mar 17 22:02:15 PST 2003");
  assert_int_equal (*fixture->length, strlen (fixture->old));

  name (fixture, CTL_KERN, KERN_OSRELEASE, 0);
  *fixture->length = 256;
  assert_int_equal (call (fixture), 0);
  assert_string_equal (fixture->old, "2.4.20");
  name (fixture, CTL_KERN, KERN_OSTYPE, 0);
  *fixture->length = 256;
  assert_int_equal (call (fixture), 0);
  assert_string_equal (fixture->old, "Linux");
  name (fixture, CTL_KERN, KERN_NODENAME, 0);
  *fixture->length = 256;
  assert_int_equal (call (fixture), 0);
  assert_string_equal (fixture->old, "oldbox");
  assert_int_equal (fixture->fake.files_read, 0);
}

static void
test_short_buffers_take_the_beginning (void **state)
{
  Fixture *fixture = *state;

  name (fixture, CTL_KERN, KERN_OSRELEASE, 0);
  *fixture->length = 4;
  assert_int_equal (call (fixture), 0);
  assert_memory_equal (fixture->old, "2.4\0\xee", 5);
  assert_int_equal (*fixture->length, 3);

  *fixture->length = 0;
  memset (fixture->old, 0xee, 8);
  assert_int_equal (call (fixture), 0);
  assert_int_equal ((guint8) fixture->old[0], 0xee);
}

static void
test_vectors_of_ints (void **state)
{
  Fixture *fixture = *state;
  gint32 *old = (gint32 *) fixture->old;

  fixture->fake.file = "proc/sys/kernel/sem";
  strcpy (fixture->fake.text, "250\t32000\t32\t99999999999\n");
  name (fixture, CTL_KERN, KERN_SEM, 0);
  assert_int_equal (call (fixture), 0);
  assert_int_equal (*fixture->length, 16);
  assert_int_equal (old[0], 250);
  assert_int_equal (old[1], 32000);
  assert_int_equal (old[3], G_MAXINT32);
  assert_int_equal ((guint8) fixture->old[16], 0xee);

  *fixture->length = 6;
  memset (fixture->old, 0xee, 16);
  assert_int_equal (call (fixture), 0);
  assert_int_equal (*fixture->length, 6);
  assert_int_equal ((guint8) fixture->old[6], 0xee);
}

static void
test_random_bytes (void **state)
{
  Fixture *fixture = *state;
  const guint8 bytes[16] = { 0x3f, 0x2a, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 0xff };

  fixture->fake.file = "proc/sys/kernel/random/uuid";
  strcpy (fixture->fake.text, "3f2a0001-0203-0405-0607-08090a0b0cff\n");
  name (fixture, CTL_KERN, KERN_RANDOM, RANDOM_UUID);
  assert_int_equal (call (fixture), 0);
  assert_int_equal (*fixture->length, 16);
  assert_memory_equal (fixture->old, bytes, 16);
}

static void
test_words_are_as_wide_as_the_caller_s (void **state)
{
  Fixture *fixture = *state;

  fixture->fake.file = "proc/sys/kernel/shmmax";
  strcpy (fixture->fake.text, "18446744073692774399\n");
  name (fixture, CTL_KERN, KERN_SHMMAX, 0);
  assert_int_equal (call (fixture), 0);
  assert_int_equal (*fixture->length, 4);
  assert_int_equal (*(guint32 *) fixture->old, G_MAXUINT32);
}

static void
test_new_values_are_written_as_text (void **state)
{
  Fixture *fixture = *state;
  gint32 *new = (gint32 *) fixture->new;

  fixture->fake.file = "proc/sys/net/ipv4/ip_local_port_range";
  fixture->arguments->oldval = 0;
  fixture->arguments->newval = (guint32) bz_fake_at (NEW);
  fixture->arguments->newlen = 8;
  new[0] = 1024;
  new[1] = 4999;
  name (fixture, CTL_NET, NET_IPV4, NET_IPV4_LOCAL_PORT_RANGE);
  assert_int_equal (call (fixture), 0);
  assert_string_equal (fixture->fake.text, "1024 4999 ");
  assert_int_equal (fixture->fake.files_read, 0);

  fixture->fake.file_error = EACCES;
  assert_int_equal (call (fixture), EPERM);
  name (fixture, CTL_KERN, KERN_OSRELEASE, 0);
  assert_int_equal (call (fixture), EPERM);
  fixture->fake.file_error = 0;
  fixture->arguments->newlen = 7;
  name (fixture, CTL_NET, NET_IPV4, NET_IPV4_LOCAL_PORT_RANGE);
  assert_int_equal (call (fixture), EINVAL);
}

static void
test_errors (void **state)
{
  Fixture *fixture = *state;

  /* No such name, a directory, a file that this host lacks. */
  name (fixture, CTL_KERN, 4711, 0);
  assert_int_equal (call (fixture), ENOTDIR);
  name (fixture, CTL_KERN, KERN_RANDOM, 0);
  assert_int_equal (call (fixture), ENOTDIR);
  name (fixture, CTL_KERN, KERN_PANIC, 0);
  assert_int_equal (call (fixture), ENOTDIR);
  name (fixture, CTL_KERN, KERN_OSRELEASE, 0);
  fixture->arguments->nlen = 0;
  assert_int_equal (call (fixture), ENOTDIR);
  fixture->arguments->nlen = 10;
  assert_int_equal (call (fixture), ENOTDIR);
  fixture->arguments->nlen = -1;
  assert_int_equal (call (fixture), ENOTDIR);

  fixture->arguments->nlen = 2;
  fixture->arguments->oldlenp = 0;
  assert_int_equal (call (fixture), EFAULT);
  fixture->arguments->oldlenp = 16;
  assert_int_equal (call (fixture), EFAULT);
  fixture->arguments->oldlenp = (guint32) bz_fake_at (LENGTH);
  fixture->arguments->oldval = 16;
  assert_int_equal (call (fixture), EFAULT);
  fixture->arguments->name = 16;
  assert_int_equal (call (fixture), EFAULT);
  BzVerdict verdict = bz_fake_run (&fixture->fake, bz_call_sysctl, 16, 0, 0, 0, 0);
  assert_int_equal (verdict.value, EFAULT);
}

static void
test_silent_files_are_an_error (void **state)
{
  Fixture *fixture = *state;

  fixture->fake.file_error = ETIMEDOUT;
  name (fixture, CTL_KERN, KERN_PANIC, 0);
  assert_int_equal (call (fixture), EIO);
  fixture->fake.file_error = 0;
  fixture->fake.file = "proc/sys/kernel/panic";
  strcpy (fixture->fake.text, "no number");
  assert_int_equal (call (fixture), ENOTDIR);
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup_teardown (test_release_and_version_are_the_plan_s, setup, teardown),
    cmocka_unit_test_setup_teardown (test_short_buffers_take_the_beginning, setup, teardown),
    cmocka_unit_test_setup_teardown (test_vectors_of_ints, setup, teardown),
    cmocka_unit_test_setup_teardown (test_random_bytes, setup, teardown),
    cmocka_unit_test_setup_teardown (test_words_are_as_wide_as_the_caller_s, setup, teardown),
    cmocka_unit_test_setup_teardown (test_new_values_are_written_as_text, setup, teardown),
    cmocka_unit_test_setup_teardown (test_errors, setup, teardown),
    cmocka_unit_test_setup_teardown (test_silent_files_are_an_error, setup, teardown),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
