/* The command table: the one place that knows what verbs and options there are.
 * Parsing, help, completion and the manual's lists come from it. */
#include "config.h"

#include "zone/options.h"
#include "zone/verbs.h"

#define END { .name = NULL }
#define FLAG(name, letter, help) { name, letter, BZ_OPTION_FLAG, NULL, help }
#define STRING(name, letter, argument, help) \
  { name, letter, BZ_OPTION_STRING, argument, help }
#define LIST(name, letter, argument, help) { name, letter, BZ_OPTION_LIST, argument, help }

const BzOption bz_global_options[] = {
  FLAG ("help", 'h', "show help and do nothing else"),
  FLAG ("version", 0, "show the version and do nothing else"),
  FLAG ("json", 0, "print JSON, errors too"),
  FLAG ("quiet", 'q', "print errors only"),
  FLAG ("verbose", 'v', "print more about what is done"),
  FLAG ("user", 0, "use your own zones, as everybody but root does by default"),
  FLAG ("system", 0, "use the zones of the system, as root does by default"),
  STRING ("root", 0, "DIR", "keep all state in DIR"),
  END
};

/* What several verbs take, written once. */
#define OPTION_BRAND STRING ("brand", 0, "BRAND", "the brand, instead of the one that is found")
#define OPTION_ABI \
  STRING ("abi", 0, "i386|x86_64", "the ABI of its programs, instead of the one that is found")
#define OPTION_RELEASE \
  STRING ("release", 0, "RELEASE", "the kernel release that it sees, instead of the brand's")
#define OPTION_DISABLE_ROW \
  LIST ("disable-row", 0, "ROW", \
          "put a row of the catalogue of failures back to the host's behaviour")
#define OPTION_WITHOUT \
  LIST ("without", 0, "FEATURE", "pretend that the host lacks a feature (see doctor)")
#define OPTION_STRICT \
  FLAG ("strict", 0, "kill a program whose call the host lacks, and say which call it was")
#define OPTION_FOLD_INODES \
  STRING ("fold-inodes", 0, "auto|yes|no", \
          "give 32-bit programs inode numbers that fit: auto where a file system needs it")
#define OPTION_REMEMBER_OWNERS \
  FLAG ("remember-owners", 0, \
        "in a zone with one id, keep the owners that files should have, and device nodes, and show them")
#define OPTION_MOUNTS \
  STRING ("mounts", 0, "TYPE[,TYPE]...", \
          "file systems that the zone's own mount(8) may have besides: nfs, ext4, iso9660; see SECURITY.md")
#define OPTION_NETWORK \
  STRING ("network", 0, "none|host|private|macvlan", \
          "the zone's network: loopback alone (the default), the host's, or an interface of its own")
#define OPTION_PUBLISH \
  LIST ("publish", 'p', "[ADDRESS:]HOST:ZONE[/udp]", \
        "lead a port of the host into the zone, which then has a private network")
#define OPTION_STORAGE \
  STRING ("storage", 0, "auto|overlay|btrfs|reflink|copy", \
          "how the tree is copied: the best that its file system has, or this")
#define OPTION_FREEZE_LIMIT \
  STRING ("freeze-limit", 0, "SECONDS", \
          "how long a running zone may stand still for it (10 by default, 0 is no limit)")
#define OPTION_INTERACTIVE FLAG ("interactive", 'i', "pass standard input on")
#define OPTION_TTY FLAG ("tty", 't', "give the command a terminal")
#define OPTION_USER \
  STRING ("user", 'u', "USER", \
          "run as this user of the zone: name or number, with :GROUP if need be")
#define OPTION_WORKDIR STRING ("workdir", 'w', "DIR", "start in this directory of the zone")
#define OPTION_ENV LIST ("env", 'e', "KEY[=VALUE]", "set a variable, or pass on the caller's")

#define OPTIONS_RESOURCES \
  LIST ("device", 0, "SRC[:DST[:MODE]]", \
        "give the zone a device of the host, or a directory of them"), \
  STRING ("memory", 'm', "SIZE", "memory that the zone may use: bytes, or 512M, 2G"), \
  STRING ("cpus", 0, "NUMBER", "processors that it may use, such as 1.5"), \
  STRING ("cpuset-cpus", 0, "LIST", "processors that it is kept on, by number, such as 0-3,8"), \
  STRING ("pids-limit", 0, "NUMBER", "processes and threads that it may have"), \
  STRING ("nofile", 0, "SOFT[:HARD]", "files that a process may have open"), \
  LIST ("cap-add", 0, "CAP_NAME", "let programs of the zone have a capability that zones have not"), \
  LIST ("cap-drop", 0, "CAP_NAME", "let no program of the zone have a capability"), \
  LIST ("sysctl", 0, "NAME=VALUE", \
        "set a value of the zone's namespaces, such as kernel.shmmax"), \
  STRING ("mac-address", 0, "ADDRESS", "give the zone an eth0 with this address")

static const BzOption install_options[] = {
  OPTION_BRAND,
  OPTION_ABI,
  STRING ("from-ssh", 0, "USER@HOST", "take the tree of a running machine; no SOURCE is named then"),
  STRING ("ssh", 0, "COMMAND", "what comes to that machine (ssh), such as 'ssh -p 2222'"),
  STRING ("from-disk", 0, "PATH", "take a machine's disk: a directory it is mounted at, a device or image"),
  STRING ("share", 0, "auto|yes|no",
          "lie on one stored tree with other zones of the same archive or image: from the second on, always, never"),
  FLAG ("preserve", 0, "of a machine: leave its configuration as it is (the default)"),
  FLAG ("unconfigure", 0, "of a machine: take out what only it had, such as its disks in fstab"),
  STRING ("profile", 0, "PROFILE", "of a package repository: how much is installed (minimal, base)"),
  LIST ("packages", 0, "PACKAGE[,PACKAGE]...", "of a package repository: install these, and what they need"),
  STRING ("suite", 0, "SUITE", "of a Debian repository: the release, such as bullseye"),
  LIST ("key", 0, "FILE", "OpenPGP keys that must have signed the packages or the repository"),
  STRING ("mirror", 0, "PLACE", "of a source by name: take it from this directory or address instead of its server"),
  FLAG ("unverified", 0, "of a source by name: take it without a known checksum"),
  FLAG ("allow-expired-key", 0, "let a signature by a key that has expired count"),
  FLAG ("keep-partial", 0, "keep what can be read of an archive that is cut off"),
  STRING ("max-size", 0, "SIZE", "refuse a source that expands beyond this (8G, or 200 times its size)"),
  STRING ("max-files", 0, "N", "refuse a source with more files than this (10 million)"),
  STRING ("progress", 0, "auto|json|none", "how progress is shown: auto is a line on a terminal"),
  OPTION_WITHOUT,
  END
};

static const BzOption remove_options[] = {
  FLAG ("force", 'f', "stop a running zone first"),
  FLAG ("all", 0, "remove all zones, and all else that brandzone keeps for the caller"),
  END
};

static const BzOption run_options[] = {
  OPTION_INTERACTIVE,
  OPTION_TTY,
  OPTION_USER,
  OPTION_WORKDIR,
  OPTION_ENV,
  LIST ("volume", 'v', "SRC:DST[:ro]", "show a file or directory of the host in the zone"),
  OPTION_NETWORK,
  OPTION_PUBLISH,
  STRING ("hostname", 0, "NAME", "the zone's host name"),
  OPTIONS_RESOURCES,
  STRING ("image", 0, "TREE", "run in a throw-away copy of a tree instead of a zone"),
  LIST ("libs", 0, "DIR", "where the libraries of a single program are"),
  FLAG ("rm", 0, "forget all changes at the end"),
  FLAG ("stats", 0, "say at the end which calls were answered, and how often"),
  OPTION_STRICT,
  OPTION_FOLD_INODES,
  OPTION_REMEMBER_OWNERS,
  OPTION_MOUNTS,
  OPTION_BRAND,
  OPTION_ABI,
  OPTION_RELEASE,
  OPTION_DISABLE_ROW,
  OPTION_WITHOUT,
  END
};

#define OPTION_HANG_UP \
  FLAG ("hang-up", 0, "end it when it is left or its terminal is lost, instead of keeping a session")

static const BzOption exec_options[] = {
  OPTION_INTERACTIVE, OPTION_TTY, OPTION_USER, OPTION_WORKDIR, OPTION_ENV, OPTION_HANG_UP, END
};

static const BzOption login_options[] = {
  STRING ("login", 'l', "USER", "who logs in (root)"),
  FLAG ("own", 0, "leave it to the distribution's login(1), which asks for a name and a password"),
  OPTION_HANG_UP,
  END
};

static const BzOption console_options[] = {
  STRING ("terminal", 't', "NUMBER", "attach to the zone's /dev/ttyNUMBER (2 to 6) instead"),
  STRING ("session", 's', "NUMBER", "come back to a session of exec or login that was left (see show)"),
  FLAG ("hang-up", 0, "end that session instead, as a line does that goes dead"),
  END
};

static const BzOption start_options[] = {
  STRING ("init", 0, "PATH", "the program of the zone that becomes process 1 (/sbin/init)"),
  FLAG ("single", 0, "boot for one user: a shell on the console, no services"),
  FLAG ("no-edits", 0, "leave the zone's files as they are, see boot-edits"),
  FLAG ("wait", 0, "show its console and end with the zone; when told to end, end the zone first"),
  FLAG ("autostart", 0, "start all zones whose zone file says Autostart=yes"),
  LIST ("volume", 'v', "SRC:DST[:ro]", "show a file or directory of the host in the zone"),
  OPTION_NETWORK,
  OPTION_PUBLISH,
  STRING ("hostname", 0, "NAME", "the zone's host name"),
  OPTIONS_RESOURCES,
  OPTION_STRICT,
  OPTION_FOLD_INODES,
  OPTION_REMEMBER_OWNERS,
  OPTION_MOUNTS,
  OPTION_BRAND,
  OPTION_ABI,
  OPTION_RELEASE,
  OPTION_DISABLE_ROW,
  OPTION_WITHOUT,
  END
};

static const BzOption restart_options[] = {
  STRING ("time", 't', "SECONDS", "wait so long before the zone is killed (10)"),
  END
};

static const BzOption logs_options[] = {
  FLAG ("follow", 'f', "go on until the zone ends"),
  END
};

static const BzOption boot_edits_options[] = {
  FLAG ("diff", 0, "print them as a difference"),
  FLAG ("undo", 0, "put the lines back as they were"),
  END
};

static const BzOption mount_options[] = {
  FLAG ("remember", 0, "change its zone file, too: for the next start"),
  END
};

static const BzOption mirror_options[] = {
  STRING ("listen", 0, "ADDRESS:PORT", "where it is served (127.0.0.1, and any port that is free)"),
  STRING ("zone", 0, "NAME", "point the repository files of this zone to it meanwhile"),
  FLAG ("undo", 0, "put the repository files of the zone back, and serve nothing"),
  END
};

static const BzOption stop_options[] = {
  FLAG ("all", 0, "end all running zones, at the same time"),
  STRING ("time", 't', "SECONDS", "wait so long before the zone is killed (10)"),
  END
};

static const BzOption refresh_options[] = {
  FLAG ("all", 0, "refresh all zones that run"),
  END
};

static const BzOption plan_options[] = {
  STRING ("image", 0, "TREE", "plan for a tree instead of a zone"),
  OPTION_STRICT,
  OPTION_FOLD_INODES,
  OPTION_REMEMBER_OWNERS,
  OPTION_MOUNTS,
  OPTION_BRAND,
  OPTION_ABI,
  OPTION_RELEASE,
  OPTION_DISABLE_ROW,
  OPTION_WITHOUT,
  END
};

static const BzOption check_options[] = {
  OPTION_BRAND, OPTION_ABI, OPTION_RELEASE, OPTION_DISABLE_ROW, OPTION_WITHOUT, END
};

static const BzOption snapshot_options[] = {
  FLAG ("list", 'l', "list the snapshots of the zone"),
  FLAG ("remove", 0, "forget a snapshot, and what only it needs"),
  OPTION_STORAGE,
  OPTION_FREEZE_LIMIT,
  OPTION_WITHOUT,
  END
};

static const BzOption verify_options[] = {
  FLAG ("all", 0, "tell of each file that differs where programs keep data, too"),
  FLAG ("ready", 0, "only say whether they are ready, and don't look at their trees"),
  END
};

static const BzOption export_options[] = {
  STRING ("format", 0, "auto|tar|oci|mtree",
          "what to write: auto is an OCI image for FILE.oci, FILE.oci.tar, a list for FILE.mtree, else a tar "
          "archive"),
  FLAG ("force", 'f', "replace a file that is there"),
  END
};

static const BzOption attach_options[] = {
  FLAG ("dry-run", 'n', "only say what this host lacks"),
  OPTION_BRAND,
  OPTION_WITHOUT,
  END
};

static const BzOption detach_options[] = {
  FLAG ("force", 'f', "leave its snapshots behind"),
  END
};

static const BzOption list_options[] = {
  FLAG ("size", 's', "show what each takes of the disk, of its own and shared with others"),
  END
};

static const BzOption clone_options[] = {
  OPTION_STORAGE, OPTION_FREEZE_LIMIT, OPTION_WITHOUT, END
};

static const BzOption rollback_options[] = {
  FLAG ("restart", 0, "stop a zone that runs, and start it again afterwards"),
  STRING ("time", 't', "SECONDS", "with --restart: wait so long before the zone is killed (10)"),
  OPTION_STORAGE,
  OPTION_WITHOUT,
  END
};

static const BzOption doctor_options[] = { OPTION_WITHOUT, END };

static const BzOption trace_options[] = {
  FLAG ("stats", 0, "print a table of counts and rates since the start of the zone, and end"),
  END
};

static const BzOption no_options[] = { END };

#define ANY G_MAXUINT

const BzVerb bz_verbs[] = {
  { "install", "NAME [SOURCE]", 1, 2, 0,
    "make a zone from a directory, archive, image, container image or package repository, or by name",
    install_options, bz_verb_install },
  { "run", "NAME|./PROGRAM [--] [COMMAND [ARGUMENT]...]", 1, 1, BZ_VERB_COMMAND | BZ_VERB_STATUS,
    "start a zone and run a command in it (a shell by default), or run a single old program",
    run_options, bz_verb_run },
  { "exec", "NAME [--] COMMAND [ARGUMENT]...", 1, 1, BZ_VERB_COMMAND | BZ_VERB_STATUS,
    "run a command in a zone that is running",
    exec_options, bz_verb_exec },
  { "login", "NAME [USER]", 1, 2, BZ_VERB_STATUS,
    "log a user (root) in to a zone that is running",
    login_options, bz_verb_login },
  { "start", "[NAME [--] [ARGUMENT]...]", 0, 1, BZ_VERB_COMMAND,
    "boot a zone: its own init becomes process 1",
    start_options, bz_verb_start },
  { "restart", "NAME", 1, 1, 0,
    "end a zone if it runs, and boot it",
    restart_options, bz_verb_restart },
  { "console", "NAME", 1, 1, 0,
    "attach to the console of a zone that has booted, or come back to a command's terminal or a session",
    console_options, bz_verb_console },
  { "logs", "NAME", 1, 1, 0,
    "print what the console of a zone has said",
    logs_options, bz_verb_logs },
  { "boot-edits", "NAME", 1, 1, 0,
    "list the edits of a zone's files that its boot cannot do without",
    boot_edits_options, bz_verb_boot_edits },
  { "stop", "[NAME]...", 0, ANY, 0,
    "end a running zone",
    stop_options, bz_verb_stop },
  { "refresh", "[NAME]...", 0, ANY, 0,
    "let a zone that runs go on with the brandzone that is installed now",
    refresh_options, bz_verb_refresh },
  { "list", "", 0, 0, 0,
    "list the zones",
    list_options, bz_verb_list },
  { "show", "NAME", 1, 1, 0,
    "show what is known of a zone",
    list_options, bz_verb_show },
  { "remove", "[NAME]...", 0, ANY, 0,
    "remove a zone with its tree",
    remove_options, bz_verb_remove },
  { "rename", "NAME NEW", 2, 2, 0,
    "give a stopped zone another name",
    no_options, bz_verb_rename },
  { "clone", "NAME[@SNAPSHOT] NEW", 2, 2, 0,
    "make another zone of one, or of a snapshot of it; both share what they have in common",
    clone_options, bz_verb_clone },
  { "snapshot", "NAME [SNAPSHOT]", 1, 2, 0,
    "keep what a zone is now under a name (the time by default)",
    snapshot_options, bz_verb_snapshot },
  { "rollback", "NAME [SNAPSHOT]", 1, 2, 0,
    "make a stopped zone what it was at a snapshot (the newest by default)",
    rollback_options, bz_verb_rollback },
  { "diff", "NAME [SNAPSHOT]", 1, 2, 0,
    "list what a zone has added, changed and deleted since a snapshot, or since the last one",
    no_options, bz_verb_diff },
  { "export", "NAME FILE", 2, 2, 0,
    "write the tree of a zone to a tar archive or an OCI image, or a list of it (- is standard output)",
    export_options, bz_verb_export },
  { "detach", "NAME DIR", 2, 2, 0,
    "make a stopped zone a directory that can be carried to another host",
    detach_options, bz_verb_detach },
  { "attach", "DIR [NAME]", 1, 2, 0,
    "make a zone of what was detached, here or elsewhere",
    attach_options, bz_verb_attach },
  { "cp", "[ZONE:]SOURCE [ZONE:]TARGET", 2, 2, 0,
    "copy files between a zone and the host",
    no_options, bz_verb_cp },
  { "mount", "NAME SRC:DST[:ro]", 2, 2, 0,
    "show a file or directory of the host in a zone that runs",
    mount_options, bz_verb_mount },
  { "umount", "NAME DST", 2, 2, 0,
    "take what brandzone has mounted from a zone that runs",
    mount_options, bz_verb_umount },
  { "config", "get|set|unset|edit|export|import NAME [KEY[=VALUE]...|FILE]", 2, ANY, 0,
    "show or change how a zone is run: its zone file",
    no_options, bz_verb_config },
  { "verify", "[NAME]...", 0, ANY, 0,
    "say whether zones are ready to start, and what in the named ones is not as it was installed",
    verify_options, bz_verb_verify },
  { "detect", "TREE", 1, 1, 0,
    "say which brand a tree wants, and why",
    no_options, bz_verb_detect },
  { "check", "FILE|TREE|NAME", 1, 1, 0,
    "say what in a program or tree will not work on this host, and what covers it",
    check_options, bz_verb_check },
  { "mirror", "DIRECTORY|ADDRESS", 0, 1, 0,
    "serve a package repository to zones over plain HTTP, or pass on a server that wants TLS",
    mirror_options, bz_verb_mirror },
  { "plan", "[NAME]", 0, 1, 0,
    "show how a zone would be run",
    plan_options, bz_verb_plan },
  { "doctor", "", 0, 0, 0,
    "say what this host gives, what each lack costs and how to mend it",
    doctor_options, bz_verb_doctor },
  { "brands", "[show BRAND | verify [FILE]...]", 0, ANY, 0,
    "list, show or check brands",
    no_options, bz_verb_brands },
  { "sources", "[show NAME | verify [FILE]...]", 0, ANY, 0,
    "list, show or check the names that install knows",
    no_options, bz_verb_sources },
  { "explain", "[ROW]", 0, 1, 0,
    "show the catalogue of failures, or a row of it and what answers it",
    no_options, bz_verb_explain },
  { "trace", "NAME", 1, 1, 0,
    "show the answered calls of a running zone",
    trace_options, bz_verb_trace },
  { "help", "[VERB]", 0, 1, 0,
    "show help",
    no_options, bz_verb_help },
  { "__completion", "[SHELL]", 0, 1, BZ_VERB_HIDDEN,
    "print the completion for bash, or for fish",
    no_options, bz_verb_completion },
  { "__manual", "[VERB]", 0, 1, BZ_VERB_HIDDEN,
    "print the manual's lists",
    no_options, bz_verb_manual },
  { "__names", "KIND", 1, 1, BZ_VERB_HIDDEN,
    "print names for completion",
    no_options, bz_verb_names },
  END
};
