/* Waiting for a command with the caller's terminal and signals. */
#pragma once

#include <glib.h>

typedef struct {
  int end_fd;   /* readable (or hung up) when the command has ended or there is news; see on_news */
  int terminal; /* master of the command's pty, or -1: its streams are the caller's own */
  gboolean interactive; /* the caller's standard input goes to the terminal */
  /* A signal that the caller got and the command should get. */
  void (*forward) (int sig, gpointer data);
  /* end_fd became readable: TRUE ends the waiting. */
  gboolean (*on_news) (gpointer data);
  gpointer data;
} BzAttend;

/* Returns FALSE and sets *detached when the user typed `~.` at the start of a line. The caller's terminal is
 * in raw mode only while this runs. Blocks the forwarded signals for its time. */
gboolean bz_attend (const BzAttend *attend, gboolean *detached, GError **error);
