/* What a value of a brand or plan may be. Apart from the readers of brand files and trees, so that
 * keeper and supervisor, which are handed a plan, link none of those (nor libelf). */
#include "config.h"

#include "brand/brand-file.h"

#include <string.h>
#include <sys/resource.h>

static const struct {
  const char *name;
  int resource;
} limits[BZ_LIMIT_COUNT] = {
  [BZ_LIMIT_NOFILE] = { "nofile", RLIMIT_NOFILE },
  [BZ_LIMIT_STACK] = { "stack", RLIMIT_STACK },
  [BZ_LIMIT_NPROC] = { "nproc", RLIMIT_NPROC },
  [BZ_LIMIT_CORE] = { "core", RLIMIT_CORE },
};

const char *
bz_limit_name (BzLimitKind kind)
{
  return (guint) kind < BZ_LIMIT_COUNT ? limits[kind].name : NULL;
}

int
bz_limit_resource (BzLimitKind kind)
{
  return (guint) kind < BZ_LIMIT_COUNT ? limits[kind].resource : -1;
}

gboolean
bz_brand_name_valid (const char *name)
{
  gsize length = strlen (name);

  return length >= 1 && length <= 63 && g_ascii_isalnum (name[0])
         && strspn (name, "abcdefghijklmnopqrstuvwxyz0123456789_.-") == length;
}

gboolean
bz_brand_text_valid (const char *text, gsize longest)
{
  gsize length = strlen (text);

  if (length < 1 || length > longest)
    return FALSE;
  for (; *text != '\0'; text++)
    if (!g_ascii_isprint (*text))
      return FALSE;
  return TRUE;
}

gboolean
bz_brand_word_valid (const char *text, gsize longest)
{
  return bz_brand_text_valid (text, longest) && strchr (text, ' ') == NULL;
}

gboolean
bz_brand_call_valid (const char *name)
{
  gsize length = strlen (name);

  return length >= 1 && length <= 64 && !g_ascii_isdigit (name[0])
         && strspn (name, "abcdefghijklmnopqrstuvwxyz0123456789_") == length;
}

guint64
bz_brand_personality_flags (void)
{
  return 0
#define BZ_PERSONALITY(name, value) | (value)
#include "brand/personality.def"
#undef BZ_PERSONALITY
      ;
}
