#!/bin/sh
# BSD ptys for programs of libc 5 (B8): Slackware 4.0's own compiler, script(1) and shell.
# shellcheck disable=SC2016 # for the zone's shell
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
begin
first_user_only
limit=60

# As libc 5's openpty(3) does it: the first master that opens, and the slave of its name.
program () {
  cat >"$tmp/pty.c" <<'END'
extern int errno;
int main (int argc, char **argv)
{
  char line[16], text[16];
  int i, master = -1, slave, got;

  for (i = 0; i < 16 && master < 0; i++)
    {
      sprintf (line, "/dev/ptyp%x", i);
      master = open (line, 2);
      if (master < 0)
        printf ("%s: %d\n", line, errno);
      if (master < 0 && errno == 2)
        return 1;
    }
  line[5] = 't';
  slave = open (line, 2);
  write (slave, "hi\n", 3);
  got = read (master, text, 16);
  printf ("%s %d %d %d\n", line, slave >= 0, got, isatty (slave));
  fflush (0);
  if (argc > 1)
    execv (argv[1], argv + 1);
  return 0;
}
END
  chmod 644 "$tmp/pty.c"
  bz cp "$tmp/pty.c" s:/tmp/pty.c
  run bz run s -- /bin/bash -c 'cd /tmp && gcc -o pty pty.c && chmod 755 pty'
  is 'the program is compiled' "$status" 0
}

ptys () {
  run bz run --stats s -- /tmp/pty
  is 'B8: a master is opened, its slave too, and is a terminal' "$out" '/dev/ttyp0 1 4 1'
  like 'B8: opening the master was answered' "$err" 'answered: .*open 1'
  run bz run s -- /tmp/pty /tmp/pty /tmp/pty
  is 'B8: what is open is busy: the next ones are taken' "$(echo "$out" | tr '\n' ' ')" \
    '/dev/ttyp0 1 4 1 /dev/ptyp0: 5 /dev/ttyp1 1 4 1 /dev/ptyp0: 5 /dev/ptyp1: 5 /dev/ttyp2 1 4 1 '
  run bz run s -- /bin/bash -c '/tmp/pty; /tmp/pty; cat /dev/ttyp0'
  is 'B8: what was closed is free again' "$out" "$(printf '/dev/ttyp0 1 4 1\n/dev/ttyp0 1 4 1')"
  like 'B8: and a slave without a master is not there' "$err" 'ttyp0: (No such file|I/O error)'
  if ! one_id; then
    run bz run -u 65 s -- /tmp/pty /bin/ls -lnL /dev/ttyp0
    like 'B8: users of the zone open them, too, and own the slave' "$out" '^c.w--w---- +1 65 '
  fi
  run bz run --disable-row B8 s -- /tmp/pty
  is 'B8 disabled: there is no such name' "$status $out" '1 /dev/ptyp0: 2'
  run bz run --disable-row B8 s -- /usr/bin/script /tmp/typescript
  like 'B8 disabled: the symptom of the catalogue' "$err" "Out of pty's"
  script 'expect #' 'send script /tmp/typescript\r' 'expect Script started' 'expect #' 'send echo from-the-$((40 + 2))\r' \
    'expect from-the-42' 'send exit\r' 'expect Script done' 'expect #' 'send exit\r'
  run terminal "$script" -- "$brandzone" --root "$tmp/$who/state" run -it s -- /bin/bash
  is 'B8: script(1) of 1999 keeps a session' "$status" 0
  run bz run s -- /bin/cat /tmp/typescript
  like 'B8: and what was said in it' "$out" '^from-the-42'
}

# What the 16 mounts add to a start, on whatever the machine does besides: in turns.
cost () {
  python3 - "$brandzone" "$tmp/$who/state" <<'END'
import subprocess, sys, time
brandzone, state = sys.argv[1:]
times = {"own": [], "host": []}
for _ in range(15):
    for kind, options in (("own", []), ("host", ["--disable-row", "B8"])):
        begun = time.monotonic()
        subprocess.run([brandzone, "--root", state, "run"] + options + ["s", "--", "/bin/true"], check=True)
        times[kind].append(time.monotonic() - begun)
own, host = (sorted(times[kind])[7] * 1000 for kind in ("own", "host"))
print("# median of 15 runs of /bin/true, in turns: %.1f ms with BSD ptys, %.1f ms without" % (own, host))
END
}

for who in $users; do
  if [ "$who" = user ] && ! plain_users_work; then
    skip 'ptys in a plain user'"'"'s zone' 'newuidmap, setpriv or unprivileged user namespaces are missing'
    continue
  fi
  zone s slackware-4.0 || continue
  program
  ptys
  if [ "$who" = root ]; then cost; fi
  run bz -q remove s
done
finish
