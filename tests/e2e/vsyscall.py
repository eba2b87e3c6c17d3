"""Run by an old userland's own python (2.4 to 2.7): what of it calls the vsyscall page, and how that went.

usage: python vsyscall.py rewritten|original     TAP
       python vsyscall.py inode NAME             the inode number that /proc/self/maps shows for a library
       python vsyscall.py often COUNT            calls libc's time() so often; exit status 0 when all answers are right
"""
import sys
import time

EXPECTED = sys.argv[1]
CALL = ["\x48\xc7\xc0\x00%s\x60\xff\xff\xd0" % entry for entry in ("\x00", "\x04", "\x08")]
cases = [0, 0]


def ok(passed, name):
    cases[0] += 1
    if not passed:
        cases[1] += 1
        sys.stdout.write("not ")
    print("ok %d - %s" % (cases[0], name))


def skip(name, reason):
    cases[0] += 1
    print("ok %d - %s # SKIP %s" % (cases[0], name, reason))


def mapped(name):
    """(first address, end, path, inode) of the text of a library."""
    for line in open("/proc/self/maps"):
        words = line.split()
        if len(words) == 6 and "x" in words[1] and words[5].split("/")[-1].startswith(name):
            first, end = words[0].split("-")
            return int(first, 16), int(end, 16), words[5], int(words[4])
    return None


def check_text(name):
    place = mapped(name)
    if place is None:
        skip("the text of " + name, "it is not mapped")
        return
    memory = open("/proc/self/mem", "rb", 0)
    memory.seek(place[0])
    text = memory.read(place[1] - place[0])
    count = sum([text.count(call) for call in CALL])
    print("# %s: %d calls of the page" % (place[2], count))
    if EXPECTED == "original":
        ok(count > 0, "the text of %s as it is on disk" % name)
        ok(place[2].count("/") > 1, "%s in /proc/self/maps has its directory" % name)
    else:
        ok(count == 0, "the text of %s holds no call of the page" % name)
        ok(place[2] == "/" + place[2].split("/")[-1], "%s in /proc/self/maps is that of the copy" % name)


def near(value, wanted, slack, name):
    if not wanted <= value <= wanted + slack:
        print("# %s: %r, not %r to %r" % (name, value, wanted, wanted + slack))
    ok(wanted <= value <= wanted + slack, name)


def kernel_time():
    """The start of a new file, as the kernel sees it."""
    import os
    path = "/tmp/now"
    open(path, "w").close()
    value = os.stat(path).st_mtime
    os.unlink(path)
    return value


def check_times():
    before = kernel_time()
    near(time.time(), before - 0.1, 5, "time.time() is the kernel's")
    near(int(time.strftime("%s")), int(before) - 1, 5, "strftime")


def check_condition():
    try:
        import threading
    except ImportError:
        skip("Condition.wait", "this python has no threads")
        return
    condition = threading.Condition()
    condition.acquire()
    before = time.time()
    condition.wait(0.2)
    near(time.time() - before, 0.19, 2, "Condition.wait")
    condition.release()


def check_libpthread():
    """The timed calls of libpthread get an absolute time and ask for the time now. None may be granted."""
    try:
        import ctypes
        import threading
    except ImportError:
        skip("the timed calls of libpthread", "this python has no ctypes")
        return
    library = ctypes.CDLL("libpthread.so.0", use_errno=True)
    libc = ctypes.CDLL("libc.so.6", use_errno=True)
    lock = ctypes.create_string_buffer(256)

    class Timespec(ctypes.Structure):
        _fields_ = [("seconds", ctypes.c_long), ("nanoseconds", ctypes.c_long)]

    def soon():
        return ctypes.byref(Timespec(int(time.time() + 0.2), int((time.time() + 0.2) % 1 * 1e9)))

    def timed(name, function):
        before = time.time()
        result = function()
        near(time.time() - before, 0.15, 2, name + " waits as long as it should")
        if result == -1:
            result = ctypes.get_errno()
        if result != 110:
            print("# %s: %d" % (name, result))
        ok(result == 110, name + " says ETIMEDOUT")

    library.sem_init(lock, 0, 0)
    timed("sem_timedwait", lambda: library.sem_timedwait(lock, soon()))
    for init, take, waiting in (
            ("pthread_mutex_init", "pthread_mutex_lock", "pthread_mutex_timedlock"),
            ("pthread_rwlock_init", "pthread_rwlock_wrlock", "pthread_rwlock_timedrdlock"),
            ("pthread_rwlock_init", "pthread_rwlock_rdlock", "pthread_rwlock_timedwrlock")):
        lock = ctypes.create_string_buffer(256)
        getattr(library, init)(lock, None)
        # A mutex is taken by another thread; so is a lock, or its owner is told of a deadlock.
        other = threading.Thread(target=lambda: getattr(library, take)(lock))
        other.start()
        other.join()
        timed(waiting, lambda: getattr(library, waiting)(lock, soon()))
    cpus = open("/proc/stat").read().count("\ncpu")
    if hasattr(libc, "sched_getcpu"):
        cpu = libc.sched_getcpu()
        ok(0 <= cpu < max(cpus, 1), "sched_getcpu")
    else:
        skip("sched_getcpu", "this libc has none")

    opened = []
    other = threading.Thread(target=lambda: opened.append(ctypes.CDLL("librt.so.1")))
    other.start()
    other.join()
    ok(len(opened) == 1, "dlopen by a second thread")


def often(count):
    """Whether libc's time() is right each time, in threads and in a child too: after some calls another way leads to it."""
    import ctypes
    import os
    import threading
    libc = ctypes.CDLL("libc.so.6")
    libc.time.restype = ctypes.c_long
    wrong = []

    def ask(count):
        stored = ctypes.c_long()
        for i in range(count):
            before = libc.syscall(201, None)
            got = libc.time(ctypes.byref(stored))
            if got != stored.value or not before <= got <= libc.syscall(201, None):
                wrong.append(got)

    for i in range(count):
        libc.time(None)
    others = [threading.Thread(target=ask, args=(100,)) for i in range(4)]
    for other in others:
        other.start()
    child = os.fork()
    if child == 0:
        ask(100)
        os._exit(len(wrong) > 0)
    for other in others:
        other.join()
    ask(100)
    return len(wrong) == 0 and os.waitpid(child, 0)[1] == 0


def main():
    if EXPECTED == "inode":
        print(mapped(sys.argv[2])[3])
        return
    if EXPECTED == "often":
        sys.exit(not often(int(sys.argv[2])))
    check_times()
    check_condition()
    check_libpthread()
    check_text("libc")
    check_text("libpthread")
    print("1..%d" % cases[0])
    sys.exit(cases[1] > 0)


main()
