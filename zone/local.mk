## zone: configuration, state, the command line
noinst_LIBRARIES += libzone.a
libzone_a_SOURCES = \
	zone/account.c \
	zone/account.h \
	zone/command.c \
	zone/commands.c \
	zone/completion.c \
	zone/context.c \
	zone/context.h \
	zone/counts.c \
	zone/counts.h \
	zone/dirs.c \
	zone/dirs.h \
	zone/help.c \
	zone/help.h \
	zone/ids.c \
	zone/ids.h \
	zone/json.c \
	zone/lock.c \
	zone/meter.c \
	zone/names.c \
	zone/names.h \
	zone/options.c \
	zone/options.h \
	zone/output.c \
	zone/output.h \
	zone/planning.c \
	zone/planning.h \
	zone/prepare.c \
	zone/prepare.h \
	zone/program.c \
	zone/program.h \
	zone/state.c \
	zone/state.h \
	zone/trace-line.c \
	zone/trace-line.h \
	zone/verb-brands.c \
	zone/verb-doctor.c \
	zone/verb-install.c \
	zone/verb-list.c \
	zone/verb-plan.c \
	zone/verb-run.c \
	zone/verb-trace.c \
	zone/verbs.h \
	zone/volume.c \
	zone/zone-file.c \
	zone/zone-file.h
libzone_a_CPPFLAGS = $(AM_CPPFLAGS) $(JSON_CFLAGS)

bin_PROGRAMS += brandzone
brandzone_SOURCES = zone/main.c
brandzone_CPPFLAGS = $(libzone_a_CPPFLAGS)
ZONE_LIBS = libzone.a libinstaller.a libloader.a libxlat.a libbrand.a \
	$(JSON_LIBS) $(SECCOMP_LIBS) $(ELF_LIBS) $(CAPNG_LIBS) $(GLIB_LIBS)
brandzone_LDADD = $(ZONE_LIBS)

dist_man_MANS += doc/brandzone.1
EXTRA_DIST += zone/update-manual

# `make update-manual` after a change of the command table; `make check` compares.
update-manual: brandzone
	$(srcdir)/zone/update-manual ./brandzone $(srcdir)/doc/brandzone.1 >brandzone.1.new
	mv brandzone.1.new $(srcdir)/doc/brandzone.1
.PHONY: update-manual

completiondir = $(datadir)/bash-completion/completions
nodist_completion_DATA = zone/completion/brandzone
CLEANFILES += zone/completion/brandzone
zone/completion/brandzone: brandzone
	@$(MKDIR_P) $(@D)
	$(AM_V_GEN)./brandzone __completion >$@.tmp && mv $@.tmp $@
