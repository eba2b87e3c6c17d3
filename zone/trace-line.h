/* A line of `brandzone trace`. */
#pragma once

#include "syscall-xlat/call.h"
#include "syscall-xlat/loop.h"

/* "bash[412] uname(0xffd1a2c0) = 0 (release E6)"; what the kernel decided itself ends in "= passed
 * on". Text of the zone is made safe. Owned by the caller. */
char *bz_trace_line (const BzTraceEvent *event);

/* The same as one line of JSON, without newline. Owned by the caller. */
char *bz_trace_json (const BzTraceEvent *event);

/* How the call's arguments are shown, a letter for each (call-arguments.def); NULL: not known. */
const char *bz_trace_arguments (const char *call);
