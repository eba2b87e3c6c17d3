/* The process that answers a zone's trapped calls. */
#pragma once

#include "brand/plan.h"

typedef struct {
  const BzPlan *plan;
  int journal;           /* memfd of bz_journal_create */
  int socket;            /* to the keeper */
  gboolean nodes;        /* the keeper can make device nodes */
  gboolean rewrites;     /* program text is put right (loader/shadow/) */
  const int *namespaces; /* of the zone, by BzNamespace */
} BzSupervisor;

/* In a fork of the keeper: enters the zone's namespaces and answers until the keeper closes the
 * socket. Messages: "listener" {index} + descriptor, "remove" {index}, "subscribe" + socket. */
G_GNUC_NORETURN void bz_supervisor_main (const BzSupervisor *supervisor);
