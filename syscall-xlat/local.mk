## syscall-xlat
noinst_LIBRARIES += libxlat.a
libxlat_a_SOURCES =

## --- tables, filter, simulator ---
libxlat_a_SOURCES += \
	syscall-xlat/call.h \
	syscall-xlat/compile.h \
	syscall-xlat/filter-cache.c \
	syscall-xlat/filter.c \
	syscall-xlat/filter.h \
	syscall-xlat/program-release.c \
	syscall-xlat/program-release.h \
	syscall-xlat/prologue.c \
	syscall-xlat/prologue.h \
	syscall-xlat/simulate.c \
	syscall-xlat/simulate.h \
	syscall-xlat/table.c \
	syscall-xlat/table.h \
	syscall-xlat/verify.c

bz_tables = syscall-xlat/tables/i386.tbl syscall-xlat/tables/x86_64.tbl
bz_gen_tables = syscall-xlat/tables/gen-tables.awk
bz_made_tables = syscall-xlat/tables/i386.inc syscall-xlat/tables/x86_64.inc
EXTRA_DIST += $(bz_tables) $(bz_gen_tables)
BUILT_SOURCES += $(bz_made_tables)
CLEANFILES += $(bz_made_tables)

SUFFIXES = .tbl .inc
.tbl.inc:
	@$(MKDIR_P) $(@D)
	$(AM_V_GEN)$(AWK) -v mode=rows -f $(srcdir)/$(bz_gen_tables) $(srcdir)/brand/quirks.def $< >$@.tmp && mv $@.tmp $@
$(bz_made_tables): $(bz_gen_tables) brand/quirks.def
syscall-xlat/table.$(OBJEXT): $(bz_made_tables)

# The manual's lists come from the tables.
nodist_man_MANS += doc/brandzone-syscalls.7
EXTRA_DIST += doc/brandzone-syscalls.7.in doc/adding-a-call.md
CLEANFILES += doc/brandzone-syscalls.7
EXTRA_DIST += zone/gen-rows.awk
doc/brandzone-syscalls.7: doc/brandzone-syscalls.7.in $(bz_tables) $(bz_gen_tables) brand/quirks.def zone/rows.def zone/gen-rows.awk
	@$(MKDIR_P) doc
	$(AM_V_GEN)$(AWK) -v mode=manual -f $(srcdir)/$(bz_gen_tables) $(srcdir)/brand/quirks.def \
	  $(srcdir)/syscall-xlat/tables/i386.tbl $(srcdir)/syscall-xlat/tables/x86_64.tbl >$@.lists \
	  && $(AWK) -f $(srcdir)/zone/gen-rows.awk $(srcdir)/zone/rows.def >$@.rows \
	  && sed -e '/^@TABLES@$$/r $@.lists' -e '/^@TABLES@$$/d' -e '/^@ROWS@$$/r $@.rows' -e '/^@ROWS@$$/d' \
	    $(srcdir)/doc/brandzone-syscalls.7.in >$@.tmp \
	  && rm -f $@.lists $@.rows && mv $@.tmp $@

bz_filter_tests = tests/unit/test-table tests/unit/test-filter tests/unit/test-filter-cache \
	tests/unit/test-filter-kernel tests/unit/test-simulate
bz_filter_test_libs = libxlat.a libbrand.a $(SECCOMP_LIBS) $(ELF_LIBS) $(GLIB_LIBS) $(CMOCKA_LIBS)
bz_plan_text = tests/unit/plan-text.c tests/unit/plan-text.h
if HAVE_CMOCKA
check_PROGRAMS += $(bz_filter_tests)
TESTS += $(bz_filter_tests)
endif
EXTRA_DIST += tests/unit/filter-cases.txt
tests_unit_test_table_SOURCES = tests/unit/test-table.c $(bz_plan_text)
tests_unit_test_table_LDADD = $(bz_filter_test_libs)
tests_unit_test_filter_SOURCES = tests/unit/test-filter.c $(bz_plan_text)
tests_unit_test_filter_LDADD = $(bz_filter_test_libs)
tests_unit_test_filter_cache_SOURCES = tests/unit/test-filter-cache.c $(bz_plan_text)
tests_unit_test_filter_cache_LDADD = $(bz_filter_test_libs)
tests_unit_test_filter_kernel_SOURCES = tests/unit/test-filter-kernel.c $(bz_plan_text)
tests_unit_test_filter_kernel_LDADD = $(bz_filter_test_libs)
tests_unit_test_simulate_SOURCES = tests/unit/test-simulate.c
tests_unit_test_simulate_LDADD = $(bz_filter_test_libs)

if FUZZERS
noinst_PROGRAMS += tests/fuzz/fuzz-simulate
endif
tests_fuzz_fuzz_simulate_SOURCES = tests/fuzz/fuzz-simulate.c
tests_fuzz_fuzz_simulate_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer,address,undefined
tests_fuzz_fuzz_simulate_LDADD = libxlat.a libbrand.a $(SECCOMP_LIBS) $(ELF_LIBS) $(GLIB_LIBS)
## --- end of tables, filter, simulator ---

## --- journal, loop, calls ---
libxlat_a_SOURCES += \
	syscall-xlat/answer.c \
	syscall-xlat/calls/affinity.c \
	syscall-xlat/calls/affinity-guest.c \
	syscall-xlat/calls/affinity-guest.h \
	syscall-xlat/calls/audit.c \
	syscall-xlat/calls/bdflush.c \
	syscall-xlat/calls/brk.c \
	syscall-xlat/calls/clock.c \
	syscall-xlat/calls/directory.c \
	syscall-xlat/calls/gone.c \
	syscall-xlat/calls/groups.c \
	syscall-xlat/calls/guest.h \
	syscall-xlat/calls/handlers.h \
	syscall-xlat/calls/image.c \
	syscall-xlat/calls/modules.c \
	syscall-xlat/calls/newer.c \
	syscall-xlat/calls/nfs-guest.c \
	syscall-xlat/calls/nfs-guest.h \
	syscall-xlat/calls/nodes.c \
	syscall-xlat/calls/owners.c \
	syscall-xlat/calls/personality.c \
	syscall-xlat/calls/ptys.c \
	syscall-xlat/calls/reboot.c \
	syscall-xlat/calls/release.c \
	syscall-xlat/calls/rlimits.c \
	syscall-xlat/calls/stat.c \
	syscall-xlat/calls/stat-guest.c \
	syscall-xlat/calls/stat-guest.h \
	syscall-xlat/calls/statfs.c \
	syscall-xlat/calls/statfs-guest.c \
	syscall-xlat/calls/statfs-guest.h \
	syscall-xlat/calls/sysctl.c \
	syscall-xlat/calls/sysctl-names.def \
	syscall-xlat/calls/sysctl-value.c \
	syscall-xlat/calls/sysctl-value.h \
	syscall-xlat/calls/sysinfo.c \
	syscall-xlat/calls/syslog.c \
	syscall-xlat/calls/loops.c \
	syscall-xlat/calls/mount.c \
	syscall-xlat/calls/terminal.c \
	syscall-xlat/disguise.c \
	syscall-xlat/disguise.h \
	syscall-xlat/events.c \
	syscall-xlat/files.c \
	syscall-xlat/files.h \
	syscall-xlat/fold.c \
	syscall-xlat/fold.h \
	syscall-xlat/heap.c \
	syscall-xlat/heap.h \
	syscall-xlat/journal.c \
	syscall-xlat/journal.h \
	syscall-xlat/loop.c \
	syscall-xlat/loop-data.h \
	syscall-xlat/loop.h \
	syscall-xlat/pin.c \
	syscall-xlat/pin.h \
	syscall-xlat/remote.c \
	syscall-xlat/remote.h \
	syscall-xlat/slot.h \
	syscall-xlat/starting.c \
	syscall-xlat/starting.h \
	syscall-xlat/task.c \
	syscall-xlat/images.h \
	syscall-xlat/task-directory.c \
	syscall-xlat/task-fd.c \
	syscall-xlat/task-file.c \
	syscall-xlat/mounter.h \
	syscall-xlat/task-mount.c \
	syscall-xlat/task-pty.c \
	syscall-xlat/task-job.h \
	syscall-xlat/task-node.c \
	syscall-xlat/task-owner.c \
	syscall-xlat/task-look.c \
	syscall-xlat/task-look.h \
	syscall-xlat/task.h \
	syscall-xlat/watch.c \
	syscall-xlat/worker-pin.c \
	syscall-xlat/worker-files.c

bz_fake = tests/unit/fake-call.c tests/unit/fake-call.h tests/unit/fake-files.c tests/unit/fake-files.h
bz_loop_tests = tests/unit/test-journal tests/unit/test-calls tests/unit/test-calls-rights tests/unit/test-fold tests/unit/test-calls-sysctl \
	tests/unit/test-task tests/unit/test-loop tests/unit/test-succession tests/unit/test-heap
bz_loop_test_libs = libxlat.a libbrand.a $(GLIB_LIBS) $(CMOCKA_LIBS) -lpthread
if HAVE_CMOCKA
check_PROGRAMS += $(bz_loop_tests)
TESTS += $(bz_loop_tests)
endif
tests_unit_test_journal_SOURCES = tests/unit/test-journal.c
tests_unit_test_journal_LDADD = $(bz_loop_test_libs)
tests_unit_test_calls_SOURCES = tests/unit/test-calls.c $(bz_fake) \
	tests/unit/made-up-tree.c tests/unit/made-up-tree.h
tests_unit_test_calls_LDADD = $(bz_loop_test_libs)
tests_unit_test_calls_rights_SOURCES = tests/unit/test-calls-rights.c $(bz_fake)
tests_unit_test_calls_rights_LDADD = $(bz_loop_test_libs)
tests_unit_test_calls_sysctl_SOURCES = tests/unit/test-calls-sysctl.c $(bz_fake)
tests_unit_test_calls_sysctl_LDADD = $(bz_loop_test_libs)
tests_unit_test_fold_SOURCES = tests/unit/test-fold.c $(bz_fake)
tests_unit_test_fold_LDADD = $(bz_loop_test_libs)
tests_unit_test_task_SOURCES = tests/unit/test-task.c
tests_unit_test_task_LDADD = $(bz_loop_test_libs)
tests_unit_test_loop_SOURCES = tests/unit/test-loop.c tests/unit/notified.c tests/unit/notified.h
tests_unit_test_loop_LDADD = $(bz_loop_test_libs)
tests_unit_test_heap_SOURCES = tests/unit/test-heap.c tests/unit/notified.c tests/unit/notified.h
tests_unit_test_heap_LDADD = $(bz_loop_test_libs)
## Its copy of the loop stops at test points.
tests_unit_test_succession_SOURCES = tests/unit/test-succession.c tests/unit/notified.c tests/unit/notified.h \
	syscall-xlat/answer.c syscall-xlat/loop.c
tests_unit_test_succession_CPPFLAGS = $(AM_CPPFLAGS) -DBZ_TEST_POINTS
tests_unit_test_succession_LDADD = $(bz_loop_test_libs)

if FUZZERS
noinst_PROGRAMS += tests/fuzz/fuzz-sysctl tests/fuzz/fuzz-calls tests/fuzz/fuzz-fold
endif
tests_fuzz_fuzz_sysctl_SOURCES = tests/fuzz/fuzz-sysctl.c
tests_fuzz_fuzz_sysctl_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer,address,undefined
tests_fuzz_fuzz_sysctl_LDADD = libxlat.a libbrand.a $(GLIB_LIBS)
tests_fuzz_fuzz_calls_SOURCES = tests/fuzz/fuzz-calls.c $(bz_fake)
tests_fuzz_fuzz_calls_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer,address,undefined
tests_fuzz_fuzz_calls_LDADD = libxlat.a libbrand.a $(GLIB_LIBS)

tests_fuzz_fuzz_fold_SOURCES = tests/fuzz/fuzz-fold.c
tests_fuzz_fuzz_fold_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer,address,undefined
tests_fuzz_fuzz_fold_LDADD = libxlat.a libbrand.a $(GLIB_LIBS)

check_PROGRAMS += tests/bench/bench-notify
tests_bench_bench_notify_SOURCES = tests/bench/bench-notify.c
tests_bench_bench_notify_LDADD = libxlat.a libbrand.a $(GLIB_LIBS) -lpthread
## --- end of journal, loop, calls ---
