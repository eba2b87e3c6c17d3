## loader/: where a zone runs

noinst_LIBRARIES += libloader.a
libloader_a_SOURCES = \
	loader/attend.c \
	loader/attend.h \
	loader/cgroup-delegate.c loader/cgroup-freeze.c loader/cgroup-kill.c loader/cgroup-limits.c \
	loader/cgroup-walk.c \
	loader/cgroup.c \
	loader/cgroup.h \
	loader/client.c \
	loader/client.h \
	loader/console-log.c \
	loader/console-log.h \
	loader/console-text.c \
	loader/console-text.h \
	loader/console.c \
	loader/devices-extra.c \
	loader/devices-extra.h \
	loader/devices.c \
	loader/direct.c \
	loader/direct.h \
	loader/devices.h \
	loader/freeze.c \
	loader/hand-over.c \
	loader/hand-over.h \
	loader/identity.c \
	loader/identity.h \
	loader/inside.c \
	loader/inside.h \
	loader/join.c \
	loader/join.h \
	loader/kept-text.c \
	loader/kept-text.h \
	loader/kernel.h \
	loader/keeper.h \
	loader/launch.c \
	loader/launch.h \
	loader/listener.c \
	loader/listener.h \
	loader/login-id.c \
	loader/login-id.h \
	loader/loader.h \
	loader/message.c \
	loader/message.h \
	loader/mount-lock.c \
	loader/mount-lock.h \
	loader/namespaces.c \
	loader/namespaces.h \
	loader/overlay.c \
	loader/overlay.h \
	loader/partition-data.c \
	loader/partition-data.h \
	loader/net/address.c \
	loader/net/address.h \
	loader/net/live.c loader/net/live.h \
	loader/net/attach.c \
	loader/net/attach.h \
	loader/net/pasta.c \
	loader/net/pasta.h \
	loader/net/publish.c \
	loader/net/publish.h \
	loader/net/resolv.c \
	loader/net/resolv.h \
	loader/net/settings.c \
	loader/net/settings.h \
	loader/refresh.c \
	loader/owner.c \
	loader/owner.h \
	loader/run.c \
	loader/processors.c \
	loader/processors.h \
	loader/session.c \
	loader/session.h \
	loader/settings.c \
	loader/settings.h \
	loader/shield.c \
	loader/shield.h \
	loader/log-bound.c loader/log-bound.h \
	loader/stop.c \
	loader/terminals.c \
	loader/terminals.h \
	loader/user.c \
	loader/user.h \
	loader/userns.c \
	loader/userns.h \
	loader/view-private.h \
	loader/volumes.c \
	loader/view-cgroup.c loader/view-ptys.c loader/view.c \
	loader/figures.c loader/figures.h \
	loader/view-figures.c \
	loader/view-files.c loader/view-files.h \
	loader/view.h \
	loader/views.c loader/views.h

pkglibexec_PROGRAMS += brandzone-keeper
brandzone_keeper_SOURCES = \
	loader/keeper-console.c \
	loader/keeper-console.h \
	loader/keeper-attach.c \
	loader/keeper-sessions.c \
	loader/keeper-control.c \
	loader/keeper-main.c \
	loader/keeper-private.h \
	loader/keeper-refresh.c \
	loader/keeper-start.c \
	loader/keeper-stop.c \
	loader/keeper-supervisor.c \
	loader/keeper.c \
	loader/keeper-loops.c \
	loader/keeper-nodes.c \
	loader/keeper-mounts.c \
	loader/keeper-volumes.c \
	loader/loop-device.c \
	loader/loop-device.h \
	loader/mount-broker.c \
	loader/mount-broker.h \
	loader/mounter.c \
	loader/mounter.h \
	loader/prepare.c \
	loader/prepare.h \
	loader/shadow/broker.c \
	loader/shadow/broker.h \
	loader/shadow/examine.c \
	loader/shadow/exec-hook.c \
	loader/shadow/exec-hook.h \
	loader/shadow/hold.c \
	loader/shadow/hold.h \
	loader/shadow/images-data.h \
	loader/shadow/images.c \
	loader/shadow/images.h \
	loader/shadow/known.c \
	loader/shadow/known.h \
	loader/shadow/late.c \
	loader/shadow/last-resort.c \
	loader/shadow/last-resort.h \
	loader/shadow/programs.c \
	loader/shadow/start.c \
	loader/shadow/start.h \
	loader/supervisor.c \
	loader/supervisor.h \
	loader/tune.c \
	loader/tune.h
brandzone_keeper_LDADD = libloader.a libxlat.a libbrand.a $(GLIB_LIBS)

pkglibexec_PROGRAMS += brandzone-views
brandzone_views_SOURCES = loader/views-main.c
brandzone_views_CPPFLAGS = $(AM_CPPFLAGS) $(FUSE_CFLAGS)
brandzone_views_LDADD = libloader.a libbrand.a $(FUSE_LIBS) $(GLIB_LIBS)

pkglibexec_PROGRAMS += brandzone-network
brandzone_network_SOURCES = \
	loader/net/host.c \
	loader/net/host.h \
	loader/net/names.c \
	loader/net/nat.c \
	loader/net/netlink.c \
	loader/net/netlink.h \
	loader/net/network-main.c
brandzone_network_CPPFLAGS = $(AM_CPPFLAGS) $(NFTABLES_CFLAGS) $(MNL_CFLAGS)
brandzone_network_LDADD = libloader.a libbrand.a $(NFTABLES_LIBS) $(MNL_LIBS) $(GLIB_LIBS)

if HAVE_CMOCKA
check_PROGRAMS += tests/unit/test-cgroup tests/unit/test-console tests/unit/test-figures tests/unit/test-known tests/unit/test-message tests/unit/test-network \
	tests/unit/test-user
TESTS += tests/unit/test-cgroup tests/unit/test-console tests/unit/test-figures tests/unit/test-known tests/unit/test-message tests/unit/test-network \
	tests/unit/test-user
tests_unit_test_figures_SOURCES = tests/unit/test-figures.c
tests_unit_test_figures_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_figures_LDADD = libloader.a libbrand.a $(GLIB_LIBS) $(CMOCKA_LIBS)
tests_unit_test_network_SOURCES = tests/unit/test-network.c
tests_unit_test_network_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_network_LDADD = libloader.a libbrand.a $(GLIB_LIBS) $(CMOCKA_LIBS)
tests_unit_test_cgroup_SOURCES = tests/unit/test-cgroup.c
tests_unit_test_cgroup_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_cgroup_LDADD = libloader.a libbrand.a $(GLIB_LIBS) $(CMOCKA_LIBS)
tests_unit_test_console_SOURCES = tests/unit/test-console.c
tests_unit_test_console_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_console_LDADD = libloader.a libbrand.a $(GLIB_LIBS) $(CMOCKA_LIBS)
tests_unit_test_known_SOURCES = tests/unit/test-known.c loader/shadow/known.c
tests_unit_test_known_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_known_LDADD = libxlat.a libbrand.a $(GLIB_LIBS) $(CMOCKA_LIBS)
tests_unit_test_message_SOURCES = tests/unit/test-message.c
tests_unit_test_message_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_message_LDADD = libloader.a libbrand.a $(GLIB_LIBS) $(CMOCKA_LIBS)
tests_unit_test_user_SOURCES = tests/unit/test-user.c
tests_unit_test_user_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_user_LDADD = libloader.a libbrand.a $(GLIB_LIBS) $(CMOCKA_LIBS)
endif

if FUZZERS
noinst_PROGRAMS += tests/fuzz/fuzz-publish tests/fuzz/fuzz-user
tests_fuzz_fuzz_publish_SOURCES = tests/fuzz/fuzz-publish.c
tests_fuzz_fuzz_publish_LDADD = libloader.a libbrand.a $(GLIB_LIBS)
tests_fuzz_fuzz_publish_LDFLAGS = -fsanitize=fuzzer,address,undefined
tests_fuzz_fuzz_user_SOURCES = tests/fuzz/fuzz-user.c
tests_fuzz_fuzz_user_LDADD = libloader.a libbrand.a $(GLIB_LIBS)
tests_fuzz_fuzz_user_LDFLAGS = -fsanitize=fuzzer,address,undefined
endif

## --- shadow text ---
libloader_a_SOURCES += \
	loader/shadow/cache-entry.c \
	loader/shadow/cache-evict.c \
	loader/shadow/cache-private.h \
	loader/shadow/cache.c \
	loader/shadow/cache.h \
	loader/shadow/image-copy.c \
	loader/shadow/image-copy.h \
	loader/shadow/rewrite-data.c \
	loader/shadow/rewrite.h \
	loader/shadow/rewriter-client.c \
	loader/shadow/rewriter-client.h \
	loader/shadow/vdso.c \
	loader/shadow/vdso.h

# The parsers of hostile images: linked into their own program, and into tests, only.
bz_finder = \
	loader/shadow/code.c \
	loader/shadow/code.h \
	loader/shadow/elf-map.c \
	loader/shadow/elf-map.h \
	loader/shadow/rewrite.c \
	loader/shadow/shapes.c \
	loader/shadow/shapes.h \
	loader/shadow/vdso-calls.c \
	loader/shadow/window.c \
	loader/shadow/window.h
bz_finder_libs = libloader.a libbrand.a $(ELF_LIBS) $(CAPSTONE_LIBS) $(GLIB_LIBS)

pkglibexec_PROGRAMS += brandzone-rewriter
brandzone_rewriter_SOURCES = loader/shadow/rewriter-main.c $(bz_finder)
brandzone_rewriter_CPPFLAGS = $(AM_CPPFLAGS) $(ELF_CFLAGS) $(CAPSTONE_CFLAGS) $(SECCOMP_CFLAGS)
brandzone_rewriter_LDADD = $(bz_finder_libs) $(SECCOMP_LIBS)

if HAVE_CMOCKA
bz_shadow_tests = tests/unit/test-rewrite tests/unit/test-rewrite-trees tests/unit/test-shadow-cache tests/unit/test-vdso
check_PROGRAMS += $(bz_shadow_tests)
TESTS += $(bz_shadow_tests)
bz_shadow_test_cppflags = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS) $(ELF_CFLAGS) $(CAPSTONE_CFLAGS)
tests_unit_test_rewrite_SOURCES = tests/unit/test-rewrite.c tests/unit/made-up-elf.c \
	tests/unit/made-up-elf.h tests/unit/cmocka-all.h $(bz_finder)
tests_unit_test_rewrite_CPPFLAGS = $(bz_shadow_test_cppflags)
tests_unit_test_rewrite_LDADD = $(bz_finder_libs) $(CMOCKA_LIBS)
tests_unit_test_rewrite_trees_SOURCES = tests/unit/test-rewrite-trees.c tests/unit/cmocka-all.h $(bz_finder)
tests_unit_test_rewrite_trees_CPPFLAGS = $(bz_shadow_test_cppflags) $(ARCHIVE_CFLAGS)
tests_unit_test_rewrite_trees_LDADD = $(bz_finder_libs) $(ARCHIVE_LIBS) $(CMOCKA_LIBS)
tests_unit_test_shadow_cache_SOURCES = tests/unit/test-shadow-cache.c tests/unit/made-up-elf.c \
	tests/unit/made-up-elf.h tests/unit/cmocka-all.h
tests_unit_test_shadow_cache_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_shadow_cache_LDADD = libloader.a libbrand.a $(GLIB_LIBS) $(CMOCKA_LIBS)
tests_unit_test_vdso_SOURCES = tests/unit/test-vdso.c tests/unit/cmocka-all.h $(bz_finder)
tests_unit_test_vdso_CPPFLAGS = $(bz_shadow_test_cppflags)
tests_unit_test_vdso_LDADD = $(bz_finder_libs) $(CMOCKA_LIBS)
endif

if FUZZERS
noinst_PROGRAMS += tests/fuzz/fuzz-rewrite
tests_fuzz_fuzz_rewrite_SOURCES = tests/fuzz/fuzz-rewrite.c tests/unit/made-up-elf.c \
	tests/unit/made-up-elf.h $(bz_finder)
tests_fuzz_fuzz_rewrite_CPPFLAGS = $(AM_CPPFLAGS) $(ELF_CFLAGS) $(CAPSTONE_CFLAGS)
tests_fuzz_fuzz_rewrite_LDADD = $(bz_finder_libs)
tests_fuzz_fuzz_rewrite_LDFLAGS = -fsanitize=fuzzer,address,undefined
endif
