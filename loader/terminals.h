/* Terminals inside a zone. All of this runs inside, by whoever sets the zone up or joins it. */
#pragma once

#include "loader/loader.h"

/* The streams of a command: a new pty of the zone's (its master in *master, else -1), or the
 * caller's own, with the zone's /dev/null for the input of a command that is not interactive. */
gboolean bz_terminal_choose_stdio (const BzCommand *command, int stdio[3], int *master,
                                   GError **error);

/* The zone's /dev/null, or -1: its root may have put a link out of the zone, or anything else, in
 * its place. */
int bz_terminal_open_null (int flags, GError **error);

/* Shows the pty under another name, making the place for it in /dev; without a word when it can't.
 */
void bz_terminal_bind (int slave, const char *path);

/* The terminals of a zone that boots, with their names in /dev: the console, which is tty1 as well,
 * and tty2 to tty6; a console that is the only one has no other name. The masters, and the slave of
 * the console, are the caller's. */
gboolean bz_terminals_make (guint count, int masters[BZ_TERMINALS_MAX], int *console,
                            GError **error);

/* What a zone that boots may not unmount: at most so many. */
#define BZ_PINS_MAX 14

/* Opens (O_PATH) what was mounted for the zone: the terminals' names and what shows its brand's
 * release. A mount that is open is busy. Returns how many; the descriptors are the caller's. */
guint bz_pins_open (int pins[BZ_PINS_MAX]);
