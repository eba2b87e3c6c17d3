/* guest-note: a program whose ABI note asks for Linux 3.2.0, as static ones of glibc 2.17 and later
 * do. Prints the release that it is told, and ends with 1 where glibc would say "FATAL: kernel too
 * old". */
#include "guest.h"

__asm__ (".section .note.ABI-tag, \"a\", @note\n"
         ".balign 4\n"
         ".long 4, 16, 1\n"
         ".asciz \"GNU\"\n"
         ".long 0, 3, 2, 0\n"
         ".previous\n");

static u32
number (const char **text)
{
  u32 value = 0;

  while (**text >= '0' && **text <= '9')
    value = value * 10 + (u32) (*(*text)++ - '0');
  if (**text == '.')
    (*text)++;
  return value;
}

int
guest_main (int argc, char **argv, char **environment)
{
  static struct utsname_new u;
  const char *at = u.release;

  (void) argc;
  (void) argv;
  (void) environment;
  call (NR_uname, &u);
  print ("%s\n", u.release);
  u32 first = number (&at), second = number (&at);
  return first > 3 || (first == 3 && second >= 2) ? 0 : 1;
}
