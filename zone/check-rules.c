/* What each fact of an image means on this host and under this plan.
 *
 * System calls are asked about in two places: the imports of dynamic images (a C library
 * holds every wrapper, so its own code says nothing), and the numbers in programs' own code. A
 * call that the plan's own kernel lacked as well is no trouble: the program saw the same error
 * then. */
#include "config.h"

#include "zone/check-private.h"

#include "brand/tree.h"
#include "syscall-xlat/table.h"

#include <elf.h>
#include <string.h>

/* Names under which C libraries export calls. */
static const struct {
  const char *symbol, *call;
} wrappers[] = {
  { "sysctl", "_sysctl" },
  { "__sysctl", "_sysctl" },
  { "modify_ldt", "modify_ldt" },
  { "__modify_ldt", "modify_ldt" },
  { "vm86", "vm86" },
  { "vm86old", "vm86old" },
  { "iopl", "iopl" },
  { "ioperm", "ioperm" },
  { "uselib", "uselib" },
  { "bdflush", "bdflush" },
  { "nfsservctl", "nfsservctl" },
  { "create_module", "create_module" },
  { "query_module", "query_module" },
  { "get_kernel_syms", "get_kernel_syms" },
  { "lookup_dcookie", "lookup_dcookie" },
};

/* Rows of calls that no quirk answers. */
static const struct {
  const char *call, *row;
} call_rows[] = {
  { "vm86", "E21" },   { "vm86old", "E21" },       { "nfsservctl", "S4" },
  { "uselib", "E14" }, { "lookup_dcookie", "S5" },
};

/* What programs without large-file support import: of glibc, of libc 5 and uClibc. */
static const char *const small_files[] = {
  "__xstat", "__lxstat", "__fxstat", "_xstat", "_lxstat", "_fxstat", "stat",    "lstat",
  "fstat",   "readdir",  "scandir",  "glob",   "ftw",     "nftw",    "fts_open"
};

GHashTable *
bz_check_names (void)
{
  GHashTable *names = g_hash_table_new (g_str_hash, g_str_equal);

  for (guint i = 0; i < G_N_ELEMENTS (wrappers); i++)
    g_hash_table_add (names, (gpointer) wrappers[i].symbol);
  for (guint i = 0; i < G_N_ELEMENTS (small_files); i++)
    g_hash_table_add (names, (gpointer) small_files[i]);
  return names;
}

static const char *
row_of_call (const BzRow *row, char **first)
{
  for (guint i = 0; i < G_N_ELEMENTS (call_rows); i++)
    if (strcmp (call_rows[i].call, row->name) == 0)
      return call_rows[i].row;
  *first = g_strndup (row->rows, strcspn (row->rows, " ,"));
  return **first != '\0' ? g_intern_string (*first) : "S5";
}

/* Whether this host's kernel lacks a call that other kernels had. */
static gboolean
host_lacks (const BzCheck *check, const BzRow *row, BzAbi abi)
{
  if (strcmp (row->name, "modify_ldt") == 0)
    return !check->host->has[BZ_FEATURE_MODIFY_LDT];
  if (abi == BZ_ABI_I386 && g_str_has_prefix (row->name, "vm86"))
    return TRUE;
  return row->until != 0 && row->since < row->until && check->host->release >= row->until;
}

static void
check_call (BzCheck *check, BzAbi abi, const BzRow *row, gboolean sure, const char *path)
{
  const BzPlan *plan = check->plan;
  gboolean ports = strcmp (row->name, "iopl") == 0 || strcmp (row->name, "ioperm") == 0;
  g_autofree char *first = NULL;
  const char *catalogue = row_of_call (row, &first);

  if (ports)
    {
      bz_check_add (check, BZ_FINDING_PORTS, NULL, row->name, BZ_PERHAPS,
                    g_strdup ("programs that can do without go on"), path);
      return;
    }
  if (!host_lacks (check, row, abi))
    return;
  if (strcmp (row->name, "modify_ldt") == 0)
    {
      bz_check_add_row (check, BZ_FINDING_LDT, NULL, NULL, path);
      return;
    }
  if (plan != NULL && bz_row_action (row, plan, abi) == BZ_ACTION_NOTIFY)
    {
      bz_check_add (check, BZ_FINDING_CALL, catalogue, row->name, BZ_COVERED,
                    g_strdup_printf ("answered: %s", row->reason), path);
      return;
    }
  if (plan != NULL && row->until != 0 && plan->release_number >= row->until)
    return;
  bz_check_add (check, BZ_FINDING_CALL, catalogue, row->name, BZ_NOT_COVERED,
                sure ? NULL
                     : g_strdup ("its number is loaded near a system call: likely, not sure"),
                path);
}

static void
check_imports (BzCheck *check, BzAbi abi, const BzScan *scan, const char *path)
{
  for (guint i = 0; i < scan->imports->len; i++)
    for (guint j = 0; j < G_N_ELEMENTS (wrappers); j++)
      {
        const BzRow *row;

        if (strcmp (g_ptr_array_index (scan->imports, i), wrappers[j].symbol) == 0
            && (row = bz_table_row_by_name (abi, wrappers[j].call)) != NULL)
          check_call (check, abi, row, TRUE, path);
      }
}

static void
check_code (BzCheck *check, BzAbi abi, const BzScan *scan, const char *path)
{
  for (int nr = 0; nr < BZ_SCAN_CALLS; nr++)
    {
      guint64 bit = G_GUINT64_CONSTANT (1) << nr % 64;
      gboolean sure = (scan->calls[nr / 64] & bit) != 0;
      gboolean likely =
          (scan->calls_near[nr / 64] & bit) != 0 && (abi == BZ_ABI_I386 || !scan->dynamic);
      const BzRow *row;

      if ((sure || likely) && (row = bz_table_row (abi, nr)) != NULL)
        check_call (check, abi, row, sure, path);
    }
}

/* The tree's own: links are resolved with the tree as the root. */
static gboolean
interpreter_exists (BzCheck *check, const char *interpreter)
{
  gpointer known;

  if (!g_hash_table_lookup_extended (check->interpreters, interpreter, NULL, &known))
    {
      known = GINT_TO_POINTER (bz_tree_has_file (check->tree_fd, interpreter));
      g_hash_table_insert (check->interpreters, g_strdup (interpreter), known);
    }
  return GPOINTER_TO_INT (known) != 0;
}

static void
check_interpreter (BzCheck *check, const BzScan *scan, const struct stat *status, const char *path)
{
  gboolean executable = (status->st_mode & 0111) != 0;

  if (scan->interpreter != NULL && executable && !interpreter_exists (check, scan->interpreter))
    bz_check_add_row (check, BZ_FINDING_INTERPRETER, NULL, scan->interpreter, path);
}

/* Programs that come with a tree's packages, but whose interpreter is another package, are common.
 */
static void
check_script (BzCheck *check, const BzScan *scan, const struct stat *status, const char *path)
{
  if ((status->st_mode & 0111) != 0 && !interpreter_exists (check, scan->interpreter))
    bz_check_add (check, BZ_FINDING_INTERPRETER, NULL, scan->interpreter, BZ_PERHAPS,
                  g_strdup ("this script waits for a package that is not in the tree"), path);
}

static void
check_heap (BzCheck *check, const BzScan *scan, const char *path)
{
  const char *base = scan->interpreter != NULL ? strrchr (scan->interpreter, '/') : NULL;

  if (base != NULL
      && (strcmp (base, "/ld-linux.so.1") == 0
          || (check->old_uclibc && g_str_has_prefix (base, "/ld-uClibc"))))
    bz_check_add_row (check, BZ_FINDING_HEAP, NULL, NULL, path);
}

static gboolean
imports_small_files (const BzScan *scan)
{
  const char *base = scan->interpreter != NULL ? strrchr (scan->interpreter, '/') : NULL;

  if (base != NULL && g_str_has_prefix (base, "/ld-musl"))
    return FALSE;
  for (guint i = 0; i < scan->imports->len; i++)
    for (guint j = 0; j < G_N_ELEMENTS (small_files); j++)
      if (strcmp (g_ptr_array_index (scan->imports, i), small_files[j]) == 0)
        return TRUE;
  return FALSE;
}

/* Where PT_GNU_STACK is missing, i386 kernels make all readable memory executable by themselves;
 * x86-64 ones only the stack since 5.8. */
static void
check_stack (BzCheck *check, BzAbi abi, const BzScan *scan, const char *path)
{
  static const char *const wants[] = { [BZ_STACK_UNSAID] = "it says nothing of its stack",
                                       [BZ_STACK_EXECUTABLE] = "it executes code on its stack" };
  gboolean all = check->plan != NULL && (check->plan->personality & 0x0400000) != 0;

  if (scan->stack == BZ_STACK_PLAIN || !scan->program)
    return;
  if (check->strict_memory)
    bz_check_add (check, BZ_FINDING_STACK, NULL, wants[scan->stack], BZ_PERHAPS,
                  g_strdup ("SELinux of this host may forbid it (execmem, execstack)"), path);
  else if (abi == BZ_ABI_X86_64 && scan->stack == BZ_STACK_UNSAID && !all && scan->dynamic)
    bz_check_add (check, BZ_FINDING_STACK, NULL, wants[scan->stack], BZ_PERHAPS,
                  g_strdup ("the kernel makes only its stack executable"), path);
  else
    bz_check_add (check, BZ_FINDING_STACK, NULL, wants[scan->stack], BZ_COVERED,
                  g_strdup (all ? "the brand sets READ_IMPLIES_EXEC"
                                : "the host's kernel makes that memory executable by itself"),
                  path);
}

static void
check_elf (BzCheck *check, BzAbi abi, const struct stat *status, const BzScan *scan,
           const char *path)
{
  if (scan->text_damage)
    {
      /* Nothing else that it says can be believed. */
      bz_check_add_row (check, BZ_FINDING_DAMAGE, NULL, NULL, path);
      return;
    }
  if (scan->cut_off && status->st_size <= BZ_SCAN_MOST_BYTES)
    {
      bz_check_add_row (check, BZ_FINDING_CUT_OFF, NULL, NULL, path);
      return;
    }
  check_interpreter (check, scan, status, path);
  if (abi == BZ_ABI_I386 && !check->host->has[BZ_FEATURE_IA32])
    {
      bz_check_add_row (check, BZ_FINDING_IA32, NULL, NULL, path);
      return;
    }
  if (scan->vsyscall_calls + scan->vsyscall_others > 0)
    {
      char *how;
      BzCover cover = bz_finding_cover (BZ_FINDING_VSYSCALL, NULL, check->host, check->plan, &how);
      gboolean sure = scan->vsyscall_calls > 0;

      if (cover == BZ_NOT_COVERED && !sure)
        how = g_strdup ("its address was seen, no call of it");
      bz_check_add (check, BZ_FINDING_VSYSCALL, NULL, NULL,
                    cover == BZ_NOT_COVERED && !sure ? BZ_PERHAPS : cover, how, path);
    }
  /* A static program is told the release that it wants. */
  gboolean told = check->plan != NULL && !scan->dynamic
                  && check->plan->quirk[BZ_QUIRK_PROGRAM_RELEASE] != 0;
  if (check->plan != NULL && scan->elf.has_abi_note && !told
      && scan->elf.abi_note > check->plan->release_number)
    {
      guint64 note = scan->elf.abi_note;
      g_autofree char *text =
          g_strdup_printf ("%u.%u.%u", (guint) (note >> 32), (guint) (note >> 16) & 0xffff,
                           (guint) note & 0xffff);
      bz_check_add_row (check, BZ_FINDING_KERNEL, NULL, text, path);
    }
  if ((scan->isa & ~check->cpu & 0xf) != 0 && check->cpu != 0)
    bz_check_add_row (check, BZ_FINDING_CPU, NULL, bz_isa_name (scan->isa & ~check->cpu), path);
  check_stack (check, abi, scan, path);
  check_heap (check, scan, path);
  check_imports (check, abi, scan, path);
  check_code (check, abi, scan, path);
  if (abi == BZ_ABI_I386 && imports_small_files (scan))
    bz_check_add_row (check, BZ_FINDING_INODES, NULL, NULL, path);
}

static void
check_aout (BzCheck *check, const BzScan *scan, const char *path)
{
  g_autofree char *address = g_strdup_printf ("0x%x", (guint) scan->address);

  if (!check->host->has[BZ_FEATURE_IA32])
    bz_check_add_row (check, BZ_FINDING_IA32, NULL, NULL, path);
  bz_check_add_row (check, BZ_FINDING_AOUT, NULL, bz_aout_name (scan->magic), path);
  if (scan->address < check->lowest_map)
    bz_check_add_row (check, BZ_FINDING_AOUT_ADDRESS, NULL, address, path);
  if (scan->uselib)
    bz_check_add_row (check, BZ_FINDING_USELIB, NULL, NULL, path);
}

void
bz_check_image (BzCheck *check, const char *path, const struct stat *status, const BzScan *scan)
{
  const BzElfFacts *elf = &scan->elf;
  gboolean executable = (status->st_mode & 0111) != 0 && scan->program;

  if (scan->kind == BZ_SCAN_SCRIPT)
    check_script (check, scan, status, path);
  else if (scan->kind == BZ_SCAN_AOUT)
    check_aout (check, scan, path);
  else if (scan->kind != BZ_SCAN_ELF)
    return;
  else if (!elf->big_endian && elf->machine == EM_X86_64 && elf->bits == 64)
    check_elf (check, BZ_ABI_X86_64, status, scan, path);
  else if (!elf->big_endian && elf->bits == 32 && (elf->machine == EM_386 || elf->machine == 6))
    check_elf (check, BZ_ABI_I386, status, scan, path);
  else if (executable && !elf->big_endian && elf->machine == EM_X86_64)
    bz_check_add_row (check, BZ_FINDING_X32, NULL, NULL, path);
  else if (executable || check->foreign)
    {
      /* Elsewhere a library of another CPU is firmware, or one of a cross compiler. */
      g_autofree char *machine = bz_elf_machine_name (elf);
      bz_check_add_row (check, BZ_FINDING_FOREIGN, NULL, machine, path);
    }
}
