/* Facts and files of a task, of this process and its children. */
#include "config.h"

#include "syscall-xlat/task.h"
#include "tests/unit/cmocka-all.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static void
test_facts_of_this_process (void **state G_GNUC_UNUSED)
{
  guint64 start, flags, capabilities;
  char name[16];

  assert_int_equal (bz_task_start_brk (getpid (), &start), 0);
  assert_true (start != 0 && start <= (guint64) (gsize) sbrk (0));
  assert_int_equal (bz_task_personality (getpid (), &flags), 0);
  assert_int_equal (flags, (guint32) personality (0xffffffff));
  assert_int_equal (bz_task_capabilities (getpid (), &capabilities), 0);
  if (geteuid () == 0)
    assert_true ((capabilities >> CAP_CHOWN & 1) != 0);
  prctl (PR_SET_NAME, "a (strange) one");
  assert_int_equal (bz_task_name (getpid (), name), 0);
  assert_string_equal (name, "a (strange) one");
  assert_int_equal (bz_task_start_brk (getpid (), &start), 0);
  assert_true (start != 0);
  /* Above every possible number. */
  assert_int_equal (bz_task_personality (1 << 23, &flags), ENOENT);
}

static void
test_parsing_is_not_fooled (void **state G_GNUC_UNUSED)
{
  guint64 value;
  BzTaskCredentials credentials;

  assert_true (bz_task_parse_stat_field ("7 (a) b) 9 (c) S 4 5 6", 4, &value));
  assert_int_equal (value, 4);
  assert_true (bz_task_parse_stat_field ("7 (a b) S 4 5 6", 6, &value));
  assert_int_equal (value, 6);
  assert_false (bz_task_parse_stat_field ("7 (a b) S 4 5 6", 7, &value));
  assert_false (bz_task_parse_stat_field ("7 (a b) S -4", 4, &value));
  assert_false (bz_task_parse_stat_field ("", 4, &value));
  assert_true (bz_task_parse_status ("Name:\tx\nCapEff:\t00000000a8\n", "\nCapEff:", 16, &value));
  assert_int_equal (value, 0xa8);
  assert_false (bz_task_parse_status ("Name:\tCapEff:\t1\n", "\nCapEff:", 16, &value));
  assert_true (bz_task_parse_credentials (
      "Name:\tx\nUid:\t1\t2\t3\t4\nGid:\t5\t6\t7\t8\nGroups:\t10 20 30 \nCapEff:\t0\n",
      &credentials));
  assert_int_equal (credentials.uid, 4);
  assert_int_equal (credentials.gid, 8);
  assert_int_equal (credentials.n_groups, 3);
  assert_int_equal (credentials.groups[2], 30);
  assert_false (bz_task_parse_credentials ("Name:\tx\nUid:\t1\t2\n", &credentials));
}

/* A child that does one thing and waits to be killed. */
static pid_t
waiting_child (int (*first) (void))
{
  int ends[2];
  char done = 0;

  assert_int_equal (pipe (ends), 0);
  pid_t child = fork ();
  if (child == 0)
    {
      done = (char) first ();
      if (write (ends[1], &done, 1) == 1)
        pause ();
      _exit (1);
    }
  close (ends[1]);
  assert_int_equal (read (ends[0], &done, 1), 1);
  close (ends[0]);
  if (done != 0)
    {
      kill (child, SIGKILL);
      waitpid (child, NULL, 0);
      return -1;
    }
  return child;
}

static void
end_child (pid_t child)
{
  kill (child, SIGKILL);
  waitpid (child, NULL, 0);
}

static int
rename_uts (void)
{
  return unshare (CLONE_NEWUSER | CLONE_NEWUTS) != 0 || sethostname ("nested", 6) != 0;
}

static int
do_nothing (void)
{
  return 0;
}

static void
test_names_of_a_nested_uts_namespace (void **state G_GNUC_UNUSED)
{
  BzUtsNames names;
  char own[65];
  guint64 capabilities;
  pid_t child = waiting_child (rename_uts);

  if (child < 0)
    {
      print_message ("skipped: no new user namespaces (user-namespaces)\n");
      skip ();
    }
  gethostname (own, sizeof own);
  int failed = bz_task_uts_names (child, &names);
  if (failed == 0)
    assert_string_equal (names.nodename, "nested");
  else
    assert_int_not_equal (geteuid (), 0);
  assert_int_equal (bz_task_uts_names (getpid (), &names), 0);
  assert_string_equal (names.nodename, own);
  /* All capabilities there are none here. */
  assert_int_equal (bz_task_capabilities (child, &capabilities), 0);
  assert_int_equal (capabilities, 0);
  end_child (child);
}

static int
become_nobody (void)
{
  return setgid (65534) != 0 || setuid (65534) != 0;
}

static void
write_file (const char *path, const char *text, int mode)
{
  assert_true (g_file_set_contents (path, text, -1, NULL));
  assert_int_equal (chmod (path, (mode_t) mode), 0);
}

static BzTarget
self (void)
{
  return (BzTarget){ .tid = getpid () };
}

static gboolean
is_gone (BzCall *call G_GNUC_UNUSED)
{
  return FALSE;
}

static void
test_files_are_read_as_the_task (void **state G_GNUC_UNUSED)
{
  g_autofree char *directory = g_dir_make_tmp ("brandzone-XXXXXX", NULL);
  g_autofree char *secret = g_build_filename (directory, "secret", NULL);
  g_autofree char *open_file = g_build_filename (directory, "open", NULL);
  g_autofree char *fifo = g_build_filename (directory, "fifo", NULL);
  char text[64];
  gsize length = 0;

  chmod (directory, 0755);
  write_file (secret, "secret", 0600);
  write_file (open_file, "hello", 0644);
  assert_int_equal (mkfifo (fifo, 0666), 0);

  assert_int_equal (bz_task_file_read (self (), open_file, text, sizeof text, &length, 2000), 0);
  assert_int_equal (length, 5);
  assert_memory_equal (text, "hello", 5);
  assert_int_equal (bz_task_file_read (self (), open_file, text, 3, &length, 2000), 0);
  assert_int_equal (length, 3);
  assert_int_equal (bz_task_file_read (self (), fifo, text, sizeof text, &length, 2000), EINVAL);
  assert_int_equal (bz_task_file_read (self (), open_file, text, sizeof text, &length, 0),
                    ETIMEDOUT);
  assert_int_equal (bz_task_file_read (self (), "/nowhere", text, sizeof text, &length, 2000),
                    ENOENT);

  if (geteuid () == 0)
    {
      pid_t child = waiting_child (become_nobody);

      assert_true (child > 0);
      assert_int_equal (bz_task_file_read ((BzTarget){ .tid = child }, secret, text, sizeof text, &length, 2000),
                        EACCES);
      assert_int_equal (bz_task_file_write ((BzTarget){ .tid = child }, open_file, "x", 1, 2000), EACCES);
      assert_int_equal (bz_task_file_read ((BzTarget){ .tid = child }, open_file, text, sizeof text, &length, 2000), 0);
      end_child (child);
    }
  assert_int_equal (bz_task_file_write (self (), open_file, "HE", 2, 2000), 0);
  assert_int_equal (bz_task_file_read (self (), open_file, text, sizeof text, &length, 2000), 0);
  assert_memory_equal (text, "HEllo", 5);

  /* The number is another task's by the time that its files are open. */
  BzTarget gone = { .tid = getpid (), .begin = is_gone };
  assert_int_equal (bz_task_file_write (gone, open_file, "xx", 2, 2000), ESRCH);
  assert_int_equal (bz_task_file_read (self (), open_file, text, sizeof text, &length, 2000), 0);
  assert_memory_equal (text, "HEllo", 5);

  unlink (secret);
  unlink (open_file);
  unlink (fifo);
  rmdir (directory);
}

static void
test_memory_of_a_child (void **state G_GNUC_UNUSED)
{
  static char word[16] = "before";
  static const char constant[16] = "constant";
  char text[16];
  pid_t child = waiting_child (do_nothing);

  assert_int_equal (bz_remote_read (child, (guint64) (gsize) word, text, sizeof text), 0);
  assert_string_equal (text, "before");
  assert_int_equal (bz_remote_write (child, (guint64) (gsize) word, "after", 6), 0);
  assert_int_equal (bz_remote_read (child, (guint64) (gsize) word, text, sizeof text), 0);
  assert_string_equal (text, "after");
  assert_string_equal (word, "before");
  assert_int_equal (bz_remote_write (child, (guint64) (gsize) constant, "x", 1), EFAULT);
  assert_int_equal (bz_remote_read (child, 16, text, 1), EFAULT);
  assert_int_equal (bz_remote_read (child, G_MAXUINT64 - 3, text, sizeof text), EFAULT);
  end_child (child);
  assert_int_equal (bz_remote_read (child, (guint64) (gsize) word, text, sizeof text), ESRCH);
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_facts_of_this_process),
    cmocka_unit_test (test_parsing_is_not_fooled),
    cmocka_unit_test (test_names_of_a_nested_uts_namespace),
    cmocka_unit_test (test_files_are_read_as_the_task),
    cmocka_unit_test (test_memory_of_a_child),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
