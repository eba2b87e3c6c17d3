/* Waiting for a command with the caller's terminal and signals. */
#pragma once

#include <glib.h>
#include <signal.h>
#include <sys/ioctl.h>

typedef struct {
  int end_fd;   /* readable (or hung up) when the command has ended or there is news; see on_news */
  int terminal; /* master of the command's pty, or -1: its streams are the caller's own */
  gboolean interactive; /* the caller's standard input goes to the terminal */
  /* A signal that the caller got and the command should get. */
  void (*forward) (int sig, gpointer data);
  /* end_fd became readable: TRUE ends the waiting. */
  gboolean (*on_news) (gpointer data);
  /* The caller's window has this size; NULL: the terminal is told. */
  void (*resize) (const struct winsize *size, gpointer data);
  gboolean leave_at_end; /* the end of the caller's input detaches; else it is typed, as Ctrl-D */
  gboolean stays; /* the command goes on without the caller's terminal: what hangs that up detaches */
  gpointer data;
} BzAttend;

/* Holds the signals back that are to be forwarded, from before the command starts: one that came
 * earlier than its start reaches it then. What is forked meanwhile must unblock them. */
void bz_attend_hold_signals (sigset_t *saved);

/* Waits. *detached: the user typed `~.` at the start of a line. The caller's terminal is in raw
 * mode only while this runs. The signals must be held. */
gboolean bz_attend (const BzAttend *attend, gboolean *detached, GError **error);
