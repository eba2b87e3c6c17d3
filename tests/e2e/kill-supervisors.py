"""usage: kill-supervisors.py KEEPER WHILE TIMES [SECONDS]

Kills the supervisors of a zone, the keeper's children of their name, as long as the process WHILE lives, at most
TIMES, and for at most SECONDS; prints how many there were. A look at /proc is much quicker than a command.
"""
import os
import signal
import sys
import time

keeper, waiting, times = (int(word) for word in sys.argv[1:4])
end = time.monotonic() + float(sys.argv[4]) if len(sys.argv) > 4 else float("inf")


def lives(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
            return file.read().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def supervisors():
    found = []
    try:
        with open(f"/proc/{keeper}/task/{keeper}/children", encoding="ascii") as file:
            children = file.read().split()
        for child in children:
            with open(f"/proc/{child}/comm", encoding="ascii") as file:
                if "supervisor" in file.read() and lives(child):
                    found.append(int(child))
    except OSError:
        pass
    return found


killed = 0
while killed < times and lives(waiting) and time.monotonic() < end:
    for pid in supervisors():
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue
        killed += 1
    time.sleep(0.001 * (1 + killed * 7 % 20))
print(killed)
