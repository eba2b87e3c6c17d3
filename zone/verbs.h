/* The functions of the command table. */
#pragma once

#include "zone/context.h"

int bz_verb_install (BzContext *context, const BzArguments *arguments, GError **error);
int bz_verb_remove (BzContext *context, const BzArguments *arguments, GError **error);
int bz_verb_run (BzContext *context, const BzArguments *arguments, GError **error);
int bz_verb_exec (BzContext *context, const BzArguments *arguments, GError **error);
int bz_verb_start (BzContext *context, const BzArguments *arguments, GError **error);
int bz_verb_restart (BzContext *context, const BzArguments *arguments, GError **error);
int bz_verb_console (BzContext *context, const BzArguments *arguments, GError **error);
int bz_verb_logs (BzContext *context, const BzArguments *arguments, GError **error);
int bz_verb_boot_edits (BzContext *context, const BzArguments *arguments, GError **error);
int bz_verb_login (BzContext *context, const BzArguments *arguments, GError **error);
int bz_verb_stop (BzContext *context, const BzArguments *arguments, GError **error);
int bz_verb_refresh (BzContext *context, const BzArguments *arguments, GError **error);
int bz_verb_mount (BzContext *context, const BzArguments *arguments, GError **error);
int bz_verb_umount (BzContext *context, const BzArguments *arguments, GError **error);
int bz_verb_mirror (BzContext *context, const BzArguments *arguments, GError **error);
int bz_verb_list (BzContext *context, const BzArguments *arguments, GError **error);
int bz_verb_show (BzContext *context, const BzArguments *arguments, GError **error);
int bz_verb_cp (BzContext *context, const BzArguments *arguments, GError **error);
int bz_verb_rename (BzContext *context, const BzArguments *arguments, GError **error);
/* install, with the zone file and the list of a detached zone's directory; NULL: with new ones. */
int bz_install_configured (BzContext *context, const BzArguments *arguments, const char *detached,
                           GError **error);
int bz_verb_export (BzContext *context, const BzArguments *arguments, GError **error);
int bz_verb_attach (BzContext *context, const BzArguments *arguments, GError **error);
int bz_verb_detach (BzContext *context, const BzArguments *arguments, GError **error);
int bz_verb_clone (BzContext *context, const BzArguments *arguments, GError **error);
int bz_verb_snapshot (BzContext *context, const BzArguments *arguments, GError **error);
int bz_verb_rollback (BzContext *context, const BzArguments *arguments, GError **error);
int bz_verb_diff (BzContext *context, const BzArguments *arguments, GError **error);
int bz_verb_config (BzContext *context, const BzArguments *arguments, GError **error);
int bz_verb_verify (BzContext *context, const BzArguments *arguments, GError **error);
int bz_verb_detect (BzContext *context, const BzArguments *arguments, GError **error);
int bz_verb_check (BzContext *context, const BzArguments *arguments, GError **error);
int bz_verb_plan (BzContext *context, const BzArguments *arguments, GError **error);
int bz_verb_doctor (BzContext *context, const BzArguments *arguments, GError **error);
int bz_verb_sources (BzContext *context, const BzArguments *arguments, GError **error);
int bz_verb_brands (BzContext *context, const BzArguments *arguments, GError **error);
int bz_verb_explain (BzContext *context, const BzArguments *arguments, GError **error);
int bz_verb_trace (BzContext *context, const BzArguments *arguments, GError **error);
int bz_verb_help (BzContext *context, const BzArguments *arguments, GError **error);
int bz_verb_completion (BzContext *context, const BzArguments *arguments, GError **error);
int bz_verb_manual (BzContext *context, const BzArguments *arguments, GError **error);
int bz_verb_names (BzContext *context, const BzArguments *arguments, GError **error);

/* --time of stop and restart, in milliseconds. */
/* How long an init or a command is waited for, if nobody says. */
#define BZ_STOP_SECONDS 10
/* As `start` does, for a zone that another verb has stopped. error: may be NULL. */
gboolean bz_start_again (BzContext *context, const BzArguments *arguments, const char *name,
                         GError **error);
gboolean bz_stop_grace (const BzArguments *arguments, guint *grace_ms, GError **error);
