/* Rewritten calls that reach the vDSO.
 *
 * Problem: a system call costs 100 ns and more, a function of the vDSO 2 to 25 ns; a place of nine bytes can't find the
 * vDSO, whose address differs from process to process.
 *
 * Facts: the last page of a library's text is mapped whole, and in the file zeros follow the text there, since linkers
 * begin the data elsewhere in a page: 420 bytes in CentOS 6's libc, 300 in its libpthread, 1724 and 412 in wheezy's. The last
 * page of bss is memory of nobody behind its end: zero when the library is there. The functions' offsets in the vDSO are
 * the same for all processes of a kernel (they are part of the cache's keys), its address is in the auxiliary vector, which
 * prctl(PR_GET_AUXV) tells since Linux 6.4. A supervisor that wrote the address, as it swaps the library, would
 * cost each start 12 us, which pays after a hundred calls; most programs make two.
 *
 * Choice: calls go to a stub in the free part of the text, which jumps to the vDSO when a word behind the bss holds its
 * address. Until then they count, and make the system call; each 64th asks for the vector: programs that rarely
 * ask the time pay nothing, others 1 us once. Signal handlers and threads may do all that at once: each step
 * is the same for all of them. /proc/self/auxv would do on older kernels, but below a chroot that is anybody's file.
 *
 * Limits: programs keep their system calls: behind the end of their bss begins their heap. So do
 * libraries without room, calls that are two edits, and kernels before 6.4. A vDSO that is switched off (vdso=0) is asked for
 * at each 64th call. A seccomp filter of the program's own that kills it for prctl(2), but lets it ask the time, does so. */
#include "config.h"

#include "loader/shadow/vdso.h"

#include <elf.h>
#include <string.h>

#define PAGE G_GUINT64_CONSTANT (4096)
#define MOST_SEGMENTS 64
#define SPARE 16 /* bytes behind an edit that those may read who make it in memory (exec-hook.c) */

/* One for each entry. */
static const guint8 stub[] = {
  0x48, 0x8b, 0x05, 0, 0, 0, 0,       /* mov word(%rip), %rax */
  0x48, 0x3d, 0x00, 0x00, 0x01, 0x00, /* cmp $0x10000, %rax: no address yet? */
  0x72, 0x08,                         /* jb 1f */
  0x48, 0x05, 0, 0, 0, 0,             /* add $OFFSET, %rax */
  0xff, 0xe0,                         /* jmp *%rax */
  0xb8, 0, 0, 0, 0,                   /* 1: mov $CALL, %eax */
  0xe9, 0, 0, 0, 0,                   /* jmp common */
};
enum { STUB_WORD = 3, STUB_OFFSET = 17, STUB_CALL = 24, STUB_JUMP = 29 };

/* Behind the stubs. */
static const guint8 common[] = {
  0xff, 0x05, 0, 0, 0, 0,                   /* incl count(%rip) */
  0xf6, 0x05, 0, 0, 0, 0, 0x3f,             /* testb $63, count(%rip) */
  0x74, 0x03,                               /* je 1f */
  0x0f, 0x05,                               /* syscall */
  0xc3,                                     /* ret */
  0x50, 0x57, 0x56, 0x52,                   /* 1: push %rax, %rdi, %rsi, %rdx */
  0x48, 0x81, 0xec, 0x00, 0x01, 0x00, 0x00, /* sub $256, %rsp */
  0xbf, 0x56, 0x58, 0x55, 0x41,             /* mov $PR_GET_AUXV, %edi */
  0x48, 0x89, 0xe6,                         /* mov %rsp, %rsi */
  0xba, 0x00, 0x01, 0x00, 0x00,             /* mov $256, %edx: x86's is the first entry */
  0x45, 0x31, 0xd2,                         /* xor %r10d, %r10d */
  0x45, 0x31, 0xc0,                         /* xor %r8d, %r8d */
  0xb8, 0x9d, 0x00, 0x00, 0x00,             /* mov $157, %eax: prctl */
  0x0f, 0x05,                               /* syscall */
  0x85, 0xc0,                               /* test %eax, %eax */
  0x78, 0x16,                               /* js 3f: there is no such prctl */
  0x83, 0xea, 0x10,                         /* 2: sub $16, %edx */
  0x78, 0x11,                               /* js 3f */
  0x48, 0xad,                               /* lodsq */
  0x48, 0x83, 0xf8, 0x21,                   /* cmp $AT_SYSINFO_EHDR, %rax */
  0x48, 0xad,                               /* lodsq */
  0x75, 0xf1,                               /* jne 2b */
  0x48, 0x89, 0x05, 0, 0, 0, 0,             /* mov %rax, word(%rip) */
  0x48, 0x81, 0xc4, 0x00, 0x01, 0x00, 0x00, /* 3: add $256, %rsp */
  0x5a, 0x5e, 0x5f, 0x58,                   /* pop %rdx, %rsi, %rdi, %rax */
  0x0f, 0x05,                               /* syscall */
  0xc3,                                     /* ret */
};
enum { COMMON_COUNT = 2, COMMON_COUNT_TOO = 8, COMMON_WORD = 77 };

typedef struct {
  guint64 offset, address, size; /* of the free part of the text */
  guint64 word;                  /* address of sixteen free bytes to write to */
} Room;

/* --- where there is room --- */

typedef struct {
  Elf64_Phdr load[MOST_SEGMENTS];
  guint count;
  guint64 fixed; /* where what becomes read-only ends (PT_GNU_RELRO) */
} Segments;

static guint64
page_up (guint64 address)
{
  return (address + PAGE - 1) & ~(PAGE - 1);
}

/* bz_rewrite_find() has seen that the program headers lie in the image, and PT_LOADs too. */
static gboolean
read_segments (const guint8 *image, gsize size, Segments *segments)
{
  Elf64_Ehdr header;

  segments->count = 0;
  segments->fixed = 0;
  if (size < sizeof header)
    return FALSE;
  memcpy (&header, image, sizeof header);
  if (header.e_type != ET_DYN || header.e_phnum > MOST_SEGMENTS || header.e_phoff > size
      || header.e_phnum * sizeof (Elf64_Phdr) > size - header.e_phoff)
    return FALSE;
  for (guint i = 0; i < header.e_phnum; i++)
    {
      Elf64_Phdr *load = &segments->load[segments->count];

      memcpy (load, image + header.e_phoff + i * sizeof *load, sizeof *load);
      if (load->p_vaddr > G_MAXINT64 || load->p_memsz > G_MAXINT32 || load->p_filesz > load->p_memsz
          || load->p_offset > size)
        return FALSE;
      if (load->p_type == PT_LOAD)
        segments->count++;
      else if (load->p_type == PT_GNU_RELRO)
        segments->fixed = load->p_vaddr + load->p_memsz;
    }
  return TRUE;
}

/* Whether another segment has bytes of [from, to), in memory or in the file. */
static gboolean
is_taken (const Segments *segments, const Elf64_Phdr *own, guint64 from, guint64 to, gboolean in_file)
{
  for (guint i = 0; i < segments->count; i++)
    {
      const Elf64_Phdr *load = &segments->load[i];
      guint64 begin = in_file ? load->p_offset : load->p_vaddr & ~(PAGE - 1);
      guint64 end = in_file ? load->p_offset + load->p_filesz : page_up (load->p_vaddr + load->p_memsz);

      if (load != own && begin < to && end > from)
        return TRUE;
    }
  return FALSE;
}

static gboolean
find_free_text (const guint8 *image, gsize size, const Segments *segments, guint64 edited, Room *room)
{
  for (guint i = 0; i < segments->count; i++)
    {
      const Elf64_Phdr *load = &segments->load[i];
      guint64 end = load->p_offset + load->p_filesz, end_address = load->p_vaddr + load->p_filesz;

      if (edited < load->p_offset || edited >= end)
        continue;
      if ((load->p_flags & (PF_X | PF_W)) != PF_X || load->p_filesz != load->p_memsz
          || (end - end_address) % PAGE != 0
          || is_taken (segments, load, end_address, page_up (end_address), FALSE))
        return FALSE;
      guint64 from = (end + 15) & ~G_GUINT64_CONSTANT (15), to = from;
      while (to < MIN (page_up (end), size) && image[to] == 0)
        to++;
      *room = (Room){ .offset = from, .address = end_address + (from - end), .size = to - MIN (from, to) };
      return from < to && !is_taken (segments, load, from, to, TRUE);
    }
  return FALSE;
}

/* Behind the bss: where that has pages of its own, whose end is zero (that of a page of the file's is what the file
 * holds there). */
static gboolean
find_free_word (const Segments *segments, Room *room)
{
  const Elf64_Phdr *last = NULL;

  for (guint i = 0; i < segments->count; i++)
    if (last == NULL || segments->load[i].p_vaddr > last->p_vaddr)
      last = &segments->load[i];
  if (last == NULL || (last->p_flags & (PF_R | PF_W)) != (PF_R | PF_W))
    return FALSE;
  guint64 end = last->p_vaddr + last->p_memsz, page = end & ~(PAGE - 1);
  room->word = (end + 7) & ~G_GUINT64_CONSTANT (7);
  return end != page && room->word + 16 <= page + PAGE && page_up (last->p_vaddr + last->p_filesz) <= page
         && room->word > room->address && room->word - room->address < G_MAXINT32 /* the reach of an instruction */
         && segments->fixed <= page && !is_taken (segments, last, page, page + PAGE, FALSE);
}

/* --- code --- */

static const guint32 entry_call[BZ_VSYSCALL_COUNT] = { 96, 201, 309 };

/* Which entry an edit calls: it is `mov $NUMBER,%eax; syscall`, perhaps `ret`, and nops. -1: it is a part of two. */
static int
entry_of (const BzEdit *edit)
{
  guint32 number;

  if (edit->length < 7 || edit->new_bytes[0] != 0xb8 || edit->new_bytes[5] != 0x0f || edit->new_bytes[6] != 0x05)
    return -1;
  memcpy (&number, edit->new_bytes + 1, sizeof number);
  for (int entry = 0; entry < BZ_VSYSCALL_COUNT; entry++)
    if (GUINT32_FROM_LE (number) == entry_call[entry])
      return entry;
  return -1;
}

static void
put_number (guint8 *at, guint64 number)
{
  guint32 little = GUINT32_TO_LE ((guint32) number);

  memcpy (at, &little, sizeof little);
}

/* at: address of the four bytes, behind which the instruction ends after `rest` more. */
static void
put_distance (guint8 *code, guint64 at, guint rest, guint64 target)
{
  put_number (code, target - (at + 4 + rest));
}

static void
add_stub (GByteArray *code, const Room *room, guint entry, guint32 offset, guint64 to)
{
  guint64 at = room->address + code->len;

  g_byte_array_append (code, stub, sizeof stub);
  guint8 *bytes = code->data + code->len - sizeof stub;
  put_distance (bytes + STUB_WORD, at + STUB_WORD, 0, room->word);
  put_number (bytes + STUB_OFFSET, offset);
  put_number (bytes + STUB_CALL, entry_call[entry]);
  put_distance (bytes + STUB_JUMP, at + STUB_JUMP, 0, to);
}

static void
add_common (GByteArray *code, const Room *room)
{
  guint64 at = room->address + code->len, count = room->word + 8;

  g_byte_array_append (code, common, sizeof common);
  guint8 *bytes = code->data + code->len - sizeof common;
  put_distance (bytes + COMMON_COUNT, at + COMMON_COUNT, 0, count);
  put_distance (bytes + COMMON_COUNT_TOO, at + COMMON_COUNT_TOO, 1, count);
  put_distance (bytes + COMMON_WORD, at + COMMON_WORD, 0, room->word);
}

/* The edit becomes a call of, or a jump to, the stub. */
static void
lead_to (BzEdit *edit, guint64 target)
{
  static const guint8 nop[] = { 0x0f, 0x1f, 0x40, 0x00 };
  gboolean tail = edit->new_bytes[7] == 0xc3 && edit->length > 7;
  g_autofree char *before = edit->reason;

  edit->new_bytes[0] = tail ? 0xe9 : 0xe8;
  put_distance (edit->new_bytes + 1, edit->address + 1, 0, target);
  memset (edit->new_bytes + 5, 0x90, edit->length - 5u);
  if (edit->length >= 9)
    memcpy (edit->new_bytes + 5, nop, sizeof nop);
  edit->reason = g_strdup_printf ("%s, the vDSO's in the long run", before);
}

static gint
compare_edits (gconstpointer a, gconstpointer b)
{
  const BzEdit *one = a, *other = b;

  return one->offset < other->offset ? -1 : one->offset > other->offset;
}

static void
add_code (BzRewrite *rewrite, const Room *room, const GByteArray *code)
{
  guint more = (code->len + BZ_REWRITE_MAX_EDIT - 1) / BZ_REWRITE_MAX_EDIT;

  rewrite->edits = g_renew (BzEdit, rewrite->edits, rewrite->n + more);
  for (guint at = 0; at < code->len; at += BZ_REWRITE_MAX_EDIT)
    {
      BzEdit *edit = &rewrite->edits[rewrite->n++];

      *edit = (BzEdit){ .offset = room->offset + at,
                        .address = room->address + at,
                        .length = (guint8) MIN (code->len - at, BZ_REWRITE_MAX_EDIT),
                        .reason = g_strdup ("leads to the vDSO, from where the text's last page is free") };
      memcpy (edit->new_bytes, code->data + at, edit->length);
    }
  qsort (rewrite->edits, rewrite->n, sizeof rewrite->edits[0], compare_edits);
}

void
bz_rewrite_use_vdso (const guint8 *image, gsize size, const BzVdso *vdso, BzRewrite *rewrite)
{
  gboolean wanted[BZ_VSYSCALL_COUNT] = { FALSE };
  guint64 stub_at[BZ_VSYSCALL_COUNT] = { 0 };
  g_autoptr (GByteArray) code = g_byte_array_new ();
  Segments segments;
  guint count = 0;
  Room room;
  int entry;

  for (guint i = 0; i < rewrite->n; i++)
    if ((entry = entry_of (&rewrite->edits[i])) >= 0 && vdso->offset[entry] != 0 && !wanted[entry])
      {
        wanted[entry] = TRUE;
        count++;
      }
  gsize need = count * sizeof stub + sizeof common;
  if (count == 0 || !read_segments (image, size, &segments)
      || !find_free_text (image, size, &segments, rewrite->edits[0].offset, &room)
      || !find_free_word (&segments, &room) || room.size < need + SPARE)
    return;
  for (guint i = 0; i < BZ_VSYSCALL_COUNT; i++)
    if (wanted[i])
      {
        stub_at[i] = room.address + code->len;
        add_stub (code, &room, i, vdso->offset[i], room.address + count * sizeof stub);
      }
  add_common (code, &room);
  for (guint i = 0; i < rewrite->n; i++)
    if ((entry = entry_of (&rewrite->edits[i])) >= 0 && wanted[entry])
      lead_to (&rewrite->edits[i], stub_at[entry]);
  add_code (rewrite, &room, code);
}
