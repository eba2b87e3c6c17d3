#include "config.h"

#include "zone/program.h"

#include "brand/base/error.h"
#include "brand/elf-facts.h"
#include "brand/tree.h"
#include "zone/check.h"
#include "zone/names.h"

#include <elf.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#define HEAD_MAX (64 * 1024)

void
bz_program_clear (BzProgram *program)
{
  g_clear_pointer (&program->path, g_free);
  g_clear_pointer (&program->machine, g_free);
  g_clear_pointer (&program->interpreter, g_free);
  g_clear_pointer (&program->link, g_free);
}

/* The word after "#!", or NULL. Owned by the caller. */
static char *
script_interpreter (const char *data, gsize length)
{
  gsize end = 2, start;

  while (end < length && (data[end] == ' ' || data[end] == '\t'))
    end++;
  start = end;
  while (end < length && !g_ascii_isspace (data[end]) && data[end] != '\0')
    end++;
  return end > start ? g_strndup (data + start, end - start) : NULL;
}

static void
look_elf (GBytes *bytes, BzProgram *program)
{
  BzElfFacts facts = { 0 };

  bz_elf_facts_read (bytes, &facts);
  if (facts.image == BZ_IMAGE_AOUT)
    {
      gsize size;
      const guint8 *image = g_bytes_get_data (bytes, &size);
      BzAoutMagic magic;

      program->kind = BZ_PROGRAM_AOUT;
      if (bz_aout_magic (image, size, &magic))
        program->machine = g_strdup (bz_aout_name (magic));
    }
  if (facts.image == BZ_IMAGE_ELF)
    {
      program->kind = BZ_PROGRAM_ELF;
      program->bits = facts.bits;
      program->interpreter = g_strdup (facts.interpreter);
      program->damaged = bz_elf_has_text_damage (bytes);
      program->foreign =
          facts.big_endian
          || (facts.machine != EM_X86_64 && facts.machine != EM_386 && facts.machine != 6);
      if (program->foreign)
        program->machine = bz_elf_machine_name (&facts);
    }
  bz_elf_facts_clear (&facts);
}

static void
look_bytes (GBytes *bytes, BzProgram *program)
{
  gsize length;
  const char *data = g_bytes_get_data (bytes, &length);

  program->kind = BZ_PROGRAM_TEXT;
  if (length == 0)
    program->kind = BZ_PROGRAM_EMPTY;
  else if (length > 2 && data[0] == '#' && data[1] == '!')
    {
      program->kind = BZ_PROGRAM_SCRIPT;
      program->interpreter = script_interpreter (data, length);
    }
  else
    look_elf (bytes, program);
}

/* The first link of that name that leads to nothing. */
static void
note_link (int tree_fd, const char *path, BzProgram *program)
{
  if (program->link != NULL || bz_tree_has_file (tree_fd, path))
    return;
  program->link = bz_tree_link (tree_fd, path);
  if (program->link != NULL)
    program->path = g_strdup (path);
}

static gboolean
look_at (int tree_fd, const char *path, BzProgram *program)
{
  g_autoptr (GBytes) bytes = NULL;

  if (!bz_tree_read (tree_fd, path, HEAD_MAX, &bytes))
    {
      note_link (tree_fd, path, program);
      return FALSE;
    }
  g_clear_pointer (&program->link, g_free);
  g_free (program->path);
  program->path = g_strdup (path);
  look_bytes (bytes, program);
  if (program->interpreter != NULL)
    program->interpreter_missing = !bz_tree_has_file (tree_fd, program->interpreter);
  return TRUE;
}

void
bz_program_look (int tree_fd, const char *name, const char *path, BzProgram *program)
{
  g_auto (GStrv) places = g_strsplit (path, ":", -1);

  *program = (BzProgram){ .kind = BZ_PROGRAM_MISSING };
  if (strchr (name, '/') != NULL)
    {
      look_at (tree_fd, name, program);
      return;
    }
  for (char **place = places; *place != NULL; place++)
    {
      g_autofree char *full = g_build_filename ("/", *place, name, NULL);
      if (look_at (tree_fd, full, program))
        return;
    }
}

typedef struct {
  char *why; /* owned */
  const char *hint, *row;
} Explanation;

/* In the words of `check`, which foretells it. */
static Explanation
found (BzFinding finding, const char *detail)
{
  return (Explanation){ bz_finding_why (finding, detail), bz_finding_hint (finding),
                        bz_finding_row (finding) };
}

static Explanation
explain_image (const BzProgram *program, const BzHost *host)
{
  if (program->kind == BZ_PROGRAM_AOUT)
    return found (BZ_FINDING_AOUT, program->machine);
  if (program->kind == BZ_PROGRAM_EMPTY)
    return (Explanation){ g_strdup ("the file is empty"), "see whether the tree is complete",
                          NULL };
  if (program->kind == BZ_PROGRAM_TEXT)
    return (Explanation){ g_strdup ("it is neither a program nor a script with #!"),
                          "give it to a shell: sh FILE", NULL };
  if (program->damaged)
    return found (BZ_FINDING_DAMAGE, NULL);
  if (program->kind == BZ_PROGRAM_ELF && !program->foreign && program->bits == 32 && host != NULL
      && !host->has[BZ_FEATURE_IA32])
    return found (BZ_FINDING_IA32, NULL);
  return (Explanation){ NULL };
}

void
bz_program_explain_error (const BzProgram *program, const BzHost *host, GError **error)
{
  int code = error != NULL && *error != NULL && (*error)->domain == BZ_ERROR ? (*error)->code : 0;
  Explanation explanation = { NULL };

  if ((code != BZ_ERROR_NOT_FOUND && code != BZ_ERROR_NOT_EXECUTABLE)
      || (program->kind == BZ_PROGRAM_MISSING && program->link == NULL))
    return;
  if (program->kind == BZ_PROGRAM_MISSING && code == BZ_ERROR_NOT_FOUND)
    explanation = found (BZ_FINDING_LINK, program->link);
  else if (program->kind == BZ_PROGRAM_ELF && program->foreign)
    explanation = found (BZ_FINDING_FOREIGN, program->machine);
  else if (code == BZ_ERROR_NOT_FOUND && program->interpreter_missing)
    explanation = found (BZ_FINDING_INTERPRETER, program->interpreter);
  else if (code == BZ_ERROR_NOT_EXECUTABLE)
    explanation = explain_image (program, host);
  if (explanation.why == NULL)
    return;

  g_autofree char *path = bz_text_safe (program->path);
  g_autofree char *why = explanation.why;
  g_clear_error (error);
  bz_fail (error, (BzErrorCode) code, why, explanation.hint, "running %s", path);
  bz_error_set_row (*error, explanation.row);
}

/* The first row that fits is the explanation. */
static const struct {
  int signal;
  const char *row; /* or NULL */
  const char *why;
} deaths[] = {
  { SIGSEGV, NULL, "it touched memory that it does not have" },
  { SIGBUS, NULL, "a file that it had mapped became shorter, or the disk failed" },
  { SIGILL, "E25", "it met an instruction that this CPU does not have" },
  { SIGFPE, "E24",
    "it divided by zero; old C libraries do so when they meet a CPU that they do not know" },
  { SIGSYS, "E10", "a seccomp filter around brandzone forbids a system call that it made" },
  { SIGABRT, NULL, "it gave up by itself" },
  { SIGKILL, NULL, "somebody killed it, or memory ran out (see dmesg)" },
  { SIGTRAP, NULL, "it met a breakpoint" },
  { SIGXCPU, NULL, "it used up its CPU time" },
  { SIGXFSZ, NULL, "it wrote a file larger than its limit" },
};

static const char *
usual_reason (int number, const char **row)
{
  for (gsize i = 0; i < G_N_ELEMENTS (deaths); i++)
    if (deaths[i].signal == number)
      {
        *row = deaths[i].row;
        return deaths[i].why;
      }
  return NULL;
}

/* What `check` finds in such a program, when nothing covers it; or NULL. Owned by the caller. */
static char *
foretold (int tree_fd, const BzProgram *program, guint bits, const BzHost *host, const BzPlan *plan,
          const char **row)
{
  const char *base = program->interpreter != NULL ? strrchr (program->interpreter, '/') : NULL;
  BzFinding finding = BZ_FINDING_COUNT;
  g_autofree char *how = NULL;

  if (program->damaged)
    finding = BZ_FINDING_DAMAGE;
  else if (program->path != NULL && bz_check_is_cut_off (tree_fd, program->path))
    finding = BZ_FINDING_CUT_OFF;
  else if (program->kind == BZ_PROGRAM_ELF && bits == 32 && g_strcmp0 (base, "/ld-linux.so.1") == 0)
    finding = BZ_FINDING_HEAP;
  else if (bits == 64 && host != NULL && !host->has[BZ_FEATURE_VSYSCALL] && program->path != NULL
           && bz_check_calls_vsyscall (tree_fd, program->path))
    finding = BZ_FINDING_VSYSCALL;
  if (finding == BZ_FINDING_COUNT
      || bz_finding_cover (finding, NULL, host, plan, &how) == BZ_COVERED)
    return NULL;
  g_autofree char *why = bz_finding_why (finding, NULL);
  *row = bz_finding_row (finding);
  return g_strdup_printf ("%s (%s)", why, bz_finding_hint (finding));
}

char *
bz_program_explain_death (int tree_fd, const BzProgram *program, const BzHost *host,
                          const BzPlan *plan, int wait_status, const char **row)
{
  guint bits = program->kind == BZ_PROGRAM_ELF ? program->bits
               : plan == NULL                  ? 0
               : plan->abi == BZ_ABI_I386      ? 32
                                               : 64;
  int number = WIFSIGNALED (wait_status) ? WTERMSIG (wait_status) : 0;

  *row = NULL;
  if (number == 0 || number == SIGINT || number == SIGPIPE)
    return NULL;

  g_autofree char *own =
      number == SIGSEGV || number == SIGBUS ? foretold (tree_fd, program, bits, host, plan, row) : NULL;
  const char *why = own != NULL ? own : usual_reason (number, row);
  const char *abbreviation = sigabbrev_np (number);
  g_autofree char *safe = bz_text_safe (program->path != NULL ? program->path : "the command");
  g_autofree char *signal_name = abbreviation != NULL ? g_strdup_printf ("SIG%s", abbreviation)
                                                      : g_strdup_printf ("signal %d", number);
  return g_strdup_printf ("%s died of %s%s%s", safe, signal_name, why != NULL ? ": " : "",
                          why != NULL ? why : "");
}
