/* Zones that start their own init. */
#pragma once

#include "zone/prepare.h"

/* Makes the partition boot: its command becomes the tree's init with `arguments` of its own, with
 * the environment that a kernel gives one. Called with the zone locked. */
gboolean bz_boot_prepare (const BzContext *context, const BzArguments *arguments,
                          const BzPlanning *planning, BzPartition *partition, GError **error);

/* Where the zone's console is kept: data/NAME/console.log. Owned by the caller. */
char *bz_boot_console_log (const BzDirs *dirs, const char *name);
