/* JSON output: one object, snake_case, bytes, RFC 3339 times, "schema": 1. */
#include "config.h"

#include "brand/brand-files.h"
#include "zone/names.h"
#include "zone/output.h"

#include <stdio.h>

JsonBuilder *
bz_json_begin (void)
{
  JsonBuilder *builder = json_builder_new ();

  json_builder_begin_object (builder);
  bz_json_number (builder, "schema", 1);
  return builder;
}

static char *
finish (JsonBuilder *owned, gboolean pretty)
{
  g_autoptr (JsonBuilder) builder = owned;

  json_builder_end_object (builder);
  g_autoptr (JsonNode) root = json_builder_get_root (builder);
  return json_to_string (root, pretty);
}

void
bz_json_end (JsonBuilder *builder)
{
  g_autofree char *text = finish (builder, TRUE);

  puts (text);
}

char *
bz_json_end_line (JsonBuilder *builder)
{
  return finish (builder, FALSE);
}

static void
add_text (JsonBuilder *builder, const char *value)
{
  if (value == NULL)
    json_builder_add_null_value (builder);
  else if (g_utf8_validate (value, -1, NULL))
    json_builder_add_string_value (builder, value);
  else
    {
      g_autofree char *safe = bz_text_safe (value);
      json_builder_add_string_value (builder, safe);
    }
}

void
bz_json_text (JsonBuilder *builder, const char *name, const char *value)
{
  json_builder_set_member_name (builder, name);
  add_text (builder, value);
}

void
bz_json_number (JsonBuilder *builder, const char *name, gint64 value)
{
  json_builder_set_member_name (builder, name);
  json_builder_add_int_value (builder, value);
}

void
bz_json_bool (JsonBuilder *builder, const char *name, gboolean value)
{
  json_builder_set_member_name (builder, name);
  json_builder_add_boolean_value (builder, value);
}

void
bz_json_texts (JsonBuilder *builder, const char *name, const char *const *values)
{
  json_builder_set_member_name (builder, name);
  json_builder_begin_array (builder);
  for (; values != NULL && *values != NULL; values++)
    add_text (builder, *values);
  json_builder_end_array (builder);
}

void
bz_json_files (JsonBuilder *builder, const GPtrArray *files)
{
  json_builder_set_member_name (builder, "files");
  json_builder_begin_array (builder);
  for (guint i = 0; files != NULL && i < files->len; i++)
    {
      const BzFile *file = g_ptr_array_index (files, i);

      json_builder_begin_object (builder);
      bz_json_text (builder, "path", file->path);
      bz_json_text (builder, "is", bz_file_kind_name (file->kind));
      bz_json_text (builder, "value", file->value);
      bz_json_text (builder, "when", bz_file_when_name (file->when));
      json_builder_end_object (builder);
    }
  json_builder_end_array (builder);
}
