/* Every handler of the call tables, over a memory of random contents with random arguments: it must
 * neither crash nor look or write outside (the fake memory and the sanitizers see to that), and give a
 * verdict that makes sense.
 *
 * The handlers are those of the tables, so that a new row has its target with nothing done here. Each
 * is a target of its own, `make fuzz` runs one after the other: --call=HANDLER takes that one alone,
 * --list prints their names. Without either the input's first two bytes choose. Half of the inputs get a
 * value that the row's condition lets through, for the others are never seen by a supervisor. */
#include "config.h"

#include "syscall-xlat/calls/handlers.h"
#include "syscall-xlat/images.h"
#include "syscall-xlat/mounter.h"
#include "tests/unit/fake-call.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);

int LLVMFuzzerInitialize (int *argc, char ***argv);

typedef struct {
  const BzRow *row;
  BzAbi abi;
  BzHandler handler;
  const char *name;
} Target;

static Target targets[1024];
static guint n_targets;

static void
add_target (BzAbi abi, const BzRow *row, BzHandler handler, const char *name)
{
  if (n_targets == G_N_ELEMENTS (targets))
    abort ();
  targets[n_targets++] = (Target){ .row = row, .abi = abi, .handler = handler, .name = name };
}

/* only: the handler's name, or NULL for all. */
static void
gather (const char *only)
{
  for (BzAbi abi = 0; abi < BZ_ABI_COUNT; abi++)
    {
      gsize count;
      const BzRow *rows = bz_table (abi, &count);

      for (gsize i = 0; i < count; i++)
        if (rows[i].handler != NULL && (only == NULL || strcmp (only, rows[i].handler_name) == 0))
          add_target (abi, &rows[i], rows[i].handler, rows[i].handler_name);
      /* Of calls that are gone, which no row names. */
      if (only == NULL || strcmp (only, "bz_call_gone") == 0)
        add_target (abi, &rows[0], bz_call_gone, "bz_call_gone");
    }
}

static void
list (void)
{
  g_autoptr (GHashTable) seen = g_hash_table_new (g_str_hash, g_str_equal);

  for (guint i = 0; i < n_targets; i++)
    if (g_hash_table_add (seen, (gpointer) targets[i].name))
      puts (targets[i].name);
}

int
LLVMFuzzerInitialize (int *argc, char ***argv)
{
  const char *only = NULL;
  gboolean lists = FALSE;

  for (int i = 1; i < *argc; i++)
    {
      if (g_str_has_prefix ((*argv)[i], "--call="))
        only = (*argv)[i] + strlen ("--call=");
      lists = lists || strcmp ((*argv)[i], "--list") == 0;
    }
  gather (only);
  if (lists)
    {
      list ();
      exit (0);
    }
  if (n_targets == 0)
    {
      fprintf (stderr, "fuzz-calls: no row of the tables has the handler %s\n", only);
      exit (2);
    }
  return 0;
}

typedef struct {
  guint8 which, which_too, ways, release, flags[4];
  guint64 args[5], facts[3];
} Head;

static guint64
inside (guint64 value)
{
  return bz_fake_at (value % (BZ_FAKE_SIZE + 64));
}

/* Most random addresses would hit nothing: the flags turn some into addresses of the memory or just
 * behind it. */
static void
aim (BzFake *fake, const Head *head, guint64 args[5])
{
  for (int i = 0; i < 5; i++)
    {
      args[i] = head->flags[3] >> i & 1 ? inside (head->args[i]) : head->args[i];
      if (fake->call.abi == BZ_ABI_I386)
        args[i] = (guint32) args[i];
    }
  for (int i = 0; i < 6 && (head->flags[3] & 0x80) != 0; i++)
    {
      guint32 word;
      gsize at = (gsize) i * bz_call_word (&fake->call);

      memcpy (&word, fake->memory + at, sizeof word);
      word = word & 1 ? (guint32) inside (word) : word & 0xff;
      memcpy (fake->memory + at, &word, sizeof word);
    }
}

/* One that the filter would have reported. */
static void
meet_condition (const BzRow *row, guint choice, guint64 args[5])
{
  const BzCondition *condition = &row->condition;

  if (condition->arg < 0 || condition->arg > 4 || condition->high || condition->negate)
    return;
  args[condition->arg] =
      (args[condition->arg] & ~(guint64) condition->mask) | condition->value[choice & 1];
}

/* --- what handlers pass calls on to --- */

static void
check_text (const char *text)
{
  if (text == NULL || strlen (text) > 1024 * 1024)
    abort ();
}

static int mount_answer;

static int
made_up_mount (BzMounter *mounter G_GNUC_UNUSED, BzCall *call G_GNUC_UNUSED,
               const BzMountRequest *request)
{
  if (request->system == NULL)
    abort ();
  if (request->source != NULL)
    check_text (request->source);
  check_text (request->target);
  check_text (request->options);
  return mount_answer;
}

static void
made_up_refusal (BzMounter *mounter G_GNUC_UNUSED, const BzFileSystem *system)
{
  if (system == NULL)
    abort ();
}

static int
made_up_loop (BzMounter *mounter G_GNUC_UNUSED, BzCall *call G_GNUC_UNUSED, BzLoopRequest *request)
{
  check_text (request->what);
  if (request->device < 0)
    abort ();
  return mount_answer;
}

static int
made_up_node (BzMounter *mounter G_GNUC_UNUSED, BzCall *call G_GNUC_UNUSED, const BzPlace *place, guint32 mode,
              guint32 number)
{
  check_text (place->path);
  if (place->path[0] == '\0' || !bz_is_harmless_device (mode, number))
    abort ();
  return mount_answer;
}

static const BzMounterClass mounter_class = {
  .mount = made_up_mount, .refuse = made_up_refusal, .loop = made_up_loop, .node = made_up_node
};
static BzMounter mounter = { .class = &mounter_class };

static BzVerdict
made_up_map (BzImages *images G_GNUC_UNUSED, BzCall *call G_GNUC_UNUSED, int number G_GNUC_UNUSED,
             gboolean by_linker G_GNUC_UNUSED)
{
  return bz_continue ();
}

static BzVerdict
made_up_execute (BzImages *images G_GNUC_UNUSED, BzCall *call G_GNUC_UNUSED,
                 int directory G_GNUC_UNUSED, guint64 path G_GNUC_UNUSED, guint flags G_GNUC_UNUSED)
{
  return bz_continue ();
}

static BzVerdict
made_up_beginning (BzImages *images G_GNUC_UNUSED, BzCall *call G_GNUC_UNUSED)
{
  return bz_continue ();
}

static const BzImagesClass images_class = { .map = made_up_map,
                                            .execute = made_up_execute,
                                            .begun = made_up_beginning };
static BzImages images = { .class = &images_class };

/* --- one input --- */

/* Each quirk in one of its ways. */
static void
choose_ways (BzPlan *plan, guint8 choice)
{
  for (BzQuirk quirk = 0; quirk < BZ_QUIRK_COUNT; quirk++)
    {
      guint way = choice >> (quirk % 6) & 3;
      plan->quirk[quirk] = bz_quirk_value_name (quirk, way) != NULL ? way : 1;
    }
}

static void
set_up (BzFake *fake, const Head *head, const guint8 *data, gsize size)
{
  choose_ways (&fake->plan, head->ways);
  fake->plan.release_number = BZ_RELEASE (head->release % 8, head->flags[0], head->flags[1]);
  fake->plan.personality = head->facts[0];
  fake->plan.ids = head->release & 0x80 ? 1 : fake->plan.ids;
  fake->gone = head->flags[2] & 1;
  fake->read_only = head->flags[2] >> 1 & 1;
  fake->file = head->flags[2] & 4 ? "proc/sys/kernel/sem" : "proc/sys/kernel/random/uuid";
  fake->remembers = head->flags[2] >> 3 & 1;
  fake->own_error = head->flags[2] & 16 ? EPERM : 0;
  fake->files.error = head->flags[2] & 32 ? EACCES : 0;
  fake->files.owner.known = head->flags[2] >> 6 & 1;
  mount_answer = head->flags[2] & 128 ? BZ_MOUNT_NOT_OURS : head->flags[0] & 0x7f;
  memcpy (fake->fact, head->facts, sizeof fake->fact);
  memcpy (fake->memory, data, MIN (size, sizeof fake->memory));
  memcpy (fake->text, data, MIN (size, sizeof fake->text - 1));
  fake->files.length = MIN (size, sizeof fake->files.entries);
  memcpy (fake->files.entries, data, fake->files.length);
  memcpy (&fake->files.status, data, MIN (size, sizeof fake->files.status));
  memcpy (&fake->files.file_system, data, MIN (size, sizeof fake->files.file_system));
  fake->call.images = &images;
  fake->call.mounter = &mounter;
}

static void
check_verdict (BzVerdict verdict)
{
  if (verdict.kind > BZ_VERDICT_DEFERRED)
    abort ();
  if ((verdict.kind == BZ_VERDICT_ERRNO || verdict.kind == BZ_VERDICT_DEFERRED)
      && (verdict.value <= 0 || verdict.value > 4095))
    abort ();
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  static BzFake fake;
  Head head;
  guint64 args[5];

  if (size < sizeof head)
    return 0;
  memcpy (&head, data, sizeof head);
  data += sizeof head;
  size -= sizeof head;

  const Target *target = &targets[(head.which | head.which_too << 8) % n_targets];
  bz_fake_init (&fake, target->abi, target->row->name);
  fake.call.row = target->row;
  set_up (&fake, &head, data, size);
  aim (&fake, &head, args);
  if ((head.flags[3] & 0x40) != 0)
    meet_condition (target->row, head.flags[3] >> 5, args);
  check_verdict (
      bz_fake_run (&fake, target->handler, args[0], args[1], args[2], args[3], args[4]));
  return 0;
}
