/* Telling the service manager that started us. */
#pragma once

/* "READY=1", as of sd_notify(3). Nothing without such a manager. */
void bz_notify (const char *state);
