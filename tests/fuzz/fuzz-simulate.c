/* Any program over any call: the check and the interpreter never leave their bounds, and a program
 * that passes the check runs to an action. */
#include "config.h"

#include "syscall-xlat/simulate.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput (const uint8_t *bytes, size_t size);

int
LLVMFuzzerTestOneInput (const uint8_t *bytes, size_t size)
{
  struct seccomp_data data;
  g_autofree struct sock_filter *program = NULL;
  gsize count;
  guint32 action;
  gboolean checked, ran;

  if (size < sizeof data)
    return 0;
  memcpy (&data, bytes, sizeof data);
  count = (size - sizeof data) / sizeof *program;
  program = g_memdup2 (bytes + sizeof data,
                       count * sizeof *program); /* its own block: ASan sees each end */
  checked = bz_simulate_check (program, count, NULL);
  ran = bz_simulate (program, count, &data, &action, NULL, NULL);
  if (checked && !ran)
    abort ();
  return 0;
}
