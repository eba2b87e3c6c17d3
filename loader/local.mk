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
