/* An interpreter of seccomp's classic BPF, so that filters are checked without a kernel. */
#pragma once

#include <glib.h>
#include <linux/filter.h>
#include <linux/seccomp.h>

/* Whether the kernel would take the program: length, known instructions, forward jumps
 * inside it, aligned loads inside struct seccomp_data, a return at the end. Fails with
 * BZ_ERROR_INPUT. */
gboolean bz_simulate_check (const struct sock_filter *program, gsize count, GError **error);

/* Runs the program over one call. Any program is safe to run, checked or not; one that the kernel
 * would refuse where it is reached fails with BZ_ERROR_INPUT.
 * action: SECCOMP_RET_* with its data. steps: instructions executed, or NULL. */
gboolean bz_simulate (const struct sock_filter *program, gsize count,
                      const struct seccomp_data *data, guint32 *action, guint *steps,
                      GError **error);
