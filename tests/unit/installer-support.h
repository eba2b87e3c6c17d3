/* What the installer's tests share: archives made with libarchive, installations, looking at trees.
 */
#pragma once

#include "tests/unit/cmocka-all.h"

#include "brand/base/error.h"
#include "installer/installer.h"

#include <archive.h>
#include <archive_entry.h>
#include <sys/stat.h>

/* A temporary directory, made before each test and removed after it. */
typedef struct {
  char *directory;
  char *archive; /* DIRECTORY/source */
  char *target;  /* DIRECTORY/tree */
  BzInstallResult *result;
  GError *error;
} Fixture;
int fixture_setup (void **state);
int fixture_teardown (void **state);

/* Writes DIRECTORY/source. filter: ARCHIVE_FILTER_...; format: ARCHIVE_FORMAT_... */
struct archive *archive_begin (Fixture *fixture, int format, int filter);
void archive_end (struct archive *archive);
/* One entry; data NULL: none. Returns it for tests that want more before archive_put. */
struct archive_entry *entry_new (const char *path, mode_t mode);
void entry_put (struct archive *archive, struct archive_entry *entry, const void *data, gsize size);
void put_file (struct archive *archive, const char *path, const char *text);
void put_directory (struct archive *archive, const char *path, mode_t mode);
void put_symlink (struct archive *archive, const char *path, const char *target);
void put_hardlink (struct archive *archive, const char *path, const char *target);

/* Installs DIRECTORY/source to DIRECTORY/tree as the caller (no user namespace). */
gboolean install (Fixture *fixture);
gboolean install_with (Fixture *fixture, BzInstallOptions options);

/* Asserts that it failed with `code`, that the message holds `text`, and that nothing is left. */
void assert_refused (Fixture *fixture, BzErrorCode code, const char *text);
/* Neither the tree nor a partial one is there. */
void assert_nothing_left (Fixture *fixture);
void assert_content (Fixture *fixture, const char *path, const char *text);
void assert_absent (Fixture *fixture, const char *path);
gboolean has_notice (Fixture *fixture, const char *text);
struct stat stat_of (Fixture *fixture, const char *path);

void write_file (const char *path, const void *data, gsize size);
/* Runs a program of the host; skips the test when it is missing. */
void run_or_skip (const char *const *argv);
void skip_unless_root (void);
