/* Plans for tests, from one line of text. */
#pragma once

#include "brand/plan.h"

/* "abi=i386 release=2.2.26 missing=release present=a,b absent=c heap=end-of-bss ...": the rest are
 * quirks by name, release=brand among them.
 * NULL with the offending word on stderr when the text makes no sense. Free with bz_plan_free. */
BzPlan *plan_from_text (const char *text);
