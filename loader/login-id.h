/* The audit login id of what runs in a zone. */
#pragma once

/* Unsets it for the calling process and what it starts, while that still has the host's rights. */
void bz_login_id_unset (void);
