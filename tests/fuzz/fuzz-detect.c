/* ELF and a.out images, and C libraries' own texts: any bytes. */
#include "config.h"

#include "brand/elf-facts.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  g_autoptr (GBytes) bytes = g_bytes_new (data, size);
  BzElfFacts facts;
  BzLibcText text;

  bz_elf_facts_read (bytes, &facts);
  g_free (bz_elf_machine_name (&facts));
  bz_elf_facts_clear (&facts);
  bz_libc_text_read (bytes, &text);
  bz_libc_text_clear (&text);
  return 0;
}
