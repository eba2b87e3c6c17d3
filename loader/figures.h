/* Figures of the machine in the forms of older kernels (brand/forms.def). Pure: from today's texts to the old ones. */
#pragma once

#include "brand/brand-files.h"

#include <sched.h>

/* What the host's /proc says now. Owned by whoever fills it; NULL: not read. */
typedef struct {
  char *stat, *uptime, *vmstat; /* for stat-* */
  char *meminfo;                /* for meminfo-* */
  char *cpuinfo;                /* for cpuinfo-* */
} BzFigures;

/* The form's text; processors: those that count. NULL: the host's files make no sense. Owned by the caller. */
char *bz_figures_write (BzForm form, const BzFigures *figures, const cpu_set_t *processors);

/* Reads what the form is made from; FALSE: a file is missing. */
gboolean bz_figures_read (BzForm form, BzFigures *figures);
void bz_figures_clear (BzFigures *figures);
