/* Facts: sd_notify(3) of libsystemd is the way; linked, that library and the five that it brings
 * would be loaded by every command, which costs as much as a third of starting a zone. Choice: it is loaded
 * when a service manager has started us and waits for a word, and that means that it is there. */
#include "config.h"

#include "zone/notify.h"

#include <dlfcn.h>
#include <stdlib.h>

typedef int (*Notify) (int unset_environment, const char *state);

void
bz_notify (const char *state)
{
  if (getenv ("NOTIFY_SOCKET") == NULL)
    return;
  void *library = dlopen ("libsystemd.so.0", RTLD_NOW | RTLD_LOCAL);
  Notify notify = library != NULL ? (Notify) dlsym (library, "sd_notify") : NULL;
  if (notify != NULL)
    (void) notify (0, state); /* who does not listen does not want to know */
}
