/* The command table and its parser: what is taken, what is refused and with which words. */
#include "config.h"

#include "brand/base/error.h"
#include "tests/unit/cmocka-all.h"
#include "zone/context.h"
#include "zone/help.h"
#include "zone/options.h"
#include "zone/prepare.h"

#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

/* Parses a line of words separated by spaces; the first is the verb. */
static BzArguments *
parse (const char *line, GStrv *words, GError **error)
{
  *words = g_strsplit (line, " ", -1);

  const BzVerb *verb = bz_verb_lookup ((*words)[0]);
  assert_non_null (verb);
  return bz_arguments_parse (verb, *words + 1, error);
}

typedef struct {
  const char *line;
  const char *words;      /* joined by spaces */
  const char *command;    /* the same */
  const char *user, *env; /* values; a list is joined by spaces; NULL: not looked at */
  const char *flag;       /* one that must be set */
} Good;

static const Good good[] = {
  { "run z -- ls -l", "z", "ls -l" },
  { "run z ls -l", "z", "ls -l" },
  { "run z", "z", "" },
  { "run -it z sh", "z", "sh", .flag = "tty" },
  { "run -ti z sh", "z", "sh", .flag = "interactive" },
  { "run -u ann -e A=1 -eB=2 --env C z -- sh -c x", "z", "sh -c x", .user = "ann",
    .env = "A=1 B=2 C" },
  { "run -uann z sh", "z", "sh", .user = "ann" },
  { "run --user=ann:users z sh", "z", "sh", .user = "ann:users" },
  { "run -itu ann z sh", "z", "sh", .user = "ann", .flag = "tty" },
  { "run --user= z sh", "z", "sh", .user = "" },
  { "run -u -1 z sh", "z", "sh", .user = "-1" },
  { "run --user a --user b z sh", "z", "sh", .user = "b" },
  { "run --image /t -- ls", "", "ls" },
  { "run --image /t ls -l", "", "ls -l" },
  { "run --image=/t --rm --stats", "", "", .flag = "stats" },
  { "run -q z -- true -q", "z", "true -q", .flag = "quiet" },
  { "run -- z ls", "z", "ls" },
  { "run z -- -dash", "z", "-dash" },
  { "run ./p -x -- y", "./p", "-x -- y" },
  { "run --libs /l ./p -- -x", "./p", "-- -x" },
  { "run /opt/p", "/opt/p", "" },
  { "run z -- -- x", "z", "-- x" },
  { "exec z -- ps", "z", "ps" },
  { "install --keep-partial z /src", "z /src", "", .flag = "keep-partial" },
  { "install z /src --keep-partial", "z /src", "", .flag = "keep-partial" },
  { "install z -- -odd-name", "z -odd-name", "" },
  { "install z -", "z -", "" },
  { "remove -f a b c", "a b c", "", .flag = "force" },
  { "list --json", "", "", .flag = "json" },
  { "list --help extra", NULL, NULL, .flag = "help" },
  { "brands verify a b", "verify a b", "" },
};

static void
test_what_is_taken (void **state G_GNUC_UNUSED)
{
  for (gsize i = 0; i < G_N_ELEMENTS (good); i++)
    {
      g_auto (GStrv) words = NULL;
      g_autoptr (GError) error = NULL;
      g_autoptr (BzArguments) arguments = parse (good[i].line, &words, &error);

      if (good[i].words == NULL)
        continue;
      if (arguments == NULL)
        fail_msg ("%s: %s", good[i].line, error->message);
      g_autoptr (GString) joined = g_string_new (NULL);
      for (guint n = 0; n < bz_arguments_n_words (arguments); n++)
        g_string_append_printf (joined, "%s%s", n > 0 ? " " : "", bz_arguments_word (arguments, n));
      assert_string_equal (joined->str, good[i].words);
      g_autofree char *command = g_strjoinv (" ", bz_arguments_command (arguments));
      assert_string_equal (command, good[i].command);
      if (good[i].user != NULL)
        assert_string_equal (bz_arguments_string (arguments, "user"), good[i].user);
      if (good[i].flag != NULL)
        assert_true (bz_arguments_flag (arguments, good[i].flag));
      g_autofree const char **env = bz_arguments_list (arguments, "env");
      g_autofree char *env_joined = g_strjoinv (" ", (char **) env);
      assert_string_equal (env_joined, good[i].env != NULL ? good[i].env : "");
    }
}

static const struct {
  const char *line, *message;
} bad[] = {
  { "run",
    "brandzone run: words are missing (write: brandzone run NAME|./PROGRAM [--] [COMMAND [ARGUMENT]...])" },
  { "run --netwrok none z",
    "brandzone run: --netwrok: there is no such option (did you mean --network?)" },
  { "run --network nine z", "brandzone run: --network=nine: the option does not take this value "
                            "(did you mean none? It takes: none, host, private, macvlan)" },
  { "run --network", "brandzone run: --network: its value is missing (write --network none|host|private|macvlan)" },
  { "run -x z", "brandzone run: -x: there is no such option (see: brandzone help run)" },
  { "run -ix z", "brandzone run: -x: there is no such option (see: brandzone help run)" },
  { "run --rm=yes z", "brandzone run: --rm: the option takes no value (leave the value out)" },
  { "run z --rm -- ls", "brandzone run: --rm: it stands after the zone's name (put options before "
                        "the name, and -- before a command that begins with a dash)" },
  { "install", "brandzone install: words are missing (write: brandzone install NAME [SOURCE])" },
  { "install z a b",
    "brandzone install: b: this is one word too many (write: brandzone install NAME [SOURCE])" },
  { "list z", "brandzone list: z: this is one word too many (write: brandzone list)" },
  { "plan --abi arm z",
    "brandzone plan: --abi=arm: the option does not take this value (it takes: i386, x86_64)" },
  { "list --jsno", "brandzone list: --jsno: there is no such option (did you mean --json?)" },
  { "list --", NULL },
};

static void
test_what_is_refused (void **state G_GNUC_UNUSED)
{
  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_auto (GStrv) words = NULL;
      g_autoptr (GError) error = NULL;
      g_autoptr (BzArguments) arguments = parse (bad[i].line, &words, &error);

      if (bad[i].message == NULL)
        {
          assert_non_null (arguments);
          continue;
        }
      assert_null (arguments);
      assert_true (g_error_matches (error, BZ_ERROR, BZ_ERROR_USAGE));
      assert_string_equal (error->message, bad[i].message);
    }
}

/* Words that a terminal would act on do not reach it. */
static void
test_refusals_are_safe (void **state G_GNUC_UNUSED)
{
  static const char *const lines[] = { "list a\033[2J", "run --\033x z", "run --network=\033x z",
                                       "run -\033 z", "run z -\033" };

  for (gsize i = 0; i < G_N_ELEMENTS (lines); i++)
    {
      g_auto (GStrv) words = NULL;
      g_autoptr (GError) error = NULL;
      g_autoptr (BzArguments) arguments = parse (lines[i], &words, &error);

      assert_null (arguments);
      assert_null (strchr (error->message, '\033'));
      assert_non_null (bz_error_parts (error)->hint);
    }
}

static void
test_global_options (void **state G_GNUC_UNUSED)
{
  char *words[] = { "-qv", "--root", "/tmp/x", "--json", "run", "--version", NULL };
  char *unknown[] = { "--rot", "/x", NULL };
  g_autoptr (GError) error = NULL;
  guint rest = 0;
  g_autoptr (BzArguments) before = bz_arguments_parse_global (words, &rest, &error);

  assert_null (error);
  assert_int_equal (rest, 4);
  assert_true (bz_arguments_flag (before, "quiet"));
  assert_true (bz_arguments_flag (before, "verbose"));
  assert_string_equal (bz_arguments_string (before, "root"), "/tmp/x");
  assert_false (bz_arguments_flag (before, "version"));
  assert_null (bz_arguments_parse_global (unknown, &rest, &error));
  assert_string_equal (error->message,
                       "brandzone: --rot: there is no such option (did you mean --root?)");
}

static void
test_context (void **state G_GNUC_UNUSED)
{
  char *words[] = { "--user", "--root", "/tmp/x/../y", NULL };
  char *both[] = { "--user", "--system", NULL };
  g_auto (GStrv) after_words = NULL;
  g_autoptr (GError) error = NULL;
  guint rest;
  g_autoptr (BzArguments) before = bz_arguments_parse_global (words, &rest, NULL);
  g_autoptr (BzArguments) contradiction = bz_arguments_parse_global (both, &rest, NULL);
  g_autoptr (BzArguments) run = parse ("run -u ann z", &after_words, NULL);
  g_autoptr (BzContext) context = bz_context_new (before, run, &error);

  assert_string_equal (context->dirs->data, "/tmp/y/zones");
  assert_string_equal (context->dirs->run, "/tmp/y/run");
  g_autoptr (BzContext) none = bz_context_new (contradiction, run, &error);
  assert_null (none);
  assert_true (g_error_matches (error, BZ_ERROR, BZ_ERROR_USAGE));
}

/* A name that is none is refused, and nothing is probed for the words between. */
static void
test_masks_of_the_environment (void **state G_GNUC_UNUSED)
{
  g_autofree char *root = g_dir_make_tmp ("brandzone-test-XXXXXX", NULL);
  char *words[] = { "--root", root, NULL };
  g_autoptr (GError) error = NULL;
  guint rest;
  g_autoptr (BzArguments) before = bz_arguments_parse_global (words, &rest, NULL);
  g_autoptr (BzContext) context = bz_context_new (before, NULL, NULL);
  g_auto (GStrv) list = NULL;
  g_autoptr (BzArguments) doctor = parse ("doctor --without kernel", &list, NULL);

  g_setenv ("BRANDZONE_WITHOUT", " vsyscall\tuser-notify ", TRUE);
  g_autoptr (BzHost) host = bz_context_host (context, doctor, &error);
  assert_non_null (host);
  assert_false (host->has[BZ_FEATURE_VSYSCALL] || host->has[BZ_FEATURE_USER_NOTIFY]
                || host->has[BZ_FEATURE_KERNEL]);
  assert_string_equal (host->detail[BZ_FEATURE_VSYSCALL], "masked");
  g_setenv ("BRANDZONE_WITHOUT", "vsyscall fl\033ight", TRUE);
  assert_null (bz_context_host (context, NULL, &error));
  g_unsetenv ("BRANDZONE_WITHOUT");
  assert_true (g_error_matches (error, BZ_ERROR, BZ_ERROR_USAGE));
  assert_non_null (strstr (error->message, "BRANDZONE_WITHOUT"));
  assert_null (strchr (error->message, '\033'));

  /* What is masked is not what is cached. */
  g_autoptr (BzHost) plain = bz_context_host (context, NULL, NULL);
  assert_true (plain->has[BZ_FEATURE_KERNEL]);
  assert_string_not_equal (plain->detail[BZ_FEATURE_VSYSCALL], "masked");

  g_autofree char *name = g_strdup_printf ("host-%u", (guint) geteuid ());
  g_autofree char *cache = g_build_filename (context->dirs->cache, name, NULL);
  g_remove (cache);
  g_rmdir (context->dirs->cache);
  g_rmdir (root);
}

static void
check_options (const BzOption *options)
{
  for (const BzOption *option = options; option->name != NULL; option++)
    {
      assert_non_null (option->help);
      assert_true ((option->kind == BZ_OPTION_FLAG) == (option->argument == NULL));
      assert_false (g_str_has_suffix (option->help, "."));
      for (const BzOption *other = options; other != option; other++)
        {
          assert_string_not_equal (other->name, option->name);
          assert_false (option->letter != 0 && other->letter == option->letter);
        }
    }
}

static void
test_table_is_sound (void **state G_GNUC_UNUSED)
{
  check_options (bz_global_options);
  for (const BzVerb *verb = bz_verbs; verb->name != NULL; verb++)
    {
      assert_non_null (verb->run);
      assert_non_null (verb->options);
      assert_true (verb->min <= verb->max);
      assert_true (verb->help[0] != '\0' && !g_str_has_suffix (verb->help, "."));
      assert_ptr_equal (bz_verb_lookup (verb->name), verb);
      check_options (verb->options);
    }
}

static void
test_completion_knows_every_verb (void **state G_GNUC_UNUSED)
{
  g_autofree char *script = bz_completion_bash ();

  for (const BzVerb *verb = bz_verbs; verb->name != NULL; verb++)
    {
      g_autofree char *pattern = g_strdup_printf ("\n    %s) ", verb->name);
      assert_true ((strstr (script, pattern) != NULL) == !(verb->flags & BZ_VERB_HIDDEN));
    }
  assert_non_null (strstr (script, "run:--network) _brandzone_words 'none host private macvlan'"));
}

static void
test_environment_of_a_command (void **state G_GNUC_UNUSED)
{
  g_auto (GStrv) words = NULL;
  g_autoptr (GError) error = NULL;

  g_setenv ("BZ_TEST_PASSED", "from the caller", TRUE);
  g_setenv ("BZ_TEST_HIDDEN", "1", TRUE);
  g_setenv ("TERM", "xterm-256color", TRUE);
  g_autoptr (BzArguments) arguments =
      parse ("run -t -e A=b=c -e BZ_TEST_PASSED -e BZ_TEST_NOT_SET -e EMPTY= -w /src z -- make all",
             &words, NULL);
  g_autoptr (BzCommand) command = bz_prepare_command (arguments, -1, &error);
  assert_null (error);
  assert_string_equal (g_environ_getenv (command->environment, "A"), "b=c");
  assert_string_equal (g_environ_getenv (command->environment, "EMPTY"), "");
  assert_string_equal (g_environ_getenv (command->environment, "BZ_TEST_PASSED"),
                       "from the caller");
  assert_null (g_environ_getenv (command->environment, "BZ_TEST_HIDDEN"));
  assert_null (g_environ_getenv (command->environment, "BZ_TEST_NOT_SET"));
  assert_string_equal (g_environ_getenv (command->environment, "TERM"), "xterm-256color");
  assert_non_null (strstr (bz_command_path (command), "/usr/bin:"));
  assert_string_equal (command->directory, "/src");
  assert_string_equal (command->argv[1], "all");
  assert_true (command->terminal);
  assert_false (command->interactive);
}

static void
test_bad_commands (void **state G_GNUC_UNUSED)
{
  static const char *const lines[] = { "run -e =x z", "run -w src z" };

  for (gsize i = 0; i < G_N_ELEMENTS (lines); i++)
    {
      g_auto (GStrv) words = NULL;
      g_autoptr (GError) error = NULL;
      g_autoptr (BzArguments) arguments = parse (lines[i], &words, NULL);
      g_autoptr (BzCommand) command = bz_prepare_command (arguments, -1, &error);

      assert_null (command);
      assert_true (g_error_matches (error, BZ_ERROR, BZ_ERROR_USAGE));
      assert_non_null (bz_error_parts (error)->hint);
    }
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_what_is_taken),
    cmocka_unit_test (test_what_is_refused),
    cmocka_unit_test (test_refusals_are_safe),
    cmocka_unit_test (test_global_options),
    cmocka_unit_test (test_context),
    cmocka_unit_test (test_masks_of_the_environment),
    cmocka_unit_test (test_table_is_sound),
    cmocka_unit_test (test_completion_knows_every_verb),
    cmocka_unit_test (test_environment_of_a_command),
    cmocka_unit_test (test_bad_commands),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
