/* Detection on trees that are made up here: known, unknown, damaged and hostile ones. */
#include "config.h"

#include "brand/base/error.h"
#include "brand/detect.h"
#include "brand/elf-facts.h"
#include "brand/host.h"
#include "brand/plan.h"
#include "tests/unit/cmocka-all.h"
#include "tests/unit/made-up-tree.h"

#include <elf.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define GLIBC(version, more) \
  "GNU C Library stable release version " version ", by Roland McGrath et al.\n" more

static const guint32 note_2_6_18[4] = { 0, 2, 6, 18 }, note_3_2[4] = { 0, 3, 2, 0 };
static const MadeUpElf i386_libc5 = { 32, EM_386, ET_EXEC, "/lib/ld-linux.so.1", NULL, NULL };
static const MadeUpElf i386_glibc = { 32, EM_386, ET_EXEC, "/lib/ld-linux.so.2", NULL, NULL };
static const MadeUpElf x86_64_glibc = { 64,   EM_X86_64, ET_EXEC, "/lib64/ld-linux-x86-64.so.2",
                                        NULL, NULL };
static const MadeUpElf x86_64_static = { 64, EM_X86_64, ET_EXEC, NULL, NULL, NULL };
static const MadeUpElf arm = { 32, EM_ARM, ET_EXEC, "/lib/ld-linux.so.3", NULL, NULL };

/* Detects with our brands, and those of `more` before them. */
static BzDetection *
detect_with (const char *tree, const char *more, GError **error)
{
  const char *dirs[] = { more != NULL ? more : BZ_TEST_BRANDS, BZ_TEST_BRANDS, NULL };
  int fd = open (tree, O_PATH | O_DIRECTORY | O_CLOEXEC);

  assert_true (fd >= 0);
  BzDetection *detection = bz_detect (fd, dirs, error);
  close (fd);
  return detection;
}

static void
assert_brand (const char *tree, const char *brand, gboolean nearest)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (BzDetection) detection = detect_with (tree, NULL, &error);

  if (detection == NULL)
    fail_msg ("%s", error->message);
  assert_string_equal (detection->brand, brand);
  assert_int_equal (detection->nearest, nearest);
  assert_non_null (detection->reasons[0]);
}

static gboolean
has_reason (const BzDetection *detection, const char *part)
{
  for (guint i = 0; detection->reasons[i] != NULL; i++)
    if (strstr (detection->reasons[i], part) != NULL)
      return TRUE;
  return FALSE;
}

static void
write_libc (const char *tree, const char *path, const char *text, const guint32 *note)
{
  MadeUpElf libc = { 64, EM_X86_64, ET_DYN, NULL, text, note };

  tree_write_elf (tree, path, &libc);
}

/* A distribution that nobody has heard of: one file makes it known, no line of C. */
static void
test_invented_distribution (void **state)
{
  char *tree = tree_new (), *brands = tree_new ();

  (void) state;
  tree_write (tree, "etc/plumcake-release", "Plumcake Linux 3.1 (Marzipan)\n");
  tree_write_elf (tree, "bin/sh", &i386_glibc);
  MadeUpElf libc = { 32, EM_386, ET_DYN, NULL, GLIBC ("2.3.2", ""), note_2_6_18 };
  tree_write_elf (tree, "lib/libc.so.6", &libc);

  g_autoptr (BzDetection) before = detect_with (tree, NULL, NULL);
  assert_non_null (before);
  assert_true (before->nearest);

  tree_write (
      brands, "plumcake.brand",
      "[Brand]\nFormat=1\nName=plumcake\nTitle=Plumcake Linux\nInherits=linux-2.6\n"
      "[Kernel]\nRelease=2.6.23-plum\nVersion=#7 Thu Jan 1 00:00:00 UTC 2009\nMachine-i386=i486\n"
      "Compiler=(baker@oven) (gcc version 4.2.1)\n"
      "[Detect]\nFile=etc/plumcake-release\nMatch=^Plumcake Linux ([0-9.]+)\nVersion=3..4\n");
  g_autoptr (BzDetection) detection = detect_with (tree, brands, NULL);
  assert_non_null (detection);
  assert_string_equal (detection->brand, "plumcake");
  assert_int_equal (detection->abi, BZ_ABI_I386);
  assert_false (detection->nearest);
  assert_true (
      has_reason (detection, "etc/plumcake-release says \"Plumcake Linux 3.1 (Marzipan)\""));

  const char *dirs[] = { brands, BZ_TEST_BRANDS, NULL };
  g_autoptr (BzBrand) brand = bz_brand_load (dirs, detection->brand, NULL);
  BzHost host = { .release = BZ_RELEASE (6, 1, 0), .release_text = (char *) "6.1.0" };
  BzPlanOptions options = { .abi = detection->abi };
  host.has[BZ_FEATURE_IA32] = TRUE;
  g_autoptr (BzPlan) plan = bz_plan_make (brand, &host, &options, NULL);
  assert_string_equal (plan->release, "2.6.23-plum");
  assert_string_equal (plan->machine[BZ_ABI_I386], "i486");
  assert_string_equal (plan->proc_version,
                       "Linux version 2.6.23-plum (baker@oven) (gcc version 4.2.1)"
                       " #7 Thu Jan 1 00:00:00 UTC 2009");
  tree_remove (tree);
  tree_remove (brands);
}

static void
test_release_files (void **state)
{
  static const struct {
    const char *file, *text, *brand;
    const MadeUpElf *program;
  } cases[] = {
    { "etc/slackware-version", "4.0.0\n", "slackware", &i386_libc5 },
    { "etc/slackware-version", "3.4.0\n", "slackware-3.4", &i386_libc5 },
    { "etc/slackware-version", "3.0.0\n", "slackware-3.0", &i386_libc5 },
    { "etc/slackware-version", "3.1.0\n", "slackware-3.1", &i386_libc5 },
    { "etc/slackware-version", "3.2.0\n", "slackware-3.2", &i386_libc5 },
    { "etc/slackware-version", "3.3.0\n", "slackware-3.3", &i386_libc5 },
    { "etc/slackware-version", "3.5.0\n", "slackware-3.5", &i386_libc5 },
    { "etc/slackware-version", "3.6.0\n", "slackware-3.6", &i386_libc5 },
    { "etc/slackware-version", "3.9.0\n", "slackware-3.9", &i386_libc5 },
    { "etc/slackware-version", "Slackware 7.0.0\n", "slackware-7.0", &i386_glibc },
    { "etc/slackware-version", "Slackware 7.1.0\n", "slackware-7.1", &i386_glibc },
    { "etc/slackware-version", "Slackware 8.0.0\n", "slackware-8.0", &i386_glibc },
    { "etc/slackware-version", "Slackware 8.1.0\n", "slackware-8.1", &i386_glibc },
    { "etc/slackware-version", "Slackware 9.0.0\n", "slackware-9.0", &i386_glibc },
    { "etc/slackware-version", "Slackware 9.1.0\n", "slackware-9.1", &i386_glibc },
    { "etc/slackware-version", "Slackware 10.0.0\n", "slackware-10.0", &i386_glibc },
    { "etc/slackware-version", "Slackware 10.1.0\n", "slackware-10.1", &i386_glibc },
    { "etc/slackware-version", "Slackware 10.2.0\n", "slackware-10.2", &i386_glibc },
    { "etc/slackware-version", "Slackware 11.0.0\n", "slackware-glibc", &i386_glibc },
    { "etc/slackware-version", "Slackware 12.2.0\n", "slackware-12", &i386_glibc },
    { "etc/slackware-version", "Slackware 13.37.0\n", "slackware-13", &x86_64_glibc },
    { "etc/redhat-release", "release 5.2 (Apollo)\n", "redhat5", &i386_glibc },
    { "etc/redhat-release", "Red Hat Linux release 5.2 (Apollo)\n", "redhat5", &i386_glibc },
    { "etc/redhat-release", "Red Hat Linux release 6.2 (Zoot)\n", "redhat6", &i386_glibc },
    { "etc/redhat-release", "Red Hat Linux release 7.3 (Valhalla)\n", "redhat7", &i386_glibc },
    { "etc/redhat-release", "Red Hat Linux release 8.0 (Psyche)\n", "redhat8", &i386_glibc },
    { "etc/redhat-release", "Red Hat Linux release 9 (Shrike)\n", "redhat", &i386_glibc },
    /* Other products of that vendor count their releases on their own. */
    { "etc/redhat-release", "Red Hat Enterprise Linux AS release 3 (Taroon Update 9)\n", "el3",
      &i386_glibc },
    { "etc/redhat-release", "White Box Enterprise Linux release 3.0 (Liberation)\n", "el3",
      &i386_glibc },
    { "etc/redhat-release", "Scientific Linux SL Release 3.0.3 (SL)\n", "el3", &i386_glibc },
    { "etc/redhat-release", "CentOS release 4.5 (Final)\n", "el4", &i386_glibc },
    { "etc/redhat-release", "Asianux release 2.0 (Trinity)\n", "el4", &i386_glibc },
    { "etc/redhat-release", "MIRACLE LINUX V4.0 (Asianux Inside)\n", "el4", &i386_glibc },
    { "etc/redhat-release", "Red Hat Enterprise Linux Server release 5.11 (Tikanga)\n", "el5",
      &x86_64_glibc },
    { "etc/redhat-release", "Scientific Linux SL release 5.5 (Boron)\n", "el5", &x86_64_glibc },
    { "etc/enterprise-release",
      "Enterprise Linux Enterprise Linux Server release 5.7 (Carthage)\n", "el5", &x86_64_glibc },
    { "etc/redhat-release", "Asianux Server 3 (Quartet)\n", "el5", &x86_64_glibc },
    { "etc/redhat-release", "CentOS release 6.8 (Final)\n", "el6", &x86_64_glibc },
    { "etc/redhat-release", "Scientific Linux release 6.10 (Carbon)\n", "el6", &x86_64_glibc },
    { "etc/oracle-release", "Oracle Linux Server release 6.5\n", "el6", &x86_64_glibc },
    { "etc/redhat-release", "Asianux Server 4 (Hiranya)\n", "el6", &x86_64_glibc },
    { "etc/redhat-release", "CentOS Linux release 7.9.2009 (Core)\n", "el7", &x86_64_glibc },
    { "etc/os-release", "ID=\"ol\"\nVERSION_ID=\"7.9\"\nID_LIKE=\"fedora\"\n", "el7", &x86_64_glibc },
    { "etc/os-release", "ID=\"rocky\"\nVERSION_ID=\"8.9\"\n", "el8", &x86_64_glibc },
    { "etc/redhat-release", "AlmaLinux release 9.3 (Shamrock Pampas Cat)\n", "el9", &x86_64_glibc },
    { "etc/mandrake-release", "Linux Mandrake release 7.1 (helium)\n", "mandrake", &i386_glibc },
    { "etc/mandrake-release", "Mandrake Linux release 8.2 (Bluebird) for i586\n", "mandrake8",
      &i386_glibc },
    { "etc/mandrake-release", "Mandrake Linux release 9.1 (Bamboo) for i586\n", "mandrake",
      &i386_glibc },
    { "etc/SuSE-release", "SuSE Linux 8.2 (i586)\nVERSION = 8.2\n", "suse8", &i386_glibc },
    { "etc/SuSE-release", "SuSE Linux 9.0 (i586)\nVERSION = 9.0\n", "suse9.0", &i386_glibc },
    { "etc/SuSE-release", "SuSE Linux 9.3 (i586)\nVERSION = 9.3\n", "suse9", &i386_glibc },
    { "etc/SuSE-release", "SUSE LINUX 10.0 (i586) OSS\nVERSION = 10.0\n", "suse10", &i386_glibc },
    { "etc/SuSE-release", "openSUSE 10.3 (X86-64)\nVERSION = 10.3\n", "suse10", &x86_64_glibc },
    { "etc/SuSE-release", "openSUSE 11.4 (x86_64)\nVERSION = 11.4\n", "opensuse11", &x86_64_glibc },
    { "etc/SuSE-release", "SuSE SLES-8 (i386)\nVERSION = 8.1\n", "sles8", &i386_glibc },
    { "etc/SuSE-release", "SUSE LINUX Enterprise Server 9 (x86_64)\nVERSION = 9\n", "sles9",
      &x86_64_glibc },
    { "etc/SuSE-release", "SUSE Linux Enterprise Server 10 (x86_64)\nVERSION = 10\n", "sles10",
      &x86_64_glibc },
    { "etc/SuSE-release",
      "SUSE Linux Enterprise Server 11 (x86_64)\nVERSION = 11\nPATCHLEVEL = 3\n", "sles11",
      &x86_64_glibc },
    { "etc/SuSE-release", "SUSE Linux Enterprise Server 12 (x86_64)\n", "sles12", &x86_64_glibc },
    { "etc/os-release", "ID=\"sles\"\nVERSION_ID=\"12.5\"\n", "sles12", &x86_64_glibc },
    { "etc/debian_version", "1.3\n", "debian-bo", &i386_libc5 },
    { "etc/debian_version", "1.2\n", "debian-bo", &i386_libc5 },
    { "etc/debian_version", "2.0\n", "debian-hamm", &i386_glibc },
    { "etc/debian_version", "2.1\n", "debian-slink", &i386_glibc },
    { "etc/debian_version", "2.2\n", "debian-potato", &i386_glibc },
    { "etc/debian_version", "3.0\n", "debian-woody", &i386_glibc },
    { "etc/debian_version", "3.1\n", "debian-sarge", &i386_glibc },
    { "etc/debian_version", "4.0\n", "debian-etch", &x86_64_glibc },
    { "etc/debian_version", "lenny/sid\n", "debian-lenny", &x86_64_glibc },
    { "etc/debian_version", "5.0.10\n", "debian-lenny", &i386_glibc },
    { "etc/debian_version", "6.0.10\n", "debian-squeeze", &i386_glibc },
    { "etc/debian_version", "7.11\n", "debian-wheezy", &x86_64_glibc },
    { "etc/debian_version", "8.11\n", "debian-jessie", &x86_64_glibc },
    { "etc/debian_version", "jessie/sid\n", "debian-jessie", &x86_64_glibc },
    { "etc/debian_version", "9.8\n", "debian-stretch", &x86_64_glibc },
    { "etc/debian_version", "10.13\n", "debian-buster", &x86_64_glibc },
    { "etc/debian_version", "11.9\n", "debian-bullseye", &x86_64_glibc },
    { "etc/os-release", "ID=debian\nVERSION_ID=\"9\"\n", "debian-stretch", &x86_64_glibc },
    { "etc/os-release", "ID=debian\nVERSION_ID=\"10\"\n", "debian-buster", &i386_glibc },
    { "etc/os-release", "NAME=x\nID=debian\nVERSION_ID=\"11\"\n", "debian-bullseye",
      &x86_64_glibc },
    { "etc/lsb-release", "DISTRIB_ID=Ubuntu\nDISTRIB_RELEASE=4.10\n", "ubuntu-warty", &i386_glibc },
    { "etc/lsb-release", "DISTRIB_ID=Ubuntu\nDISTRIB_RELEASE=5.04\n", "ubuntu-hoary", &i386_glibc },
    { "etc/lsb-release",
      "DISTRIB_ID=Ubuntu\nDISTRIB_RELEASE=5.10\nDISTRIB_CODENAME=breezy\n", "ubuntu-breezy",
      &i386_glibc },
    { "etc/lsb-release", "DISTRIB_ID=Ubuntu\nDISTRIB_RELEASE=6.06\n", "ubuntu-dapper",
      &i386_glibc },
    { "etc/lsb-release", "DISTRIB_ID=Ubuntu\nDISTRIB_RELEASE=6.10\n", "ubuntu-edgy", &i386_glibc },
    { "etc/lsb-release", "DISTRIB_ID=Ubuntu\nDISTRIB_RELEASE=7.04\n", "ubuntu-feisty",
      &i386_glibc },
    { "etc/lsb-release", "DISTRIB_ID=Ubuntu\nDISTRIB_RELEASE=7.10\n", "ubuntu-gutsy", &i386_glibc },
    { "etc/lsb-release", "DISTRIB_ID=Ubuntu\nDISTRIB_RELEASE=8.04\n", "ubuntu-hardy", &i386_glibc },
    { "etc/lsb-release", "DISTRIB_ID=Ubuntu\nDISTRIB_RELEASE=8.10\n", "ubuntu-intrepid",
      &i386_glibc },
    { "etc/lsb-release", "DISTRIB_ID=Ubuntu\nDISTRIB_RELEASE=9.04\n", "ubuntu-jaunty",
      &i386_glibc },
    { "etc/lsb-release", "DISTRIB_ID=Ubuntu\nDISTRIB_RELEASE=9.10\n", "ubuntu-karmic",
      &i386_glibc },
    { "etc/lsb-release", "DISTRIB_ID=Ubuntu\nDISTRIB_RELEASE=10.04\n", "ubuntu-lucid",
      &i386_glibc },
    { "etc/lsb-release", "DISTRIB_ID=Ubuntu\nDISTRIB_RELEASE=10.10\n", "ubuntu-maverick",
      &i386_glibc },
    { "etc/lsb-release", "DISTRIB_ID=Ubuntu\nDISTRIB_RELEASE=11.04\n", "ubuntu-natty",
      &x86_64_glibc },
    { "etc/lsb-release", "DISTRIB_ID=Ubuntu\nDISTRIB_RELEASE=11.10\n", "ubuntu-oneiric",
      &x86_64_glibc },
    /* Precise says "wheezy/sid" in its debian_version. */
    { "etc/os-release", "ID=ubuntu\nVERSION_ID=\"12.04\"\n", "ubuntu-precise", &i386_glibc },
    { "etc/os-release", "ID=ubuntu\nVERSION_ID=\"12.10\"\n", "ubuntu-quantal", &i386_glibc },
    { "etc/os-release", "ID=ubuntu\nVERSION_ID=\"13.04\"\n", "ubuntu-raring", &x86_64_glibc },
    { "etc/os-release", "ID=ubuntu\nVERSION_ID=\"13.10\"\n", "ubuntu-saucy", &x86_64_glibc },
    { "etc/os-release", "ID=ubuntu\nVERSION_ID=\"14.04\"\n", "ubuntu-trusty", &x86_64_glibc },
    { "etc/os-release", "ID=ubuntu\nVERSION_ID=\"14.10\"\n", "ubuntu-utopic", &x86_64_glibc },
    { "etc/os-release", "ID=ubuntu\nVERSION_ID=\"15.04\"\n", "ubuntu-vivid", &x86_64_glibc },
    { "etc/os-release", "ID=ubuntu\nVERSION_ID=\"15.10\"\n", "ubuntu-wily", &x86_64_glibc },
    { "etc/os-release", "ID=ubuntu\nVERSION_ID=\"16.04\"\n", "ubuntu-xenial", &x86_64_glibc },
    { "etc/os-release", "ID=ubuntu\nVERSION_ID=\"18.04\"\n", "ubuntu-bionic", &x86_64_glibc },
    { "etc/fedora-release", "Fedora Core release 1 (Yarrow)\n", "fedora-core1", &i386_glibc },
    { "etc/fedora-release", "Fedora Core release 2 (Tettnang)\n", "fedora-core2", &i386_glibc },
    { "etc/fedora-release", "Fedora Core release 3 (Heidelberg)\n", "fedora-core3", &i386_glibc },
    { "etc/redhat-release", "Fedora Core release 4 (Stentz)\n", "fedora-core4", &i386_glibc },
    { "etc/fedora-release", "Fedora Core release 5 (Bordeaux)\n", "fedora-core5", &x86_64_glibc },
    { "etc/fedora-release", "Fedora Core release 6 (Zod)\n", "fedora-core6", &x86_64_glibc },
    { "etc/redhat-release", "Fedora release 8 (Werewolf)\n", "fedora8", &x86_64_glibc },
    { "etc/redhat-release", "Fedora release 7 (Moonshine)\n", "fedora8", &x86_64_glibc },
    { "etc/gentoo-release", "Gentoo Base System release 2.13\n", "gentoo", &x86_64_static },
    { "usr/share/doc/tc/release.txt", "6.0\n", "tinycore", &i386_glibc },
    { "usr/share/doc/tc/release.txt", "16.1\n", "native", &i386_glibc },
    { "usr/lib/os-release", "ID=alpine\nVERSION_ID=3.19.1\n", "alpine", &x86_64_static },
    { "etc/alpine-release", "3.6.5\n", "native",
      &x86_64_static }, /* without musl it is not believed */
  };

  (void) state;
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      char *tree = tree_new ();

      tree_write_elf (tree, "bin/sh", cases[i].program);
      tree_write (tree, cases[i].file, cases[i].text);
      g_autoptr (BzDetection) detection = detect_with (tree, NULL, NULL);
      if (detection == NULL || strcmp (detection->brand, cases[i].brand) != 0)
        fail_msg ("%s: wanted %s, got %s", cases[i].text, cases[i].brand,
                  detection != NULL ? detection->brand : "nothing");
      tree_remove (tree);
    }
}

/* Some distributions carry the release file of the one that they were made from. */
static void
test_two_release_files (void **state)
{
  static const struct {
    const char *own, *own_text, *other, *other_text, *brand;
  } cases[] = {
    { "etc/os-release", "ID=ubuntu\nVERSION_ID=\"14.04\"\n", "etc/debian_version", "jessie/sid\n",
      "ubuntu-trusty" },
    { "etc/os-release", "ID=ubuntu\nVERSION_ID=\"16.04\"\n", "etc/debian_version", "stretch/sid\n",
      "ubuntu-xenial" },
    { "etc/lsb-release", "DISTRIB_ID=Ubuntu\nDISTRIB_RELEASE=10.04\n", "etc/debian_version",
      "squeeze/sid\n", "ubuntu-lucid" },
    { "etc/mandrake-release", "Mandrake Linux release 9.1 (Bamboo) for i586\n",
      "etc/redhat-release", "Mandrake Linux release 9.1 (Bamboo) for i586\n", "mandrake" },
  };

  (void) state;
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      char *tree = tree_new ();

      tree_write (tree, cases[i].own, cases[i].own_text);
      tree_write (tree, cases[i].other, cases[i].other_text);
      tree_write_elf (tree, "bin/sh", &i386_glibc);
      assert_brand (tree, cases[i].brand, FALSE);
      tree_remove (tree);
    }
}

/* Distributions that nobody wrote a brand for land on that of a relative, and it is told. */
static void
test_relatives (void **state)
{
  static const struct {
    const char *file, *text, *libc, *brand;
  } cases[] = {
    /* By ID_LIKE and the C library of its time. */
    { "etc/os-release", "ID=plum\nVERSION_ID=3\nID_LIKE=\"rhel fedora\"\n", GLIBC ("2.17", ""), "el7" },
    { "etc/os-release", "ID=plum\nID_LIKE='centos rhel fedora'\n", GLIBC ("2.28", ""), "el8" },
    { "etc/os-release", "ID=plum\nID_LIKE=debian\n", GLIBC ("2.19", ""), "debian-jessie" },
    { "etc/os-release", "ID=plum\nID_LIKE=debian\n", GLIBC ("2.22", ""), "debian-stretch" },
    { "usr/lib/os-release", "ID=plum\nID_LIKE=\"ubuntu debian\"\n", GLIBC ("2.23", ""),
      "ubuntu-xenial" },
    { "etc/os-release", "ID=opensuse\nVERSION_ID=\"42.3\"\nID_LIKE=\"suse\"\n", GLIBC ("2.22", ""),
      "sles12" },
    { "etc/initrd-release", "ID=plum\nID_LIKE=\"rhel\"\n", GLIBC ("2.17", ""), "el7" },
    /* By the words of release files: the number may count something else. */
    { "etc/redhat-release", "XenServer release 6.2.0-70446c (xenenterprise)\n", GLIBC ("2.5", ""),
      "el5" },
    { "etc/redhat-release", "Plum Linux release 2 (Damson)\n", GLIBC ("2.12", ""), "el6" },
    { "etc/redhat-release", "Plum Linux release 6.1 (Damson)\n", NULL, "el6" },
    { "etc/debian_version", "plum/2\n", GLIBC ("2.13", ""), "debian-wheezy" },
    { "etc/debian_version", "testing/unstable\n", GLIBC ("2.3.6", ""), "debian-etch" },
    { "etc/debian_version", "bookworm/sid\n", GLIBC ("2.31", ""), "debian-bullseye" },
    { "etc/lsb-release", "DISTRIB_ID=LinuxMint\nDISTRIB_RELEASE=13\n",
      "GNU C Library (Ubuntu EGLIBC 2.15-0ubuntu10) stable release version 2.15, by Roland "
      "McGrath et al.\n",
      "ubuntu-precise" },
    { "etc/SuSE-release", "Plum Office Server 1\n", GLIBC ("2.4", ""), "suse10" },
    { "etc/mandrake-release", "Mandrakelinux release 10.2 (Cooker) for i586\n", GLIBC ("2.3.4", ""),
      "mandrake" },
    /* By its C library alone, though it says that it is another. */
    { "etc/os-release", "ID=plum\n",
      GLIBC ("2.12", "Compiled by GNU CC version 4.4.7 20120313 (Red Hat 4.4.7-17).\n"), "el6" },
  };

  (void) state;
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      char *tree = tree_new ();
      g_autoptr (GError) error = NULL;

      tree_write_elf (tree, "bin/sh", &x86_64_glibc);
      tree_write (tree, cases[i].file, cases[i].text);
      if (cases[i].libc != NULL)
        write_libc (tree, "lib64/libc.so.6", cases[i].libc, NULL);
      g_autoptr (BzDetection) detection = detect_with (tree, NULL, &error);
      if (detection == NULL || strcmp (detection->brand, cases[i].brand) != 0)
        fail_msg ("%s: wanted %s, got %s", cases[i].text, cases[i].brand,
                  detection != NULL ? detection->brand : error->message);
      if (!detection->nearest || !has_reason (detection, "is the nearest"))
        fail_msg ("%s: not said to be the nearest", cases[i].text);
      tree_remove (tree);
    }
}

/* One merged directory, links that begin with "/", and no etc at all. */
static void
test_shapes_of_trees (void **state)
{
  char *tree = tree_new ();

  (void) state;
  tree_write_elf (tree, "usr/bin/bash", &x86_64_glibc);
  write_libc (tree, "usr/lib64/libc-2.17.so",
              GLIBC ("2.17", "Compiled by GNU CC version 4.8.5 20150623 (Red Hat 4.8.5-44).\n"), NULL);
  tree_link (tree, "usr/lib64/libc.so.6", "libc-2.17.so");
  tree_link (tree, "bin", "/usr/bin");
  tree_link (tree, "lib64", "/usr/lib64");
  tree_link (tree, "lib", "usr/lib");
  assert_brand (tree, "el7", FALSE);
  tree_write (tree, "usr/lib/os-release", "ID=\"centos\"\nVERSION_ID=\"7\"\n");
  tree_link (tree, "etc/os-release", "/usr/lib/os-release");
  assert_brand (tree, "el7", FALSE);
  tree_remove (tree);
}

/* Trees without etc: the C library speaks. */
static void
test_libraries_alone (void **state)
{
  static const struct {
    const char *path, *text, *brand;
    gboolean nearest;
  } cases[] = {
    { "lib64/libc.so.6",
      GLIBC ("2.12", "Compiled by GNU CC version 4.4.7 20120313 (Red Hat 4.4.7-17).\n"), "el6",
      FALSE },
    { "lib64/libc-2.5.so",
      GLIBC ("2.5", "Compiled by GNU CC version 4.1.2 20080704 (Red Hat 4.1.2-52).\n"), "el5",
      FALSE },
    { "lib/libc-2.2.4.so",
      GLIBC ("2.2.4", "Compiled by GNU CC version 2.96 20000731 (Red Hat Linux 7.3 2.96-126).\n"), "redhat7",
      FALSE },
    { "lib/libc-2.2.93.so",
      GLIBC ("2.2.93", "Compiled by GNU CC version 3.2 20020903 (Red Hat Linux 8.0 3.2-7).\n"), "redhat8",
      FALSE },
    { "lib/libc-2.3.2.so",
      GLIBC ("2.3.2", "Compiled by GNU CC version 3.2.2 20030222 (Red Hat Linux 3.2.2-5).\n"), "redhat",
      FALSE },
    { "lib/tls/libc-2.3.2.so",
      GLIBC ("2.3.2", "Compiled by GNU CC version 3.2.3 20030502 (Red Hat Linux 3.2.3-47).\n"), "el3",
      FALSE },
    { "lib/tls/libc-2.3.4.so",
      GLIBC ("2.3.4", "Compiled by GNU CC version 3.4.6 20060404 (Red Hat 3.4.6-11).\n"), "el4", FALSE },
    { "lib/libc-2.3.3.so",
      GLIBC ("2.3.3", "Compiled by GNU CC version 3.3.3 (SuSE Linux).\n"), "sles9", FALSE },
    { "lib64/libc-2.17.so", GLIBC ("2.17", ""), "linux-3.10", TRUE },
    { "lib64/libc-2.12.so", GLIBC ("2.12", ""), "linux-2.6", TRUE },
    { "lib/libc-2.1.3.so", GLIBC ("2.1.3", ""), "linux-2.2", TRUE },
    { "lib/libc-2.2.5.so", GLIBC ("2.2.5", ""), "linux-2.4", TRUE },
    { "usr/lib/x86_64-linux-gnu/libc.so.6", GLIBC ("2.36", ""), "native", TRUE },
    { "lib/ld-musl-x86_64.so.1", "musl libc (x86_64)", "native", TRUE },
    { "lib/libuClibc-0.9.33.2.so", "", "uclibc", FALSE },
    { "lib/libc.so.5.2.18", "", "linux-2.0", TRUE },
  };

  (void) state;
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      char *tree = tree_new ();

      write_libc (tree, cases[i].path, cases[i].text, NULL);
      assert_brand (tree, cases[i].brand, cases[i].nearest);
      tree_remove (tree);
    }
}

/* One program, alone or with a directory of libraries. */
static void
test_one_program (void **state)
{
  static const guint32 note_2_2_5[4] = { 0, 2, 2, 5 };
  static const struct {
    MadeUpElf program;
    const char *libc, *text, *brand;
  } cases[] = {
    { { 64, EM_X86_64, ET_EXEC, NULL, NULL, note_2_6_18 }, NULL, NULL, "linux-2.6" },
    { { 32, EM_386, ET_EXEC, NULL, NULL, note_2_2_5 }, NULL, NULL, "linux-2.4" },
    { { 64, EM_X86_64, ET_EXEC, NULL, NULL, note_3_2 }, NULL, NULL, "native" },
    { { 64, EM_X86_64, ET_EXEC, NULL, NULL, NULL }, NULL, NULL, "native" },
    { { 32, EM_386, ET_EXEC, NULL, NULL, NULL }, NULL, NULL, "uclibc-old" },
    { { 64, EM_X86_64, ET_EXEC, "/lib64/ld-linux-x86-64.so.2", NULL, NULL },
      "libc-2.12.so",
      GLIBC ("2.12", "Compiled by GNU CC version 4.4.7 20120313 (Red Hat 4.4.7-17).\n"),
      "el6" },
    { { 64, EM_X86_64, ET_EXEC, "/lib64/ld-linux-x86-64.so.2", NULL, note_2_6_18 },
      "tls/libc-2.5.so",
      GLIBC ("2.5", ""),
      "linux-2.6" },
  };

  (void) state;
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      char *tree = tree_new ();
      g_autoptr (GBytes) bytes = elf_make (&cases[i].program);
      g_autoptr (GError) error = NULL;
      const char *dirs[] = { BZ_TEST_BRANDS, NULL };

      if (cases[i].libc != NULL)
        write_libc (tree, cases[i].libc, cases[i].text, NULL);
      int fd = cases[i].libc != NULL ? open (tree, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
      g_autoptr (BzDetection) detection = bz_detect_program (bytes, "p", fd, dirs, &error);
      if (detection == NULL || strcmp (detection->brand, cases[i].brand) != 0)
        fail_msg ("case %u: %s instead of %s", i,
                  detection != NULL ? detection->brand : error->message, cases[i].brand);
      assert_true ((detection->abi == BZ_ABI_I386) == (cases[i].program.bits == 32));
      if (fd >= 0)
        close (fd);
      tree_remove (tree);
    }
}

/* Slackware 4.0 holds libc4, libc5 and glibc: its programs decide. */
static void
test_several_libcs (void **state)
{
  char *tree = tree_new ();
  MadeUpElf libc = { 32, EM_386, ET_DYN, NULL, GLIBC ("2.0.7", ""), NULL };
  MadeUpElf libc5 = { 32, EM_386, ET_DYN, NULL, "@(#) The Linux C library 5.4.46", NULL };

  (void) state;
  tree_write_elf (tree, "lib/libc-2.0.7.so", &libc);
  tree_write_elf (tree, "lib/libc.so.5.4.46", &libc5);
  assert_brand (tree, "linux-2.2", TRUE);
  tree_write_elf (tree, "bin/bash", &i386_libc5);
  tree_write_elf (tree, "bin/ls", &i386_libc5);
  tree_write_elf (tree, "usr/bin/new", &i386_glibc);
  assert_brand (tree, "libc5", FALSE);
  tree_remove (tree);
}

/* A brand older than the libc's least kernel would make every program say "FATAL: kernel too old".
 */
static void
test_too_old_a_brand (void **state)
{
  char *tree = tree_new ();

  (void) state;
  tree_write (tree, "etc/redhat-release", "CentOS release 6.8 (Final)\n");
  tree_write_elf (tree, "bin/sh", &x86_64_glibc);
  write_libc (tree, "lib64/libc.so.6", GLIBC ("2.30", ""), note_2_6_18);
  assert_brand (tree, "el6", FALSE);
  write_libc (tree, "lib64/libc.so.6", GLIBC ("2.30", ""), note_3_2);
  g_autoptr (BzDetection) detection = detect_with (tree, NULL, NULL);
  assert_string_equal (detection->brand, "native");
  assert_true (detection->nearest);
  assert_true (has_reason (detection, "brand el6 was passed over"));
  tree_remove (tree);
}

static void
test_foreign (void **state)
{
  char *tree = tree_new ();

  (void) state;
  tree_write_elf (tree, "bin/sh", &arm);
  g_autoptr (BzDetection) detection = detect_with (tree, NULL, NULL);
  assert_true (detection->foreign);
  assert_true (has_reason (detection, "bin/sh is for ARM"));
  tree_remove (tree);

  /* x32 is not x86-64. */
  static const MadeUpElf x32 = { 32, EM_X86_64, ET_EXEC, "/libx32/ld-linux-x32.so.2", NULL, NULL };
  tree = tree_new ();
  tree_write_elf (tree, "bin/sh", &x32);
  g_autoptr (BzDetection) other = detect_with (tree, NULL, NULL);
  assert_true (other->foreign);
  tree_remove (tree);
}

static void
test_links (void **state)
{
  char *tree = tree_new ();

  (void) state;
  /* /lib -> usr/lib, an absolute link, and a release file behind two links: all inside the tree. */
  tree_link (tree, "lib64", "/usr/lib64");
  tree_link (tree, "bin", "usr/bin");
  tree_write_elf (tree, "usr/bin/sh", &x86_64_glibc);
  write_libc (tree, "usr/lib64/libc.so.6", GLIBC ("2.12", ""), NULL);
  tree_write (tree, "usr/share/release", "CentOS release 6.10 (Final)\n");
  tree_link (tree, "etc/centos-release", "/usr/share/release");
  tree_link (tree, "etc/redhat-release", "../../../../etc/centos-release");
  assert_brand (tree, "el6", FALSE);
  tree_remove (tree);

  /* The host's own files are out of reach. */
  char *outside = tree_new ();
  tree = tree_new ();
  tree_write (outside, "redhat-release", "CentOS release 6.10 (Final)\n");
  g_autofree char *target = g_build_filename (outside, "redhat-release", NULL);
  tree_write_elf (tree, "bin/sh", &x86_64_glibc);
  tree_link (tree, "etc/redhat-release", target);
  g_autoptr (BzDetection) detection = detect_with (tree, NULL, NULL);
  assert_string_not_equal (detection->brand, "el6");
  tree_remove (tree);
  tree_remove (outside);
}

/* Nothing here may hang, be followed or be read to its end. */
static void
test_what_is_no_file (void **state)
{
  char *tree = tree_new ();
  g_autofree char *device = g_build_filename (tree, "etc/debian_version", NULL);
  g_autofree char *huge = g_build_filename (tree, "etc/issue", NULL);

  (void) state;
  tree_write_elf (tree, "bin/sh", &x86_64_static);
  tree_fifo (tree, "etc/redhat-release");
  tree_fifo (tree, "lib/libc.so.6");
  tree_fifo (tree, "bin/bash");
  tree_link (tree, "etc/slackware-version", "slackware-version");
  tree_link (tree, "etc/os-release", "/proc/self/root/etc/os-release");
  if (mknod (device, S_IFCHR | 0666, makedev (1, 5)) != 0)
    tree_write (tree, "etc/debian_version", "");
  tree_write (tree, "etc/issue", "Welcome to ");
  assert_int_equal (truncate (huge, (off_t) 1 << 40), 0);
  assert_brand (tree, "native", TRUE);
  tree_remove (tree);
}

/* A FIFO holds text for the first who reads: it is not for us. */
static void
test_fifo_is_not_read (void **state)
{
  static const char text[] = "CentOS release 6.8 (Final)\n";
  char *tree = tree_new ();
  g_autofree char *path = g_build_filename (tree, "etc/redhat-release", NULL);

  (void) state;
  tree_write_elf (tree, "bin/sh", &x86_64_glibc);
  tree_fifo (tree, "etc/redhat-release");
  int fifo = open (path, O_RDWR | O_CLOEXEC);
  assert_true (fifo >= 0);
  assert_int_equal (write (fifo, text, sizeof text - 1), sizeof text - 1);
  g_autoptr (BzDetection) detection = detect_with (tree, NULL, NULL);
  assert_string_not_equal (detection->brand, "el6");
  close (fifo);
  tree_remove (tree);
}

static void
test_no_userland (void **state)
{
  char *tree = tree_new ();
  g_autoptr (GError) error = NULL;

  (void) state;
  assert_null (detect_with (tree, NULL, &error));
  assert_int_equal (error->code, BZ_ERROR_INPUT);
  g_clear_error (&error);
  tree_write (tree, "bin/sh", "#!/bin/false\n");
  tree_write (tree, "README", "text");
  assert_null (detect_with (tree, NULL, &error));
  assert_int_equal (error->code, BZ_ERROR_INPUT);
  tree_remove (tree);
}

static void
test_aout (void **state)
{
  char *tree = tree_new ();
  guint8 image[64] = { 0x0b, 0x01, 0x64, 0x00 }; /* ZMAGIC, M_386 */

  (void) state;
  tree_write_bytes (tree, "bin/sh", image, sizeof image);
  g_autoptr (BzDetection) detection = detect_with (tree, NULL, NULL);
  assert_string_equal (detection->brand, "linux-2.0");
  assert_int_equal (detection->abi, BZ_ABI_I386);
  assert_true (has_reason (detection, "a.out"));
  tree_remove (tree);
}

/* A malformed brand is passed over with a reason; the others still serve. */
static void
test_broken_brand (void **state)
{
  char *tree = tree_new (), *brands = tree_new ();

  (void) state;
  tree_write_elf (tree, "bin/sh", &x86_64_static);
  tree_write (brands, "broken.brand", "[Brand]\nFormat=9\n");
  g_autoptr (BzDetection) detection = detect_with (tree, brands, NULL);
  assert_string_equal (detection->brand, "native");
  assert_true (has_reason (detection, "brand broken was passed over"));
  tree_remove (tree);
  tree_remove (brands);
}

/* Every prefix of an image, and images whose headers point out of it. */
static void
test_damaged_elf (void **state)
{
  MadeUpElf whole = { 64, EM_X86_64, ET_EXEC, "/lib64/ld.so", "text", note_3_2 };
  g_autoptr (GBytes) bytes = elf_make (&whole);
  gsize size;
  const guint8 *data = g_bytes_get_data (bytes, &size);
  BzElfFacts facts;

  (void) state;
  bz_elf_facts_read (bytes, &facts);
  assert_int_equal (facts.image, BZ_IMAGE_ELF);
  assert_string_equal (facts.interpreter, "/lib64/ld.so");
  assert_true (facts.has_abi_note && facts.abi_note == BZ_RELEASE (3, 2, 0));
  bz_elf_facts_clear (&facts);
  for (gsize length = 0; length < size; length++)
    {
      g_autoptr (GBytes) part = g_bytes_new (data, length);
      bz_elf_facts_read (part, &facts);
      bz_elf_facts_clear (&facts);
    }
  for (gsize at = 0; at < size; at++)
    {
      g_autofree guint8 *copy = g_memdup2 (data, size);
      copy[at] = 0xff;
      g_autoptr (GBytes) changed = g_bytes_new (copy, size);
      bz_elf_facts_read (changed, &facts);
      bz_elf_facts_clear (&facts);
    }
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_invented_distribution),
    cmocka_unit_test (test_release_files),
    cmocka_unit_test (test_two_release_files),
    cmocka_unit_test (test_relatives),
    cmocka_unit_test (test_shapes_of_trees),
    cmocka_unit_test (test_libraries_alone),
    cmocka_unit_test (test_one_program),
    cmocka_unit_test (test_several_libcs),
    cmocka_unit_test (test_too_old_a_brand),
    cmocka_unit_test (test_foreign),
    cmocka_unit_test (test_links),
    cmocka_unit_test (test_what_is_no_file),
    cmocka_unit_test (test_fifo_is_not_read),
    cmocka_unit_test (test_no_userland),
    cmocka_unit_test (test_aout),
    cmocka_unit_test (test_broken_brand),
    cmocka_unit_test (test_damaged_elf),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
