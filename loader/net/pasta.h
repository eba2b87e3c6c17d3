/* pasta(1): a network for a plain user's zone. */
#pragma once

#include "loader/net/settings.h"

#include <sys/types.h>

typedef struct {
  pid_t watcher; /* 0: none */
  int life;      /* its end of file ends the watcher */
  int pasta;     /* a descriptor of the process */
} BzPasta;

/* Connects the namespaces of `init`. *resolv: of the zone's resolv.conf, or NULL. */
gboolean bz_pasta_start (const BzNetSettings *settings, const char *mac, pid_t init,
                         BzPasta *pasta, char **resolv, GError **error);
void bz_pasta_stop (BzPasta *pasta);
