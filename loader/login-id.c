/* pam_loginuid of a zone wants to set the login id itself, and may where it is unset (catalogue row S20). What a login of the
 * host has set, its root alone can unset: for a zone, and for who joins one from such a login. A zone shows an id of
 * the host's as unset, too, but does not let it be set. */
#include "config.h"

#include "loader/login-id.h"

#include <fcntl.h>
#include <unistd.h>

void
bz_login_id_unset (void)
{
  int fd = open ("/proc/self/loginuid", O_WRONLY | O_CLOEXEC);

  if (fd < 0)
    return;
  (void) !write (fd, "4294967295", 10); /* refused where plain users have logged in */
  close (fd);
}
