noinst_LIBRARIES += libbrand.a
libbrand_a_SOURCES = \
	brand/abi.h \
	brand/base/error.c \
	brand/base/error.h \
	brand/brand.h \
	brand/detect.h \
	brand/features.def \
	brand/host.h \
	brand/plan.h \
	brand/quirk.h \
	brand/quirks.def \
	brand/release.h
