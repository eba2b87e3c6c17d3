/* Sessions: commands that joined a zone on a terminal, which can be left and come back to (session.c). */
#pragma once

#include "loader/join.h"

#define BZ_SESSIONS_MAX 32

/* Between who holds a session and the keeper: "session" {command, terminal} (answers with {number}),
 * "session-state" {attached, ended, status} (without an answer); from the keeper "attach" + connection, "hang-up".
 * Between who holds it and who is attached: "started" {session} + pty, or "attach" {text} [+ pty]; then as
 * on an owner's connection (keeper.h). */

/* Joins and waits, as bz_loader_exec does. Frees the join. The signals must be held. */
gboolean bz_session_run (BzJoin *join, const BzCommand *command, BzEnd *end, GError **error);
