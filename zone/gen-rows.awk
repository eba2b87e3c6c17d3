# zone/rows.def as a list of mdoc(7), for brandzone-syscalls(7). One row is one line:
#   BZ_KNOWN_ROW ("row", "symptom", "cause", "what to do" or NULL)

# A string of C as text of mdoc, where a backslash and a dot at a line's beginning mean something.
function text (string) {
  gsub (/\001/, "\"", string)
  gsub (/\\/, "\\e", string)
  return (string ~ /^[.']/ ? "\\\&" : "") string
}

BEGIN { print ".Bl -tag -width Ds" }

/^BZ_KNOWN_ROW \("/ {
  gsub (/\\"/, "\001")
  # 2: row, 4: symptom, 6: cause, 8: what to do
  n = split ($0, field, "\"")
  if (n != 7 && n != 9) {
    print FILENAME ":" FNR ": it is not a row of strings" >"/dev/stderr"
    bad = 1
    exit 1
  }
  print ".It Sy " field[2]
  print text(field[4]) ":"
  print text(field[6]) "."
  if (n == 9)
    print "What to do: " text(field[8]) "."
}

END { if (!bad) print ".El" }
