/* Shared by the callers' sides of the installer's programs. */
#pragma once

/* Where they are: BRANDZONE_LIBEXECDIR for uninstalled builds, else the built-in directory. Borrowed.
 */
const char *bz_libexec_directory (void);
