/* A list of a tree may have come with a zone from elsewhere: whatever its bytes are, an answer and
 * no harm. */
#include "config.h"

#include "zone/tree-list.h"

#include <string.h>

int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  static const char half[] = "#mtree\n./a type=file mode=644 size=1\n./b type=dir\n";
  g_autofree char *input = g_strndup ((const char *) data, size);
  g_autofree char *text = g_strconcat ("#mtree\n", input, NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) list = bz_tree_list_parse (text, "fuzz", &error);
  g_autoptr (GPtrArray) other = bz_tree_list_parse (half, "half", NULL);

  g_assert_true ((list == NULL) == (error != NULL));
  for (int i = 0; list != NULL && i < 2; i++)
    {
      g_autoptr (GArray) changes =
          i == 0 ? bz_tree_list_compare (other, list) : bz_tree_list_compare (list, other);
      for (guint j = 0; j < changes->len; j++)
        g_free (bz_tree_change_text (&g_array_index (changes, BzTreeChange, j)));
    }
  return 0;
}
