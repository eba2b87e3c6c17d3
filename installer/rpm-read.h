/* Headers of an RPM package, by librpm. */
#pragma once

#include <glib.h>
#include <rpm/header.h>

/* Reads and checks the headers of the package that `fd` (not taken) holds; leaves the offset at the
 * payload. Owned by the caller (headerFree); NULL: error. */
Header bz_rpm_read (int fd, const char *label, GError **error);
