# Reads brand/quirks.def and a system call table, checks the table, and writes what is made of it.
# POSIX awk. Usage:
#
#   awk -v mode=MODE -f gen-tables.awk quirks.def ABI.tbl...
#
# mode=rows      the rows as C initializers for table.c (one table)
# mode=manual    the lists of brandzone-syscalls(7) in mdoc (all tables)
# mode=check     nothing: only the checks
#
# A table that is wrong anywhere gives no output worth having: the exit status is 1 and each fault is
# told with its file and line.

function fault(text) {
	printf "%s:%d: %s\n", FILENAME, FNR, text > "/dev/stderr"
	faults++
}

# "2.6.32" as BZ_RELEASE (2, 6, 32).
function release(text,   part, n) {
	if (text == "-" || text == "i386")
		return "0"
	if (text == "never")
		return "BZ_RELEASE (0, 0, 1)"
	if (text !~ /^[0-9]+\.[0-9]+(\.[0-9]+)?$/) {
		fault("not a release: " text)
		return "0"
	}
	n = split(text, part, ".")
	return "BZ_RELEASE (" part[1] + 0 ", " part[2] + 0 ", " (n > 2 ? part[3] + 0 : 0) ")"
}

# A number for comparing releases; ABIs' first calls are 0.
function order(text,   part, n) {
	n = split(text, part, ".")
	return part[1] * 1000000 + part[2] * 1000 + (n > 2 ? part[3] : 0)
}

function number(text) {
	if (text !~ /^(0x[0-9a-fA-F]+|[0-9]+)$/)
		fault("not a number: " text)
	return text "u"
}

function quirks(text,   part, n, i, out) {
	if (text == "-")
		return "0"
	n = split(text, part, "[|]")
	out = ""
	for (i = 1; i <= n; i++) {
		if (!(part[i] in quirk_id))
			fault("no such quirk in quirks.def: " part[i])
		out = out (i > 1 ? " | " : "") "BZ_QUIRK_BIT (BZ_QUIRK_" quirk_id[part[i]] ")"
	}
	return out
}

function condition(text,   left, right, negate, high, at, mask, value, n) {
	if (text == "-")
		return "{ .arg = -1 }"
	if (text !~ /^arg[0-5](>>32)?(&[0-9a-fA-Fx]+)?!?=[0-9a-fA-Fx]+([|][0-9a-fA-Fx]+)?$/) {
		fault("not a condition: " text)
		return "{ .arg = -1 }"
	}
	at = index(text, "=")
	left = substr(text, 1, at - 1)
	right = substr(text, at + 1)
	negate = sub(/!$/, "", left)
	high = sub(/>>32/, "", left)
	mask = "0xffffffff"
	if (index(left, "&"))
		mask = substr(left, index(left, "&") + 1)
	n = split(right, value, "[|]")
	if (n < 2)
		value[2] = value[1]
	return "{ .arg = " substr(left, 4, 1) ", .negate = " (negate ? "TRUE" : "FALSE") \
	    ", .high = " (high ? "TRUE" : "FALSE") ", .mask = " number(mask) ", .value = { " number(value[1]) ", " number(value[2]) " } }"
}

function flag(text, name,   part, n, i, found) {
	found = "FALSE"
	n = split(text, part, ",")
	for (i = 1; i <= n; i++) {
		if (part[i] == name)
			found = "TRUE"
		else if (part[i] != "-" && part[i] != "blocking" && part[i] != "once")
			fault("no such flag: " part[i])
	}
	return found
}

function quoted(text) {
	gsub(/\\/, "\\\\", text)
	gsub(/"/, "\\\"", text)
	return "\"" text "\""
}

# Lines of mdoc text must not start with a control character, nor hold an escape.
function roff(text) {
	gsub(/\\/, "\\e", text)
	if (text ~ /^[.']/)
		text = "\\&" text
	return text
}

function spaced(text) {
	gsub(/,/, " ", text)
	return text
}

# The words of the columns from..NF.
function rest(from,   i, out) {
	out = ""
	for (i = from; i <= NF; i++)
		out = out (i > from ? " " : "") $i
	return out == "-" ? "" : out
}

function expect(nr) {
	if (nr != next_nr)
		fault("number " nr " where " next_nr " is due: sorted, unique and without gaps")
}

function end_of_table() {
	if (table && next_nr < last_nr + 1)
		fault(table " ends at " next_nr - 1 ": Linux 6.12 has " last_nr)
}

function remember(manual_list, line) {
	text[table, manual_list] = text[table, manual_list] line "\n"
}

BEGIN {
	last_nr = 462
	if (mode != "rows" && mode != "manual" && mode != "check") {
		print "gen-tables.awk: which mode?" > "/dev/stderr"
		exit faults = 1
	}
}

FNR == 1 && FILENAME ~ /\.tbl$/ {
	end_of_table()
	table = FILENAME
	sub(/^.*\//, "", table)
	sub(/\.tbl$/, "", table)
	tables[++table_count] = table
	next_nr = 0
}

# BZ_QUIRK (ID, "name", "values", "rows", "meaning")
!table {
	if (/^BZ_QUIRK \(/) {
		split($0, part, "\"")
		id = part[1]
		sub(/^BZ_QUIRK \(/, "", id)
		sub(/, *$/, "", id)
		quirk_id[part[2]] = id
		quirk_rows[part[2]] = " " part[6] " "
	}
	next
}

/^#/ || NF == 0 { next }

$1 == "unassigned" {
	if ($2 !~ /^[0-9]+(-[0-9]+)?$/ || NF < 3) {
		fault("unassigned NUMBER[-NUMBER] reason")
		next
	}
	split($2, part, "-")
	expect(part[1] + 0)
	next_nr = (part[2] == "" ? part[1] : part[2]) + 1
	remember("unassigned", ".It " $2 "\n" roff(rest(3)) ".")
	next
}

NF < 10 { fault("a row has ten columns, not " NF); next }

{
	nr = $1; name = $2; since = $3; until = $4; quirk = $5; handler = $6; reason = rest(10)

	if (nr !~ /^[0-9]+$/)
		fault("not a number: " nr)
	expect(nr + 0)
	next_nr = nr + 1
	if (name !~ /^[a-z_][a-z0-9_]*$/)
		fault("not a name: " name)
	if ((table, name) in seen)
		fault("a second " name)
	seen[table, name] = 1
	if (until != "-" && until != "never" && until != "i386" && since != "-" && order(until) <= order(since))
		fault(name " ended in " until ", before it came in " since)
	if ((until != "-" || quirk != "-") && reason == "")
		fault(name " needs a reason")
	if (since != "-" && order(since) > order("5.14") && reason == "")
		fault(name " is newer than the lowest host, 5.14: which older call does the same, or why does none?")
	if ((quirk == "-") != (handler == "-"))
		fault(name ": a quirk and a handler go together")
	if (quirk == "-" && ($7 != "-" || $8 != "-"))
		fault(name ": condition and flags are for trapped calls")
	if (quirk == "-" && until == "-" && $9 != "-")
		fault(name ": rows are for calls that are trapped or gone")
	if (handler != "-" && handler !~ /^[a-z][a-z0-9_]*$/)
		fault("not a handler: " handler)
	if (quirk != "-") {
		n = split($9, row_of, ",")
		for (i = 1; i <= n; i++) {
			found = 0
			m = split(quirk, part, "[|]")
			for (j = 1; j <= m; j++)
				if (index(quirk_rows[part[j]], " " row_of[i] " "))
					found = 1
			if (!found)
				fault(name ": row " row_of[i] " is not one of quirk " quirk)
		}
	}
	c_since = release(since)
	c_until = release(until)
	c_quirks = quirks(quirk)
	c_condition = condition($7)
	c_blocking = flag($8, "blocking")
	c_once = flag($8, "once")

	if (mode == "rows") {
		printf "  { .nr = %d, .name = \"%s\",\n", nr, name
		printf "    .since = %s, .until = %s,\n", c_since, c_until
		if (quirk != "-") {
			printf "    .quirks = %s,\n", c_quirks
			printf "    .handler = bz_call_%s, .handler_name = \"bz_call_%s\",\n", handler, handler
			printf "    .blocking = %s, .once = %s,\n", c_blocking, c_once
		}
		printf "    .condition = %s,\n", c_condition
		if (until == "i386")
			printf "    .i386_only = TRUE,\n"
		printf "    .rows = %s,\n", quoted($9 == "-" ? "" : spaced($9))
		printf "    .reason = %s },\n", quoted(reason)
	}
	if (quirk != "-") {
		line = ".It Sy " name " Pq " nr "\n" roff(reason) ".\nQuirk\n.Ql " quirk " ;\n"
		if ($7 != "-")
			line = line "only if\n.Ql " $7 " ;\n"
		if ($8 != "-")
			line = line $8 ";\n"
		if (since != "-")
			line = line "since " since ";\n"
		if (until != "-")
			line = line "until " until ";\n"
		line = line "rows " spaced($9)
		remember("answered", line ".")
	} else if (until != "-") {
		line = ".It Sy " name " Pq " nr "\n" roff(reason) "."
		if (until == "i386")
			line = line "\nNever in kernels for x86-64."
		else if (until != "never")
			line = line "\nHere " (since == "-" ? "from the start" : "from " since) " until " until "."
		if ($9 != "-")
			line = line "\nRows " spaced($9) "."
		remember("gone", line)
	} else {
		if (!(since in since_seen)) {
			since_seen[since] = 1
			since_list[++since_count] = since
		}
		calls[table, since] = calls[table, since] (calls[table, since] == "" ? "" : ",\n") name
		if (reason != "")
			remember("noted", ".It Sy " name " Pq " nr "\n" roff(reason) ".")
	}
}

function sort_releases(   i, j, t) {
	for (i = 2; i <= since_count; i++)
		for (j = i; j > 1 && order(since_list[j]) < order(since_list[j - 1]); j--) {
			t = since_list[j]
			since_list[j] = since_list[j - 1]
			since_list[j - 1] = t
		}
}

function manual_section(heading, list, intro) {
	if (text[table, list] == "")
		return
	print ".Ss " heading
	print intro
	print ".Bl -tag -width Ds"
	printf "%s", text[table, list]
	print ".El"
}

function manual(   t, i) {
	sort_releases()
	for (t = 1; t <= table_count; t++) {
		table = tables[t]
		print ".Sh CALLS OF " toupper(table)
		manual_section(table ": answered by brandzone", "answered",
		    "Trapped when the brand has the quirk, and only then; the host's kernel answers otherwise.")
		manual_section(table ": gone, or never there", "gone",
		    "The host answers\n.Er ENOSYS ,\nor still answers; a brand that claims a release without the call gets\n.Er ENOSYS\nin any case.")
		manual_section(table ": notes on calls of the host", "noted",
		    "Passed to the host's kernel as they are, with something to know.")
		manual_section(table ": unassigned numbers", "unassigned",
		    "No release up to 6.12 has used them; they answer\n.Er ENOSYS .")
		print ".Ss " table ": passed to the host's kernel"
		print "By the release that brought them; a brand that claims an older one, and whose quirk\n.Ql missing\nis\n.Ql release ,\nanswers\n.Er ENOSYS ."
		print ".Bl -tag -width Ds"
		for (i = 1; i <= since_count; i++)
			if (calls[table, since_list[i]] != "") {
				print ".It " (since_list[i] == "-" ? "as old as the ABI" : since_list[i])
				print calls[table, since_list[i]] "."
			}
		print ".El"
	}
}

END {
	end_of_table()
	if (!table_count && !faults) {
		print "gen-tables.awk: no table" > "/dev/stderr"
		faults++
	}
	if (faults)
		exit 1
	if (mode == "manual")
		manual()
}
