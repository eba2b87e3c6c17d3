/* Which C library a static program was linked with, as far as its looks tell. */
#pragma once

#include "brand/scan.h"
#include "brand/tree-facts.h"

/* Sets what follows for a program that names no interpreter: the kind of its C library and, where
 * the kind needs one, the version. Changes nothing when nothing tells. */
void bz_static_facts (const BzElfFacts *elf, const BzScan *scan, BzTreeFacts *facts);
