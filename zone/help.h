/* Help, completion and the manual's lists, out of the command table. */
#pragma once

#include "zone/options.h"

void bz_help_print (void);
void bz_help_print_verb (const BzVerb *verb);

/* "brandzone run [OPTION]... NAME ..." Owned by the caller. */
char *bz_help_synopsis (const BzVerb *verb);

/* The completion script for bash. Owned by the caller. */
char *bz_completion_bash (void);

/* The same for fish. */
char *bz_completion_fish (void);

/* The mdoc lines for a verb: its synopsis and its list of options; NULL: the global options. Owned
 * by the caller. */
char *bz_manual_block (const BzVerb *verb);
