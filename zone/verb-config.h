/* Between the files of config. */
#pragma once

#include "zone/context.h"

typedef struct {
  BzContext *context;
  const BzArguments *arguments;
  const char *action, *name;
  char *path; /* of the zone file */
} BzConfig;

/* Says how the action is written; returns -1. */
int bz_config_usage (const BzConfig *config, const char *why, GError **error);

/* Waits for other changes. A descriptor to close, or -1. */
int bz_config_lock (const BzConfig *config, GError **error);

/* Checks the text as a whole and makes it the zone file; warnings are told. */
gboolean bz_config_put (const BzConfig *config, const char *data, gsize length, GError **error);

int bz_config_edit (const BzConfig *config, GError **error);
