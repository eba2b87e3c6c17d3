#!/usr/bin/python3
"""Measures what a zone costs, side by side with the same work by plain chroot.

Every pair is measured in one run, in turns, and compared by medians: on a busy or
virtual machine only ratios mean something. Nothing here fails: a goal that is missed is a
verdict in the table. Peers are measured where they are installed.
"""

import json
import os
import re
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

ENV = os.environ
BRANDZONE = ENV["BRANDZONE"]
GUESTS = os.path.join(ENV["BRANDZONE_BUILDDIR"], "tests/guest")
MAKE_TREE = os.path.join(ENV["BRANDZONE_SRCDIR"], "tests/trees/make-tree")
CLEAN = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "LC_ALL": "C"}
QUICK = "--quick" in sys.argv

rows = []


def note(text):
    print(f"bench: {text}", file=sys.stderr, flush=True)


def add(what, figure, goal, good, remark=""):
    """One line of the table; good: True, False, or None where there is no goal."""
    verdict = {True: "met", False: "MISSED", None: ""}[good]
    rows.append((what, figure, goal, verdict, remark))


def leave_out(what, reason):
    rows.append((what, "-", "", "not measured", reason))


def run(command, **options):
    return subprocess.run(command, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, **options)


def output(command):
    return run(command).stdout.strip()


def seconds(command):
    start = time.monotonic()
    run(command, env=None)
    return time.monotonic() - start


def in_turns(times, *measures):
    """Calls the measures one after the other, `times` times; the medians."""
    samples = [[] for _ in measures]
    for _ in range(times):
        for measure, sample in zip(measures, samples):
            sample.append(measure())
    return [statistics.median(sample) for sample in samples]


class Zone:
    """An installed tree, and the same tree by chroot."""

    def __init__(self, work, name, tree):
        self.base = [BRANDZONE, "--root", os.path.join(work, "state"), "-q"]
        self.name = name
        archive = output([MAKE_TREE, "--tar", tree])
        run(self.base + ["install", name, archive])
        # chroot gets a tree of its own on the same file system, so that neither warms the other's cache alone.
        self.tree = os.path.join(work, name)
        os.mkdir(self.tree)
        run(["tar", "-C", self.tree, "-xpf", archive])
        os.makedirs(os.path.join(self.tree, "guest"), exist_ok=True)
        run(["mount", "--bind", GUESTS, os.path.join(self.tree, "guest")])
        os.makedirs(os.path.join(self.tree, "proc"), exist_ok=True)
        run(["mount", "-t", "proc", "proc", os.path.join(self.tree, "proc")])

    def inside(self, *words, options=()):
        return self.base + ["run", "-v", f"{GUESTS}:/guest:ro", *options, self.name, "--", *words]

    def chroot(self, *words):
        return ["env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", "chroot", self.tree, *words]

    def start(self):
        self.runner = subprocess.Popen(self.inside("sleep", "1000"), stdin=subprocess.DEVNULL)
        for _ in range(200):
            shown = json.loads(output(self.base + ["show", "--json", self.name]))
            if shown["state"] == "running":
                return shown
            time.sleep(0.05)
        raise RuntimeError(f"zone {self.name} does not start")

    def execute(self, *words):
        return self.base + ["exec", self.name, "--", *words]

    def counts(self):
        stats = json.loads(output(self.base + ["trace", "--stats", "--json", self.name]))
        return sum(call["count"] for call in stats["calls"])

    def stop(self):
        run(self.base + ["stop", "--time", "0", self.name])
        self.runner.wait()


def attempt(what, measure, *arguments):
    """One figure that cannot be had must not cost the others."""
    note(what)
    try:
        measure(*arguments)
    except (subprocess.CalledProcessError, RuntimeError, OSError, ValueError) as error:
        why = (getattr(error, "stderr", None) or str(error)).strip().splitlines()
        leave_out(what, why[-1] if why else repr(error))


def tree_zone(work, name, tree):
    try:
        return Zone(work, name, tree)
    except subprocess.CalledProcessError as error:
        why = (error.stderr or "").strip().splitlines()
        leave_out(f"everything in {tree}", why[-1] if why else "it could not be made")
        return None


def guest(name, abi="x86_64"):
    path = os.path.join(GUESTS, f"{name}-{abi}")
    return path if os.path.exists(path) else None


def bare_notification():
    """What a notification costs that nothing is done for: the least of any answer."""
    printed = output([os.path.join(ENV["BRANDZONE_BUILDDIR"], "tests/bench/bench-notify")])
    found = re.search(r"^answered, nothing else .* zone +(\d+) ns", printed, re.MULTILINE)
    return f"a notification that nothing is done for: {int(found[1]) / 1000:.2f} us" if found else ""


def ping_pong(cpu, other, turns=5000):
    """What it takes, in microseconds, that a byte in a pipe wakes a process of `other`."""
    there, back = os.pipe(), os.pipe()
    child = os.fork()
    if child == 0:
        os.sched_setaffinity(0, {other})
        for _ in range(turns):
            os.write(back[1], os.read(there[0], 1))
        os._exit(0)
    all_cpus = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {cpu})
    start = time.monotonic()
    for _ in range(turns):
        os.write(there[1], b"x")
        os.read(back[0], 1)
    took = time.monotonic() - start
    os.sched_setaffinity(0, all_cpus)
    os.waitpid(child, 0)
    for end in (*there, *back):
        os.close(end)
    return took / turns / 2 * 1e6


def wake_ups():
    """What is left of an exec's cost on several CPUs is wake-ups of another one, whose price is the (virtual) machine's."""
    cpus = sorted(os.sched_getaffinity(0))
    same, other = in_turns(5, lambda: ping_pong(cpus[0], cpus[0]), lambda: ping_pong(cpus[0], cpus[-1]))
    return f"to wake a process takes {same:.1f} us on this CPU, {other:.1f} us on another"


def single_calls(zone):
    bare = bare_notification()
    for abi, count in (("x86_64", 1000000), ("i386", 100000)):
        if guest("cost", abi) is None:
            leave_out(f"calls of {abi}", "the compiler cannot build these guests")
            continue
        program = f"/guest/cost-{abi}"
        here, least, there = in_turns(
            7,
            lambda: int(output([guest("cost", abi), "getppid", str(count)])),
            lambda: int(output([guest("cost", abi), "filtered", str(count)])),
            lambda: int(output(zone.inside(program, "getppid", str(count)))))
        add(f"allowed call, {abi}", f"{there:.0f} ns, native {here:.0f} ns: {there / here:.2f}", "1.2",
            there / here <= 1.2, f"below a filter that allows everything: {least / here:.2f}")
        here, there = in_turns(
            5,
            lambda: int(output([guest("cost", abi), "uname", "4000"])),
            lambda: int(output(zone.inside(program, "uname", "4000"))))
        # By int 0x80 a call may cost more on a virtual machine than its translation.
        goal, good = ("5 us", there <= 5000) if abi == "x86_64" else ("", None)
        add(f"translated uname, {abi}", f"{there / 1000:.2f} us, native {here / 1000:.2f} us", goal, good, bare)


def pair(zone, what, goal, times, *words, remark=""):
    def by_chroot():
        return seconds(zone.chroot(*words))

    def by_zone():
        return seconds(zone.inside(*words))

    # What it costs to start a zone is another line.
    start, = in_turns(5, lambda: seconds(zone.inside("/bin/true")))
    try:
        old, new = in_turns(times, by_chroot, by_zone)
    except subprocess.CalledProcessError as error:
        why = (error.stderr or "").strip().splitlines()
        leave_out(what, f"{' '.join(words[:2])}: {why[-1] if why else error}")
        return
    ratio = (new - start) / old
    add(what, f"{ratio:.3f} ({new - start:.3f} s, chroot {old:.3f} s)", f"{goal}", None if goal == "" else ratio <= goal, remark)


def programs(zone, what, goal, *words, remark=""):
    pair(zone, f"500 fork+exec, {what}", goal, 7, "/guest/cost-" + abi_of(zone), "exec", "500", *words, remark=remark)


def answered_programs(zone, what, goal, *words):
    """Of a brand that looks at what a program does as it starts; and the same without a second CPU."""
    all_cpus = os.sched_getaffinity(0)
    programs(zone, what, goal, *words, remark=wake_ups() if len(all_cpus) > 1 else "")
    if len(all_cpus) == 1:
        return
    os.sched_setaffinity(0, {min(all_cpus)})
    try:
        programs(zone, "the same on one CPU", "", *words)
    finally:
        os.sched_setaffinity(0, all_cpus)


def abi_of(zone):
    return json.loads(output(zone.base + ["show", "--json", zone.name]))["abi"]


def notifications(zone):
    """How many calls of a program are answered, seen over many."""
    zone.start()
    try:
        before = zone.counts()
        run(zone.execute("/bin/true"))
        one = zone.counts()
        count = 200
        loop = "i=0; while [ $i -lt %d ]; do /bin/true; i=$((i+1)); done" % count
        shell = "/bin/zsh" if os.path.exists(os.path.join(zone.tree, "bin/zsh")) else "/bin/sh"
        run(zone.execute(shell, "-c", loop))
        after = zone.counts()
    finally:
        zone.stop()
    per_exec = (after - one) / count
    add(f"notifications per exec, {zone.name}", f"{per_exec:.1f} (alone, by exec: {one - before})", "4", per_exec <= 4)


PROJECT = """
cd /tmp && rm -rf project && mkdir project && cd project
i=1
while test $i -le 20; do
  echo "int function_$i (int x) { int i; for (i = 0; i < $i; i++) x += i * x; return x; }" >part$i.c
  i=`expr $i + 1`
done
echo 'int main (void) { return 0; }' >main.c
echo 'OBJECTS = main.o' `ls part*.c | sed 's/c$/o/'` >Makefile
echo 'all: $(OBJECTS)' >>Makefile
echo '\t$(CC) -o program $(OBJECTS)' | sed 's/^.t/\t/' >>Makefile
make >/dev/null
"""


def project(zone):
    script = PROJECT.replace("\\t", "\t")
    what = "make of 21 C files, slackware"
    try:
        seconds(zone.chroot("/bin/sh", "-c", "gcc --version >/dev/null"))
    except subprocess.CalledProcessError as error:
        took, = in_turns(3, lambda: seconds(zone.inside("/bin/sh", "-c", script)))
        why = (error.stderr or "").strip().splitlines()
        add(what, f"{took:.2f} s", "", None, f"no ratio: by chroot its shell says {why[-1] if why else error}")
        return
    pair(zone, what, 1.05, 3, "/bin/sh", "-c", script)


def shadow_text(zone):
    """Calls of the vsyscall page, which become system calls, beside the kernel's emulation where it has one."""
    def by_chroot():
        try:
            return int(output(zone.chroot("/guest/vsyscall-x86_64", "any", "cost")))
        except subprocess.CalledProcessError:
            return 0  # this kernel has no vsyscall page

    here, there = in_turns(5, by_chroot,
                           lambda: int(output(zone.inside("/guest/vsyscall-x86_64", "rewritten", "cost"))))
    add("time() of an old libc", f"{there:.0f} ns, native {f'{here:.0f} ns' if here else 'impossible'}", "200 ns", there <= 200)
    zone.start()
    try:
        before = zone.counts()
        run(zone.execute("/bin/bash", "-c", "for i in {1..100}; do /bin/true; done"))
        middle = zone.counts()
        run(zone.execute("/bin/bash", "-c", "for i in {1..200}; do /bin/true; done"))
        per_exec = (zone.counts() - middle - (middle - before)) / 100
    finally:
        zone.stop()
    add(f"notifications per exec, {zone.name}", f"{per_exec:.1f}", "4", per_exec <= 4)


def starting(zone):
    """run /bin/true, beside others that start a partition."""
    options = ("--dev", "/dev", "--proc", "/proc", "--unshare-all")
    peers = [("brandzone", lambda: seconds(zone.base + ["run", zone.name, "--", "/bin/true"])),
             ("chroot", lambda: seconds(["chroot", zone.tree, "/bin/true"]))]
    missing = []
    if shutil.which("bwrap"):
        peers.append(("bubblewrap", lambda: seconds(["bwrap", "--bind", zone.tree, "/", *options, "/bin/true"])))
    else:
        missing.append("bubblewrap")
    if shutil.which("systemd-nspawn"):
        peers.append(("systemd-nspawn", lambda: seconds(
            ["systemd-nspawn", "-q", "--register=no", "--keep-unit", "-D", zone.tree, "/bin/true"])))
    else:
        missing.append("systemd-nspawn")
    if shutil.which("proot"):
        peers.append(("proot", lambda: seconds(["proot", "-r", zone.tree, "/bin/true"])))
    else:
        missing.append("proot")
    working = []
    for name, measure in peers:
        try:
            measure()
            working.append((name, measure))
        except subprocess.CalledProcessError as error:
            why = (error.stderr or "").strip().splitlines()
            leave_out(f"start of a program, {name}", why[-1] if why else str(error))
    medians = in_turns(31, *(measure for _, measure in working))
    for (name, _), took in zip(working, medians):
        own = name == "brandzone"
        add(f"start of a program, {name}", f"{took * 1000:.1f} ms", "15 ms" if own else "",
            took <= 0.015 if own else None)
    for name in missing:
        leave_out(f"start of a program, {name}", "it is not installed")


def booting(zone):
    """A BusyBox init from `start` to its getty's prompt, and `stop`, which has it shut down."""
    def said():
        return output(zone.base + ["logs", zone.name]).count("login:")

    ups, downs = [], []
    for _ in range(7):
        before, begun = said(), time.monotonic()
        run(zone.base + ["start", zone.name])
        while said() == before:
            if time.monotonic() - begun > 20:
                raise RuntimeError("no login prompt came")
        ups.append(time.monotonic() - begun)
        downs.append(seconds(zone.base + ["stop", zone.name]))
    for what, times, goal in (("boot of BusyBox to its prompt", ups, 0.15), ("its stop", downs, 0.2)):
        took = sorted(times)[len(times) // 2]
        add(what, f"{took * 1000:.0f} ms", f"{goal * 1000:.0f} ms", took <= goal)


def memory(zone):
    shown = zone.start()
    try:
        total = 0
        parts = []
        for name in ("keeper", "supervisor"):
            pid = shown.get(f"{name}_pid")
            if not pid:
                continue
            with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as file:
                size = sum(int(line.split()[1]) for line in file if line.startswith("Pss:"))
            total += size
            parts.append(f"{name} {size / 1024:.2f}")
    finally:
        zone.stop()
    add("memory of a zone (proportional)", f"{total / 1024:.2f} MiB ({', '.join(parts)})", "4 MiB", total <= 4096)


FOLD_FILES = 50000


def fold_tree(work):
    """50,000 empty files with inode numbers of 64 bits, by an overlay with xino=on."""
    layers = {name: os.path.join(work, "fold", name) for name in ("a", "b", "long")}
    for path in layers.values():
        os.makedirs(path)
    for name in ("a", "b"):
        run(["mount", "-t", "tmpfs", "-o", "inode32", "bench", layers[name]])
    for name in ("upper", "work"):
        os.mkdir(os.path.join(layers["b"], name))
    for directory in range(FOLD_FILES // 100):
        path = os.path.join(layers["a"], f"dir{directory:03}")
        os.mkdir(path)
        for file in range(100):
            with open(os.path.join(path, f"file-{file:03}"), "w", encoding="ascii"):
                pass
    run(["mount", "-t", "overlay", "-o", f"lowerdir={layers['a']},upperdir={layers['b']}/upper,"
         f"workdir={layers['b']}/work,xino=on", "bench", layers["long"]])
    return layers


def folding(zone, work):
    """The same commands over the same tree, of a userland whose ls and find could do without."""
    layers = fold_tree(work)
    volume = ("-v", f"{layers['long']}:/files")
    try:
        if guest("cost", "i386") is not None:
            words = ("/guest/cost-i386", "lstat", "4000", "/files/dir000/file-000")
            here, there = in_turns(
                5,
                lambda: int(output(zone.inside(*words, options=(*volume, "--brand", "native")))),
                lambda: int(output(zone.inside(*words, options=volume))))
            add("a string in, a structure out (lstat64, folded)", f"{there / 1000:.2f} us, native {here / 1000:.2f} us", "8 us",
                there <= 8000, bare_notification())
        for what, command in (("find", "find /files"), ("ls -lR", "ls -lR /files")):
            loop = ["/bin/bash", "-c", f"for i in 1 2 3; do {command} >/dev/null; done"]
            native, folded, off = in_turns(
                3,
                lambda words=loop: seconds(zone.inside(*words, options=(*volume, "--brand", "native"))),
                lambda words=loop: seconds(zone.inside(*words, options=volume)),
                lambda words=loop: seconds(zone.inside(*words, options=(*volume, "--fold-inodes=no"))))
            add(f"{what} over 50,000 files, inodes folded", f"{folded / native:.2f} ({folded:.3f} s, native {native:.3f} s)",
                "3", folded <= 3 * native)
            add(f"{what} over 50,000 files, not folded", f"{off / native:.3f} ({off:.3f} s)", "1.05", off <= 1.05 * native)
    finally:
        for name in ("long", "b", "a"):
            subprocess.run(["umount", "-l", layers[name]], check=False)


def timed(command):
    """Seconds on the wall, and of processor time."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    wall = seconds(command)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def against(work, what, goal, peer, ours, times):
    """Our installer and a peer, each into a new directory of the same file system. The installer also waits until
    what it wrote is on the disk, which peers don't: so does the peer's line here.

    Nothing is removed before the last turn, and who goes first changes: for minutes ext4 looks at every inode that
    was freed near the directory before it takes another one, and skips it (recently_deleted). With the tree of the
    turn before removed, the same 5,000 files cost 0.6 or 4 seconds, the later the more, whoever unpacks them. The
    first turn may pay for what others removed, and isn't counted."""
    samples = ([], [])
    places = []
    for turn in range(times + 1):
        for side in ((0, 1), (1, 0))[turn % 2]:
            places.append(os.path.join(work, f"unpacked-{len(places)}"))
            os.sync()
            taken = timed(["sh", "-c", (peer, ours)[side].replace("PLACE", places[-1])])
            if turn > 0:
                samples[side].append(taken)
    for place in places:
        shutil.rmtree(place, ignore_errors=True)
    ratios = [statistics.median(here[i] / there[i] for there, here in zip(*samples)) for i in (0, 1)]
    there, here = (statistics.median(wall for wall, _ in sample) for sample in samples)
    add(what, f"{ratios[0]:.3f} ({here:.2f} s, {there:.2f} s)", f"{goal}", ratios[0] <= goal,
        f"processor time {ratios[1]:.3f}")


def installing(work, tree):
    """The installer beside bsdtar and umoci: the CentOS tree as a tar archive and as an OCI image."""
    installer = os.path.join(ENV["BRANDZONE_BUILDDIR"], "brandzone-install")
    archive = output([MAKE_TREE, "--tar", tree])
    times = 1 if QUICK else 5
    for suffix, packer in (("tar", "cat"), ("tar.gz", "gzip -1")):
        source = os.path.join(work, f"source.{suffix}")
        run(["sh", "-c", f"{packer} <'{archive}' >'{source}'"])
        if shutil.which("bsdtar") is None:
            leave_out(f"install of a {suffix}", "bsdtar is missing (libarchive-tools)")
            continue
        against(work, f"install of a {suffix}, bsdtar's time", 1.15,
                f"mkdir PLACE && bsdtar -C PLACE -xpf '{source}' && sync -f PLACE", f"'{installer}' --list=list.mtree '{source}' PLACE", times)
    if shutil.which("umoci") is None:
        leave_out("install of an OCI image", "umoci is missing")
        return
    layout = os.path.join(work, "layout")
    run(["umoci", "init", "--layout", layout])
    run(["umoci", "new", "--image", layout + ":old"])
    run(["umoci", "raw", "add-layer", "--image", layout + ":old", archive])
    against(work, "install of an OCI image, umoci's time", 1.0,
            f"umoci unpack --image '{layout}:old' PLACE && sync -f PLACE", f"'{installer}' --list=list.mtree '{layout}' PLACE", times)


def cloning(work, name):
    """A zone of a gigabyte, which costs what an empty one costs."""
    base = [BRANDZONE, "--root", os.path.join(work, "state"), "-q"]
    run(base + ["run", name, "--", "dd", "if=/dev/zero", "of=/gigabyte", "bs=1048576", "count=1024"])
    run(["sync", "-f", work])
    taken = []
    for number in range(3 if QUICK else 9):
        taken.append(seconds(base + ["clone", name, f"clone{number}"]))
    took = statistics.median(taken[1:])  # the first one makes a layer of the tree
    way = json.loads(output(base + ["show", "--json", "clone0"]))["storage"]
    run(base + ["remove", *(f"clone{number}" for number in range(len(taken)))])
    run(base + ["run", name, "--", "rm", "/gigabyte"])
    add("clone of a zone of 1 GB", f"{took * 1000:.0f} ms, the first {taken[0] * 1000:.0f} ms", "50 ms", took <= 0.05, way)


def table():
    heads = ("WHAT", "FIGURE", "GOAL (AT MOST)", "VERDICT", "REMARK")
    widths = [max(len(row[i]) for row in [heads, *rows]) for i in range(4)]
    for row in [heads, *rows]:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths)) + "  " + row[4])


def measure_all(work):
    turns = 3 if QUICK else 5
    traps_nothing = tree_zone(work, "bullseye", "bullseye-i386")
    alpine = tree_zone(work, "alpine", "alpine-x86")
    el6 = tree_zone(work, "centos6", "centos-6.8")
    libc5 = tree_zone(work, "slackware", "slackware-4.0")
    if el6 is not None:
        attempt("single calls", single_calls, el6)
        attempt("shadow text", shadow_text, el6)
        attempt("fork and exec, centos 6", answered_programs, el6, "centos 6.8 (shadow text)", 1.2, "/bin/true")
    if alpine is not None:
        attempt("fork and exec, alpine", programs, alpine, "alpine i386", 1.05, "/bin/true")
    if traps_nothing is not None:
        attempt("fork and exec, bullseye", programs, traps_nothing, "bullseye i386", 1.05, "/bin/true")
        attempt("find", pair, traps_nothing, "find, bullseye i386", 1.05, turns + 2, "/bin/sh", "-c",
                "for i in 1 2 3 4 5; do find /usr /etc /var /lib -xdev -ls >/dev/null; done")
        attempt("tar", pair, traps_nothing, "tar | gzip, bullseye i386", 1.05, turns, "/bin/sh", "-c",
                "tar cf - /usr/bin /usr/share/doc /etc /var | gzip -1 >/dev/null")
    if libc5 is not None:
        attempt("fork and exec, slackware", answered_programs, libc5, "slackware (libc5)", 1.12,
                # Its true is a script, and by chroot its shell does not run.
                "/bin/ls", "-d", "/")
        attempt("tar, slackware", pair, libc5, "tar | gzip, slackware (libc5)", 1.12, turns, "/bin/zsh", "-c",
                "tar cf - /usr/bin /etc /usr/include | gzip -1 >/dev/null")
        attempt("notifications per exec", notifications, libc5)
        attempt("make", project, libc5)
    folds = tree_zone(work, "fedora", "fedora-core2")
    if folds is not None:
        attempt("inodes folded", folding, folds, work)
    if alpine is not None:
        attempt("starting", starting, alpine)
        attempt("booting", booting, alpine)
    attempt("installing", installing, work, "centos-6.8")
    if alpine is not None:
        attempt("cloning", cloning, work, "alpine")
    for zone in (el6, libc5):
        if zone is not None:
            attempt("memory", memory, zone)
            break


def main():
    if not os.path.exists(os.path.join(GUESTS, "built")):
        raise SystemExit("bench: the guest programs are not built (make tests/guest/built)")
    work = tempfile.mkdtemp(prefix="brandzone-bench.")
    try:
        measure_all(work)
    finally:
        for name in os.listdir(work):
            for place in ("guest", "proc"):
                subprocess.run(["umount", "-l", os.path.join(work, name, place)], check=False,
                               stderr=subprocess.DEVNULL)
        # Never through a mount that could not be ended.
        with open("/proc/self/mountinfo", encoding="ascii") as mounts:
            if work not in mounts.read():
                shutil.rmtree(work, ignore_errors=True)
    print(f"Linux {os.uname().release}, {os.cpu_count()} CPUs, load {os.getloadavg()[0]:.1f}")
    table()


if __name__ == "__main__":
    main()
