"""Sources that a newcomer's bad luck, or somebody's ill will, may hand to install: hostile-sources.py DIRECTORY."""

import io
import lzma
import os
import socket
import struct
import sys
import tarfile
import zipfile

FILE, DIR, SYM, LINK, FIFO = (tarfile.REGTYPE, tarfile.DIRTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE)
BASE = [("etc", DIR), ("bin", DIR), ("etc/passwd", FILE, b"root:x:0:0::/:/bin/sh\n")]


def tar(name, members, **keywords):
    """members: (name, type, contents or target, mode)."""
    with tarfile.open(name, "w", **keywords) as archive:
        for member in members:
            entry = tarfile.TarInfo(member[0])
            entry.type = member[1]
            entry.mode = member[3] if len(member) > 3 else 0o755
            what = member[2] if len(member) > 2 else ""
            if isinstance(what, bytes):
                entry.size = len(what)
                archive.addfile(entry, io.BytesIO(what))
            else:
                entry.linkname = what
                archive.addfile(entry)


def write(name, data):
    with open(name, "wb") as file:
        file.write(data)


def listen(path):
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(path)


def archives():
    tar("whole.tar", BASE + [("bin/big", FILE, os.urandom(300000))])
    with open("whole.tar", "rb") as file:
        whole = file.read()
    packed = lzma.compress(whole)
    write("truncated.tar.xz", packed[: len(packed) // 2])
    damaged = bytearray(whole)
    damaged[1024 + 3] ^= 0x20  # in the name of the third entry
    write("damaged-header.tar", damaged)
    with zipfile.ZipFile("traversal.zip", "w") as file:
        file.writestr("etc/passwd", "x")
        file.writestr("../../../../escaped", "x")
    tar("nothing.tar", [(".", DIR)])
    tar("root-file.tar", [(".", FILE, b"x")] + BASE)
    tar("root-link.tar", [("./", SYM, "/tmp")] + BASE)
    tar("root-fifo.tar", [(".", FIFO)] + BASE)
    tar("through-link.tar", BASE + [("etc/d", SYM, "/tmp"), ("etc/d/escaped", FILE, b"x")])
    tar("link-out.tar", BASE + [("etc/h", LINK, "../../../../etc/shadow")])
    tar("link-to-directory.tar", BASE + [("h", LINK, "etc")])
    tar("long-name.tar", BASE + [("etc/" + "n" * 300, FILE, b"x")], format=tarfile.PAX_FORMAT)


def good_archives():
    tar("newlines.tar", BASE + [("etc/a\nb", FILE, b"x"), ("etc/c\td e\\", FILE, b"x"), ("etc/\033[31m", FILE, b"x"),
                                ("etc/n\nl", SYM, "a\nb")])
    tar("link-to-link.tar", BASE + [("etc/s", SYM, "/etc/shadow"), ("etc/h", LINK, "etc/s"), ("etc/h", FILE, b"mine")])
    tar("link-to-itself.tar", BASE + [("etc/passwd", LINK, "etc/passwd")])
    tar("loops.tar", [("etc", SYM, "etc"), ("bin", SYM, "bin"), ("lib", SYM, "/lib")])
    tar("odd-kinds.tar", [("etc/passwd", DIR), ("etc/group", FIFO), ("etc/os-release", FIFO), ("bin/sh", FIFO)])
    tar("locked.tar", [("etc", DIR, "", 0), ("etc/passwd", FILE, b"x", 0)])
    tar("deep.tar", BASE + [("/".join(["d" * 20] * 300), DIR)], format=tarfile.PAX_FORMAT)
    with tarfile.open("attributes.tar", "w", format=tarfile.PAX_FORMAT) as archive:
        entry = tarfile.TarInfo("etc/passwd")
        entry.pax_headers = {"SCHILY.xattr.security.capability": "garbage", "SCHILY.xattr.trusted.overlay.opaque": "y",
                             "SCHILY.xattr.user.big": "x" * 70000, "mtime": "9" * 20, "uid": "99999999999"}
        archive.addfile(entry)


def terabyte():
    """The first header of GNU tar's pax form 1.0 for a file that is one hole, and its map."""
    headers = {"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.name": "etc/terabyte",
               "GNU.sparse.realsize": str(1 << 40)}
    with tarfile.open("terabyte.tar", "w", format=tarfile.PAX_FORMAT) as archive:
        entry = tarfile.TarInfo("etc/GNUSparseFile.1/terabyte")
        entry.pax_headers = headers
        entry.size = 512
        sparse_map = f"1\n{1 << 40}\n0\n".encode()
        archive.addfile(entry, io.BytesIO(sparse_map.ljust(512, b"\0")))


def directories():
    os.makedirs("directory/etc")
    write("directory/etc/passwd", b"root:x:0:0::/:/bin/sh\n")
    os.mkfifo("directory/etc/fifo")
    listen("directory/socket")
    os.mkdir("empty-directory")
    os.makedirs("layout")
    write("layout/oci-layout", b'{"imageLayoutVersion":"1.0.0"}')
    write("layout/index.json", b'{"schemaVersion":2,"manifests":[{"digest":"sha256:../../../etc/passwd","size":9}]}')


def images():
    header = struct.pack(">IIQIIQIIQQIIQ", 0x514649FB, 2, 0x1000, 11, 16, 1 << 20, 0, 1, 0x30000, 0x10000, 1, 0, 0)
    write("backing.qcow2", (header.ljust(0x1000, b"\0") + b"/etc/shadow").ljust(0x50000, b"\0"))
    disk = bytearray(1 << 20)
    for at, (start, count) in enumerate([(1, 1500), (100, 1500), (2, 1), (1, 4000)]):
        struct.pack_into("<BBBBBBBBII", disk, 446 + 16 * at, 0, 0, 0, 0, 0x83, 0, 0, 0, start, count)
    disk[510:512] = b"\x55\xaa"
    write("overlapping.img", disk)
    disk = bytearray(1 << 20)
    struct.pack_into("<BBBBBBBBII", disk, 446, 0, 0, 0, 0, 0xEE, 0, 0, 0, 1, 0xFFFFFFFF)
    disk[510:520] = b"\x55\xaaEFI PART"
    struct.pack_into("<IIIIQQQQ16sQIII", disk, 520, 0x10000, 92, 0, 0, 1, 2047, 34, 2000, b"\1" * 16, 2, 0xFFFFFFFF,
                     0xFFFFFFFF, 0)
    write("absurd-gpt.img", disk)
    disk = bytearray(1 << 20)
    struct.pack_into("<HHHHHHIH", disk, 1024, *[0xFFFF] * 5, 0, 0x7FFFFFFF, 0x137F)
    write("absurd-minix.img", disk)
    write("zeros", bytes(1 << 20))
    write("random", os.urandom(100000))
    write("empty", b"")


def million():
    with tarfile.open("million.tar", "w", format=tarfile.USTAR_FORMAT) as archive:
        for number in range(1000000):
            archive.addfile(tarfile.TarInfo(f"usr/{number // 1000:03}/{number}"))


def main():
    os.chdir(sys.argv[1])
    if len(sys.argv) > 2:
        million()
        return
    for make in (archives, good_archives, terabyte, directories, images):
        make()
    listen("socket")
    os.symlink("loop", "loop")


main()
