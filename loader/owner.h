/* Waiting for the end of a command as the one who has its terminal: the owner of a zone, or who is
 * attached to a session. */
#pragma once

#include "loader/loader.h"
#include "loader/message.h"

typedef struct {
  int connection;       /* to the keeper, or to who holds the session: "ended" comes on it, and its end */
  BzJournalFunc on_end; /* may be NULL */
  gpointer data;
  BzEnd *end;
  guint session; /* 0: none that could be come back to */
  gboolean ended;
  GError *problem;
} BzOwner;

/* The answer "started", with the terminal if there is one; or NULL. */
BzMessage *bz_owner_await_started (int connection, GError **error);

/* terminal: or -1. The signals must be held (attend.h). */
gboolean bz_owner_attend (BzOwner *owner, int terminal, gboolean interactive, GError **error);

/* Takes one message: TRUE when there will be no more. data: a BzOwner. */
gboolean bz_owner_on_news (gpointer data);

/* Prints what was said while nobody was there. */
void bz_owner_show_text (const BzMessage *answer);
