/* Problem: a tree may hold several C libraries (one of 1999: libc4, libc5 and
 * glibc 2.0.7), a run-time for another CPU, or no libraries at all; and only some programs may be
 * there.
 *
 * Choice: programs vote. Those that every system has are looked at first, then what the
 * program directories hold, up to MOST_PROGRAMS. Their machine gives the ABI, their interpreter the
 * C library; the file of that library which fits the ABI gives version and ABI note. Without
 * programs the libraries speak for themselves. */
#include "config.h"

#include "brand/tree-facts.h"
#include "brand/elf-facts.h"
#include "brand/range.h"
#include "brand/scan.h"
#include "brand/static-facts.h"
#include "brand/tree.h"

#include <elf.h>
#include <string.h>

#define MOST_PROGRAMS 24
#define MOST_TRIED 400
#define MOST_LIBRARIES 16
#define PROGRAM_BYTES (64 * 1024)
#define LIBRARY_BYTES (16 * 1024 * 1024)

/* File names of C libraries. `version`: the name's tail behind the prefix is its version. */
static const struct {
  const char *prefix;
  BzLibcKind kind;
  gboolean version;
} library_names[] = {
  { "libc.so.4", BZ_LIBC_4, FALSE },      { "libc.so.5", BZ_LIBC_5, FALSE },
  { "libc-2.", BZ_LIBC_GLIBC, FALSE },    { "libc.so.6", BZ_LIBC_GLIBC, FALSE },
  { "libuClibc-", BZ_LIBC_UCLIBC, TRUE }, { "libc.so.0", BZ_LIBC_UCLIBC, FALSE },
  { "ld-uClibc-", BZ_LIBC_UCLIBC, TRUE }, { "ld64-uClibc-", BZ_LIBC_UCLIBC, TRUE },
  { "ld-musl-", BZ_LIBC_MUSL, FALSE },    { "libc.musl-", BZ_LIBC_MUSL, FALSE },
};

/* How an interpreter's file name begins. */
static const struct {
  const char *prefix;
  BzLibcKind kind;
} interpreters[] = {
  { "ld-linux.so.1", BZ_LIBC_5 },  { "ld-linux", BZ_LIBC_GLIBC },
  { "ld.so.1", BZ_LIBC_GLIBC },    { "ld64.so", BZ_LIBC_GLIBC },
  { "ld-uClibc", BZ_LIBC_UCLIBC }, { "ld64-uClibc", BZ_LIBC_UCLIBC },
  { "ld-musl", BZ_LIBC_MUSL },
};

static const char *const usual_programs[] = { "bin/sh",        "bin/bash",     "bin/ls",
                                              "bin/cat",       "bin/busybox",  "sbin/init",
                                              "init",          "usr/bin/env",  "bin/ps",
                                              "sbin/ldconfig", "usr/bin/find", "linuxrc" };
static const char *const program_dirs[] = { "bin",      "sbin",          "usr/bin",
                                            "usr/sbin", "usr/local/bin", "usr/local/sbin",
                                            "." };
static const char *const library_dirs[] = { "lib",     "lib64",     "lib32",
                                            "usr/lib", "usr/lib64", "usr/lib32" };

typedef struct {
  char *path;
  BzLibcKind kind;
  BzElfFacts elf;
} Library;

typedef struct {
  int tree_fd;
  guint programs, tried;
  guint abi[BZ_ABI_COUNT], foreign, aout, libc[BZ_LIBC_COUNT];
  BzElfFacts example;
  char *example_path;
  GHashTable *seen;
  Library library[MOST_LIBRARIES];
  guint libraries;
  BzTreeFacts *facts;
} Survey;

/* FALSE: the image is for another CPU (or x32). */
static gboolean
abi_of (const BzElfFacts *elf, BzAbi *abi)
{
  if (elf->image == BZ_IMAGE_AOUT || (elf->machine == EM_386 && elf->bits == 32))
    *abi = BZ_ABI_I386;
  else if (elf->machine == EM_X86_64 && elf->bits == 64)
    *abi = BZ_ABI_X86_64;
  else
    return FALSE;
  return TRUE;
}

static void
need_kernel (BzTreeFacts *facts, const BzElfFacts *elf)
{
  if (!elf->has_abi_note)
    return;
  if (!facts->has_kernel || elf->abi_note > facts->kernel)
    facts->kernel = elf->abi_note;
  facts->has_kernel = TRUE;
}

static BzLibcKind
libc_of_interpreter (const char *interpreter)
{
  const char *base = strrchr (interpreter, '/') + 1;

  for (guint i = 0; i < G_N_ELEMENTS (interpreters); i++)
    if (g_str_has_prefix (base, interpreters[i].prefix))
      return interpreters[i].kind;
  return BZ_LIBC_NONE;
}

/* Programs vote */

static void
vote (Survey *survey, const char *path, BzElfFacts *elf)
{
  BzAbi abi;

  survey->programs++;
  if (abi_of (elf, &abi))
    {
      survey->abi[abi]++;
      survey->aout += elf->image == BZ_IMAGE_AOUT;
    }
  else
    survey->foreign++;
  if (elf->interpreter != NULL)
    survey->libc[libc_of_interpreter (elf->interpreter)]++;
  else if (elf->image == BZ_IMAGE_AOUT)
    survey->libc[BZ_LIBC_4]++;
  need_kernel (survey->facts, elf);
  if (survey->example_path == NULL)
    {
      survey->example_path = g_strdup (path);
      survey->example = *elf;
      elf->interpreter = NULL;
    }
}

static void
try_program (Survey *survey, const char *path)
{
  g_autoptr (GBytes) bytes = NULL;
  BzElfFacts elf;

  if (survey->programs >= MOST_PROGRAMS || survey->tried >= MOST_TRIED
      || !g_hash_table_add (survey->seen, g_strdup (path)))
    return;
  survey->tried++;
  if (!bz_tree_read (survey->tree_fd, path, PROGRAM_BYTES, &bytes))
    return;
  bz_elf_facts_read (bytes, &elf);
  if (elf.image == BZ_IMAGE_AOUT
      || (elf.image == BZ_IMAGE_ELF && (elf.type == ET_EXEC || elf.type == ET_DYN)))
    vote (survey, path, &elf);
  bz_elf_facts_clear (&elf);
}

static void
survey_programs (Survey *survey)
{
  for (guint i = 0; i < G_N_ELEMENTS (usual_programs); i++)
    try_program (survey, usual_programs[i]);
  for (guint i = 0; i < G_N_ELEMENTS (program_dirs); i++)
    {
      g_auto (GStrv) names = bz_tree_list (survey->tree_fd, program_dirs[i]);

      for (guint j = 0; names != NULL && names[j] != NULL; j++)
        {
          g_autofree char *path = strcmp (program_dirs[i], ".") == 0
                                      ? g_strdup (names[j])
                                      : g_build_filename (program_dirs[i], names[j], NULL);
          try_program (survey, path);
        }
    }
}

/* Libraries */

static void
try_library (Survey *survey, const char *dir, const char *name)
{
  guint at = 0;

  while (at < G_N_ELEMENTS (library_names) && !g_str_has_prefix (name, library_names[at].prefix))
    at++;
  if (at == G_N_ELEMENTS (library_names) || survey->libraries == MOST_LIBRARIES)
    return;

  g_autofree char *path = g_build_filename (dir, name, NULL);
  g_autoptr (GBytes) bytes = NULL;
  Library *library = &survey->library[survey->libraries];

  if (!bz_tree_read (survey->tree_fd, path, PROGRAM_BYTES, &bytes))
    return;
  bz_elf_facts_read (bytes, &library->elf);
  if (library->elf.image == BZ_IMAGE_NONE)
    return;
  library->path = g_steal_pointer (&path);
  library->kind = library_names[at].kind;
  survey->libraries++;
}

static void
survey_library_dir (Survey *survey, const char *dir, gboolean deeper)
{
  g_auto (GStrv) names = bz_tree_list (survey->tree_fd, dir);

  for (guint i = 0; names != NULL && names[i] != NULL; i++)
    {
      try_library (survey, dir, names[i]);
      /* Multiarch directories, and the two places of glibc for newer CPUs and NPTL. */
      if (deeper
          && (strstr (names[i], "-linux-") != NULL || strcmp (names[i], "tls") == 0
              || strcmp (names[i], "i686") == 0))
        {
          g_autofree char *below = g_build_filename (dir, names[i], NULL);
          survey_library_dir (survey, below, FALSE);
        }
    }
}

/* The version in a library's file name: "libuClibc-0.9.33.2.so", "libc.so.5.4.46.newlib". */
static gboolean
version_of_name (const char *path, BzRelease *version)
{
  const char *base = strrchr (path, '/') + 1;

  if (g_str_has_prefix (base, "libc.so."))
    return strcspn (base + 8, ".") == 1 && base[8] != '6' && base[9] == '.'
           && bz_version_parse (base + 8, version);
  for (guint i = 0; i < G_N_ELEMENTS (library_names); i++)
    if (library_names[i].version && g_str_has_prefix (base, library_names[i].prefix))
      return bz_version_parse (base + strlen (library_names[i].prefix), version);
  if (g_str_has_prefix (base, "libc-2."))
    return bz_version_parse (base + 5, version);
  return FALSE;
}

/* Reads the whole library for what it says of itself. */
static void
question_library (Survey *survey, const Library *library)
{
  BzTreeFacts *facts = survey->facts;
  g_autoptr (GBytes) bytes = NULL;
  BzLibcText text = { 0 };

  facts->libc = library->kind;
  g_free (facts->libc_file);
  facts->libc_file = g_strdup (library->path);
  facts->has_version = version_of_name (library->path, &facts->version);
  if (bz_tree_read (survey->tree_fd, library->path, LIBRARY_BYTES, &bytes))
    bz_libc_text_read (bytes, &text);
  if (text.version != NULL && bz_version_parse (text.version, &facts->version))
    facts->has_version = TRUE;
  if (library->kind == BZ_LIBC_UCLIBC && !facts->has_version && text.old_start)
    {
      facts->version = BZ_RELEASE (0, 9, 26);
      facts->has_version = TRUE;
    }
  facts->text = g_steal_pointer (&text.text);
  need_kernel (facts, &library->elf);
  bz_libc_text_clear (&text);
}

/* Points for a library: that the programs want its kind, then the ABI, then that its name tells a
 * version. */
static guint
points (const Survey *survey, const Library *library)
{
  const BzTreeFacts *facts = survey->facts;
  BzRelease version;
  BzAbi abi;
  gboolean native = abi_of (&library->elf, &abi);
  guint sum = (guint) library->kind + 64 * survey->libc[library->kind];

  if (survey->programs == 0 ? native : facts->foreign ? !native : native && abi == facts->abi)
    sum += 32;
  if (version_of_name (library->path, &version))
    sum += 16;
  return sum;
}

static void
choose_library (Survey *survey)
{
  const Library *best = NULL;

  for (guint i = 0; i < survey->libraries; i++)
    if (best == NULL || points (survey, &survey->library[i]) > points (survey, best))
      best = &survey->library[i];
  if (best == NULL)
    {
      /* Programs that want a library the tree does not hold still tell its kind. */
      for (guint kind = 1; kind < BZ_LIBC_COUNT; kind++)
        if (survey->libc[kind] > survey->libc[survey->facts->libc])
          survey->facts->libc = (BzLibcKind) kind;
      return;
    }
  question_library (survey, best);
  if (survey->programs == 0)
    survey->facts->foreign = !abi_of (&best->elf, &survey->facts->abi);
}

static void
describe_example (Survey *survey)
{
  const BzElfFacts *elf = survey->example_path != NULL ? &survey->example
                          : survey->libraries > 0      ? &survey->library[0].elf
                                                       : NULL;
  const char *path = survey->example_path != NULL ? survey->example_path
                     : survey->libraries > 0      ? survey->library[0].path
                                                  : NULL;
  if (elf == NULL)
    return;
  if (elf->image == BZ_IMAGE_AOUT)
    {
      survey->facts->program = g_strdup_printf ("%s is an a.out image", path);
      return;
    }
  g_autofree char *machine = bz_elf_machine_name (elf);
  survey->facts->program =
      elf->interpreter != NULL
          ? g_strdup_printf ("%s is for %s and %s", path, machine, elf->interpreter)
          : g_strdup_printf ("%s is for %s%s", path, machine,
                             survey->example_path != NULL ? ", static" : "");
}

static void
conclude (Survey *survey)
{
  BzTreeFacts *facts = survey->facts;

  facts->found = survey->programs + survey->libraries > 0;
  facts->foreign = survey->foreign > survey->abi[BZ_ABI_I386] + survey->abi[BZ_ABI_X86_64];
  facts->abi = survey->abi[BZ_ABI_I386] > survey->abi[BZ_ABI_X86_64] ? BZ_ABI_I386 : BZ_ABI_X86_64;
  choose_library (survey);
  describe_example (survey);

  for (guint i = 0; i < survey->libraries; i++)
    {
      g_free (survey->library[i].path);
      bz_elf_facts_clear (&survey->library[i].elf);
    }
  g_free (survey->example_path);
  bz_elf_facts_clear (&survey->example);
  g_hash_table_unref (survey->seen);
}

static void
survey_new (Survey *survey, int tree_fd, BzTreeFacts *facts)
{
  *survey = (Survey){ .tree_fd = tree_fd, .facts = facts };
  *facts = (BzTreeFacts){ .abi = BZ_ABI_X86_64 };
  survey->seen = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
}

void
bz_tree_facts_read (int tree_fd, BzTreeFacts *facts)
{
  Survey survey;

  survey_new (&survey, tree_fd, facts);
  survey_programs (&survey);
  for (guint i = 0; i < G_N_ELEMENTS (library_dirs); i++)
    survey_library_dir (&survey, library_dirs[i], TRUE);
  conclude (&survey);
}

void
bz_tree_facts_of_program (GBytes *program, const char *path, int libraries_fd, BzTreeFacts *facts)
{
  g_auto (BzScan) scan = { .kind = BZ_SCAN_NONE };
  BzElfFacts elf;
  Survey survey;

  survey_new (&survey, libraries_fd, facts);
  bz_scan_read (program, NULL, &scan);
  bz_elf_facts_read (program, &elf);
  if (elf.image != BZ_IMAGE_NONE)
    vote (&survey, path, &elf);
  if (libraries_fd >= 0)
    survey_library_dir (&survey, ".", TRUE);
  conclude (&survey);
  if (elf.image == BZ_IMAGE_ELF && facts->libc == BZ_LIBC_NONE)
    bz_static_facts (&elf, &scan, facts);
  bz_elf_facts_clear (&elf);
}

void
bz_tree_facts_clear (BzTreeFacts *facts)
{
  g_clear_pointer (&facts->program, g_free);
  g_clear_pointer (&facts->libc_file, g_free);
  g_clear_pointer (&facts->text, g_free);
}
