noinst_LIBRARIES += libbrand.a
libbrand_a_SOURCES = \
	brand/abi.c \
	brand/abi.h \
	brand/base/error.c \
	brand/base/error.h \
	brand/base/libexec.c brand/base/libexec.h \
	brand/base/owner-record.c \
	brand/base/owner-record.h \
	brand/brand-directories.c \
	brand/brand-directories.h \
	brand/brand-file.c \
	brand/brand-file.h \
	brand/brand-files.c \
	brand/brand-files.h \
	brand/brand-values.c \
	brand/brand.c \
	brand/brand.h \
	brand/detect-rule.c \
	brand/detect-rule.h \
	brand/detect.c \
	brand/detect.h \
	brand/elf-facts.c \
	brand/elf-facts.h \
	brand/features.def brand/forms.def \
	brand/file-systems.c \
	brand/file-systems.h \
	brand/host-cache.c \
	brand/host-cache.h \
	brand/host-probe-files.c \
	brand/host-probe-mount.c \
	brand/host-probe-network.c \
	brand/host-probe.c \
	brand/host-probe.h \
	brand/host.c \
	brand/host.h \
	brand/inodes.c \
	brand/inodes.h \
	brand/key-lines.c \
	brand/key-lines.h \
	brand/personality.def \
	brand/plan-variant.c \
	brand/plan.c \
	brand/plan.h \
	brand/quirk.c \
	brand/quirk.h \
	brand/quirks.def \
	brand/range.c \
	brand/range.h \
	brand/release.c \
	brand/release.h \
	brand/scan-aout.c \
	brand/scan-code.c \
	brand/scan-tree.c \
	brand/scan-tree.h \
	brand/scan.c \
	brand/scan.h \
	brand/static-facts.c \
	brand/static-facts.h \
	brand/tree-facts.c \
	brand/tree-facts.h \
	brand/tree.c \
	brand/tree.h

# Families of inits (zone/boot-family.h): data too.
bootdir = $(pkgdatadir)/boot
dist_boot_DATA = \
	brand/boot/busybox.edits \
	brand/boot/ifcfg.network \
	brand/boot/ifupdown.network \
	brand/boot/rc-inet1.network \
	brand/boot/systemd-v1.edits \
	brand/boot/systemd.edits \
	brand/boot/sysvinit-brc.edits \
	brand/boot/sysvinit.edits \
	brand/boot/upstart.edits

# What is installed of package repositories (zone/package-data.h): data too.
packagesdir = $(pkgdatadir)/packages
dist_packages_DATA = \
	brand/packages/deb.packages \
	brand/packages/deb.sh \
	brand/packages/rpm.packages \
	brand/packages/rpm.sh

# Repository files of zones and a mirror (zone/repo-edits.h): data too.
mirrorsdir = $(pkgdatadir)/mirrors
dist_mirrors_DATA = \
	brand/mirrors/apk.mirror \
	brand/mirrors/apt.mirror \
	brand/mirrors/yum.mirror

# What of a machine does not come along into a zone (zone/p2v.h): data too.
machinesdir = $(pkgdatadir)/machines
dist_machines_DATA = \
	brand/machines/linux.report

# The brands themselves: data. A new one is a line here and nothing else.
brandsdir = $(pkgdatadir)/brands
dist_brands_DATA = \
	brand/definitions/alpine.brand \
	brand/definitions/basiclinux.brand \
	brand/definitions/cirros.brand \
	brand/definitions/debian-bo.brand \
	brand/definitions/debian-bullseye.brand \
	brand/definitions/debian-buster.brand \
	brand/definitions/debian-etch.brand \
	brand/definitions/debian-hamm.brand \
	brand/definitions/debian-jessie.brand \
	brand/definitions/debian-lenny.brand \
	brand/definitions/debian-potato.brand \
	brand/definitions/debian-sarge.brand \
	brand/definitions/debian-slink.brand \
	brand/definitions/debian-squeeze.brand \
	brand/definitions/debian-stretch.brand \
	brand/definitions/debian-wheezy.brand \
	brand/definitions/debian-woody.brand \
	brand/definitions/el3.brand \
	brand/definitions/el4.brand \
	brand/definitions/el5.brand \
	brand/definitions/el6.brand \
	brand/definitions/el7.brand \
	brand/definitions/el8.brand \
	brand/definitions/el9.brand \
	brand/definitions/fedora-core.brand \
	brand/definitions/fedora-core1.brand \
	brand/definitions/fedora-core2.brand \
	brand/definitions/fedora-core3.brand \
	brand/definitions/fedora-core4.brand \
	brand/definitions/fedora-core5.brand \
	brand/definitions/fedora-core6.brand \
	brand/definitions/fedora8.brand \
	brand/definitions/gentoo-2.11.brand \
	brand/definitions/gentoo-2.17.brand \
	brand/definitions/gentoo-2.3.brand \
	brand/definitions/gentoo-2.4.brand \
	brand/definitions/gentoo.brand \
	brand/definitions/libc5.brand \
	brand/definitions/linux-2.0.brand \
	brand/definitions/linux-2.2.brand \
	brand/definitions/linux-2.4.brand \
	brand/definitions/linux-2.6.brand \
	brand/definitions/linux-3.10.brand \
	brand/definitions/mandrake.brand \
	brand/definitions/mandrake8.brand \
	brand/definitions/native.brand \
	brand/definitions/opensuse11.brand \
	brand/definitions/redhat.brand \
	brand/definitions/redhat5.brand \
	brand/definitions/redhat6.brand \
	brand/definitions/redhat7.brand \
	brand/definitions/redhat8.brand \
	brand/definitions/slackware-10.0.brand \
	brand/definitions/slackware-10.1.brand \
	brand/definitions/slackware-10.2.brand \
	brand/definitions/slackware-12.brand \
	brand/definitions/slackware-13.brand \
	brand/definitions/slackware-3.0.brand \
	brand/definitions/slackware-3.1.brand \
	brand/definitions/slackware-3.2.brand \
	brand/definitions/slackware-3.3.brand \
	brand/definitions/slackware-3.4.brand \
	brand/definitions/slackware-3.5.brand \
	brand/definitions/slackware-3.6.brand \
	brand/definitions/slackware-3.9.brand \
	brand/definitions/slackware-7.0.brand \
	brand/definitions/slackware-7.1.brand \
	brand/definitions/slackware-8.0.brand \
	brand/definitions/slackware-8.1.brand \
	brand/definitions/slackware-9.0.brand \
	brand/definitions/slackware-9.1.brand \
	brand/definitions/slackware-glibc.brand \
	brand/definitions/slackware.brand \
	brand/definitions/sles10.brand \
	brand/definitions/sles11.brand \
	brand/definitions/sles12.brand \
	brand/definitions/sles8.brand \
	brand/definitions/sles9.brand \
	brand/definitions/suse10.brand \
	brand/definitions/suse8.brand \
	brand/definitions/suse9.0.brand \
	brand/definitions/suse9.brand \
	brand/definitions/tinycore.brand \
	brand/definitions/ubuntu-bionic.brand \
	brand/definitions/ubuntu-breezy.brand \
	brand/definitions/ubuntu-dapper.brand \
	brand/definitions/ubuntu-edgy.brand \
	brand/definitions/ubuntu-feisty.brand \
	brand/definitions/ubuntu-gutsy.brand \
	brand/definitions/ubuntu-hardy.brand \
	brand/definitions/ubuntu-hoary.brand \
	brand/definitions/ubuntu-intrepid.brand \
	brand/definitions/ubuntu-jaunty.brand \
	brand/definitions/ubuntu-karmic.brand \
	brand/definitions/ubuntu-lucid.brand \
	brand/definitions/ubuntu-maverick.brand \
	brand/definitions/ubuntu-natty.brand \
	brand/definitions/ubuntu-oneiric.brand \
	brand/definitions/ubuntu-precise.brand \
	brand/definitions/ubuntu-quantal.brand \
	brand/definitions/ubuntu-raring.brand \
	brand/definitions/ubuntu-saucy.brand \
	brand/definitions/ubuntu-trusty.brand \
	brand/definitions/ubuntu-utopic.brand \
	brand/definitions/ubuntu-vivid.brand \
	brand/definitions/ubuntu-warty.brand \
	brand/definitions/ubuntu-wily.brand \
	brand/definitions/ubuntu-xenial.brand \
	brand/definitions/uclibc-old.brand \
	brand/definitions/uclibc.brand

BZ_BRAND_LIBS = libbrand.a $(ELF_LIBS) $(GLIB_LIBS)
BZ_BRAND_TEST_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS) $(ELF_CFLAGS) \
	-DBZ_TEST_BRANDS=\"$(abs_top_srcdir)/brand/definitions\" \
	-DBZ_TEST_MANUAL=\"$(abs_top_srcdir)/doc/brandzone-brand.5\"

if HAVE_CMOCKA
BZ_BRAND_TESTS = \
	tests/unit/test-brand \
	tests/unit/test-detect \
	tests/unit/test-host \
	tests/unit/test-plan \
	tests/unit/test-release \
	tests/unit/test-scan
check_PROGRAMS += $(BZ_BRAND_TESTS)
TESTS += $(BZ_BRAND_TESTS)

tests_unit_test_brand_SOURCES = tests/unit/test-brand.c tests/unit/made-up-tree.c \
	tests/unit/made-up-tree.h tests/unit/cmocka-all.h
tests_unit_test_brand_CPPFLAGS = $(BZ_BRAND_TEST_CPPFLAGS)
tests_unit_test_brand_LDADD = $(BZ_BRAND_LIBS) $(CMOCKA_LIBS)
tests_unit_test_detect_SOURCES = tests/unit/test-detect.c tests/unit/made-up-tree.c \
	tests/unit/made-up-tree.h tests/unit/cmocka-all.h
tests_unit_test_detect_CPPFLAGS = $(BZ_BRAND_TEST_CPPFLAGS)
tests_unit_test_detect_LDADD = $(BZ_BRAND_LIBS) $(CMOCKA_LIBS)
tests_unit_test_host_SOURCES = tests/unit/test-host.c tests/unit/made-up-tree.c \
	tests/unit/made-up-tree.h tests/unit/cmocka-all.h
tests_unit_test_host_CPPFLAGS = $(BZ_BRAND_TEST_CPPFLAGS)
tests_unit_test_host_LDADD = $(BZ_BRAND_LIBS) $(CMOCKA_LIBS)
tests_unit_test_plan_SOURCES = tests/unit/test-plan.c tests/unit/cmocka-all.h
tests_unit_test_plan_CPPFLAGS = $(BZ_BRAND_TEST_CPPFLAGS)
tests_unit_test_plan_LDADD = $(BZ_BRAND_LIBS) $(CMOCKA_LIBS)
tests_unit_test_release_SOURCES = tests/unit/test-release.c tests/unit/cmocka-all.h
tests_unit_test_release_CPPFLAGS = $(BZ_BRAND_TEST_CPPFLAGS)
tests_unit_test_release_LDADD = $(BZ_BRAND_LIBS) $(CMOCKA_LIBS)
tests_unit_test_scan_SOURCES = tests/unit/test-scan.c tests/unit/made-up-tree.c \
	tests/unit/made-up-tree.h tests/unit/cmocka-all.h
tests_unit_test_scan_CPPFLAGS = $(BZ_BRAND_TEST_CPPFLAGS)
tests_unit_test_scan_LDADD = $(BZ_BRAND_LIBS) $(CMOCKA_LIBS)
endif

if FUZZERS
noinst_PROGRAMS += tests/fuzz/fuzz-brand-file tests/fuzz/fuzz-detect tests/fuzz/fuzz-scan
tests_fuzz_fuzz_brand_file_SOURCES = tests/fuzz/fuzz-brand-file.c
tests_fuzz_fuzz_brand_file_LDADD = $(BZ_BRAND_LIBS)
tests_fuzz_fuzz_brand_file_LDFLAGS = -fsanitize=fuzzer,address,undefined
tests_fuzz_fuzz_detect_SOURCES = tests/fuzz/fuzz-detect.c
tests_fuzz_fuzz_detect_LDADD = $(BZ_BRAND_LIBS)
tests_fuzz_fuzz_detect_LDFLAGS = -fsanitize=fuzzer,address,undefined
tests_fuzz_fuzz_scan_SOURCES = tests/fuzz/fuzz-scan.c
tests_fuzz_fuzz_scan_LDADD = $(BZ_BRAND_LIBS)
tests_fuzz_fuzz_scan_LDFLAGS = -fsanitize=fuzzer,address,undefined
endif

dist_man_MANS += doc/brandzone-brand.5
EXTRA_DIST += doc/adding-a-brand.md

# Not a cmocka program: it says which trees the machine lacks.
if HOST_TESTS
check_PROGRAMS += tests/unit/test-detect-trees
TESTS += tests/unit/test-detect-trees
endif
tests_unit_test_detect_trees_SOURCES = tests/unit/test-detect-trees.c
tests_unit_test_detect_trees_CPPFLAGS = $(BZ_BRAND_TEST_CPPFLAGS) \
	-DBZ_TEST_MAKE_TREE=\"$(abs_top_srcdir)/tests/trees/make-tree\"
tests_unit_test_detect_trees_LDADD = $(BZ_BRAND_LIBS)
