// SPDX-License-Identifier: Apache-2.0
#include "davit/cli/commands.hpp"

#include <algorithm>

#include "cli/handlers.hpp"

namespace davit::cli {

namespace {

constexpr Takes kText = Takes::text;
constexpr Takes kList = Takes::list;
constexpr Takes kNothing = Takes::nothing;

constexpr Option kGlobal[] = {
    {"root", 0, kText, "DIR", "state directory (default: /run/davit, or $XDG_RUNTIME_DIR/davit for users)"},
    {"log", 0, kText, "FILE", "also log errors there: a file, syslog:IDENTIFIER or journald:IDENTIFIER"},
    {"log-format", 0, kText, "FORMAT", "text or json", "text json"},
    {"log-level", 0, kText, "LEVEL", "error (the default), warning, info or debug",
     "error warning info debug"},
    {"debug", 0, kNothing, "", "the same as --log-level debug: what davit finds and does, step by step"},
    {"cgroup-manager", 0, kText, "MANAGER", "cgroupfs, systemd or disabled", "cgroupfs systemd disabled"},
    {"systemd-cgroup", 0, kNothing, "", "the same as --cgroup-manager systemd"},
    {"systemd-timeout", 0, kText, "SECONDS", "how long systemd may take for anything (default: 30)"},
    {"trace", 0, kText, "FILE", "write how long everything took, for Perfetto; -: as a table on stderr"},
    {"rootless", 0, kText, "WHEN", ""},
    {"criu", 0, kText, "PATH", ""},
};

#define DAVIT_CREATE_OPTIONS                                                                    \
  {"bundle", 'b', kText, "DIR", "directory of config.json (default: the current one)"},         \
      {"config", 'f', kText, "FILE", "use this file instead of the bundle's config.json"},      \
      {"console-socket", 0, kText, "SOCKET", "send the terminal's master to this unix socket"}, \
      {"pidfd-socket", 0, kText, "SOCKET", "send a pidfd of the process to this unix socket"},  \
      {"pid-file", 0, kText, "FILE", "write the pid of the process there"},                     \
      {"no-pivot", 0, kNothing, "", "do not use pivot_root (the rootfs is a ramdisk)"},         \
      {"no-new-keyring", 0, kNothing, "", "keep the session keyring of the caller"},            \
      {"preserve-fds", 0, kText, "N", "pass N additional descriptors, from 3 on"}, {            \
    "no-subreaper", 0, kNothing, "", ""                                                         \
  }

constexpr Option kCreate[] = {DAVIT_CREATE_OPTIONS};

constexpr Option kRun[] = {
    {"detach", 'd', kNothing, "", "return when the process runs"},
    {"keep", 0, kNothing, "", "keep the state after the end, until delete"},
    {"rootfs", 0, kText, "DIR", "run a command in this directory, without any config.json"},
    DAVIT_CREATE_OPTIONS,
};

constexpr Option kExec[] = {
    {"process", 'p', kText, "FILE", "take the whole process from this JSON file"},
    {"detach", 'd', kNothing, "", "return when the process runs"},
    {"tty", 't', kNothing, "", "give it a terminal"},
    {"user", 'u', kText, "UID[:GID]", "numbers, as seen in the container"},
    {"additional-gids", 'g', kList, "GID", "additional group"},
    {"cwd", 0, kText, "DIR", "its working directory"},
    {"env", 'e', kList, "NAME=VALUE", "add to its environment"},
    {"cap", 'c', kList, "CAPABILITY", "add a capability"},
    {"no-new-privs", 0, kNothing, "", "it can gain no privileges"},
    {"apparmor", 0, kText, "PROFILE", "AppArmor profile"},
    {"process-label", 0, kText, "LABEL", "SELinux label"},
    {"cgroup", 0, kList, "[CONTROLLER:]PATH", "run it in this cgroup below the container's own"},
    {"ignore-paused", 0, kNothing, "", "also when the container is paused; it runs after the resume"},
    {"console-socket", 0, kText, "SOCKET", "send the terminal's master to this unix socket"},
    {"pidfd-socket", 0, kText, "SOCKET", "send a pidfd of the process to this unix socket"},
    {"pid-file", 0, kText, "FILE", "write the pid of the process there"},
    {"preserve-fds", 0, kText, "N", "pass N additional descriptors, from 3 on"},
    {"no-subreaper", 0, kNothing, "", ""},
};

constexpr Option kKill[] = {
    {"all", 'a', kNothing, "", "signal all processes of the container"},
    {"regex", 'r', kNothing, "", "ID is a regular expression"},
};

constexpr Option kDelete[] = {
    {"force", 'f', kNothing, "", "also when it runs; an absent container is no error"},
    {"regex", 'r', kNothing, "", "ID is a regular expression"},
};

constexpr Option kList_[] = {
    {"format", 'f', kText, "FORMAT", "table or json", "table json"},
    {"quiet", 'q', kNothing, "", "only the ids"},
    {"long", 'l', kNothing, "", "also how those that have ended did"},
};

constexpr Option kPs[] = {{"format", 'f', kText, "FORMAT", "table or json", "table json"}};

constexpr Option kEvents[] = {
    {"interval", 0, kText, "DURATION", "time between two reports of usage: 500ms, 5s (the default), 1m30s"},
    {"stats", 0, kNothing, "", "print the usage once and end"},
};

constexpr Option kStats[] = {
    {"watch", 'w', kNothing, "", "again and again, until interrupted"},
    {"interval", 0, kText, "DURATION", "time over which the CPU is measured (default: 1s)"},
    {"json", 0, kNothing, "", "one JSON object per container and line, as `events --stats` prints it"},
};

constexpr Option kSpec[] = {
    {"bundle", 'b', kText, "DIR", "directory to write config.json to (default: the current one)"},
    {"file", 'f', kText, "FILE", "write to this file instead"},
    {"rootless", 0, kNothing, "", "for a user without privileges"},
};

constexpr Option kExplain[] = {
    {"bundle", 'b', kText, "DIR", "directory of config.json (default: the current one)"},
    {"config", 'f', kText, "FILE", "use this file instead of the bundle's config.json"},
    {"no-pivot", 0, kNothing, "", "do not use pivot_root (the rootfs is a ramdisk)"},
    {"no-new-keyring", 0, kNothing, "", "keep the session keyring of the caller"},
    {"operations", 0, kNothing, "", "the program instead: each operation, and its place in the config"},
    {"json", 0, kNothing, "", "for programs"},
};

constexpr Option kValidate[] = {
    {"bundle", 'b', kText, "DIR", "directory of config.json (default: the current one)"},
    {"config", 'f', kText, "FILE", "use this file instead of the bundle's config.json"},
    {"host", 0, kNothing, "", "also say what this host lacks: paths, programs, controllers, modules, CPUs"},
    {"strict", 0, kNothing, "", "warnings count, too: exit status 2"},
    {"json", 0, kNothing, "", "for editors and CI"},
};

constexpr Option kDoctor[] = {{"json", 0, kNothing, "", "for programs"}};

constexpr Option kUpdate[] = {
    {"resources", 'r', kText, "FILE", "JSON of linux.resources; - is the standard input"},
    {"memory", 0, kText, "BYTES", "memory limit; -1 is no limit, and K, M, G may follow the number"},
    {"memory-reservation", 0, kText, "BYTES", "memory that is reclaimed last"},
    {"memory-swap", 0, kText, "BYTES", "limit of memory and swap together"},
    {"cpu-quota", 0, kText, "MICROSECONDS", "CPU time per period; -1 is no limit"},
    {"cpu-period", 0, kText, "MICROSECONDS", "the period"},
    {"cpu-burst", 0, kText, "MICROSECONDS", "CPU time that may be saved up"},
    {"cpu-share", 0, kText, "N", "share of the CPU among containers"},
    {"cpu-idle", 0, kText, "N", "1: only run when nothing else wants to"},
    {"cpu-rt-period", 0, kText, "MICROSECONDS", "period of realtime processes"},
    {"cpu-rt-runtime", 0, kText, "MICROSECONDS", "CPU time of realtime processes per period"},
    {"cpuset-cpus", 0, kText, "LIST", "CPUs that may be used"},
    {"cpuset-mems", 0, kText, "LIST", "memory nodes that may be used"},
    {"blkio-weight", 0, kText, "N", "share of block devices among containers"},
    {"pids-limit", 0, kText, "N", "number of processes and threads; -1 is no limit"},
    {"l3-cache-schema", 0, kText, "L3:...", "share of the cache (resctrl)"},
    {"mem-bw-schema", 0, kText, "MB:...", "share of the memory bandwidth (resctrl)"},
    {"kernel-memory", 0, kText, "BYTES", ""},
    {"kernel-memory-tcp", 0, kText, "BYTES", ""},
};

#define DAVIT_CRIU_OPTIONS                                                                                  \
  {"image-path", 0, kText, "DIR", "the directory of the checkpoint (default: ./checkpoint)"},               \
      {"work-path", 0, kText, "DIR", "where CRIU writes its log and statistics (default: the image path)"}, \
      {"tcp-established", 0, kNothing, "", "with the established TCP connections"},                         \
      {"tcp-close", 0, kNothing, "", "TCP connections are closed"},                                         \
      {"ext-unix-sk", 0, kNothing, "", "with the unix sockets that lead outside"},                          \
      {"shell-job", 0, kNothing, "", "it shares a session or a terminal with the shell that runs it"},      \
      {"file-locks", 0, kNothing, "", "with the locks it holds on files"},                                  \
      {"lazy-pages", 0, kNothing, "", "memory comes later, page by page (userfaultfd)"},                    \
      {"manage-cgroups-mode", 0, kText, "MODE", "soft (the default), full, strict or ignore"},              \
      {"empty-ns", 0, kList, "NAMESPACE", "leave out what is in it: network"},                              \
      {"auto-dedup", 0, kNothing, "", "free the pages of the parent image that are in this one"}, {         \
    "network-lock", 0, kText, "METHOD", "how the network stands still: iptables, nftables or skip"          \
  }

constexpr Option kCheckpoint[] = {
    DAVIT_CRIU_OPTIONS,
    {"leave-running", 0, kNothing, "", "the container runs on"},
    {"pre-dump", 0, kNothing, "", "only write its memory, while it runs: the next checkpoint is faster"},
    {"parent-path", 0, kText, "DIR", "the checkpoint before this one, as seen from the image path"},
    {"tcp-skip-in-flight", 0, kNothing, "", "without TCP connections that are being made"},
    {"link-remap", 0, kNothing, "", "files that were removed and are open may be linked again"},
    {"page-server", 0, kText, "ADDRESS:PORT", "send the memory to a `criu page-server`"},
    {"status-fd", 0, kText, "FD", "write a NUL there once lazy pages can be had"},
};

// podman looks whether a value of lsm-mount-context is missed, to learn what restore can do.
constexpr Option kRestore[] = {
    DAVIT_CRIU_OPTIONS,
    {"bundle", 'b', kText, "DIR", "directory of config.json (default: the current one)"},
    {"config", 'f', kText, "FILE", "use this file instead of the bundle's config.json"},
    {"detach", 'd', kNothing, "", "return when the container runs"},
    {"keep", 0, kNothing, "", "keep the state after the end, until delete"},
    {"console-socket", 0, kText, "SOCKET", "send the terminal's master to this unix socket"},
    {"pidfd-socket", 0, kText, "SOCKET", "send a pidfd of the process to this unix socket"},
    {"pid-file", 0, kText, "FILE", "write the pid of the process there"},
    {"preserve-fds", 0, kText, "N", "N descriptors, from 3 on, take the place of those of `create`"},
    {"lsm-profile", 0, kText, "TYPE:NAME", "another profile than before: apparmor:NAME or selinux:LABEL"},
    {"lsm-mount-context", 0, kText, "CONTEXT", "another SELinux label of mounts than before"},
    {"no-pivot", 0, kNothing, "", ""},
    {"no-subreaper", 0, kNothing, "", ""},
};

constexpr std::string_view kRunDescription =
    "An argument with a slash is a bundle, and names the container. With --rootfs there is no config.json: "
    "the\narguments are the command.";
constexpr std::string_view kRunExamples =
    "davit run web/                            # the bundle web, as a container of that name\n"
    "davit run --rootfs /srv/alpine -- sh -l   # a safe default config, and a shell in that directory\n"
    "davit run --bundle /srv/web web-1         # as engines write it\n"
    "davit run --trace - web/                  # and how long each step took";
constexpr std::string_view kRunStatus =
    "in the foreground that of the process, or 128 plus the number of the signal that ended it; with "
    "--detach 0;\n1 after an error of davit";

constexpr std::string_view kExecExamples =
    "davit exec web ps\n"
    "davit exec -t web sh                      # with a terminal\n"
    "davit exec --user 1000:1000 --cwd /tmp web id";
constexpr std::string_view kExecStatus =
    "that of the process, or 128 plus the number of the signal that ended it; with --detach 0; 255 after an "
    "error\nof davit";

constexpr std::string_view kExplainDescription =
    "Nothing is made: this is what `create` would do on this host, by phases, each line with its place in "
    "the\n"
    "config (line:column). What this host lacks is a warning, so that configs of other machines can be read.";
constexpr std::string_view kExplainExamples =
    "davit explain web/                        # what that bundle gets\n"
    "davit explain web/ old-web/               # what is different there\n"
    "davit explain --operations web            # the program of a container that exists";

constexpr std::string_view kValidateDescription =
    "All errors at once, with the place in the config and, where it is known, what was meant.";
constexpr std::string_view kValidateExamples =
    "davit validate web/\n"
    "davit validate --host --strict web/       # also what is missing here; warnings count\n"
    "jq '.root.readonly = true' web/config.json | davit validate -";
constexpr std::string_view kValidateStatus =
    "0; 1 when there are errors; with --strict 2 when there are only warnings";

constexpr std::string_view kDoctorDescription =
    "Each trial has a verdict, what was seen, and where something is missing what mends it. Nothing is left\n"
    "behind.";
constexpr std::string_view kDoctorStatus = "0; 1 where no container could run";

constexpr std::string_view kWaitStatus = "0, and the container's own is what is printed; 1 after an error";

constexpr std::string_view kKillExamples =
    "davit kill web                            # SIGTERM\n"
    "davit kill web KILL                       # or 9, or SIGKILL\n"
    "davit kill --all web HUP                  # to each of its processes";

constexpr std::string_view kDeleteExamples =
    "davit delete web\n"
    "davit delete --force web                  # also when it runs\n"
    "davit delete --force --regex 'web-.*'";

constexpr std::string_view kUpdateExamples =
    "davit update --memory 512M --pids-limit 100 web\n"
    "davit update --cpu-period 100000 --cpu-quota 50000 web   # half a CPU\n"
    "echo '{\"memory\": {\"limit\": -1}}' | davit update --resources - web";

constexpr std::string_view kMountsExamples =
    "davit mounts add web mounts.json\n"
    "davit mounts remove web mounts.json";

constexpr std::string_view kListExamples =
    "davit list\n"
    "davit list --long                         # and how those that have ended did\n"
    "davit list --quiet | xargs -rn1 davit delete --force";

constexpr std::string_view kPsExamples =
    "davit ps web\n"
    "davit ps web -o pid,rss,args              # with options of ps(1)";

constexpr std::string_view kSpecExamples = "mkdir -p web/rootfs && davit spec --bundle web";

constexpr std::string_view kCompletionDescription =
    "`completion man COMMAND` prints the page of a command, `completion man` that of davit. Packages bring "
    "them\nall.";
constexpr std::string_view kCompletionExamples =
    "source <(davit completion bash)           # for this shell\n"
    "davit completion fish > ~/.config/fish/completions/davit.fish\n"
    "davit completion man run | man -l -";

constexpr std::string_view kCheckpointDescription =
    "CRIU does it: the program criu must be in $PATH. The container is deleted when its checkpoint is\n"
    "written, unless it is left running. An error says what stands in the way, and whether it still runs.";

constexpr std::string_view kRestoreDescription =
    "The bundle is the one that the container was created from, or a copy of it, also on another host; "
    "mounts,\n"
    "network namespace and cgroup are those of its config.json. An error leaves nothing behind.\n"
    "Whoever can write an image decides what is restored, with the rights of the caller: trust it like a "
    "program.";

constexpr std::string_view kCheckpointExamples =
    "davit checkpoint --image-path /tmp/web web\n"
    "davit checkpoint --leave-running --image-path /tmp/web web   # a copy; the container runs on";
constexpr std::string_view kRestoreExamples = "davit restore --bundle web --image-path /tmp/web --detach web";

constexpr Command kCommands[] = {
    {"create", "make a container; `start` runs its process", "ID", kCreate, 1, 1, command_create},
    {"start", "run the process of a created container", "ID", {}, 1, 1, command_start},
    {"run", "create, start, and delete it when it ends", "ID | BUNDLE/ | COMMAND [ARG...]", kRun, 0, -1,
     command_run, Order::anywhere, 1, kRunDescription, kRunExamples, kRunStatus},
    {"exec", "run another process in a container", "ID [COMMAND [ARG...]]", kExec, 1, -1, command_exec,
     Order::before_arguments, 255, "", kExecExamples, kExecStatus},
    {"state", "print the state of a container", "ID", {}, 1, 1, command_state},
    {"list", "list the containers", "", kList_, 0, 0, command_list, Order::anywhere, 1, "", kListExamples},
    {"wait",
     "wait until a container has ended, and print its exit status",
     "ID",
     {},
     1,
     1,
     command_wait,
     Order::anywhere,
     1,
     "",
     "",
     kWaitStatus},
    {"ps", "list the processes of a container", "ID [PS-OPTION...]", kPs, 1, -1, command_ps,
     Order::before_arguments, 1, "", kPsExamples},
    {"events", "print usage and lack of memory of a container as JSON lines, until it ends", "ID", kEvents, 1,
     1, command_events},
    {"stats", "print what containers use, as a table", "[ID...]", kStats, 0, -1, command_stats},
    {"kill", "send a signal (default: TERM)", "ID [SIGNAL]", kKill, 1, 2, command_kill,
     Order::before_arguments, 1, "", kKillExamples},
    {"delete", "delete a container that has ended", "ID", kDelete, 1, 1, command_delete, Order::anywhere, 1,
     "", kDeleteExamples},
    {"pause", "freeze all processes of a container", "ID", {}, 1, 1, command_pause},
    {"resume", "thaw them", "ID", {}, 1, 1, command_resume},
    {"update", "change the resource limits of a container", "ID", kUpdate, 1, 1, command_update,
     Order::anywhere, 1, "", kUpdateExamples},
    {"mounts",
     "mount into a running container, or unmount: FILE is {\"mounts\": [...]} as in a config, or the list "
     "alone",
     "add|remove ID FILE",
     {},
     3,
     3,
     command_mounts,
     Order::anywhere,
     1,
     "",
     kMountsExamples},
    {"spec", "write an example config.json", "", kSpec, 0, 0, command_spec, Order::anywhere, 1, "",
     kSpecExamples},
    {"features", "print what this davit supports, as JSON", "", {}, 0, 0, command_features},
    {"explain", "print what a container of a config gets, or how two configs differ",
     "[BUNDLE | FILE | ID | -] [OTHER]", kExplain, 0, 2, command_explain, Order::anywhere, 1,
     kExplainDescription, kExplainExamples},
    {"validate", "say what is wrong with a config, and what it grants", "[BUNDLE | FILE | ID | -]", kValidate,
     0, 1, command_validate, Order::anywhere, 1, kValidateDescription, kValidateExamples, kValidateStatus},
    {"doctor", "try what containers of this user can have on this host", "", kDoctor, 0, 0, command_doctor,
     Order::anywhere, 1, kDoctorDescription, "", kDoctorStatus},
    {"completion",
     "print the completions for a shell, or a man page",
     "[bash | zsh | fish | man] [COMMAND]",
     {},
     0,
     -1,
     command_completion,
     Order::before_arguments,
     1,
     kCompletionDescription,
     kCompletionExamples},
    {"checkpoint", "write a running container into a directory, to go on later (CRIU)", "ID", kCheckpoint, 1,
     1, command_checkpoint, Order::anywhere, 1, kCheckpointDescription, kCheckpointExamples},
    {"restore", "make a container that goes on where a checkpoint was taken (CRIU)", "ID", kRestore, 1, 1,
     command_restore, Order::anywhere, 1, kRestoreDescription, kRestoreExamples, kRunStatus},
};

}  // namespace

std::span<const Option> global_options() {
  return kGlobal;
}

std::span<const Command> commands() {
  return kCommands;
}

const Command* find_command(std::string_view name) {
  const auto found = std::find_if(std::begin(kCommands), std::end(kCommands),
                                  [name](const Command& command) { return command.name == name; });
  return found == std::end(kCommands) ? nullptr : found;
}

}  // namespace davit::cli
