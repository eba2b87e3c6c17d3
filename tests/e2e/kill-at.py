#!/usr/bin/env python3
"""Runs a command and kills it before its Nth system call that changes something.

    kill-at.py N COMMAND [ARGUMENT]...

Exit status: 0 it was killed, 1 it ended before that. Only the process itself is watched and killed,
as a user, the kernel's out-of-memory killer or a crash would end it: what it has started sees its end.
x86-64 only.
"""
import ctypes
import os
import signal
import sys

TRACEME, SYSCALL, PEEKUSER, SETOPTIONS = 0, 24, 3, 0x4200
EXITKILL_SYSGOOD = 0x00100000 | 1
ORIG_RAX, RSI, RDX = 15 * 8, 13 * 8, 12 * 8
O_CREAT = 0o100
CHANGES = {
    1: "write", 46: "sendmsg", 74: "fsync", 76: "truncate", 77: "ftruncate", 82: "rename", 83: "mkdir", 84: "rmdir", 86: "link",
    87: "unlink", 88: "symlink", 90: "chmod", 91: "fchmod", 92: "chown", 258: "mkdirat", 263: "unlinkat",
    264: "renameat", 265: "linkat", 266: "symlinkat", 306: "syncfs", 316: "renameat2",
}
libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace.restype = ctypes.c_long
libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]


def changes(pid):
    number = libc.ptrace(PEEKUSER, pid, ORIG_RAX, None)
    if number == 257:  # openat
        return bool(libc.ptrace(PEEKUSER, pid, RDX, None) & O_CREAT)
    return number in CHANGES


def main():
    left = int(sys.argv[1])
    pid = os.fork()
    if pid == 0:
        libc.ptrace(TRACEME, 0, None, None)
        os.execv(sys.argv[2], sys.argv[2:])
    os.waitpid(pid, 0)
    libc.ptrace(SETOPTIONS, pid, None, EXITKILL_SYSGOOD)
    deliver, entry = 0, True
    while True:
        libc.ptrace(SYSCALL, pid, None, deliver)
        _, status = os.waitpid(pid, 0)
        if not os.WIFSTOPPED(status):
            return 1
        deliver = 0
        if os.WSTOPSIG(status) != signal.SIGTRAP | 0x80:
            deliver = os.WSTOPSIG(status) if os.WSTOPSIG(status) != signal.SIGTRAP else 0
            continue
        if entry and changes(pid):
            left -= 1
            if left == 0:
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)
                return 0
        entry = not entry


sys.exit(main())
