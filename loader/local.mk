## loader/: where a zone runs

noinst_LIBRARIES += libloader.a
libloader_a_SOURCES = \
	loader/attend.c \
	loader/attend.h \
	loader/cgroup.c \
	loader/cgroup.h \
	loader/client.c \
	loader/client.h \
	loader/devices.c \
	loader/devices.h \
	loader/inside.c \
	loader/inside.h \
	loader/join.c \
	loader/kernel.h \
	loader/keeper.h \
	loader/launch.c \
	loader/launch.h \
	loader/listener.c \
	loader/listener.h \
	loader/loader.h \
	loader/message.c \
	loader/message.h \
	loader/namespaces.c \
	loader/namespaces.h \
	loader/partition-data.c \
	loader/partition-data.h \
	loader/run.c \
	loader/user.c \
	loader/user.h \
	loader/userns.c \
	loader/userns.h \
	loader/view.c \
	loader/view.h

pkglibexec_PROGRAMS += brandzone-keeper
brandzone_keeper_SOURCES = \
	loader/keeper-control.c \
	loader/keeper-main.c \
	loader/keeper-private.h \
	loader/keeper-start.c \
	loader/keeper-supervisor.c \
	loader/keeper.c \
	loader/prepare.c \
	loader/prepare.h \
	loader/supervisor.c \
	loader/supervisor.h
brandzone_keeper_LDADD = libloader.a libxlat.a libbrand.a $(GLIB_LIBS)

if HAVE_CMOCKA
check_PROGRAMS += tests/unit/test-message tests/unit/test-user
TESTS += tests/unit/test-message tests/unit/test-user
tests_unit_test_message_SOURCES = tests/unit/test-message.c
tests_unit_test_message_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_message_LDADD = libloader.a libbrand.a $(GLIB_LIBS) $(CMOCKA_LIBS)
tests_unit_test_user_SOURCES = tests/unit/test-user.c
tests_unit_test_user_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_user_LDADD = libloader.a libbrand.a $(GLIB_LIBS) $(CMOCKA_LIBS)
endif

if FUZZERS
noinst_PROGRAMS += tests/fuzz/fuzz-user
tests_fuzz_fuzz_user_SOURCES = tests/fuzz/fuzz-user.c
tests_fuzz_fuzz_user_LDADD = libloader.a libbrand.a $(GLIB_LIBS)
tests_fuzz_fuzz_user_LDFLAGS = -fsanitize=fuzzer,address,undefined
endif
