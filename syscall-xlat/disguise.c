/* Facts: file system ids, groups and capabilities are a thread's own, glibc only hides that; so the
 * calls are made by number. setfsuid(2) from 0 to another id takes the capabilities over files out
 * of the effective set, capset(2) sets it exactly; what is permitted stays, and gives them back. */
#include "config.h"

#include "syscall-xlat/disguise.h"

#include <errno.h>
#include <linux/capability.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static guint64 own_capabilities;

static __thread struct {
  gboolean on; /* the thread's file system ids are those of `as` */
  BzTaskCredentials as;
} disguise;

static int
get_capabilities (pid_t tid, guint64 *effective, guint64 *permitted)
{
  struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3, .pid = tid };
  struct __user_cap_data_struct set[2];

  if (syscall (SYS_capget, &header, set) != 0)
    return errno;
  *effective = (guint64) set[1].effective << 32 | set[0].effective;
  *permitted = (guint64) set[1].permitted << 32 | set[0].permitted;
  return 0;
}

int
bz_disguise_capabilities (pid_t tid, guint64 *effective)
{
  guint64 permitted;

  return get_capabilities (tid, effective, &permitted);
}

void
bz_disguise_prepare (void)
{
  guint64 effective;

  if (get_capabilities (0, &effective, &own_capabilities) != 0)
    own_capabilities = 0;
}

static int
set_effective (guint64 effective)
{
  struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
  struct __user_cap_data_struct set[2];

  for (int i = 0; i < 2; i++)
    set[i] = (struct __user_cap_data_struct){
      .effective = (guint32) ((effective & own_capabilities) >> (32 * i)),
      .permitted = (guint32) (own_capabilities >> (32 * i)),
    };
  return syscall (SYS_capset, &header, set) != 0 ? errno : 0;
}

/* setfsuid(2) tells no error: asking for -1 changes nothing and tells what is set. */
static int
set_ids (const BzTaskCredentials *as)
{
  gid_t groups[G_N_ELEMENTS (as->groups)];

  for (guint i = 0; i < as->n_groups; i++)
    groups[i] = as->groups[i];
  /* A zone of one id has no others, and may not set them. */
  if (syscall (SYS_setgroups, as->n_groups, groups) != 0 && errno != EPERM)
    return errno;
  syscall (SYS_setfsgid, as->gid);
  syscall (SYS_setfsuid, as->uid);
  prctl (PR_SET_DUMPABLE, 0);
  return (guint32) syscall (SYS_setfsuid, -1) == as->uid
                 && (guint32) syscall (SYS_setfsgid, -1) == as->gid
             ? 0
             : EPERM;
}

static gboolean
same_ids (const BzTaskCredentials *a, const BzTaskCredentials *b)
{
  return a->uid == b->uid && a->gid == b->gid && a->n_groups == b->n_groups
         && memcmp (a->groups, b->groups, a->n_groups * sizeof a->groups[0]) == 0;
}

void
bz_disguise_end (void)
{
  static const BzTaskCredentials own = { 0 };

  if (!disguise.on)
    return;
  disguise.on = FALSE;
  set_effective (own_capabilities);
  set_ids (&own);
  set_effective (own_capabilities);
}

int
bz_disguise (const BzTaskCredentials *as)
{
  if (!disguise.on || !same_ids (as, &disguise.as))
    {
      disguise.on = TRUE;
      disguise.as = *as;
      int failed = set_ids (as);
      if (failed != 0)
        {
          bz_disguise_end ();
          return failed;
        }
    }
  return set_effective (as->capabilities);
}

void
bz_disguise_lift (void)
{
  set_effective (own_capabilities);
}

void
bz_disguise_inherit (void)
{
  disguise.on = TRUE;
}
