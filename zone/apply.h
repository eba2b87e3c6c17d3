/* From a zone file and the options of a start to the loader's settings. */
#pragma once

#include "zone/options.h"
#include "zone/zone-file.h"

/* Volumes, devices, identity, values, limits: the file's, and over them the options' (those that
 * the verb has). partition->network and partition->plan must be set. */
gboolean bz_apply_settings (BzPartition *partition, const BzZoneFile *file,
                            const BzArguments *arguments, GError **error);

/* Gives the command the file's variables that -e does not name. */
void bz_apply_environment (BzCommand *command, const BzZoneFile *file,
                           const BzArguments *arguments);
