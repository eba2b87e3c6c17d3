## syscall-xlat
noinst_LIBRARIES += libxlat.a
libxlat_a_SOURCES =
nodist_libxlat_a_SOURCES =

## --- tables, filter, simulator ---
libxlat_a_SOURCES += \
	syscall-xlat/call.h \
	syscall-xlat/filter.h \
	syscall-xlat/table.h
## --- end of tables, filter, simulator ---

## --- journal, loop, calls ---
## --- end of journal, loop, calls ---
