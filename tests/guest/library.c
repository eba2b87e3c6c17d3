/* guest-library: a file that calls the vsyscall page (x86-64) from a place that can't be rewritten: the address lies in
 * data. guest-loads maps it as a dynamic linker maps a library, and finds its function behind the mark. */
#include "guest.h"

__asm__(".section .rodata\n.balign 8\naddress_in_data: .quad 0xffffffffff600400\n"
        ".text\n.balign 16\n.ascii \"guest-library:tm\"\n"
        ".type library_time, @function\nlibrary_time: mov address_in_data(%rip), %rax\n jmp *%rax\n"
        ".size library_time, .-library_time\n");

int
guest_main (int argc, char **argv, char **envp)
{
  (void) argc, (void) argv, (void) envp;
  return 0;
}
