/* Files with figures of the machine: mounted by the zone's first process (view-figures.c), served by brandzone-views,
 * which its keeper starts (views.c). */
#pragma once

#include "loader/loader.h"
#include "loader/message.h"

#define BZ_VIEWS_MAX 16

/* Devices of mounted files, and their forms. */
typedef struct {
  guint count;
  int fd[BZ_VIEWS_MAX];
  BzForm form[BZ_VIEWS_MAX];
} BzViews;

/* Whether a zone of this plan may have such files. */
gboolean bz_views_wanted (const BzPlan *plan);

/* From the zone's first process to its keeper, which starts what serves them. *views is empty then. */
gboolean bz_views_send (int socket, BzViews *views, GError **error);
gboolean bz_views_start (BzMessage *message, const BzPartition *partition, GError **error);
