/* `run ./program`: one old program as if there were no zone. */
#pragma once

#include "zone/prepare.h"

/* Whether run was given a program of the host instead of a zone: a first word with a slash, which no
 * zone's name has, or with --image a command that begins with ./ or ../ */
gboolean bz_one_program_given (const BzArguments *arguments);

/* A throw-away zone around that program; see one-program.c for what it holds. */
BzPrepared *bz_one_program_prepare (const BzContext *context, const BzArguments *arguments,
                                    GError **error);
