/* doctor: what this host gives, what each lack costs and how to mend it. */
#include "config.h"

#include "brand/base/error.h"
#include "zone/output.h"
#include "zone/copy-way.h"
#include "zone/verbs.h"

#include <stdio.h>

static const char *const need_names[] = {
  [BZ_NEED_REQUIRED] = "everything",
  [BZ_NEED_ROOT] = "root's zones",
  [BZ_NEED_USER] = "users' zones",
  [BZ_NEED_BETTER] = "better zones",
};

static const char *const need_words[] = {
  [BZ_NEED_REQUIRED] = "required",
  [BZ_NEED_ROOT] = "root",
  [BZ_NEED_USER] = "user",
  [BZ_NEED_BETTER] = "better",
};

/* Whether the lack matters to who asks: root's zones need no subordinate ids. */
static gboolean
matters (const BzHost *host, BzFeature feature)
{
  BzNeed need = bz_feature_need (feature);

  return !host->has[feature] && !(need == BZ_NEED_ROOT && !host->root)
         && !(need == BZ_NEED_USER && host->root);
}

static void
print_lacks (const BzHost *host)
{
  for (int feature = 0; feature < BZ_FEATURE_COUNT; feature++)
    {
      if (!matters (host, (BzFeature) feature))
        continue;
      printf ("\n%s is missing: %s.\n  Mend it: %s.\n", bz_feature_name ((BzFeature) feature),
              bz_feature_cost ((BzFeature) feature), bz_feature_mend ((BzFeature) feature));
    }
}

/* How zones are cloned: a matter of the file system that they lie on, or will lie on. */
typedef struct {
  char *directory;
  BzCopyWays ways;
  GPtrArray *names; /* best first, NULL at the end */
} Copying;

static void
copying_clear (Copying *copying)
{
  g_free (copying->directory);
  g_clear_pointer (&copying->names, g_ptr_array_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Copying, copying_clear)

static void
look_at_copying (const BzContext *context, const BzHost *host, Copying *copying)
{
  copying->directory = g_strdup (context->dirs->data);
  while (!g_file_test (copying->directory, G_FILE_TEST_EXISTS)
         && !g_str_equal (copying->directory, "/"))
    {
      char *parent = g_path_get_dirname (copying->directory);
      g_free (copying->directory);
      copying->directory = parent;
    }
  bz_copy_ways_probe (copying->directory, &copying->ways);
  const gboolean has[] = { [BZ_COPY_BTRFS] = copying->ways.btrfs,
                           [BZ_COPY_OVERLAY] = host->has[BZ_FEATURE_OVERLAY],
                           [BZ_COPY_REFLINK] = copying->ways.reflink,
                           [BZ_COPY_PLAIN] = TRUE };
  static const BzCopyWay order[] = { BZ_COPY_BTRFS, BZ_COPY_OVERLAY, BZ_COPY_REFLINK,
                                     BZ_COPY_PLAIN };
  copying->names = g_ptr_array_new ();
  for (guint i = 0; i < G_N_ELEMENTS (order); i++)
    if (has[order[i]])
      g_ptr_array_add (copying->names, (gpointer) bz_copy_way_name (order[i]));
  g_ptr_array_add (copying->names, NULL);
}

static void
print_copying (const Copying *copying)
{
  g_autofree char *names = g_strjoinv (", ", (char **) copying->names->pdata);

  printf ("\nTrees in %s (%s) are copied by %s.\n", copying->directory, copying->ways.type, names);
}

static void
print_table (const BzHost *host)
{
  static const char *const headings[] = { "FEATURE",    "HERE",           "SEEN",
                                          "NEEDED FOR", "WHAT IT IS FOR", NULL };
  g_autoptr (BzTextTable) table = bz_text_table_new (headings);

  for (int feature = 0; feature < BZ_FEATURE_COUNT; feature++)
    {
      const char *cells[] = { bz_feature_name ((BzFeature) feature),
                              host->has[feature] ? "yes" : "no",
                              host->detail[feature],
                              need_names[bz_feature_need ((BzFeature) feature)],
                              bz_feature_what ((BzFeature) feature),
                              NULL };
      bz_text_table_add (table, cells);
    }
  printf ("Linux %s, asked as %s\n\n", host->release_text, host->root ? "root" : "a plain user");
  bz_text_table_print (table);
  print_lacks (host);
}

static void
print_json (const BzHost *host, const Copying *copying, gboolean good)
{
  JsonBuilder *builder = bz_json_begin ();

  bz_json_text (builder, "release", host->release_text);
  bz_json_bool (builder, "root", host->root);
  bz_json_bool (builder, "good", good);
  json_builder_set_member_name (builder, "features");
  json_builder_begin_array (builder);
  for (int feature = 0; feature < BZ_FEATURE_COUNT; feature++)
    {
      json_builder_begin_object (builder);
      bz_json_text (builder, "name", bz_feature_name ((BzFeature) feature));
      bz_json_bool (builder, "here", host->has[feature]);
      bz_json_text (builder, "seen", host->detail[feature]);
      bz_json_text (builder, "need", need_words[bz_feature_need ((BzFeature) feature)]);
      bz_json_text (builder, "what", bz_feature_what ((BzFeature) feature));
      bz_json_text (builder, "cost", bz_feature_cost ((BzFeature) feature));
      bz_json_text (builder, "mend", bz_feature_mend ((BzFeature) feature));
      json_builder_end_object (builder);
    }
  json_builder_end_array (builder);
  json_builder_set_member_name (builder, "storage");
  json_builder_begin_object (builder);
  bz_json_text (builder, "directory", copying->directory);
  bz_json_text (builder, "file_system", copying->ways.type);
  bz_json_texts (builder, "ways", (const char *const *) copying->names->pdata);
  json_builder_end_object (builder);
  bz_json_end (builder);
}

int
bz_verb_doctor (BzContext *context, const BzArguments *arguments, GError **error)
{
  g_autoptr (BzHost) host = bz_context_host (context, arguments, error);

  if (host == NULL)
    return -1;
  gboolean good = bz_host_check (host, NULL);
  g_auto (Copying) copying = { 0 };
  look_at_copying (context, host, &copying);
  if (context->json)
    print_json (host, &copying, good);
  else
    {
      print_table (host);
      print_copying (&copying);
      puts (good ? "\nZones can run here."
                 : "\nZones can't run here until what everything needs is mended.");
    }
  return good ? 0 : BZ_ERROR_HOST;
}
