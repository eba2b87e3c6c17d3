## zone: configuration, state, the command line
noinst_LIBRARIES += libzone.a
libzone_a_SOURCES = \
	zone/apply.c \
	zone/apply.h \
	zone/base.c \
	zone/base.h \
	zone/boot-edits.c \
	zone/boot-edits.h \
	zone/boot-family.c \
	zone/boot-family.h \
	zone/boot.c \
	zone/boot.h \
	zone/check-libraries.c \
	zone/check-private.h \
	zone/check-rules.c \
	zone/check-shadow.c \
	zone/check.c \
	zone/check.h \
	zone/command.c \
	zone/commands.c \
	zone/completion-fish.c \
	zone/completion.c \
	zone/context.c \
	zone/context.h \
	zone/copy-way.c \
	zone/copy-way.h \
	zone/counts.c \
	zone/counts.h \
	zone/cp.c \
	zone/cp.h \
	zone/difference.c \
	zone/difference.h \
	zone/dirs.c \
	zone/dirs.h \
	zone/finding.c \
	zone/finding.h \
	zone/call-arguments.def \
	zone/findings.def \
	zone/help.c \
	zone/help.h \
	zone/ids.c \
	zone/ids.h \
	zone/inodes.c \
	zone/inodes.h \
	zone/json.c zone/listing.c zone/listing.h \
	zone/key-name.c \
	zone/key-name.h \
	zone/layers.c \
	zone/layers.h \
	zone/lock.c \
	zone/install-packages.c \
	zone/install-report.c \
	zone/install-run.c \
	zone/install-share.c \
	zone/install-source.c \
	zone/install-work.h \
	zone/installed.c \
	zone/installed.h \
	zone/manifest.c \
	zone/manifest.h \
	zone/meter.c \
	zone/named-source.c \
	zone/named-source.h \
	zone/names.c \
	zone/names.h \
	zone/notify.c \
	zone/notify.h \
	zone/one-libraries.c \
	zone/one-libraries.h \
	zone/package-data.c \
	zone/package-data.h \
	zone/one-program.c \
	zone/one-program.h \
	zone/options.c \
	zone/options.h \
	zone/network-values.c \
	zone/network.c \
	zone/network.h \
	zone/output.c \
	zone/output.h \
	zone/planning.c \
	zone/planning.h \
	zone/prepare.c \
	zone/prepare.h \
	zone/program.c \
	zone/program.h \
	zone/registry.c \
	zone/registry.h \
	zone/rows.def \
	zone/save.c \
	zone/save.h \
	zone/scratch.c \
	zone/scratch.h \
	zone/from-ssh.c \
	zone/from-ssh.h \
	zone/p2v.c \
	zone/p2v.h \
	zone/repo-edits.c \
	zone/repo-edits.h \
	zone/tree-copy-pass.c \
	zone/tree-copy-pass.h \
	zone/tree-copy.c \
	zone/tree-copy.h \
	zone/tree-look.c \
	zone/tree-look.h \
	zone/tree-edit.c \
	zone/tree-list.c \
	zone/tree-list.h \
	zone/tree-edit.h \
	zone/second-stage.c \
	zone/second-stage.h \
	zone/sharing.c \
	zone/sharing.h \
	zone/snapshots.c \
	zone/snapshots.h \
	zone/state-record.c \
	zone/state.c \
	zone/state.h \
	zone/still.c \
	zone/still.h \
	zone/storage-options.c \
	zone/storage-options.h \
	zone/storage.c \
	zone/storage.h \
	zone/trace-line.c \
	zone/trace-line.h \
	zone/verb-attach.c \
	zone/verb-boot-edits.c \
	zone/verb-brands.c \
	zone/verb-check.c \
	zone/verb-clone.c \
	zone/verb-config-edit.c \
	zone/verb-config.c \
	zone/verb-config.h \
	zone/verb-cp.c \
	zone/verb-diff.c \
	zone/verb-doctor.c \
	zone/verb-explain.c \
	zone/verb-export.c \
	zone/verb-install.c \
	zone/verb-mirror.c \
	zone/verb-mount.c \
	zone/verb-list.c \
	zone/verb-plan.c \
	zone/verb-remove.c \
	zone/verb-refresh.c \
	zone/verb-rename.c \
	zone/verb-run.c \
	zone/verb-snapshot.c \
	zone/verb-sources.c \
	zone/verb-start.c \
	zone/verb-trace.c \
	zone/verb-verify.c \
	zone/verbs.h \
	zone/volume.c \
	zone/zone-file-copy.c \
	zone/zone-file-edit.c \
	zone/zone-file-load.c \
	zone/zone-file.c \
	zone/zone-file.h \
	zone/zone-keys.c \
	zone/zone-keys.h \
	zone/zone-values.c
libzone_a_CPPFLAGS = $(AM_CPPFLAGS) $(JSON_CFLAGS)

bin_PROGRAMS += brandzone
brandzone_SOURCES = zone/main.c
brandzone_CPPFLAGS = $(libzone_a_CPPFLAGS)
ZONE_LIBS = libzone.a libinstaller.a libloader.a libxlat.a libbrand.a \
	$(JSON_LIBS) $(SECCOMP_LIBS) $(ELF_LIBS) $(CAPNG_LIBS) $(GLIB_LIBS)
brandzone_LDADD = $(ZONE_LIBS)

dist_man_MANS += doc/brandzone.1 doc/brandzone-zone.5
EXTRA_DIST += zone/update-manual

# `make update-manual` after a change of the command table; `make check` compares.
update-manual: brandzone
	$(srcdir)/zone/update-manual ./brandzone $(srcdir)/doc/brandzone.1 >brandzone.1.new
	mv brandzone.1.new $(srcdir)/doc/brandzone.1
	$(srcdir)/zone/update-manual ./brandzone $(srcdir)/doc/brandzone-zone.5 >brandzone-zone.5.new
	mv brandzone-zone.5.new $(srcdir)/doc/brandzone-zone.5
.PHONY: update-manual

completiondir = $(datadir)/bash-completion/completions
nodist_completion_DATA = zone/completion/brandzone
fishcompletiondir = $(datadir)/fish/vendor_completions.d
nodist_fishcompletion_DATA = zone/completion/brandzone.fish
CLEANFILES += zone/completion/brandzone zone/completion/brandzone.fish
zone/completion/brandzone.fish: brandzone
	@$(MKDIR_P) $(@D)
	$(AM_V_GEN)./brandzone __completion fish >$@.tmp && mv $@.tmp $@
zone/completion/brandzone: brandzone
	@$(MKDIR_P) $(@D)
	$(AM_V_GEN)./brandzone __completion >$@.tmp && mv $@.tmp $@

# Units, for hosts that have systemd.
systemunitdir = $(prefix)/lib/systemd/system
userunitdir = $(prefix)/lib/systemd/user
nodist_systemunit_DATA = zone/systemd/brandzone@.service zone/systemd/brandzone.service
nodist_userunit_DATA = zone/systemd/brandzone@.service
CLEANFILES += $(nodist_systemunit_DATA)
EXTRA_DIST += zone/systemd/brandzone@.service.in zone/systemd/brandzone.service.in
zone/systemd/brandzone@.service zone/systemd/brandzone.service: %: %.in
	@$(MKDIR_P) $(@D)
	$(AM_V_GEN)sed 's,@bindir[@],$(bindir),g' '$<' >'$@.tmp' && mv '$@.tmp' '$@'

if HAVE_CMOCKA
BZ_ZONE_TESTS = tests/unit/test-boot tests/unit/test-check tests/unit/test-commands tests/unit/test-names \
	tests/unit/test-program tests/unit/test-rows \
	tests/unit/test-state tests/unit/test-tree-list tests/unit/test-zone-file
check_PROGRAMS += $(BZ_ZONE_TESTS)
TESTS += $(BZ_ZONE_TESTS)
BZ_ZONE_TEST_CPPFLAGS = $(libzone_a_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_boot_SOURCES = tests/unit/test-boot.c
tests_unit_test_boot_CPPFLAGS = $(BZ_ZONE_TEST_CPPFLAGS)
tests_unit_test_boot_LDADD = $(ZONE_LIBS) $(CMOCKA_LIBS)
tests_unit_test_check_SOURCES = tests/unit/test-check.c tests/unit/made-up-tree.c \
	tests/unit/made-up-tree.h
tests_unit_test_check_CPPFLAGS = $(BZ_ZONE_TEST_CPPFLAGS)
tests_unit_test_check_LDADD = $(ZONE_LIBS) $(CMOCKA_LIBS)
tests_unit_test_commands_SOURCES = tests/unit/test-commands.c
tests_unit_test_commands_CPPFLAGS = $(BZ_ZONE_TEST_CPPFLAGS)
tests_unit_test_commands_LDADD = $(ZONE_LIBS) $(CMOCKA_LIBS)
tests_unit_test_names_SOURCES = tests/unit/test-names.c
tests_unit_test_names_CPPFLAGS = $(BZ_ZONE_TEST_CPPFLAGS)
tests_unit_test_names_LDADD = libzone.a libbrand.a $(JSON_LIBS) $(GLIB_LIBS) $(CMOCKA_LIBS)
tests_unit_test_program_SOURCES = tests/unit/test-program.c
tests_unit_test_program_CPPFLAGS = $(BZ_ZONE_TEST_CPPFLAGS)
tests_unit_test_program_LDADD = $(ZONE_LIBS) $(CMOCKA_LIBS)
tests_unit_test_rows_SOURCES = tests/unit/test-rows.c
tests_unit_test_rows_CPPFLAGS = $(BZ_ZONE_TEST_CPPFLAGS)
tests_unit_test_rows_LDADD = $(ZONE_LIBS) $(CMOCKA_LIBS)
tests_unit_test_state_SOURCES = tests/unit/test-state.c
tests_unit_test_state_CPPFLAGS = $(BZ_ZONE_TEST_CPPFLAGS)
tests_unit_test_state_LDADD = $(ZONE_LIBS) $(CMOCKA_LIBS)
tests_unit_test_tree_list_SOURCES = tests/unit/test-tree-list.c
tests_unit_test_tree_list_CPPFLAGS = $(BZ_ZONE_TEST_CPPFLAGS)
tests_unit_test_tree_list_LDADD = libzone.a libbrand.a $(JSON_LIBS) $(GLIB_LIBS) $(CMOCKA_LIBS)
tests_unit_test_zone_file_SOURCES = tests/unit/test-zone-file.c
tests_unit_test_zone_file_CPPFLAGS = $(BZ_ZONE_TEST_CPPFLAGS)
tests_unit_test_zone_file_LDADD = $(ZONE_LIBS) $(CMOCKA_LIBS)
endif

TESTS += tests/cli/test-cli.sh tests/cli/test-errors.sh
if HOST_TESTS
TESTS += tests/cli/test-check.sh
endif
EXTRA_DIST += tests/cli/test-cli.sh tests/cli/test-errors.sh tests/cli/test-check.sh

if FUZZERS
noinst_PROGRAMS += tests/fuzz/fuzz-tree-list tests/fuzz/fuzz-zone-file
tests_fuzz_fuzz_tree_list_SOURCES = tests/fuzz/fuzz-tree-list.c
tests_fuzz_fuzz_tree_list_LDADD = $(ZONE_LIBS)
tests_fuzz_fuzz_tree_list_LDFLAGS = -fsanitize=fuzzer,address,undefined
tests_fuzz_fuzz_zone_file_SOURCES = tests/fuzz/fuzz-zone-file.c
tests_fuzz_fuzz_zone_file_LDADD = $(ZONE_LIBS)
tests_fuzz_fuzz_zone_file_LDFLAGS = -fsanitize=fuzzer,address,undefined
endif

# Run by zones (brandzone-syscalls(7), iptables).
dist_pkgdata_SCRIPTS = zone/zone-iptables
