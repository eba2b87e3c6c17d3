#!/usr/bin/python3
"""Runs a command on a terminal of its own and talks to it.

usage: terminal.py [--rows N] [--columns N] SCRIPT -- COMMAND...

SCRIPT has one step a line:
  expect TEXT     waits until TEXT has been printed (after what the last expect found)
  send TEXT       types TEXT; \\r \\n \\t \\xNN \\\\ as usual
  resize R C      the window changes
  paste FILE      types what the file holds, as fast as it is taken
  wait SECONDS    lets time pass (a float)
  close           hangs up: the master goes
  kill            kills the command: it gets no chance to tidy up
Prints everything that the command printed; the exit status is the command's (128+signal), 124
when an expectation was not met within 20 seconds, which a line on standard error names.
"""

import codecs
import fcntl
import os
import pty
import select
import signal
import struct
import sys
import termios
import time

LIMIT = 20.0


def resize(master, rows, columns):
    fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))


class Terminal:
    def __init__(self, command, rows, columns):
        self.pid, self.master = pty.fork()
        if self.pid == 0:
            # The window has its size before the command looks at it.
            resize(0, rows, columns)
            try:
                os.execvp(command[0], command)
            except OSError as error:
                print(f"terminal.py: {command[0]}: {error}", file=sys.stderr)
            os._exit(127)
        self.seen = b""
        self.at = 0

    def read(self, seconds):
        """Reads what comes within that time; False at the end."""
        ready, _, _ = select.select([self.master], [], [], max(seconds, 0))
        if not ready:
            return True
        try:
            data = os.read(self.master, 65536)
        except OSError:
            return False
        self.seen += data
        return bool(data)

    def expect(self, text):
        end = time.monotonic() + LIMIT
        wanted = text.encode()
        while True:
            found = self.seen.find(wanted, self.at)
            if found >= 0:
                self.at = found + len(wanted)
                return True
            if time.monotonic() > end or not self.read(end - time.monotonic()):
                print(f"terminal.py: expected {text!r}, but it did not come", file=sys.stderr)
                return False

    def paste(self, path):
        with open(path, "rb") as file:
            data = file.read()
        os.set_blocking(self.master, False)
        end = time.monotonic() + 60
        while data and time.monotonic() < end:
            _, writable, _ = select.select([self.master], [self.master], [], 1)
            if writable:
                data = data[os.write(self.master, data[:4096]):]
            self.read(0)
        os.set_blocking(self.master, True)

    def wait(self, seconds):
        end = time.monotonic() + seconds
        while time.monotonic() < end and self.read(end - time.monotonic()):
            pass

    def end(self):
        """The exit status of the command, which gets some seconds to end by itself."""
        end = time.monotonic() + LIMIT
        more = True
        while time.monotonic() < end:
            if more:
                more = self.read(0.05)
            else:
                time.sleep(0.02)
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                while more and select.select([self.master], [], [], 0.05)[0]:
                    more = self.read(0)
                return os.WEXITSTATUS(status) if os.WIFEXITED(status) else 128 + os.WTERMSIG(status)
        print("terminal.py: the command does not end", file=sys.stderr)
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        return 124


def step(terminal, line):
    word, _, rest = line.partition(" ")
    if word == "expect":
        return terminal.expect(rest)
    if word == "send":
        os.write(terminal.master, codecs.decode(rest, "unicode_escape").encode("latin-1"))
    elif word == "paste":
        terminal.paste(rest)
    elif word == "resize":
        rows, columns = rest.split()
        resize(terminal.master, int(rows), int(columns))
    elif word == "wait":
        terminal.wait(float(rest))
    elif word == "kill":
        os.kill(terminal.pid, signal.SIGKILL)
    elif word == "close":
        os.close(terminal.master)
        terminal.master = os.open("/dev/null", os.O_RDONLY)
    else:
        raise SystemExit(f"terminal.py: no such step: {line}")
    return True


def main(words):
    rows, columns = 24, 80
    while words and words[0].startswith("--") and words[0] != "--":
        if words[0] == "--rows":
            rows = int(words[1])
        elif words[0] == "--columns":
            columns = int(words[1])
        else:
            raise SystemExit(__doc__)
        words = words[2:]
    if len(words) < 3 or words[1] != "--":
        raise SystemExit(__doc__)
    terminal = Terminal(words[2:], rows, columns)
    met = True
    with open(words[0], encoding="utf-8") as script:
        for line in script:
            line = line.rstrip("\n")
            if line and not step(terminal, line):
                met = False
                break
    status = 124
    if met:
        status = terminal.end()
    else:
        os.kill(terminal.pid, signal.SIGKILL)
        os.waitpid(terminal.pid, 0)
    sys.stdout.buffer.write(terminal.seen)
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
