/* The keeper: one process per zone, from its start to its end. */
#pragma once

#include "loader/loader.h"

/* Messages on the control socket (run_dir/control, SOCK_SEQPACKET) and on the
 * owner's connection. Requests: "info", "addresses" (answers with {addresses}), "journal", "trace", "stop" {grace}, "signal" {signal},
 * "join", "listener" + fd, "halt" (what stops an init), "console" {terminal, replay, plain}, "winsize" {terminal, rows,
 * columns} (without an answer), "refresh" + program (another program goes on as the keeper; answers with {version}), "freeze" (answers with
 * {frozen}; ask until it is; the zone goes on when the connection ends), "attach" (to the terminal of a command, as its owner from then on; answers with {text} and the pty), "attach" {session}
 * (answers with a connection to who holds it), "hang-up" {session}, "sessions" (answers with {sessions}); session.h. Answers: the request's kind, or "error". Events to the owner: "started"
 * {init} [+ pty], "ended" {status, how} [+ journal]. */
#define BZ_CONTROL_NAME "control"

typedef struct {
  BzPartition *partition;
  int spec;    /* the partition as data, for processes that join */
  int owner;   /* connection to who started the zone */
  char *title; /* argument area of the process */
  gsize title_length;
} BzKeeperOptions;

/* Starts the zone, keeps it, cleans up after it. Returns the keeper's own exit status. */
int bz_keeper_main (const BzKeeperOptions *options);

/* keeper-refresh.c: arguments of a program that goes on as a keeper, STATE-FD, or tries whether it could,
 * STATE-FD ANSWER-FD. */
#define BZ_KEEPER_TAKE "--take"
#define BZ_KEEPER_TRY "--try"

/* Goes on with what another program left, as bz_keeper_main does. answer: -1, or a socket that is told
 * whether it could. */
int bz_keeper_go_on (const BzKeeperOptions *options, GVariantDict *left, int answer);
