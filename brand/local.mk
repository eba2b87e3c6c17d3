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
	brand/brand.c \
	brand/brand.h \
	brand/detect-rule.c \
	brand/detect-rule.h \
	brand/detect.c \
	brand/detect.h \
	brand/elf-facts.c \
	brand/elf-facts.h \
	brand/features.def \
	brand/host.h \
	brand/key-lines.c \
	brand/key-lines.h \
	brand/personality.def \
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
