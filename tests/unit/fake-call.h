/* A call whose target is a piece of memory and a few facts. */
#pragma once

#include "syscall-xlat/remote.h"
#include "tests/unit/fake-files.h"

#define BZ_FAKE_BASE G_GUINT64_CONSTANT (0x10000)
#define BZ_FAKE_SIZE 8192
#define BZ_FAKE_PROGRAM G_GUINT64_CONSTANT (0x08048000)

typedef struct {
  BzNotifier notifier; /* first */
  BzCall call;
  BzPlan plan;
  BzRow row;
  guint8 memory[BZ_FAKE_SIZE]; /* at BZ_FAKE_BASE of the target; all else is not mapped */
  guint8 program[512]; /* at BZ_FAKE_PROGRAM, when its first byte is not 0 */
  gboolean read_only;
  gboolean gone;   /* the target died */
  guint64 fact[3]; /* by BzFact */
  int fact_error;
  gboolean happened[BZ_EVERS];
  BzUtsNames names;
  const char *file; /* the only file there is, and its text */
  char text[512];
  int file_error;
  BzFakeFiles files;
  guint64 hard_limit, soft_limit;
  BzPlace place; /* of the last own; its path is not kept */
  gboolean has_path, taken;
  BzOwner given;
  BzOwner record; /* that was to be kept; known: none was */
  gboolean remembers;
  guint node_mode;
  gboolean reaches; /* the call is made as the task */
  int own_error; /* also of nodes and modes */
  guint owned, nodes, stops, masters;
  guint writes, files_read, files_written, heap_moves;
} BzFake;

/* A plan of a 2.4 kernel with every quirk on; nothing in memory. */
void bz_fake_init (BzFake *fake, BzAbi abi, const char *call_name);
/* Where offset `at` of the memory is for the target. */
guint64 bz_fake_at (gsize at);
/* Runs a handler with up to six arguments. */
BzVerdict bz_fake_run (BzFake *fake, BzHandler handler, guint64 a, guint64 b, guint64 c, guint64 d,
                       guint64 e);
