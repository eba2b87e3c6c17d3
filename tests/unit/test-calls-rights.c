/* What a task is told of limits, groups, owners, nodes and audit, and what is asked for it. */
#include "config.h"

#include "syscall-xlat/calls/handlers.h"
#include "syscall-xlat/mounter.h"
#include "tests/unit/cmocka-all.h"
#include "tests/unit/fake-call.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define BAD_ADDRESS 16
#define HARD 4096

static void
assert_verdict (BzVerdict verdict, BzVerdictKind kind, gint64 value, gboolean pretended)
{
  assert_int_equal (verdict.kind, kind);
  if (kind != BZ_VERDICT_CONTINUE)
    assert_int_equal (verdict.value, value);
  assert_int_equal (verdict.pretended, pretended);
}

#define continues(verdict) assert_verdict (verdict, BZ_VERDICT_CONTINUE, 0, FALSE)
#define pretends(verdict) assert_verdict (verdict, BZ_VERDICT_VALUE, 0, TRUE)
#define fails(verdict, error) assert_verdict (verdict, BZ_VERDICT_ERRNO, error, FALSE)

static void
start (BzFake *fake, BzAbi abi, const char *name, int capability)
{
  bz_fake_init (fake, abi, name);
  fake->fact[BZ_FACT_CAPABILITIES] = G_GUINT64_CONSTANT (1) << capability;
  fake->hard_limit = HARD;
  fake->plan.quirk[BZ_QUIRK_OWNER_RECORDS] = 0;
}

static BzVerdict
set_limits_32 (BzFake *fake, guint32 soft, guint32 hard)
{
  guint32 limits[2] = { soft, hard };

  memcpy (fake->memory, limits, sizeof limits);
  return bz_fake_run (fake, bz_call_setrlimit, 7, bz_fake_at (0), 0, 0, 0);
}

static void
test_limits (void **state G_GNUC_UNUSED)
{
  BzFake fake;
  guint64 limits[2] = { 8192, 8192 };

  start (&fake, BZ_ABI_I386, "setrlimit", CAP_SYS_RESOURCE);
  pretends (set_limits_32 (&fake, 1024, HARD + 1));
  assert_int_equal (fake.soft_limit, 1024);
  pretends (set_limits_32 (&fake, G_MAXUINT32, G_MAXUINT32));
  assert_int_equal (fake.soft_limit, HARD);
  continues (set_limits_32 (&fake, 1024, HARD));
  continues (set_limits_32 (&fake, 9000, 8000));
  continues (bz_fake_run (&fake, bz_call_setrlimit, 7, BAD_ADDRESS, 0, 0, 0));
  continues (bz_fake_run (&fake, bz_call_setrlimit, 99, bz_fake_at (0), 0, 0, 0));
  fake.fact[BZ_FACT_CAPABILITIES] = 0;
  continues (set_limits_32 (&fake, 1024, HARD + 1));

  start (&fake, BZ_ABI_X86_64, "prlimit64", CAP_SYS_RESOURCE);
  memcpy (fake.memory, limits, sizeof limits);
  pretends (bz_fake_run (&fake, bz_call_prlimit64, 0, 7, bz_fake_at (0), 0, 0));
  continues (bz_fake_run (&fake, bz_call_prlimit64, 1, 7, bz_fake_at (0), 0, 0));
  pretends (bz_fake_run (&fake, bz_call_prlimit64, 0, 7, bz_fake_at (0), bz_fake_at (64), 0));
  memcpy (limits, fake.memory + 64, sizeof limits);
  assert_true (limits[0] == 17 && limits[1] == HARD);
  fails (bz_fake_run (&fake, bz_call_prlimit64, 0, 7, bz_fake_at (0), BAD_ADDRESS, 0), EFAULT);
}

static void
test_groups (void **state G_GNUC_UNUSED)
{
  BzFake fake;

  start (&fake, BZ_ABI_I386, "setgroups", CAP_SETGID);
  pretends (bz_fake_run (&fake, bz_call_setgroups, 2, bz_fake_at (0), 0, 0, 0));
  pretends (bz_fake_run (&fake, bz_call_setgroups, 0, 0, 0, 0, 0));
  pretends (bz_fake_run (&fake, bz_call_setgroups, BZ_FAKE_SIZE / 2, bz_fake_at (0), 0, 0, 0));
  fails (bz_fake_run (&fake, bz_call_setgroups, BZ_FAKE_SIZE / 2 + 1, bz_fake_at (0), 0, 0, 0),
         EFAULT);
  fails (bz_fake_run (&fake, bz_call_setgroups, 65537, bz_fake_at (0), 0, 0, 0), EINVAL);
  fails (bz_fake_run (&fake, bz_call_setgroups, G_MAXUINT32, bz_fake_at (0), 0, 0, 0), EINVAL);
  fails (bz_fake_run (&fake, bz_call_setgroups, 1, BAD_ADDRESS, 0, 0, 0), EFAULT);
  start (&fake, BZ_ABI_I386, "setgroups32", CAP_SETGID);
  fails (bz_fake_run (&fake, bz_call_setgroups, BZ_FAKE_SIZE / 2, bz_fake_at (0), 0, 0, 0), EFAULT);
  fake.fact[BZ_FACT_CAPABILITIES] = 0;
  fails (bz_fake_run (&fake, bz_call_setgroups, 0, 0, 0, 0, 0), EPERM);
}

static BzVerdict
own (BzFake *fake, BzHandler handler, const char *path, guint64 uid, guint64 gid)
{
  strcpy ((char *) fake->memory, path);
  fake->owned = 0;
  return bz_fake_run (fake, handler, bz_fake_at (0), uid, gid, 0, 0);
}

static void
test_owners_of_many_ids (void **state G_GNUC_UNUSED)
{
  static const char *const mounts[] = { "/proc", "/sys", "/sys/", "/proc/.", "/dev/null", "//proc", "proc", "./proc/", "../sys", "/mnt/proc", "dev/null", "./dev/tty" };
  static const char *const others[] = { "/", "/procs", "/proc/1", "/dev", "dev", "/tmp/aproc", "proc..", "/sys/a", ".", "" };
  BzFake fake;

  start (&fake, BZ_ABI_X86_64, "chown", CAP_CHOWN);
  for (guint i = 0; i < G_N_ELEMENTS (mounts); i++)
    {
      pretends (own (&fake, bz_call_chown, mounts[i], 0, 0));
      assert_int_equal (fake.owned, 1);
      assert_false (fake.taken);
    }
  for (guint i = 0; i < G_N_ELEMENTS (others); i++)
    {
      continues (own (&fake, bz_call_chown, others[i], 48, 48));
      assert_int_equal (fake.owned, 0);
    }
  pretends (own (&fake, bz_call_chown, "/tmp/a", 4294967294, 12));
  assert_true (fake.taken && fake.given.uid == 0 && fake.given.gid == 12);
  pretends (own (&fake, bz_call_lchown, "/tmp/a", G_MAXUINT32, 65536));
  assert_true (fake.given.uid == BZ_OWNER_UNCHANGED && fake.given.gid == 0);
  continues (own (&fake, bz_call_chown, "/tmp/a", 65535, G_MAXUINT32));
  fake.own_error = EPERM;
  continues (own (&fake, bz_call_chown, "/proc", 0, 0));
  fake.own_error = 0;
  fake.fact[BZ_FACT_CAPABILITIES] = 0;
  continues (own (&fake, bz_call_chown, "/proc", 0, 0));
  assert_int_equal (fake.owned, 0);
  continues (bz_fake_run (&fake, bz_call_chown, BAD_ADDRESS, 0, 0, 0, 0));
  continues (bz_fake_run (&fake, bz_call_fchown, 3, 48, 48, 0, 0));

  start (&fake, BZ_ABI_X86_64, "chmod", CAP_FOWNER);
  pretends (own (&fake, bz_call_chmod, "/proc", 0555, 0));
  continues (own (&fake, bz_call_chmod, "/tmp", 0555, 0));
  pretends (own (&fake, bz_call_utime, "/sys", 0, 0));
  /* The others have their directory first. */
  strcpy ((char *) fake.memory, "proc");
  pretends (bz_fake_run (&fake, bz_call_fchmodat, 5, bz_fake_at (0), 0555, 0, 0));
  assert_int_equal (fake.place.directory, 5);
  pretends (bz_fake_run (&fake, bz_call_utimensat, 6, bz_fake_at (0), bz_fake_at (64), 0, 0));
  assert_int_equal (fake.place.directory, 6);
  fake.owned = 0;
  continues (bz_fake_run (&fake, bz_call_utimensat, 6, BAD_ADDRESS, 0, 0, 0));
  strcpy ((char *) fake.memory, "file");
  continues (bz_fake_run (&fake, bz_call_fchmodat, 5, bz_fake_at (0), 0555, 0, 0));
  assert_int_equal (fake.owned, 0);
}

static void
test_owners_of_one_id (void **state G_GNUC_UNUSED)
{
  BzFake fake;

  start (&fake, BZ_ABI_X86_64, "chown", CAP_CHOWN);
  fake.plan.ids = 1;
  pretends (own (&fake, bz_call_chown, "/tmp/a", 48, 0));
  assert_true (fake.taken && fake.place.follow && fake.place.directory == AT_FDCWD);
  pretends (own (&fake, bz_call_lchown, "a", 0, 48));
  assert_true (fake.taken && !fake.place.follow);
  continues (own (&fake, bz_call_chown, "/tmp/a", 0, 0));
  continues (own (&fake, bz_call_chown, "/tmp/a", G_MAXUINT32, G_MAXUINT64));
  continues (own (&fake, bz_call_chown, "", 48, 48));
  pretends (bz_fake_run (&fake, bz_call_fchown, 3, 48, 48, 0, 0));
  assert_true (fake.place.directory == 3 && !fake.has_path);
  fake.own_error = EPERM;
  continues (own (&fake, bz_call_chown, "/tmp/a", 48, 0));

  /* 16 bits: 65535 leaves the owner alone, and what is above them is nothing. */
  start (&fake, BZ_ABI_I386, "chown", CAP_CHOWN);
  fake.plan.ids = 1;
  continues (own (&fake, bz_call_chown, "/tmp/a", 0xffff, 0x10000));
  pretends (own (&fake, bz_call_chown, "/tmp/a", 0x10030, 0));
  start (&fake, BZ_ABI_I386, "chown32", CAP_CHOWN);
  fake.plan.ids = 1;
  pretends (own (&fake, bz_call_chown, "/tmp/a", 0xffff, 0));

  start (&fake, BZ_ABI_X86_64, "fchownat", CAP_CHOWN);
  fake.plan.ids = 1;
  strcpy ((char *) fake.memory, "a");
  pretends (bz_fake_run (&fake, bz_call_fchownat, 3, bz_fake_at (0), 48, 48, AT_SYMLINK_NOFOLLOW));
  assert_true (fake.place.directory == 3 && !fake.place.follow && fake.has_path);
  continues (bz_fake_run (&fake, bz_call_fchownat, 3, bz_fake_at (0), 48, 48, 0x8000));
  fake.memory[0] = '\0';
  continues (bz_fake_run (&fake, bz_call_fchownat, 3, bz_fake_at (0), 48, 48, AT_SYMLINK_NOFOLLOW));
  pretends (bz_fake_run (&fake, bz_call_fchownat, 3, bz_fake_at (0), 48, 48, AT_EMPTY_PATH));
  assert_true (!fake.has_path && fake.place.follow);
  continues (bz_fake_run (&fake, bz_call_fchownat, 3, bz_fake_at (0), 48, 48, 0));
  pretends (bz_fake_run (&fake, bz_call_fchownat, (guint32) AT_FDCWD, bz_fake_at (0), 48, 48, AT_EMPTY_PATH));
  assert_true (fake.has_path && fake.place.directory == AT_FDCWD);
  strcpy ((char *) fake.memory, "link");
  pretends (bz_fake_run (&fake, bz_call_fchownat, 3, bz_fake_at (0), 48, 48, AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW));
  assert_true (fake.has_path && !fake.place.follow);
}

/* owner-records=keep: every change of an owner is kept, also the way back; what could not be is
 * pretended. */
static void
test_owners_kept (void **state G_GNUC_UNUSED)
{
  BzFake fake;

  start (&fake, BZ_ABI_X86_64, "chown", CAP_CHOWN);
  fake.plan.ids = 1;
  fake.plan.quirk[BZ_QUIRK_OWNER_RECORDS] = 1;
  fake.remembers = TRUE;
  assert_verdict (own (&fake, bz_call_chown, "/tmp/a", 48, G_MAXUINT64), BZ_VERDICT_VALUE, 0, FALSE);
  assert_true (fake.taken && fake.record.uid == 48 && fake.record.gid == BZ_OWNER_UNCHANGED);
  assert_verdict (own (&fake, bz_call_chown, "/tmp/a", 0, 0), BZ_VERDICT_VALUE, 0, FALSE);
  assert_true (fake.record.uid == 0 && fake.record.gid == 0);
  continues (own (&fake, bz_call_chown, "/tmp/a", G_MAXUINT32, G_MAXUINT64));
  fake.remembers = FALSE;
  pretends (own (&fake, bz_call_lchown, "link", 48, 48));
  fake.fact[BZ_FACT_CAPABILITIES] = 0;
  continues (own (&fake, bz_call_chown, "/tmp/a", 48, 48));
  fake.plan.ids = 65536;
  fake.fact[BZ_FACT_CAPABILITIES] = G_GUINT64_CONSTANT (1) << CAP_CHOWN;
  continues (own (&fake, bz_call_chown, "/tmp/a", 48, 48));

  start (&fake, BZ_ABI_I386, "chown", CAP_CHOWN);
  fake.plan.ids = 1;
  fake.plan.quirk[BZ_QUIRK_OWNER_RECORDS] = 1;
  fake.remembers = TRUE;
  own (&fake, bz_call_chown, "/tmp/a", 0xffff, 0x10030);
  assert_true (fake.record.uid == BZ_OWNER_UNCHANGED && fake.record.gid == 0x30);
}

static void
test_owner_records (void **state G_GNUC_UNUSED)
{
  static const char *const bad[] = { "",     ":",   "1",      "1:",    ":1",          "1:2:3", "1:2:c:1", "1:2:p:1:3", "1:2:c:1:3:", "1:2:c::3", "1:2:c",
                                     "1:2 ", "-1:", " 1:1",   "1:x",   "4294967295:0", "0:99999999999",
                                     "1:4294967295", "1:2\n" };
  char text[BZ_OWNER_ROOM];
  BzOwner owner;

  for (guint i = 0; i < G_N_ELEMENTS (bad); i++)
    assert_true (!bz_owner_parse (bad[i], strlen (bad[i]), &owner) && !owner.known);
  assert_true (!bz_owner_parse ("1:2\0", 4, &owner));
  assert_true (bz_owner_parse ("48:0x", 4, &owner) && owner.known && owner.uid == 48 && owner.gid == 0);
  owner = (BzOwner){ .uid = 4294967294u, .gid = 65534 };
  gsize length = bz_owner_format (&owner, text);
  assert_string_equal (text, "4294967294:65534");
  assert_true (bz_owner_parse (text, length, &owner) && owner.uid == 4294967294u && owner.type == 0);
  owner = (BzOwner){ .gid = 6, .type = S_IFBLK, .major = 4095, .minor = 1048575 };
  length = bz_owner_format (&owner, text);
  assert_string_equal (text, "0:6:b:4095:1048575");
  assert_true (bz_owner_parse (text, length, &owner) && owner.gid == 6 && owner.type == S_IFBLK);
  assert_true (owner.major == 4095 && owner.minor == 1048575);
}

static BzVerdict
make_node (BzFake *fake, const char *path, guint mode, guint device)
{
  strcpy ((char *) fake->memory, path);
  return bz_fake_run (fake, bz_call_mknod, bz_fake_at (0), mode, device, 0, 0);
}

static void
test_nodes (void **state G_GNUC_UNUSED)
{
  BzFake fake;

  start (&fake, BZ_ABI_X86_64, "mknod", CAP_MKNOD);
  pretends (make_node (&fake, "/tmp/null", S_IFCHR | 0666, 0x103));
  assert_int_equal (fake.node_mode & 07777, 0666);
  pretends (make_node (&fake, "/tmp/hda", S_IFBLK | 0660, 0));
  fake.nodes = 0;
  continues (make_node (&fake, "/tmp/whiteout", S_IFCHR, 0));
  continues (make_node (&fake, "/tmp/fifo", S_IFIFO | 0600, 0x103));
  continues (make_node (&fake, "", S_IFCHR | 0600, 0x103));
  assert_int_equal (fake.nodes, 0);

  fake.plan.quirk[BZ_QUIRK_OWNER_RECORDS] = 1;
  pretends (make_node (&fake, "/tmp/null", S_IFCHR | 0666, 0x103));
  fake.remembers = TRUE;
  assert_verdict (make_node (&fake, "/tmp/x", S_IFBLK | 0660, 0xfff00000 | 0x812ff),
                  BZ_VERDICT_VALUE, 0, FALSE);
  assert_true (fake.record.type == S_IFBLK && fake.record.major == 0x812
               && fake.record.minor == 0xfffff);
  fake.own_error = EEXIST;
  continues (make_node (&fake, "/tmp/null", S_IFCHR | 0666, 0x103));
  fake.fact[BZ_FACT_CAPABILITIES] = 0;
  continues (make_node (&fake, "/tmp/null", S_IFCHR | 0666, 0x103));
}

typedef struct {
  BzMounter mounter; /* first */
  guint asked;
  guint32 mode, number;
  int directory, answer;
} FakeMounter;

static int
fake_node (BzMounter *mounter, BzCall *call G_GNUC_UNUSED, const BzPlace *place, guint32 mode, guint32 number)
{
  FakeMounter *self = (FakeMounter *) mounter;

  assert_true (place->path != NULL && place->directory == self->directory);
  self->asked++;
  self->mode = mode;
  self->number = number;
  return self->answer;
}

/* Those that are nobody's are made where somebody can; console is the host's, and a block device somebody's. */
static void
test_harmless_nodes (void **state G_GNUC_UNUSED)
{
  static const BzMounterClass class = { .node = fake_node };
  static const guint32 harmless[] = { 0x103, 0x105, 0x107, 0x108, 0x109, 0x500, 0x502 };
  static const guint32 others[] = { 0x100, 0x101, 0x102, 0x104, 0x10b, 0x400, 0x501, 0x1100103 };
  FakeMounter mounter = { .mounter = { .class = &class }, .directory = AT_FDCWD };
  BzFake fake;

  start (&fake, BZ_ABI_X86_64, "mknod", CAP_MKNOD);
  fake.call.mounter = &mounter.mounter;
  for (guint i = 0; i < G_N_ELEMENTS (harmless); i++)
    assert_verdict (make_node (&fake, "/dev/x", S_IFCHR | 0640, harmless[i]), BZ_VERDICT_VALUE, 0, FALSE);
  assert_int_equal (mounter.asked, G_N_ELEMENTS (harmless));
  assert_true (mounter.mode == (S_IFCHR | 0640) && mounter.number == 0x502);
  assert_int_equal (fake.nodes, 0);
  for (guint i = 0; i < G_N_ELEMENTS (others); i++)
    pretends (make_node (&fake, "/dev/x", S_IFCHR | 0640, others[i]));
  pretends (make_node (&fake, "/dev/x", S_IFBLK | 0640, 0x103));
  assert_int_equal (mounter.asked, G_N_ELEMENTS (harmless));
  strcpy ((char *) fake.memory, "null");
  mounter.directory = 5;
  assert_verdict (bz_fake_run (&fake, bz_call_mknodat, 5, bz_fake_at (0), S_IFCHR | 0600, 0x103, 0),
                  BZ_VERDICT_VALUE, 0, FALSE);
  mounter.directory = AT_FDCWD;
  mounter.answer = EEXIST;
  continues (make_node (&fake, "/dev/null", S_IFCHR | 0666, 0x103));
  mounter.answer = BZ_MOUNT_NOT_OURS;
  pretends (make_node (&fake, "/dev/null", S_IFCHR | 0666, 0x103));
  fake.fact[BZ_FACT_CAPABILITIES] = 0;
  mounter.asked = 0;
  continues (make_node (&fake, "/dev/null", S_IFCHR | 0666, 0x103));
  assert_int_equal (mounter.asked, 0);
}

static void
test_audit (void **state G_GNUC_UNUSED)
{
  BzFake fake;
  const guint32 audit[3] = { 16, 3, 9 }, route[3] = { 16, 3, 0 };

  start (&fake, BZ_ABI_I386, "socketcall", CAP_CHOWN);
  memcpy (fake.memory, audit, sizeof audit);
  fails (bz_fake_run (&fake, bz_call_socketcall, 1, bz_fake_at (0), 0, 0, 0), EPROTONOSUPPORT);
  continues (bz_fake_run (&fake, bz_call_socketcall, 2, bz_fake_at (0), 0, 0, 0));
  continues (bz_fake_run (&fake, bz_call_socketcall, 1, BAD_ADDRESS, 0, 0, 0));
  memcpy (fake.memory, route, sizeof route);
  continues (bz_fake_run (&fake, bz_call_socketcall, 1, bz_fake_at (0), 0, 0, 0));
  fails (bz_fake_run (&fake, bz_call_socket, 16, 3, 9, 0, 0), EPROTONOSUPPORT);
  continues (bz_fake_run (&fake, bz_call_socket, 2, 3, 9, 0, 0));
}

static void
test_gone (void **state G_GNUC_UNUSED)
{
  BzFake fake;

  start (&fake, BZ_ABI_I386, "uselib", CAP_CHOWN);
  fake.plan.quirk[BZ_QUIRK_GONE] = BZ_GONE_COUNT;
  fails (bz_fake_run (&fake, bz_call_gone, 0, 0, 0, 0, 0), ENOSYS);
  assert_int_equal (fake.stops, 0);
  fake.plan.quirk[BZ_QUIRK_GONE] = BZ_GONE_STOP;
  fails (bz_fake_run (&fake, bz_call_gone, 0, 0, 0, 0, 0), ENOSYS);
  assert_int_equal (fake.stops, 1);

  /* Neither killed nor refused where the host was built with it. */
  gboolean has = syscall (SYS_sysfs, 3, 0, 0) >= 0 || errno != ENOSYS;
  start (&fake, BZ_ABI_I386, "sysfs", CAP_CHOWN);
  fake.plan.quirk[BZ_QUIRK_GONE] = BZ_GONE_STOP;
  BzVerdict verdict = bz_fake_run (&fake, bz_call_gone, 3, 0, 0, 0, 0);
  assert_int_equal (verdict.kind, has ? BZ_VERDICT_CONTINUE : BZ_VERDICT_ERRNO);
  assert_int_equal (fake.stops, has ? 0 : 1);
}

static void
test_newer (void **state G_GNUC_UNUSED)
{
  BzFake fake;

  start (&fake, BZ_ABI_X86_64, "fchmodat2", 0);
  strcpy ((char *) fake.memory, "dir/file");
  fake.reaches = TRUE;
  assert_verdict (bz_fake_run (&fake, bz_call_fchmodat2, 7, bz_fake_at (0), 0104750, 0, 0),
                  BZ_VERDICT_VALUE, 0, FALSE);
  assert_int_equal (fake.place.directory, 7);
  assert_true (fake.place.follow);
  assert_int_equal (fake.node_mode, 04750);
  fake.own_error = EPERM;
  fails (bz_fake_run (&fake, bz_call_fchmodat2, 7, bz_fake_at (0), 0644, 0, 0), EPERM);
  continues (bz_fake_run (&fake, bz_call_fchmodat2, 7, bz_fake_at (0), 0644, 0x100, 0));
  fails (bz_fake_run (&fake, bz_call_fchmodat2, 7, 1, 0644, 0, 0), EFAULT);
  fake.reaches = FALSE;
  continues (bz_fake_run (&fake, bz_call_fchmodat2, 7, bz_fake_at (0), 0644, 0, 0));
  fake.own_error = EBADF;
  fails (bz_fake_run (&fake, bz_call_fchmodat2, 7, bz_fake_at (0), 0644, 0, 0), EBADF);
  strcpy ((char *) fake.memory, "/proc/self/fd/3");
  fake.reaches = TRUE;
  continues (bz_fake_run (&fake, bz_call_fchmodat2, 7, bz_fake_at (0), 0644, 0, 0));
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_limits),
    cmocka_unit_test (test_groups),
    cmocka_unit_test (test_owners_of_many_ids),
    cmocka_unit_test (test_owners_of_one_id),
    cmocka_unit_test (test_owners_kept),
    cmocka_unit_test (test_owner_records),
    cmocka_unit_test (test_nodes),
    cmocka_unit_test (test_harmless_nodes),
    cmocka_unit_test (test_audit),
    cmocka_unit_test (test_gone),
    cmocka_unit_test (test_newer),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
