#include "guest.h"

#ifdef __i386__
__asm__(".globl _start\n"
        "_start:\n"
        "  xor %ebp, %ebp\n"
        "  mov %esp, %eax\n"
        "  and $-16, %esp\n"
        "  sub $12, %esp\n"
        "  push %eax\n"
        "  call guest_start\n"
        "  hlt\n"
        ".globl guest_restore\n"
        "guest_restore:\n"
        "  pop %eax\n" /* a handler without SA_SIGINFO gets the old frame */
        "  mov $119, %eax\n"
        "  int $0x80\n");
#else
__asm__(".globl _start\n"
        "_start:\n"
        "  xor %ebp, %ebp\n"
        "  mov %rsp, %rdi\n"
        "  and $-16, %rsp\n"
        "  call guest_start\n"
        "  hlt\n"
        ".globl guest_restore\n"
        "guest_restore:\n"
        "  mov $15, %eax\n"
        "  syscall\n");
#endif

void guest_start (word *stack);
void guest_restore (void);

void
guest_start (word *stack)
{
  int argc = (int) stack[0];
  char **argv = (char **) (stack + 1);

  int status = guest_main (argc, argv, argv + argc + 1);
  call (NR_exit_group, status);
  call (NR_exit, status); /* releases before 2.6 have no exit_group */
}

#ifdef __i386__
/* The sixth argument is ebp, which a function with a frame can't name: a block in memory, loaded by
 * hand. */
long
guest_call (long nr, word a, word b, word c, word d, word e, word f)
{
  word block[7] = { (word) nr, a, b, c, d, e, f };
  long result;

  __asm__ volatile("push %%ebp\n\t"
                   "push %%ebx\n\t"
                   "mov 4(%%eax), %%ebx\n\t"
                   "mov 8(%%eax), %%ecx\n\t"
                   "mov 12(%%eax), %%edx\n\t"
                   "mov 16(%%eax), %%esi\n\t"
                   "mov 20(%%eax), %%edi\n\t"
                   "mov 24(%%eax), %%ebp\n\t"
                   "mov (%%eax), %%eax\n\t"
                   "int $0x80\n\t"
                   "pop %%ebx\n\t"
                   "pop %%ebp"
                   : "=a"(result)
                   : "a"(block)
                   : "ecx", "edx", "esi", "edi", "memory", "cc");
  return result;
}
#else
long
guest_call (long nr, word a, word b, word c, word d, word e, word f)
{
  register word r10 __asm__("r10") = d;
  register word r8 __asm__("r8") = e;
  register word r9 __asm__("r9") = f;
  long result;

  __asm__ volatile("syscall"
                   : "=a"(result)
                   : "a"(nr), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                   : "rcx", "r11", "memory", "cc");
  return result;
}
#endif

usize
length_of (const char *text)
{
  usize n = 0;

  while (text[n] != '\0')
    n++;
  return n;
}

int
equal (const char *a, const char *b)
{
  while (*a != '\0' && *a == *b)
    a++, b++;
  return *a == *b;
}

int
starts_with (const char *text, const char *prefix)
{
  while (*prefix != '\0' && *text == *prefix)
    text++, prefix++;
  return *prefix == '\0';
}

long
number_of (const char *text)
{
  int negative = *text == '-', base = 10;
  word value = 0;

  text += negative;
  if (text[0] == '0' && text[1] == 'x')
    base = 16, text += 2;
  for (;; text++)
    {
      u32 digit = *text >= '0' && *text <= '9'   ? (u32) (*text - '0')
                  : *text >= 'a' && *text <= 'f' ? (u32) (*text - 'a' + 10)
                                                 : 99;
      if (digit >= (u32) base)
        return negative ? -(long) value : (long) value;
      value = value * (word) base + digit;
    }
}

void *
memset (void *to, int byte, usize count)
{
  for (volatile u8 *p = to; count > 0; count--)
    *p++ = (u8) byte;
  return to;
}

void *
memcpy (void *to, const void *from, usize count)
{
  volatile u8 *p = to;

  for (const u8 *q = from; count > 0; count--)
    *p++ = *q++;
  return to;
}

int
memcmp (const void *a, const void *b, usize count)
{
  for (const u8 *p = a, *q = b; count > 0; count--, p++, q++)
    {
      if (*p != *q)
        return *p - *q;
    }
  return 0;
}

struct line {
  char text[4096];
  usize length;
};

static void
put (struct line *line, char c)
{
  if (line->length < sizeof line->text)
    line->text[line->length++] = c;
}

/* In steps of 16 bits: i386 divides 64 bits only with the compiler's library. */
u64
divide (u64 value, u32 by, u32 *rest)
{
  u64 quotient = 0;
  u32 r = 0;

  for (int shift = 48; shift >= 0; shift -= 16)
    {
      r = r << 16 | (u32) (value >> shift & 0xffff);
      quotient = quotient << 16 | r / by;
      r %= by;
    }
  *rest = r;
  return quotient;
}

static void
put_number (struct line *line, u64 value, u32 base)
{
  char digits[24];
  usize n = 0;
  u32 digit;

  do
    {
      value = divide (value, base, &digit);
      digits[n++] = "0123456789abcdef"[digit];
    }
  while (value != 0);
  while (n > 0)
    put (line, digits[--n]);
}

static void
put_signed (struct line *line, s64 value)
{
  if (value < 0)
    put (line, '-');
  put_number (line, value < 0 ? 0 - (u64) value : (u64) value, 10);
}

void
print (const char *format, ...)
{
  static struct line line;
  __builtin_va_list args;

  line.length = 0;
  __builtin_va_start (args, format);
  for (const char *p = format; *p != '\0'; p++)
    {
      if (*p != '%')
        {
          put (&line, *p);
          continue;
        }
      int longs = 0;
      for (p++; *p == 'l'; p++)
        longs++;
      switch (*p)
        {
        case 's':
          for (const char *s = __builtin_va_arg(args, const char *); *s != '\0'; s++)
            put (&line, *s);
          break;
        case 'c':
          put (&line, (char) __builtin_va_arg(args, int));
          break;
        case 'd':
          put_signed (&line, longs == 2   ? __builtin_va_arg(args, s64)
                             : longs == 1 ? __builtin_va_arg(args, long)
                                          : __builtin_va_arg(args, int));
          break;
        case 'u':
        case 'x':
          put_number (&line,
                      longs == 2   ? __builtin_va_arg(args, u64)
                      : longs == 1 ? __builtin_va_arg(args, word)
                                   : __builtin_va_arg(args, u32),
                      *p == 'x' ? 16 : 10);
          break;
        default:
          put (&line, *p);
        }
    }
  __builtin_va_end (args);
  for (usize at = 0; at < line.length;)
    {
      long n = call (NR_write, 1, line.text + at, line.length - at);
      if (n == -E_INTR)
        continue;
      if (n <= 0)
        break;
      at += (usize) n;
    }
}

static int cases, failures;

void
ok (int passed, const char *name)
{
  cases++;
  failures += !passed;
  print ("%sok %d - %s (%s)\n", passed ? "" : "not ", cases, name, GUEST_ABI);
}

void
is (long got, long expected, const char *name)
{
  if (got != expected)
    print ("# %s: expected %ld, got %ld\n", name, expected, got);
  ok (got == expected, name);
}

void
is_text (const char *got, const char *expected, const char *name)
{
  int same = equal (got, expected);

  if (!same)
    print ("# %s: expected \"%s\", got \"%s\"\n", name, expected, got);
  ok (same, name);
}

void
skip (const char *name, const char *reason)
{
  cases++;
  print ("ok %d - %s (%s) # SKIP %s\n", cases, name, GUEST_ABI, reason);
}

int
done (void)
{
  print ("1..%d\n", cases);
  return failures > 0;
}

long
read_file (const char *path, char *buffer, usize size)
{
  long fd = call (NR_open, path, 0, 0);
  usize length = 0;

  if (fd < 0)
    return fd;
  for (long n = 1; n > 0 && length<size - 1; length += n> 0 ? (usize) n : 0)
    {
      n = call (NR_read, fd, buffer + length, size - 1 - length);
      if (n < 0)
        {
          call (NR_close, fd);
          return n;
        }
    }
  call (NR_close, fd);
  if (length > 0 && buffer[length - 1] == '\n')
    length--;
  buffer[length] = '\0';
  return (long) length;
}

#define STACK_BYTES (64 * 1024)

/* CLONE_VM FS FILES SIGHAND THREAD SYSVSEM PARENT_SETTID CHILD_CLEARTID */
#define THREAD_FLAGS 0x350f00ul

/* The new thread finds its function and data on its own stack; it never returns to the caller's
 * frame. */
struct start {
  long (*function) (void *data);
  void *data;
  struct thread *thread;
};
void guest_thread_body (struct start *start);
long guest_clone (word flags, void *stack, volatile u32 *tid);

void
guest_thread_body (struct start *start)
{
  start->thread->result = start->function (start->data);
  for (;;)
    call (NR_exit, 0);
}

#ifdef __i386__
__asm__(".globl guest_clone\n"
        "guest_clone:\n"
        "  push %ebx\n"
        "  push %esi\n"
        "  push %edi\n"
        "  mov $120, %eax\n"
        "  mov 16(%esp), %ebx\n"
        "  mov 20(%esp), %ecx\n"
        "  mov 24(%esp), %edx\n"
        "  xor %esi, %esi\n"
        "  mov %edx, %edi\n"
        "  int $0x80\n"
        "  test %eax, %eax\n"
        "  jz 1f\n"
        "  pop %edi\n"
        "  pop %esi\n"
        "  pop %ebx\n"
        "  ret\n"
        "1: xor %ebp, %ebp\n"
        "  call guest_thread_body\n" /* the argument is on top of the new stack */
        "  hlt\n");
#else
__asm__(".globl guest_clone\n"
        "guest_clone:\n"
        "  mov $56, %eax\n"
        "  mov %rdx, %r10\n"
        "  xor %r8d, %r8d\n"
        "  syscall\n"
        "  test %rax, %rax\n"
        "  jz 1f\n"
        "  ret\n"
        "1: xor %ebp, %ebp\n"
        "  mov (%rsp), %rdi\n"
        "  call guest_thread_body\n"
        "  hlt\n");
#endif

int
thread_start (struct thread *thread, long (*function) (void *data), void *data)
{
  static u8 stacks[8][STACK_BYTES] __attribute__ ((aligned (16)));
  static u32 used;

  if (used == COUNT (stacks))
    return -E_AGAIN;
  u8 *top = stacks[used++] + STACK_BYTES;
  struct start *start = (struct start *) (void *) (top - 64);
  struct start **argument = (struct start **) (void *) (top - 128);

  *start = (struct start){ function, data, thread };
  *argument = start;
  thread->tid = 1;
  long tid = guest_clone (THREAD_FLAGS, argument, &thread->tid);
  return tid < 0 ? (int) tid : 0;
}

long
thread_wait (struct thread *thread)
{
  for (u32 tid; (tid = thread->tid) != 0;)
    {
      if (call (NR_futex, &thread->tid, 0, tid, 0) == -E_NOSYS)
        guest_sleep_us (1000);
    }
  return thread->result;
}

long
guest_fork (void)
{
  return call (NR_fork);
}

long
guest_wait (long pid)
{
  int status = 0;
  long got;

  do
    got = call (NR_wait4, pid, &status, 0, 0);
  while (got == -E_INTR);
  return got < 0 ? got : status;
}

void
guest_sleep_us (u32 microseconds)
{
  struct {
    long seconds, nanoseconds;
  } time = { (long) (microseconds / 1000000), (long) (microseconds % 1000000 * 1000) };

  call (NR_nanosleep, &time, 0);
}

u64
monotonic_ns (void)
{
  struct {
    long seconds, nanoseconds;
  } time = { 0, 0 };

  /* Releases before 2.6 have no clock_gettime. */
  if (call (NR_clock_gettime, 1, &time) == 0)
    return (u64) time.seconds * 1000000000u + (u64) time.nanoseconds;
  call (NR_gettimeofday, &time, 0);
  return (u64) time.seconds * 1000000000u + (u64) time.nanoseconds * 1000u;
}

void
on_signal (int signal, void (*handler) (int signal))
{
#ifdef __i386__
  /* rt_sigaction came with 2.2. */
  struct {
    void (*handler) (int signal);
    word mask, flags;
    void (*restorer) (void);
  } action = { handler, 0, 0x14000000 /* SA_RESTORER SA_RESTART */, guest_restore };

  call (NR_sigaction, signal, &action, 0);
#else
  struct {
    void (*handler) (int signal);
    word flags;
    void (*restorer) (void);
    word mask;
  } action = { handler, 0x14000000, guest_restore, 0 };

  call (NR_rt_sigaction, signal, &action, 0, 8);
#endif
}

/* "0 1000 1": the map of a zone with a single id ends in that count. */
static int
single_id (void)
{
  static char map[256];
  long length = read_file ("/proc/self/uid_map", map, sizeof map);

  return length > 2 && equal (map + length - 2, " 1");
}

int
become_user (void)
{
  if (single_id ())
    {
      skip ("setuid(1000)", "the zone has one user id");
      return 0;
    }
  long result = call (NR_setuid, 1000);
  is (result, 0, "setuid(1000)");
  return result == 0;
}
