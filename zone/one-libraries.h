/* The libraries of one program (one-program.h): what --libs names. */
#pragma once

#include "zone/context.h"

typedef struct BzOneLibraries BzOneLibraries;

/* *libraries is NULL for a program that needs none. For one that needs some and finds no
 * interpreter: BZ_ERROR_NOT_FOUND, which names what is missing and says what to do. Libraries that
 * are not in the directories are noted, for the program may bring them. name: for messages. */
gboolean bz_one_libraries_find (const BzContext *context, const BzArguments *arguments,
                                GBytes *program, const char *name, BzOneLibraries **libraries,
                                GError **error);
void bz_one_libraries_free (BzOneLibraries *libraries);

/* The directory that holds the C library's interpreter. */
int bz_one_libraries_fd (const BzOneLibraries *libraries);
/* Adds what is to be seen in the zone to `volumes` (of BzVolume). */
void bz_one_libraries_show (const BzOneLibraries *libraries, GPtrArray *volumes);
/* Takes `environment` and returns it with LD_LIBRARY_PATH. */
char **bz_one_libraries_environment (const BzOneLibraries *libraries, char **environment);
