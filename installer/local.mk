## installer
noinst_LIBRARIES += libinstaller.a
libinstaller_a_SOURCES = \
	installer/beneath.c \
	installer/beneath.h \
	installer/client.c \
	installer/download.c \
	installer/download.h \
	installer/export-client.c \
	installer/export.h \
	installer/fetch.h \
	installer/helper.c \
	installer/helper.h \
	installer/installer.h \
	installer/mirror.c \
	installer/mirror.h \
	installer/mirror-request.c \
	installer/mirror-request.h \
	installer/partial.c \
	installer/partial.h \
	installer/remove.c \
	installer/remove.h \
	installer/report.c \
	installer/report.h \
	installer/request-packets.c \
	installer/requests.c \
	installer/requests.h
libinstaller_a_CPPFLAGS = $(AM_CPPFLAGS) $(CAPNG_CFLAGS)

# Public places of distributions' trees (zone/named-source.h): data.
sourcesdir = $(pkgdatadir)/sources
dist_sources_DATA = installer/sources/distributions.sources

## What parses hostile bytes: the program's, never linked into the command.
noinst_LIBRARIES += libunpack.a
libunpack_a_CPPFLAGS = $(AM_CPPFLAGS) $(ARCHIVE_CFLAGS) $(EXT2FS_CFLAGS) $(JSON_CFLAGS) \
	$(SECCOMP_CFLAGS) $(CAPNG_CFLAGS) $(BLKID_CFLAGS) $(ZLIB_CFLAGS) $(ZSTD_CFLAGS) $(RPM_CFLAGS) $(SOLV_CFLAGS)
libunpack_a_SOURCES = \
	installer/archive.c \
	installer/archive.h \
	installer/ask.c \
	installer/ask.h \
	installer/attributes.c \
	installer/copy.c \
	installer/disk.c \
	installer/disk.h \
	installer/choose.c \
	installer/choose.h \
	installer/export-tree.c \
	installer/extfs.c \
	installer/extfs.h \
	installer/extfs-data.c \
	installer/extfs-io.c \
	installer/extract.c \
	installer/file-system.c \
	installer/file-system.h \
	installer/image-install.c \
	installer/install.c \
	installer/install.h \
	installer/job.c \
	installer/job.h \
	installer/layer.c \
	installer/list.c \
	installer/list.h \
	installer/media.c \
	installer/media.h \
	installer/minix.c \
	installer/minix.h \
	installer/deb-choose.c \
	installer/deb-install.c \
	installer/oci.c \
	installer/oci.h \
	installer/oci-install.c \
	installer/package-files.c \
	installer/package-files.h \
	installer/packages.h \
	installer/partitions.c \
	installer/partitions.h \
	installer/qcow2.c \
	installer/recognise.c \
	installer/recognise.h \
	installer/rpm-choose.c \
	installer/rpm-header.c \
	installer/rpm-install.c \
	installer/rpm-read.h \
	installer/sandbox.c \
	installer/sandbox.h \
	installer/series.c \
	installer/series.h \
	installer/series-install.c \
	installer/signatures.c \
	installer/tree.c \
	installer/tree.h

pkglibexec_PROGRAMS += brandzone-export
brandzone_export_CPPFLAGS = $(libunpack_a_CPPFLAGS)
brandzone_export_SOURCES = installer/export-main.c installer/export-oci.c
brandzone_export_LDADD = libunpack.a libinstaller.a libbrand.a $(UNPACK_LIBS)

pkglibexec_PROGRAMS += brandzone-install
brandzone_install_CPPFLAGS = $(libunpack_a_CPPFLAGS)
brandzone_install_SOURCES = installer/main.c
brandzone_install_LDADD = libunpack.a libinstaller.a libbrand.a $(UNPACK_LIBS)
UNPACK_LIBS = $(ARCHIVE_LIBS) $(RPM_LIBS) $(SOLV_LIBS) $(EXT2FS_LIBS) $(BLKID_LIBS) $(ZLIB_LIBS) $(ZSTD_LIBS) $(JSON_LIBS) $(SECCOMP_LIBS) $(CAPNG_LIBS) $(GLIB_LIBS)

pkglibexec_PROGRAMS += brandzone-fetch
brandzone_fetch_CPPFLAGS = $(AM_CPPFLAGS) $(CURL_CFLAGS)
brandzone_fetch_SOURCES = installer/fetch.c installer/fetch.h
brandzone_fetch_LDADD = $(CURL_LIBS)

if HAVE_CMOCKA
BZ_INSTALLER_TESTS = tests/unit/test-installer-archive tests/unit/test-installer-hostile tests/unit/test-installer-image \
	tests/unit/test-installer-life tests/unit/test-installer-media
check_PROGRAMS += $(BZ_INSTALLER_TESTS)
TESTS += $(BZ_INSTALLER_TESTS)
BZ_INSTALLER_TEST_FLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS) $(ARCHIVE_CFLAGS) \
	-DBZ_TEST_BUILDDIR=\"$(abs_top_builddir)\"
BZ_INSTALLER_TEST_LIBS = libinstaller.a libloader.a libbrand.a $(CAPNG_LIBS) $(ARCHIVE_LIBS) $(GLIB_LIBS) $(CMOCKA_LIBS)
BZ_INSTALLER_SUPPORT = tests/unit/cmocka-all.h tests/unit/installer-support.c tests/unit/installer-support.h
tests_unit_test_installer_archive_SOURCES = tests/unit/test-installer-archive.c $(BZ_INSTALLER_SUPPORT)
tests_unit_test_installer_archive_CPPFLAGS = $(BZ_INSTALLER_TEST_FLAGS)
tests_unit_test_installer_archive_LDADD = $(BZ_INSTALLER_TEST_LIBS)
tests_unit_test_installer_hostile_SOURCES = tests/unit/test-installer-hostile.c $(BZ_INSTALLER_SUPPORT)
tests_unit_test_installer_hostile_CPPFLAGS = $(BZ_INSTALLER_TEST_FLAGS)
tests_unit_test_installer_hostile_LDADD = $(BZ_INSTALLER_TEST_LIBS)
tests_unit_test_installer_image_SOURCES = tests/unit/test-installer-image.c $(BZ_INSTALLER_SUPPORT)
tests_unit_test_installer_image_CPPFLAGS = $(BZ_INSTALLER_TEST_FLAGS)
tests_unit_test_installer_image_LDADD = $(BZ_INSTALLER_TEST_LIBS)
tests_unit_test_installer_life_SOURCES = tests/unit/test-installer-life.c $(BZ_INSTALLER_SUPPORT)
tests_unit_test_installer_life_CPPFLAGS = $(BZ_INSTALLER_TEST_FLAGS)
tests_unit_test_installer_life_LDADD = $(BZ_INSTALLER_TEST_LIBS)
tests_unit_test_installer_media_SOURCES = tests/unit/test-installer-media.c $(BZ_INSTALLER_SUPPORT)
tests_unit_test_installer_media_CPPFLAGS = $(BZ_INSTALLER_TEST_FLAGS)
tests_unit_test_installer_media_LDADD = $(BZ_INSTALLER_TEST_LIBS)
endif

if FUZZERS
noinst_PROGRAMS += tests/fuzz/fuzz-oci tests/fuzz/fuzz-extfs tests/fuzz/fuzz-recognise \
	tests/fuzz/fuzz-minix tests/fuzz/fuzz-disk tests/fuzz/fuzz-packages
tests_fuzz_fuzz_packages_SOURCES = tests/fuzz/fuzz-packages.c
tests_fuzz_fuzz_packages_CPPFLAGS = $(libunpack_a_CPPFLAGS)
tests_fuzz_fuzz_packages_LDADD = $(BZ_INSTALLER_FUZZ_LIBS)
tests_fuzz_fuzz_packages_LDFLAGS = -fsanitize=fuzzer,address,undefined
BZ_INSTALLER_FUZZ_LIBS = libunpack.a libinstaller.a libbrand.a $(UNPACK_LIBS)
tests_fuzz_fuzz_oci_SOURCES = tests/fuzz/fuzz-oci.c
tests_fuzz_fuzz_oci_LDADD = $(BZ_INSTALLER_FUZZ_LIBS)
tests_fuzz_fuzz_oci_LDFLAGS = -fsanitize=fuzzer,address,undefined
tests_fuzz_fuzz_extfs_SOURCES = tests/fuzz/fuzz-extfs.c tests/fuzz/fuzz-image.h
tests_fuzz_fuzz_extfs_CPPFLAGS = $(libunpack_a_CPPFLAGS)
tests_fuzz_fuzz_extfs_LDADD = $(BZ_INSTALLER_FUZZ_LIBS)
tests_fuzz_fuzz_extfs_LDFLAGS = -fsanitize=fuzzer,address,undefined
tests_fuzz_fuzz_minix_SOURCES = tests/fuzz/fuzz-minix.c tests/fuzz/fuzz-image.h
tests_fuzz_fuzz_minix_CPPFLAGS = $(libunpack_a_CPPFLAGS)
tests_fuzz_fuzz_minix_LDADD = $(BZ_INSTALLER_FUZZ_LIBS)
tests_fuzz_fuzz_minix_LDFLAGS = -fsanitize=fuzzer,address,undefined
tests_fuzz_fuzz_disk_SOURCES = tests/fuzz/fuzz-disk.c
tests_fuzz_fuzz_disk_CPPFLAGS = $(libunpack_a_CPPFLAGS)
tests_fuzz_fuzz_disk_LDADD = $(BZ_INSTALLER_FUZZ_LIBS)
tests_fuzz_fuzz_disk_LDFLAGS = -fsanitize=fuzzer,address,undefined
tests_fuzz_fuzz_recognise_SOURCES = tests/fuzz/fuzz-recognise.c
tests_fuzz_fuzz_recognise_CPPFLAGS = $(libunpack_a_CPPFLAGS)
tests_fuzz_fuzz_recognise_LDADD = $(BZ_INSTALLER_FUZZ_LIBS)
tests_fuzz_fuzz_recognise_LDFLAGS = -fsanitize=fuzzer,address,undefined
endif
