## tests: guest programs, real trees end to end, benchmarks. Unit tests and fuzz harnesses
## are listed by the directory that they test.

BZ_GUESTS = conform intrude boot clock cost fuse gone heap inodes limits loop memory missing modules mounts newer note release rights sizes storm sysctl
BZ_GUEST_FILES = tests/guest/guest.c tests/guest/guest.h tests/guest/serve.h \
	tests/guest/conform.c tests/guest/intrude.c \
	tests/guest/boot.c tests/guest/clock.c tests/guest/cost.c tests/guest/fuse.c tests/guest/gone.c tests/guest/heap.c tests/guest/inodes.c \
	tests/guest/limits.c tests/guest/loop.c tests/guest/memory.c tests/guest/missing.c \
	tests/guest/modules.c tests/guest/mounts.c tests/guest/newer.c tests/guest/note.c tests/guest/release.c tests/guest/rights.c tests/guest/sizes.c tests/guest/storm.c \
	tests/guest/sysctl.c
BZ_GUESTS += rename served
BZ_GUEST_FILES += tests/guest/rename.c tests/guest/served.c
# The vsyscall page is of x86-64 alone.
BZ_GUESTS_64 = hang lastresort library loads steal vsyscall
BZ_GUEST_FILES += tests/guest/hang.c tests/guest/lastresort.c tests/guest/library.c tests/guest/loads.c tests/guest/steal.c tests/guest/vsyscall.c

# No libc, so none of the user's flags: see guest.h. They are built into tests/guest/NAME-ABI.
BZ_GUEST_FLAGS = -std=gnu11 -O2 -Wall -Wextra -ffreestanding -fno-stack-protector -fno-pie \
	-fno-asynchronous-unwind-tables -nostdlib -static -Wl,-z,noexecstack -Wl,--build-id=none
if HAVE_M32
BZ_GUEST_ABIS = i386:-m32 x86_64:-m64
else
BZ_GUEST_ABIS = x86_64:-m64
endif

tests/guest/built: $(BZ_GUEST_FILES)
	$(AM_V_GEN)$(MKDIR_P) tests/guest && rm -f $@ && for name in $(BZ_GUESTS); do \
	  for abi in $(BZ_GUEST_ABIS); do \
	    $(CC) $(BZ_GUEST_FLAGS) "$${abi#*:}" -o "tests/guest/$$name-$${abi%:*}" \
	      '$(srcdir)/tests/guest/guest.c' "$(srcdir)/tests/guest/$$name.c" || exit 1; \
	  done; \
	done && for name in $(BZ_GUESTS_64); do \
	  $(CC) $(BZ_GUEST_FLAGS) -m64 -o "tests/guest/$$name-x86_64" \
	    '$(srcdir)/tests/guest/guest.c' "$(srcdir)/tests/guest/$$name.c" || exit 1; \
	done && touch $@

check_DATA += tests/guest/built
CLEANFILES += tests/e2e.lock tests/hosts/initrd-* tests/guest/built tests/guest/*-i386 tests/guest/*-x86_64

BZ_E2E = tests/e2e/boot.sh tests/e2e/login.sh tests/e2e/refresh.sh tests/e2e/calls.sh tests/e2e/config.sh tests/e2e/files.sh tests/e2e/inodes.sh tests/e2e/install.sh tests/e2e/interactive.sh tests/e2e/loader.sh tests/e2e/masks.sh tests/e2e/media.sh tests/e2e/mounts.sh tests/e2e/program.sh tests/e2e/ptys.sh tests/e2e/remounts.sh tests/e2e/rights.sh tests/e2e/run.sh \
	tests/e2e/autostart.sh \
	tests/e2e/machine.sh tests/e2e/packages.sh \
	tests/e2e/old-packages.sh tests/e2e/newer.sh \
	tests/e2e/crash.sh tests/e2e/export.sh tests/e2e/storage.sh tests/e2e/ways.sh tests/e2e/bases.sh \
	tests/e2e/network.sh tests/e2e/odd.sh tests/e2e/hostile.sh tests/e2e/supervisor.sh \
	tests/e2e/sources.sh \
	tests/e2e/systemd.sh tests/e2e/services.sh \
	tests/e2e/terminal.sh tests/e2e/trees.sh tests/e2e/users.sh tests/e2e/vsyscall.sh
BZ_E2E += tests/e2e/intrude.sh
BZ_E2E += tests/e2e/plain.sh tests/e2e/versions.sh
if HOST_TESTS
TESTS += $(BZ_E2E)
endif

bench: tests/guest/built

EXTRA_DIST += $(BZ_GUEST_FILES) $(BZ_E2E) tests/e2e/lib.sh tests/e2e/services-lib.sh tests/e2e/.shellcheckrc \
	tests/e2e/talk.py tests/e2e/terminal.py tests/e2e/range-server.py tests/e2e/https-server.py tests/e2e/hostile-sources.py tests/e2e/kill-at.py tests/e2e/kill-supervisors.py tests/e2e/vsyscall.py tests/trees/make-tree tests/trees/make-packages tests/trees/make-debs tests/bench/run-bench tests/bench/bench.py

## hosts: the same tests on stock kernels, booted under software emulation (tests/hosts/run-host).

check_PROGRAMS += tests/hosts/load-modules
tests_hosts_load_modules_SOURCES = tests/hosts/load-modules.c

BZ_HOSTS = tests/hosts/host-5.10.sh tests/hosts/host-6.1.sh \
	tests/hosts/host-6.1-xonly.sh tests/hosts/host-6.12.sh tests/hosts/host-6.12-emulate.sh \
	tests/hosts/host-6.12-no-ia32.sh tests/hosts/host-6.12-systemd.sh tests/hosts/host-life.sh tests/hosts/host-units.sh tests/hosts/host-6.1-vsyscall.sh tests/hosts/host-6.12-vsyscall.sh
BZ_HOSTS += tests/hosts/host-6.1-packages.sh tests/hosts/host-6.1-newer.sh tests/hosts/host-nfs.sh
if HOST_TESTS
TESTS += $(BZ_HOSTS)
endif
EXTRA_DIST += $(BZ_HOSTS) tests/hosts/lib.sh tests/hosts/run-host tests/hosts/get-kernel \
	tests/hosts/make-guest tests/hosts/init tests/hosts/guest-tests.sh tests/hosts/life-guest.sh tests/hosts/nfs-guest.sh tests/hosts/unit-guest.sh tests/hosts/.shellcheckrc

## parts of `check`: what this machine's kernel can tell, what needs no zone, the other kernels.
check-here check-units check-kernels: all
	@list=; for test in $(TESTS); do \
	  case $@:$$test in \
	    check-kernels:tests/hosts/* | check-here:tests/[!h]*/* | check-units:tests/[!eh]*/*) list="$$list $$test" ;; \
	  esac; \
	done; $(MAKE) $(AM_MAKEFLAGS) check TESTS="$$list"

.PHONY: check-here check-units check-kernels
EXTRA_DIST += tests/masks tests/trees/make-old-packages
