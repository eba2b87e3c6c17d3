/* The zone's first process. */
#pragma once

#include "loader/loader.h"

typedef struct {
  const BzPartition *partition;
  int socket;           /* to the keeper */
  int cgroup_namespace; /* made by the process itself */
  const int *tasks;     /* bz_cgroup_tasks */
  guint task_count;
  char *title; /* the argument area, overwritten so that ps shows "init" */
  gsize title_length;
} BzInside;

/* In the child of the keeper's clone: follows the keeper through the set-up (messages in keeper.c),
 * becomes process 1, runs the command and reaps until it ends. */
G_GNUC_NORETURN void bz_inside_main (BzInside *inside);
