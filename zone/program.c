#include "config.h"

#include "zone/program.h"

#include "brand/base/error.h"
#include "brand/elf-facts.h"
#include "brand/tree.h"
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
    program->kind = BZ_PROGRAM_AOUT;
  if (facts.image == BZ_IMAGE_ELF)
    {
      program->kind = BZ_PROGRAM_ELF;
      program->bits = facts.bits;
      program->interpreter = g_strdup (facts.interpreter);
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

static gboolean
look_at (int tree_fd, const char *path, BzProgram *program)
{
  g_autoptr (GBytes) bytes = NULL;

  if (!bz_tree_read (tree_fd, path, HEAD_MAX, &bytes))
    return FALSE;
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
  const char *why, *hint, *row;
} Explanation;

static gboolean
explain_image (const BzProgram *program, const BzHost *host, Explanation *explanation)
{
  if (program->kind == BZ_PROGRAM_AOUT)
    *explanation = (Explanation){ "it is an a.out program, which Linux no longer runs since 5.19",
                                  "use an ELF program", "E12" };
  else if (program->kind == BZ_PROGRAM_EMPTY)
    *explanation = (Explanation){ "the file is empty", "see whether the tree is complete", NULL };
  else if (program->kind == BZ_PROGRAM_TEXT)
    *explanation = (Explanation){ "it is neither a program nor a script with #!",
                                  "give it to a shell: sh FILE", NULL };
  else if (program->kind == BZ_PROGRAM_ELF && !program->foreign && program->bits == 32
           && host != NULL && !host->has[BZ_FEATURE_IA32])
    *explanation = (Explanation){ "this host's kernel does not run i386 programs",
                                  bz_feature_mend (BZ_FEATURE_IA32), "E9" };
  else
    return FALSE;
  return TRUE;
}

void
bz_program_explain_error (const BzProgram *program, const BzHost *host, GError **error)
{
  int code = error != NULL && *error != NULL && (*error)->domain == BZ_ERROR ? (*error)->code : 0;
  Explanation explanation = { 0 };
  g_autofree char *why = NULL;

  if ((code != BZ_ERROR_NOT_FOUND && code != BZ_ERROR_NOT_EXECUTABLE)
      || program->kind == BZ_PROGRAM_MISSING)
    return;
  if (program->kind == BZ_PROGRAM_ELF && program->foreign)
    {
      why = g_strdup_printf ("it is a program for another CPU (%s)", program->machine);
      explanation =
          (Explanation){ why, "take the distribution's release for i386 or x86-64", NULL };
    }
  else if (code == BZ_ERROR_NOT_FOUND && program->interpreter_missing)
    {
      g_autofree char *safe = bz_text_safe (program->interpreter);
      why = g_strdup_printf ("its interpreter %s does not exist in the zone", safe);
      explanation =
          (Explanation){ why, "see whether the tree is complete, and its links whole", NULL };
    }
  else if (code != BZ_ERROR_NOT_EXECUTABLE || !explain_image (program, host, &explanation))
    return;

  g_autofree char *path = bz_text_safe (program->path);
  g_clear_error (error);
  bz_fail (error, (BzErrorCode) code, explanation.why, explanation.hint, "running %s", path);
  bz_error_set_row (*error, explanation.row);
}

/* The first row that fits is the explanation. */
static const struct {
  int signal;
  guint bits;      /* 0: any */
  int lacks;       /* a BzFeature that the host lacks, or -1 */
  const char *row; /* or NULL */
  const char *why;
} deaths[] = {
  { SIGSEGV, 64, BZ_FEATURE_VSYSCALL, "E1",
    "this host has no vsyscall page, and programs linked with glibc before 2.14 call it: boot with "
    "vsyscall=xonly" },
  { SIGSEGV, 0, -1, NULL, "it touched memory that it does not have" },
  { SIGBUS, 0, -1, NULL, "a file that it had mapped became shorter, or the disk failed" },
  { SIGILL, 0, -1, "E25", "it met an instruction that this CPU does not have" },
  { SIGFPE, 0, -1, "E24",
    "it divided by zero; old C libraries do so when they meet a CPU that they do not know" },
  { SIGSYS, 0, -1, "E10", "a seccomp filter around brandzone forbids a system call that it made" },
  { SIGABRT, 0, -1, NULL, "it gave up by itself" },
  { SIGKILL, 0, -1, NULL, "somebody killed it, or memory ran out (see dmesg)" },
  { SIGTRAP, 0, -1, NULL, "it met a breakpoint" },
  { SIGXCPU, 0, -1, NULL, "it used up its CPU time" },
  { SIGXFSZ, 0, -1, NULL, "it wrote a file larger than its limit" },
};

static const char *
why_dead (int number, guint bits, const BzHost *host, const char **row)
{
  for (gsize i = 0; i < G_N_ELEMENTS (deaths); i++)
    {
      if (deaths[i].signal != number || (deaths[i].bits != 0 && deaths[i].bits != bits))
        continue;
      if (deaths[i].lacks >= 0 && (host == NULL || host->has[deaths[i].lacks]))
        continue;
      *row = deaths[i].row;
      return deaths[i].why;
    }
  return NULL;
}

char *
bz_program_explain_death (const BzProgram *program, const BzHost *host, const BzPlan *plan,
                          int wait_status, const char **row)
{
  guint bits = program->kind == BZ_PROGRAM_ELF ? program->bits
               : plan == NULL                  ? 0
               : plan->abi == BZ_ABI_I386      ? 32
                                               : 64;
  int number = WIFSIGNALED (wait_status) ? WTERMSIG (wait_status) : 0;

  *row = NULL;
  if (number == 0 || number == SIGINT || number == SIGPIPE)
    return NULL;

  const char *why = why_dead (number, bits, host, row);
  const char *abbreviation = sigabbrev_np (number);
  g_autofree char *safe = bz_text_safe (program->path != NULL ? program->path : "the command");
  g_autofree char *signal_name = abbreviation != NULL ? g_strdup_printf ("SIG%s", abbreviation)
                                                      : g_strdup_printf ("signal %d", number);
  return g_strdup_printf ("%s died of %s%s%s", safe, signal_name, why != NULL ? ": " : "",
                          why != NULL ? why : "");
}
