#include "config.h"

#include "zone/trace-line.h"

#include "zone/names.h"
#include "zone/output.h"

#include <string.h>

/* Of a call that the list does not have: one that is gone, or of a filter that is not ours. */
#define UNKNOWN_ARGUMENTS "ppp"

/* The event comes from a process that handles the zone's calls: its fields are checked like any
 * input. */
static const BzRow *
row_of (const BzTraceEvent *event)
{
  return event->abi < BZ_ABI_COUNT ? bz_table_row ((BzAbi) event->abi, event->nr) : NULL;
}

static char *
comm_of (const BzTraceEvent *event)
{
  g_autofree char *comm = g_strndup (event->comm, sizeof event->comm);

  return bz_text_safe (comm);
}

/* "uname", or "syscall_4711". Owned by the caller. */
static char *
name_of (const BzTraceEvent *event, const BzRow *row)
{
  return row != NULL ? g_strdup (row->name) : g_strdup_printf ("syscall_%d", event->nr);
}

static const struct {
  const char *name, *kinds;
} arguments_of[] = {
#define BZ_ARGUMENTS(name, kinds) { name, kinds },
#include "zone/call-arguments.def"
#undef BZ_ARGUMENTS
};

const char *
bz_trace_arguments (const char *call)
{
  for (gsize i = 0; i < G_N_ELEMENTS (arguments_of); i++)
    if (strcmp (arguments_of[i].name, call) == 0)
      return arguments_of[i].kinds;
  return NULL;
}

static void
append_argument (GString *line, char kind, guint64 value)
{
  if (kind == 'd') /* the upper half of an int is garbage, and i386 has none */
    g_string_append_printf (line, "%d", (gint32) value);
  else if (kind == 'o')
    g_string_append_printf (line, "0%o", (guint32) value);
  else
    g_string_append_printf (line, "0x%" G_GINT64_MODIFIER "x", value);
}

static void
append_arguments (GString *line, const BzTraceEvent *event, const char *call)
{
  const char *kinds = bz_trace_arguments (call);

  if (kinds == NULL)
    kinds = UNKNOWN_ARGUMENTS;
  for (guint i = 0; kinds[i] != '\0' && i < G_N_ELEMENTS (event->args); i++)
    {
      g_string_append (line, i > 0 ? ", " : "");
      append_argument (line, kinds[i], event->args[i]);
    }
}

static void
append_result (GString *line, const BzTraceEvent *event)
{
  const char *name;

  switch ((BzVerdictKind) event->verdict)
    {
    case BZ_VERDICT_CONTINUE:
      g_string_append (line, "passed on");
      break;
    case BZ_VERDICT_ERRNO:
    case BZ_VERDICT_DEFERRED:
      name = strerrorname_np ((int) event->value);
      g_string_append_printf (line, "-1 %s", name != NULL ? name : "E?");
      break;
    case BZ_VERDICT_VALUE:
      if (event->value > 0xffff)
        g_string_append_printf (line, "0x%" G_GINT64_MODIFIER "x", (guint64) event->value);
      else
        g_string_append_printf (line, "%" G_GINT64_FORMAT, event->value);
      break;
    default:
      g_string_append (line, "?");
    }
}

/* The names of the quirks that can trap the row. Owned by the caller. */
static char *
quirks_of (const BzRow *row)
{
  GString *names = g_string_new (NULL);

  for (int quirk = 0; quirk < BZ_QUIRK_COUNT; quirk++)
    {
      if (row->quirks & BZ_QUIRK_BIT (quirk))
        g_string_append_printf (names, "%s%s", names->len > 0 ? " " : "",
                                bz_quirk_name ((BzQuirk) quirk));
    }
  return g_string_free (names, FALSE);
}

char *
bz_trace_line (const BzTraceEvent *event)
{
  const BzRow *row = row_of (event);
  g_autofree char *comm = comm_of (event);
  g_autofree char *name = name_of (event, row);
  GString *line = g_string_new (NULL);

  g_string_append_printf (line, "%s[%u] %s(", comm, event->tid, name);
  append_arguments (line, event, name);
  g_string_append (line, ") = ");
  append_result (line, event);
  if (row != NULL)
    {
      g_autofree char *quirks = quirks_of (row);
      g_string_append_printf (line, " (%s%s%s)", quirks, row->rows[0] != '\0' ? " " : "",
                              row->rows);
    }
  if (event->pretended)
    g_string_append (line, " [without effect]");
  return g_string_free (line, FALSE);
}

char *
bz_trace_json (const BzTraceEvent *event)
{
  static const char *const verdicts[] = { [BZ_VERDICT_VALUE] = "value",
                                          [BZ_VERDICT_ERRNO] = "errno",
                                          [BZ_VERDICT_CONTINUE] = "passed_on",
                                          [BZ_VERDICT_DEFERRED] = "deferred" };
  const BzRow *row = row_of (event);
  g_autofree char *comm = comm_of (event);
  g_autofree char *name = name_of (event, row);
  JsonBuilder *builder = bz_json_begin ();

  bz_json_text (builder, "command", comm);
  bz_json_number (builder, "tid", event->tid);
  bz_json_text (builder, "abi",
                event->abi < BZ_ABI_COUNT ? bz_abi_name ((BzAbi) event->abi) : NULL);
  bz_json_text (builder, "call", name);
  bz_json_number (builder, "number", event->nr);
  json_builder_set_member_name (builder, "arguments");
  json_builder_begin_array (builder);
  for (int i = 0; i < 6; i++)
    {
      g_autofree char *hex = g_strdup_printf ("0x%" G_GINT64_MODIFIER "x", event->args[i]);
      json_builder_add_string_value (builder, hex);
    }
  json_builder_end_array (builder);
  bz_json_text (builder, "verdict",
                event->verdict < G_N_ELEMENTS (verdicts) ? verdicts[event->verdict] : NULL);
  bz_json_number (builder, "value", event->value);
  bz_json_bool (builder, "without_effect", event->pretended != 0);
  bz_json_number (builder, "nanoseconds", event->nanoseconds);
  bz_json_number (builder, "lost", event->lost);
  bz_json_text (builder, "rows", row != NULL ? row->rows : NULL);
  return bz_json_end_line (builder);
}
