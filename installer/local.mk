## installer
noinst_LIBRARIES += libinstaller.a
libinstaller_a_SOURCES = \
	installer/beneath.c \
	installer/beneath.h \
	installer/client.c \
	installer/installer.h \
	installer/partial.c \
	installer/partial.h \
	installer/remove.c \
	installer/remove.h \
	installer/report.c \
	installer/report.h

## What parses hostile bytes: the program's, never linked into the command.
noinst_LIBRARIES += libunpack.a
libunpack_a_CPPFLAGS = $(AM_CPPFLAGS) $(ARCHIVE_CFLAGS) $(EXT2FS_CFLAGS) $(JSON_CFLAGS) \
	$(SECCOMP_CFLAGS) $(CAPNG_CFLAGS)
libunpack_a_SOURCES = \
	installer/archive.c \
	installer/archive.h \
	installer/attributes.c \
	installer/copy.c \
	installer/extfs.c \
	installer/extfs.h \
	installer/extfs-data.c \
	installer/extfs-io.c \
	installer/extract.c \
	installer/image-install.c \
	installer/install.c \
	installer/install.h \
	installer/job.c \
	installer/job.h \
	installer/layer.c \
	installer/oci.c \
	installer/oci.h \
	installer/oci-install.c \
	installer/recognise.c \
	installer/recognise.h \
	installer/sandbox.c \
	installer/sandbox.h \
	installer/signatures.c \
	installer/tree.c \
	installer/tree.h

pkglibexec_PROGRAMS += brandzone-install
brandzone_install_CPPFLAGS = $(libunpack_a_CPPFLAGS)
brandzone_install_SOURCES = installer/main.c
brandzone_install_LDADD = libunpack.a libinstaller.a libbrand.a $(UNPACK_LIBS)
UNPACK_LIBS = $(ARCHIVE_LIBS) $(EXT2FS_LIBS) $(JSON_LIBS) $(SECCOMP_LIBS) $(CAPNG_LIBS) $(GLIB_LIBS)
