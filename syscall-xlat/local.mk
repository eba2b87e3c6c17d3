## syscall-xlat
noinst_LIBRARIES += libxlat.a
libxlat_a_SOURCES =
nodist_libxlat_a_SOURCES =

## --- tables, filter, simulator ---
libxlat_a_SOURCES += \
	syscall-xlat/call.h \
	syscall-xlat/compile.h \
	syscall-xlat/filter-cache.c \
	syscall-xlat/filter.c \
	syscall-xlat/filter.h \
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
## --- end of tables, filter, simulator ---

## --- journal, loop, calls ---
## --- end of journal, loop, calls ---
