#include "config.h"

#include "tests/unit/fake-call.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

static BzFake *
fake_of (BzCall *call)
{
  return (BzFake *) call->notifier;
}

static guint8 *
locate (BzFake *fake, guint64 address, gsize length)
{
  if (fake->program[0] != 0 && address >= BZ_FAKE_PROGRAM
      && address - BZ_FAKE_PROGRAM + length <= sizeof fake->program)
    return fake->program + (address - BZ_FAKE_PROGRAM);
  if (address < BZ_FAKE_BASE || length > BZ_FAKE_SIZE
      || address - BZ_FAKE_BASE > BZ_FAKE_SIZE - length)
    return NULL;
  return fake->memory + (address - BZ_FAKE_BASE);
}

static int
fake_read (BzCall *call, guint64 address, void *buffer, gsize length)
{
  const guint8 *at = locate (fake_of (call), address, length);

  if (at == NULL)
    return EFAULT;
  memcpy (buffer, at, length);
  return 0;
}

static int
fake_write (BzCall *call, guint64 address, const void *buffer, gsize length)
{
  BzFake *fake = fake_of (call);
  guint8 *at = locate (fake, address, length);

  if (at == NULL || fake->read_only)
    return EFAULT;
  memcpy (at, buffer, length);
  fake->writes++;
  return 0;
}

static gboolean
fake_begin (BzCall *call)
{
  return !fake_of (call)->gone;
}

static void
fake_will_wait (BzCall *call G_GNUC_UNUSED)
{
}

static int
fake_fact (BzCall *call, BzFact fact, guint64 *value)
{
  *value = fake_of (call)->fact[fact];
  return fake_of (call)->fact_error;
}

static gboolean
fake_has_happened (BzCall *call, BzEver what, gboolean now)
{
  BzFake *fake = fake_of (call);

  fake->happened[what] = fake->happened[what] || now;
  return fake->happened[what];
}

static int
fake_uts_names (BzCall *call, BzUtsNames *names)
{
  *names = fake_of (call)->names;
  return 0;
}

static int
fake_file (BzFake *fake, const char *path)
{
  if (fake->file_error != 0)
    return fake->file_error;
  return fake->file != NULL && strcmp (fake->file, path) == 0 ? 0 : ENOENT;
}

static int
fake_file_read (BzCall *call, const char *path, void *buffer, gsize size, gsize *length)
{
  BzFake *fake = fake_of (call);
  int failed = fake_file (fake, path);

  fake->files_read++;
  if (failed != 0)
    return failed;
  *length = MIN (strlen (fake->text), size);
  memcpy (buffer, fake->text, *length);
  return 0;
}

static int
fake_file_write (BzCall *call, const char *path, const void *buffer, gsize length)
{
  BzFake *fake = fake_of (call);
  int failed = fake_file (fake, path);

  if (failed != 0)
    return failed;
  length = MIN (length, sizeof fake->text - 1);
  memcpy (fake->text, buffer, length);
  fake->text[length] = '\0';
  fake->files_written++;
  return 0;
}

static BzVerdict
fake_move_heap (BzCall *call)
{
  ((BzFake *) call->notifier)->heap_moves++;
  return bz_continue ();
}

static int
fake_open_master (BzCall *call, const char *path G_GNUC_UNUSED, guint flags G_GNUC_UNUSED, int *fd)
{
  BzFake *fake = fake_of (call);

  fake->masters++;
  *fd = fake->own_error == 0 ? open ("/dev/null", O_RDWR | O_CLOEXEC) : -1;
  return fake->own_error;
}

/* All that is not negative is open, on /dev/null. */
static int
fake_take_fd (BzCall *call G_GNUC_UNUSED, int number, int *fd)
{
  *fd = number >= 0 ? open ("/dev/null", O_RDWR | O_CLOEXEC) : -1;
  return *fd >= 0 ? 0 : EBADF;
}

static int
fake_put_fd (BzCall *call G_GNUC_UNUSED, int fd, int number, gboolean close_on_exec G_GNUC_UNUSED)
{
  return fd >= 0 && number >= 0 ? 0 : EBADF;
}

static int
fake_add_fd (BzCall *call G_GNUC_UNUSED, int fd, gboolean close_on_exec G_GNUC_UNUSED, int *number)
{
  *number = 42;
  return fd >= 0 ? 0 : EBADF;
}

static int
fake_own (BzCall *call, const BzPlace *place, const BzOwner *give, BzOwner *record)
{
  BzFake *fake = fake_of (call);

  fake->owned++;
  fake->place = (BzPlace){ .directory = place->directory, .follow = place->follow };
  fake->has_path = place->path != NULL;
  fake->taken = give != NULL;
  fake->given = give != NULL ? *give : (BzOwner){ 0 };
  fake->record = record != NULL ? *record : (BzOwner){ .known = TRUE };
  if (record != NULL)
    record->known = fake->remembers;
  return fake->own_error;
}

static int
fake_make_placeholder (BzCall *call, const BzPlace *place G_GNUC_UNUSED, guint mode, BzOwner *record)
{
  fake_of (call)->record = record != NULL ? *record : (BzOwner){ .known = TRUE };
  if (record != NULL)
    record->known = fake_of (call)->remembers;
  fake_of (call)->nodes++;
  fake_of (call)->node_mode = mode;
  return fake_of (call)->own_error;
}

static int
fake_change_mode (BzCall *call, const BzPlace *place, guint mode, gboolean *reached)
{
  BzFake *fake = fake_of (call);

  fake->place = (BzPlace){ .directory = place->directory, .follow = place->follow };
  fake->node_mode = mode;
  *reached = fake->reaches;
  return fake->own_error;
}

static int
fake_raise_limit (BzCall *call, int resource G_GNUC_UNUSED, guint64 soft, guint64 hard, guint64 old[2])
{
  BzFake *fake = fake_of (call);

  if (hard <= fake->hard_limit)
    return ENOTSUP;
  old[0] = 17;
  old[1] = fake->hard_limit;
  fake->soft_limit = MIN (soft, fake->hard_limit);
  return 0;
}

static void
fake_stop (BzCall *call)
{
  fake_of (call)->stops++;
}

static const BzNotifierClass fake_class = {
  .files = &bz_fake_file_class,
  .read = fake_read,
  .write = fake_write,
  .begin = fake_begin,
  .will_wait = fake_will_wait,
  .fact = fake_fact,
  .has_happened = fake_has_happened,
  .uts_names = fake_uts_names,
  .file_read = fake_file_read,
  .file_write = fake_file_write,
  .move_heap = fake_move_heap,
  .own = fake_own,
  .add_fd = fake_add_fd,
  .take_fd = fake_take_fd,
  .put_fd = fake_put_fd,
  .open_master = fake_open_master,
  .make_placeholder = fake_make_placeholder,
  .change_mode = fake_change_mode,
  .raise_limit = fake_raise_limit,
  .stop = fake_stop,
};

void
bz_fake_init (BzFake *fake, BzAbi abi, const char *call_name)
{
  memset (fake, 0, sizeof *fake);
  fake->notifier.class = &fake_class;
  fake->plan.abi = BZ_ABI_I386;
  fake->plan.release = (char *) "2.4.20";
  fake->plan.version = (char *) "#1 SMP Mon Mar 17 22:02:15 PST 2003";
  fake->plan.machine[BZ_ABI_I386] = (char *) "i586";
  fake->plan.machine[BZ_ABI_X86_64] = (char *) "x86_64";
  fake->plan.release_number = BZ_RELEASE (2, 4, 20);
  fake->plan.ids = BZ_PLAN_ALL_IDS;
  for (BzQuirk quirk = 0; quirk < BZ_QUIRK_COUNT; quirk++)
    fake->plan.quirk[quirk] = 1;
  fake->row.name = call_name;
  fake->call = (BzCall){
    .plan = &fake->plan, .row = &fake->row, .abi = abi, .tid = 1, .notifier = &fake->notifier
  };
  strcpy (fake->names.nodename, "oldbox");
  strcpy (fake->names.domainname, "(none)");
}

guint64
bz_fake_at (gsize at)
{
  return BZ_FAKE_BASE + at;
}

BzVerdict
bz_fake_run (BzFake *fake, BzHandler handler, guint64 a, guint64 b, guint64 c, guint64 d, guint64 e)
{
  const guint64 args[6] = { a, b, c, d, e, 0 };

  memcpy (fake->call.args, args, sizeof args);
  return handler (&fake->call);
}
