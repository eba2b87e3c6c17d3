/* A release per program.
 *
 * Problem (E5): a static program that is newer than the zone's release says "FATAL: kernel too old",
 * or dies before it can say so: glibc compares what uname(2) tells with the number in the program's ABI
 * note. And one old program may have to be told another release than the rest of its zone.
 *
 * Facts. Dynamic programs do not come to this: newer ld.so of glibc takes the kernel's number from
 * the note "Linux" in the vDSO and asks uname only where there is no vDSO. That note is the host's. Measured:
 * CentOS 6's ld.so (2.12) makes no call of uname at its start, and CentOS 6's /bin/true runs in a zone that
 * claims 2.6.9; Fedora Core 2's (2.3.3) calls it once, and finds no libc.so.6 in a zone that claims 2.2.0. The note
 * could be made to agree, since each process has
 * a private copy of the page to write to. It should not: ld.so uses that number only to refuse libraries whose own
 * note asks for more and to choose among directories of libraries. With LD_ASSUME_KERNEL=2.6.9, which
 * makes it believe what an agreeing note would say, CentOS 6's /bin/true finds no libc.so.6. Nothing else
 * reads the note. So it stays the host's, which is the highest there is.
 *
 * Choice. `note`: where uname is called from text below 1 GiB, as only programs linked to a fixed address
 * do (those that are dynamic call it from a library, far above), the program's headers are read where i386 and
 * x86-64 programs have them, in one read of memory; /proc is not asked. If the note asks for more than the
 * zone's release, uname tells the note's. Where each program
 * is looked at before it runs (images.h), memory is read only once one has come that asks for more.
 * `variable`: BRANDZONE_RELEASE in the environment that the program was executed with comes first. It costs
 * a look at /proc for each call of uname in the zone (about as much as the call itself), so it
 * holds only in zones that were told so.
 *
 * Limits: static programs at changing addresses (static-pie, glibc 2.26 and later) and those linked to another
 * address are not seen; nor is an ld.so of 2.3, which checks the libraries of its own time; glibc 2.36 asks no
 * more. /proc/version, and which calls are missing, stay the zone's. */
#include "config.h"

#include "syscall-xlat/program-release.h"

#include "brand/brand-file.h"
#include "syscall-xlat/remote.h"

#include <elf.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define HEAD 1024
#define FIXED_TEXT_END G_GUINT64_CONSTANT (0x40000000)
#define ENVIRONMENT_MAX (128 * 1024)
#define VARIABLE "BRANDZONE_RELEASE"
#define RELEASE_LONGEST 64
#define MOST_HEADERS 16

/* --- the ABI note --- */

static gboolean
find_note (const guint8 *notes, gsize size, guint32 part[3])
{
  while (size >= sizeof (Elf32_Nhdr))
    {
      Elf32_Nhdr note; /* the same for 64 bits */
      memcpy (&note, notes, sizeof note);
      if (note.n_namesz > size || note.n_descsz > size)
        return FALSE;
      gsize name = (note.n_namesz + 3u) & ~3u, descriptor = (note.n_descsz + 3u) & ~3u;
      gsize whole = sizeof note + name + descriptor;
      if (whole > size)
        return FALSE;
      if (note.n_type == NT_GNU_ABI_TAG && note.n_namesz == 4 && note.n_descsz >= 16
          && memcmp (notes + sizeof note, "GNU", 4) == 0)
        {
          guint32 words[4];
          memcpy (words, notes + sizeof note + name, sizeof words);
          memcpy (part, words + 1, sizeof words - sizeof words[0]);
          return words[0] == ELF_NOTE_OS_LINUX && part[0] < 1000 && part[1] < 65536
                 && part[2] < 65536;
        }
      notes += whole;
      size -= whole;
    }
  return FALSE;
}

/* One program header as 64-bit numbers. */
static gboolean
header_at (const guint8 *head, gsize size, gsize index, Elf64_Phdr *out)
{
  gboolean wide = head[EI_CLASS] == ELFCLASS64;
  gsize each = wide ? sizeof (Elf64_Phdr) : sizeof (Elf32_Phdr);
  Elf32_Phdr narrow;
  guint64 at = 0;

  memcpy (&at, head + (wide ? offsetof (Elf64_Ehdr, e_phoff) : offsetof (Elf32_Ehdr, e_phoff)),
          wide ? sizeof (Elf64_Off) : sizeof (Elf32_Off));

  if (at > size || (index + 1) * each > size - at)
    return FALSE;
  if (wide)
    {
      memcpy (out, head + at + index * each, each);
      return TRUE;
    }
  memcpy (&narrow, head + at + index * each, each);
  *out = (Elf64_Phdr){ .p_type = narrow.p_type,
                       .p_offset = narrow.p_offset,
                       .p_filesz = narrow.p_filesz };
  return TRUE;
}

gboolean
bz_program_note (const guint8 *head, gsize size, guint32 part[3])
{
  Elf64_Phdr header;

  if (size < sizeof (Elf64_Ehdr) || memcmp (head, ELFMAG, SELFMAG) != 0)
    return FALSE;
  for (gsize i = 0; i < MOST_HEADERS && header_at (head, size, i, &header); i++)
    if (header.p_type == PT_NOTE && header.p_offset < size
        && find_note (head + header.p_offset,
                      MIN (header.p_filesz, size - header.p_offset), part))
      return TRUE;
  return FALSE;
}

/* Where each program is looked at before it runs (images.h), that one asks for more is known before it calls; there
 * the read of its memory would be a tenth of the call. */
static gboolean
may_want_more (BzCall *call)
{
  return call->ip < FIXED_TEXT_END
         && (call->images == NULL || bz_call_has_happened (call, BZ_EVER_NEWER));
}

static gboolean
release_of_note (BzCall *call, char *release, gsize size)
{
  guint8 head[HEAD];
  guint32 part[3];

  if (!may_want_more (call)
      || bz_call_read (call, call->abi == BZ_ABI_I386 ? 0x08048000 : 0x400000, head, sizeof head)
             != 0
      || !bz_program_note (head, sizeof head, part)
      || BZ_RELEASE (part[0], part[1], part[2]) <= call->plan->release_number)
    return FALSE;
  g_snprintf (release, size, "%u.%u.%u", part[0], part[1], part[2]);
  return TRUE;
}

/* --- the variable --- */

const char *
bz_program_variable (const char *environment, gsize size, const char *name)
{
  gsize length = strlen (name);

  for (const char *at = environment, *end = environment + size; at < end;)
    {
      const char *stop = memchr (at, '\0', (gsize) (end - at));
      if (stop == NULL)
        return NULL;
      if ((gsize) (stop - at) > length && memcmp (at, name, length) == 0 && at[length] == '=')
        return at + length + 1;
      at = stop + 1;
    }
  return NULL;
}

static gboolean
release_of_variable (const BzCall *call, char *release, gsize size)
{
  g_autofree char *environment = g_malloc (ENVIRONMENT_MAX);
  char path[64];
  gsize length = 0;
  ssize_t got = 0;
  BzRelease number;

  g_snprintf (path, sizeof path, "/proc/%d/environ", (int) call->tid);
  int fd = open (path, O_RDONLY | O_CLOEXEC);
  if (fd < 0)
    return FALSE;
  while (length < ENVIRONMENT_MAX
         && (got = read (fd, environment + length, ENVIRONMENT_MAX - length)) > 0)
    length += (gsize) got;
  close (fd);

  const char *value = bz_program_variable (environment, length, VARIABLE);
  if (value == NULL || !bz_brand_word_valid (value, RELEASE_LONGEST)
      || !bz_release_parse (value, &number))
    return FALSE;
  g_strlcpy (release, value, size);
  return TRUE;
}

gboolean
bz_program_release (BzCall *call, char *release, gsize size)
{
  guint how = call->plan->quirk[BZ_QUIRK_PROGRAM_RELEASE];

  if (how == BZ_PROGRAM_RELEASE_HOST)
    return FALSE;
  return (how == BZ_PROGRAM_RELEASE_VARIABLE && release_of_variable (call, release, size))
         || release_of_note (call, release, size);
}
