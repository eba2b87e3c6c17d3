/* Keeping the zone's hands off our own program files. */
#pragma once

#include <glib.h>

/* For the start of main (), before descriptors are made close-on-exec: where the program's file is
 * the plain user's own, executes it again from a sealed copy in memory and does not return. TRUE:
 * there is nothing to fear. FALSE (and error): no copy could be made. */
gboolean bz_shield (char **argv, GError **error);
