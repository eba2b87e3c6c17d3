noinst_LIBRARIES += libbrand.a
libbrand_a_SOURCES = \
	brand/abi.c \
	brand/abi.h \
	brand/base/error.c \
	brand/base/error.h \
	brand/brand-directories.c \
	brand/brand-directories.h \
	brand/brand-file.c \
	brand/brand-file.h \
	brand/brand-values.c \
	brand/brand.c \
	brand/brand.h \
	brand/detect-rule.c \
	brand/detect-rule.h \
	brand/detect.c \
	brand/detect.h \
	brand/elf-facts.c \
	brand/elf-facts.h \
	brand/features.def \
	brand/host-cache.c \
	brand/host-cache.h \
	brand/host-probe-files.c \
	brand/host-probe-mount.c \
	brand/host-probe.c \
	brand/host-probe.h \
	brand/host.c \
	brand/host.h \
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
	brand/tree-facts.c \
	brand/tree-facts.h \
	brand/tree.c \
	brand/tree.h

# The brands themselves: data. A new one is a line here and nothing else.
brandsdir = $(pkgdatadir)/brands
dist_brands_DATA = \
	brand/definitions/alpine.brand \
	brand/definitions/basiclinux.brand \
	brand/definitions/debian-bullseye.brand \
	brand/definitions/debian-wheezy.brand \
	brand/definitions/el5.brand \
	brand/definitions/el6.brand \
	brand/definitions/el7.brand \
	brand/definitions/fedora-core.brand \
	brand/definitions/libc5.brand \
	brand/definitions/linux-2.0.brand \
	brand/definitions/linux-2.2.brand \
	brand/definitions/linux-2.4.brand \
	brand/definitions/linux-2.6.brand \
	brand/definitions/linux-3.10.brand \
	brand/definitions/native.brand \
	brand/definitions/redhat.brand \
	brand/definitions/slackware-glibc.brand \
	brand/definitions/slackware.brand \
	brand/definitions/uclibc-old.brand \
	brand/definitions/uclibc.brand
