/* Keeping a waiting target on the supervisor's CPU. */
#pragma once

#include <glib.h>
#include <sys/types.h>

/* Whether that makes a difference, and the target may run on every CPU of the machine: what else
 * restricts it could not be put back as it was. Where it is FALSE, whether somebody moves is looked at. */
gboolean bz_can_pin (pid_t tid);

/* After something that was done without: this thread was on that CPU before, or the target whose call it
 * has received. -1: nothing is known. */
void bz_pin_look (int cpu);

/* Binds the target, or with tid 0 the calling thread, to the CPU that this thread runs on. */
void bz_pin (pid_t tid);

/* Lets it run on every CPU again. */
void bz_unpin (pid_t tid);
