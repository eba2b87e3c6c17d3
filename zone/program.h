/* Why a program of a zone did not run, or died: the sentences that stand in for "Exec format error"
 * and exit 139. */
#pragma once

#include "brand/host.h"
#include "brand/plan.h"
#include "loader/loader.h"

typedef enum {
  BZ_PROGRAM_MISSING, /* no such file, or not readable for us */
  BZ_PROGRAM_ELF,
  BZ_PROGRAM_AOUT,
  BZ_PROGRAM_SCRIPT,
  BZ_PROGRAM_EMPTY,
  BZ_PROGRAM_TEXT /* a script without #!, or data: the kernel refuses it */
} BzProgramKind;

typedef struct {
  BzProgramKind kind;
  char *path;        /* in the zone */
  guint bits;        /* ELF */
  gboolean foreign;  /* ELF for another CPU */
  gboolean damaged;  /* bz_elf_has_text_damage() */
  char *machine;     /* its name when foreign, the magic number's of an a.out program, or NULL */
  char *interpreter; /* PT_INTERP, or the word after #!, or NULL */
  gboolean interpreter_missing;
  char *link;        /* MISSING: where the link leads that has its name, or NULL */
} BzProgram;

/* Looks argv[0] up in the tree: with a slash as it is, else along `path` ("/bin:/usr/bin"). */
void bz_program_look (int tree_fd, const char *name, const char *path, BzProgram *program);
void bz_program_clear (BzProgram *program);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (BzProgram, bz_program_clear)

/* Puts a better explanation, and its catalogue row, into an error of the loader with the code
 * NOT_FOUND or NOT_EXECUTABLE; others are left alone. */
void bz_program_explain_error (const BzProgram *program, const BzHost *host, GError **error);

/* One line about a command that a signal ended, or NULL when there is nothing to say (it ended
 * otherwise, or by SIGINT or SIGPIPE). tree_fd: where its libraries are looked up. `*row` is the
 * catalogue row that may explain it, or NULL. Owned by the caller. */
char *bz_program_explain_death (int tree_fd, const BzProgram *program, const BzHost *host,
                                const BzPlan *plan, int wait_status, const char **row);
