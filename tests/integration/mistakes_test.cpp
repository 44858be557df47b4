// SPDX-License-Identifier: Apache-2.0
// Mistakes that people make, and what davit answers: the place, the cause, and what to do.
// DAVIT_TEST_PEERS=/usr/bin/runc:/usr/bin/crun also prints what those say to the same.
#include <cstdlib>
#include <iostream>

#include "support/fixture.hpp"

namespace support {
namespace {

/// A change of a usual config, or none and other arguments than `run`. In values and texts @ is the bundle.
struct Mistake {
  const char* what;
  const char* path;   ///< "process.args"; "+mounts" appends; empty: none
  const char* value;  ///< JSON; with an empty path: the arguments, between spaces; # is a container that runs
  const char* line;   ///< in the first line; empty: it is no error
  const char* hint;   ///< in the hint; empty: there is none
};

constexpr Mistake kConfigMistakes[] = {
    {"no program", "process.args", R"(["nosuch"])", "exec: \"nosuch\": executable file not found in $PATH",
     ""},
    {"no program there", "process.args", R"(["/bin/nosuch"])", "stat /bin/nosuch: no such file or directory",
     ""},
    {"one word with spaces", "process.args", R"(["echo hello"])", "executable file not found in $PATH",
     "one word with spaces"},
    {"one path with spaces", "process.args", R"(["/bin/echo hello"])", "no such file or directory",
     "one word with spaces"},
    {"args a string", "process.args", R"("echo hello")", "/process/args: must be an array", ""},
    {"args empty", "process.args", "[]", "/process/args", ""},
    {"args of numbers", "process.args", "[1]", "/process/args: must hold at least one entry", ""},
    {"no PATH", "process.env", R"(["TERM=xterm"])", "executable file not found in $PATH", "has no PATH"},
    {"no x bit", "process.args", R"(["/bin/plain"])", "permission denied", "chmod +x"},
    {"no x bit in PATH", "process.args", R"(["plain"])",
     "executable file not found in $PATH: /bin/plain may not be executed", "chmod +x"},
    {"a directory", "process.args", R"(["/etc"])", "is a directory", "not with a directory"},
    {"no interpreter", "process.args", R"(["/bin/script"])",
     "its interpreter /no/such/interpreter is missing", ""},
    {"DOS lines", "process.args", R"(["/bin/dos"])", "CR LF", ""},
    {"no program at all", "process.args", R"(["/bin/text"])", "exec format error", ""},
    {"cwd relative", "process.cwd", R"("tmp")", "/process/cwd: must be an absolute path", ""},
    {"cwd a file", "process.cwd", R"("/bin/plain")", "/process/cwd: change to the working directory", ""},
    {"uid a name", "process.user", R"({"uid": "root", "gid": 0})", "/process/user/uid: must be", ""},
    {"uid negative", "process.user", R"({"uid": -1, "gid": 0})", "/process/user/uid: must be between", ""},
    {"umask octal", "process.user", R"({"uid": 0, "gid": 0, "umask": 777})", "/process/user/umask",
     "JSON numbers are decimal"},
    {"capability without CAP_", "process.capabilities", R"({"bounding": ["KILL"]})",
     "ignoring unknown or unavailable capability KILL", "did you mean CAP_KILL?"},
    {"limit without RLIMIT_", "process.rlimits", R"([{"type": "NOFILE", "soft": 1, "hard": 1}])",
     "invalid resource limit type \"NOFILE\"", "did you mean \"RLIMIT_NOFILE\"?"},
    {"limit unknown", "process.rlimits", R"([{"type": "RLIMIT_X", "soft": 1, "hard": 1}])",
     "invalid resource limit type", "see getrlimit(2)"},
    {"soft above hard", "process.rlimits", R"([{"type": "RLIMIT_CORE", "soft": 2, "hard": 1}])",
     "must not be above the hard limit", ""},
    {"oom score", "process.oomScoreAdj", "2000", "/process/oomScoreAdj: must be between -1000 and 1000", ""},
    {"deadline", "process.scheduler", R"({"policy": "SCHED_DEADLINE"})", "requires `runtime`", ""},
    {"scheduler", "process.scheduler", R"({"policy": "FIFO"})", "invalid scheduler policy \"FIFO\"",
     "one of"},
    {"io class", "process.ioPriority", R"({"class": "RT", "priority": 1})", "invalid I/O priority class",
     "one of"},
    {"file on directory", "+mounts",
     R"({"destination": "/etc", "source": "@/file", "type": "bind", "options": ["bind"]})",
     "the source is a file, the target a directory (the source is @/file): Not a directory", "on a file"},
    {"directory on file", "+mounts",
     R"({"destination": "/bin/plain", "source": "@/directory", "type": "bind", "options": ["bind"]})",
     "the source is a directory, the target a file (the source is @/directory): Not a directory",
     "on a file"},
    {"no source", "+mounts",
     R"({"destination": "/mnt", "source": "@/nosuch", "type": "bind", "options": ["bind"]})",
     "find @/nosuch on the host", "create it, or correct the path"},
    {"no filesystem", "+mounts", R"({"destination": "/mnt", "source": "x", "type": "nosuchfs"})",
     "mount nosuchfs on /mnt", ""},
    {"mount option", "+mounts",
     R"({"destination": "/mnt", "source": "x", "type": "tmpfs", "options": ["sise=1"]})", "/mounts/", ""},
    {"mount without destination", "+mounts", R"({"source": "x", "type": "tmpfs"})",
     "/destination: is required", ""},
    {"no root", "root.path", R"("nosuch")", "find @/nosuch on the host", "create it"},
    {"root a file", "root.path", R"("file")", "/root/path: open @/file on the host",
     "root.path is the directory"},
    {"unmapped uid", "process.user", R"({"uid": 70000, "gid": 0})",
     "uid 70000 is not mapped into the container's user namespace", "linux.uidMappings has 0-65535"},
    {"unmapped gid", "process.user", R"({"uid": 0, "gid": 70000})",
     "gid 70000 is not mapped into the container's user namespace", "linux.gidMappings has 0-65535"},
    {"unmapped group", "process.user", R"({"uid": 0, "gid": 0, "additionalGids": [70000]})",
     "gid 70000 is not mapped into the container's user namespace", "linux.gidMappings has 0-65535"},
    {"hook fails", "hooks.createRuntime", R"([{"path": "@/hook"}])",
     "error running createRuntime hook #0: @/hook: exit status 3, stdout: , stderr: no device", ""},
    {"hook inside fails", "hooks.createContainer", R"([{"path": "@/hook"}])",
     "error running createContainer hook #0: @/hook: exit status 3, stdout/stderr: no device", ""},
    {"no hook", "hooks.prestart", R"([{"path": "/no/such/hook"}])", "exec /no/such/hook: No such file", ""},
    {"hook relative", "hooks.prestart", R"([{"path": "hook"}])", "must be an absolute path", ""},
    {"namespace", "linux.namespaces", R"([{"type": "net"}])", "invalid namespace type \"net\"",
     "one of mount"},
    {"namespace twice", "linux.namespaces", R"([{"type": "pid"}, {"type": "pid"}])", "occurs twice", ""},
    {"action", "linux.seccomp", R"({"defaultAction": "SCMP_ALLOW"})", "invalid seccomp action", "one of"},
    {"sysctl", "linux.sysctl", R"({"net.ipv4.nosuch": "1"})", "/linux/sysctl/net.ipv4.nosuch", ""},
    {"sysctl of the host", "linux.sysctl", R"({"kernel.panic": "1"})", "/linux/sysctl/kernel.panic", ""},
    {"CPUs", "linux.resources", R"({"cpu": {"cpus": "0-4000"}})", "/linux/resources/cpu/cpus",
     "this host has the CPUs"},
    {"list of CPUs", "linux.resources", R"({"cpu": {"cpus": "all of them"}})", "invalid list",
     "write it like"},
    {"quota", "linux.resources", R"({"cpu": {"quota": 5}})", "/linux/resources/cpu/quota",
     "a quota at least 1000"},
    {"period", "linux.resources", R"({"cpu": {"period": 9000000}})", "/linux/resources/cpu/period",
     "from 1000 to 1000000"},
    {"weight", "linux.resources", R"({"blockIO": {"weight": 5}})", "must be between 10 and 1000", ""},
    {"page size", "linux.resources", R"({"hugepageLimits": [{"pageSize": "2M", "limit": 1}]})",
     "invalid page size", "followed by KB, MB or GB"},
    {"limit a text", "linux.resources", R"({"memory": {"limit": "64M"}})",
     "/linux/resources/memory/limit: must be", ""},
    {"propagation", "linux.rootfsPropagation", R"("shard")", "invalid rootfs propagation", "one of"},
    {"personality", "linux.personality", R"({"domain": "linux"})", "invalid personality domain", "one of"},
    {"memory policy", "linux.memoryPolicy", R"({"mode": "BIND"})", "invalid memory policy mode", "one of"},
    {"version", "ociVersion", R"("1")", "not a semantic version", "e.g."},
    {"other version", "ociVersion", R"("2.0.0")", "is not supported", "davit implements"},
    {"key of another case", "process.Terminal", "true", "unknown key \"Terminal\"",
     "did you mean \"terminal\"?"},
    {"key with a slip", "mountz", "[]", "unknown key \"mountz\"", "did you mean \"mounts\"?"},
};

constexpr Mistake kCallMistakes[] = {
    {"habit", "", "rm #", "unknown command \"rm\"", "davit delete ID"},
    {"habit", "", "stop #", "unknown command \"stop\"", "davit kill ID"},
    {"habit", "", "logs #", "unknown command \"logs\"", "davit keeps none"},
    {"habit", "", "inspect #", "unknown command \"inspect\"", "davit state ID"},
    {"habit", "", "pull busybox", "unknown command \"pull\"", "an engine"},
    {"slip", "", "creat #", "unknown command \"creat\"", "did you mean `davit create`?"},
    {"habit", "", "run --rm #", "flag provided but not defined: --rm", "deletes the container when it ends"},
    {"habit", "", "exec -it # sh", "flag provided but not defined: -it", "-t gives a terminal"},
    {"habit", "", "kill -9 #", "flag provided but not defined: -9", "davit kill ID 9"},
    {"slip", "", "create --bundel @ x", "flag provided but not defined: --bundel", "did you mean --bundle?"},
    {"no id", "", "create", "\"create\" requires exactly 1 argument(s)", ""},
    {"two ids", "", "state a b", "requires exactly 1 argument(s)", ""},
    {"no value", "", "run --bundle", "flag needs an argument: --bundle", ""},
    {"bad id", "", "state a/b", "invalid character `/` in the container ID `a/b`", "an id is made of"},
    {"no such container", "", "state nosuch", "container does not exist", ""},
    {"no such signal", "", "kill # FOO", "unknown signal \"FOO\"", "use a name"},
    {"one byte", "", "update --memory 1 #", "invalid --memory \"1\"", "1M"},
    {"unit", "", "update --memory 10X #", "invalid --memory \"10X\"", "512M"},
    {"nothing", "", "update #", "there is nothing to update", "name a limit"},
    {"user name", "", "exec --user nobody # true", "invalid --user \"nobody\"", "/etc/passwd"},
    {"relative cwd", "", "exec --cwd tmp # true", "--cwd must be an absolute path", ""},
    {"nothing to run", "", "exec #", "process args cannot be empty", "name a command"},
    {"no process file", "", "exec --process /no/such #", "read the file of --process: open /no/such", ""},
    {"bad process file", "", "exec --process @/process.json #", "--process:1:", ""},
    {"bundle empty", "", "run --bundle= x", "--bundle is empty", ""},
    {"bundle a file", "", "run --bundle @/config.json x", "Not a directory",
     "the directory of config.json: @"},
    {"no bundle", "", "run --bundle /no/such x", "No such file or directory", "there is no such bundle"},
    {"no bundle in it", "", "run --bundle @/directory x", "is not a bundle", "davit spec"},
    {"no config", "", "run --bundle @ --config nosuch.json x", "read the file of --config: open nosuch.json",
     ""},
    {"no --", "", "run --rootfs @/rootfs sh -c true", "flag provided but not defined: -c", "come behind --"},
    {"no program", "", "run --rootfs @/rootfs -- nosuch", "@/rootfs: exec: \"nosuch\"", ""},
    {"no rootfs", "", "run --rootfs /no/such -- true", "find the directory of --rootfs /no/such",
     "becomes /"},
    {"format", "", "list --format xml", "unknown --format \"xml\"", "table or json"},
    {"log format", "", "--log-format xml list", "unknown --log-format \"xml\"", "text or json"},
    {"manager", "", "--cgroup-manager none state #", "unknown --cgroup-manager \"none\"",
     "cgroupfs, systemd"},
    {"delete it", "", "delete #", "that is not stopped: running", "--force"},
    {"start it", "", "start #", "cannot start an already running container", ""},
    {"resume it", "", "resume #", "container not paused", ""},
    {"again", "", "create --bundle @ #", "container with given ID already exists", "choose another id"},
};

class Mistakes : public ContainerTest {
 protected:
  /// What every mistake may be about.
  static void furnish(Bundle& bundle) {
    write_file(bundle.path() + "/file", "x");
    make_dirs(bundle.path() + "/directory");
    write_file(bundle.path() + "/hook", "#!/bin/sh\necho no device >&2\nexit 3\n", 0755);
    write_file(bundle.path() + "/process.json", R"({"args": ["nosuch"], "cwd": "/", "env": ["PATH=/bin"]})");
    write_file(bundle.rootfs() + "/bin/plain", "#!/bin/sh\n", 0644);
    write_file(bundle.rootfs() + "/bin/text", "hello\n", 0755);
    write_file(bundle.rootfs() + "/bin/script", "#!/no/such/interpreter\n", 0755);
    write_file(bundle.rootfs() + "/bin/dos", "#!/bin/sh\r\n", 0755);
  }
  static std::string replaced(std::string text, char mark, const std::string& by) {
    for (std::size_t at = 0; (at = text.find(mark, at)) != std::string::npos; at += by.size())
      text.replace(at, 1, by);
    return text;
  }
  /// The first line that is no hint, and the hint below it.
  static std::pair<std::string, std::string> answer_of(const std::string& err) {
    std::pair<std::string, std::string> answer;
    for (const std::string& line : split(err, '\n')) {
      const bool is_hint = line.rfind("hint: ", 0) == 0;
      if (is_hint && answer.second.empty()) answer.second = line;
      if (!is_hint && !answer.first.empty()) break;
      if (!is_hint) answer.first = line;
    }
    return answer;
  }
  static void expect(const Mistake& mistake, const std::string& bundle, const Outcome& outcome) {
    const auto [line, hint] = answer_of(outcome.err);
    EXPECT_NE(line.find(replaced(mistake.line, '@', bundle)), std::string::npos) << mistake.what << "\n"
                                                                                 << outcome.err;
    EXPECT_NE(hint.find(replaced(mistake.hint, '@', bundle)), std::string::npos) << mistake.what << "\n"
                                                                                 << outcome.err;
    if (*mistake.hint == '\0') {
      EXPECT_EQ(hint, "") << mistake.what << "\n" << outcome.err;
    }
  }
  /// What other runtimes say to the same; for people who compare.
  void print_peers(const std::string& what, const std::vector<std::string>& args) {
    const char* peers = std::getenv("DAVIT_TEST_PEERS");
    if (peers == nullptr) return;
    for (const std::string& path : split(peers, ':')) {
      TempDir state;
      const Runtime peer(path, state.path());
      const Outcome outcome = peer(args);
      std::cout << what << ": " << peer.name() << " (" << outcome.status
                << "): " << trim(outcome.err.empty() ? outcome.out : outcome.err) << "\n";
      peer({"delete", "--force", args.back()});
    }
  }
};

TEST_F(Mistakes, OfConfigs) {
  SKIP_UNLESS(runtime.is_davit(), "every runtime has words of its own");
  Bundle bundle;
  furnish(bundle);
  for (const Mistake& mistake : kConfigMistakes) {
    bundle.config = default_config();
    bundle.args({"true"});
    if (std::string(mistake.what).rfind("unmapped", 0) == 0) add_user_namespace(bundle.config);
    const std::string path = mistake.path;
    const Json value = Json::parse(replaced(mistake.value, '@', bundle.path()));
    const std::vector<std::string> keys = split(path[0] == '+' ? path.substr(1) : path, '.');
    Json& place = keys.size() > 1 ? bundle.config[keys[0]][keys[1]] : bundle.config[keys[0]];
    if (path[0] == '+')
      place.push(value);
    else
      place = value;
    if (path == "linux.resources")
      bundle.config["linux"]["cgroupsPath"] = cgroup_path(Sandbox::get().new_id());
    bundle.write();
    const std::vector<std::string> args = {"run", "--bundle", bundle.path(), new_id()};
    expect(mistake, bundle.path(), runtime(args));
    print_peers(mistake.what, args);
  }
}

TEST_F(Mistakes, OfCalls) {
  SKIP_UNLESS(runtime.is_davit(), "every runtime has words of its own");
  Bundle bundle;
  furnish(bundle);
  bundle.args({"/bin/sleep", "1000"});
  const std::string id = start(bundle);
  for (const Mistake& mistake : kCallMistakes) {
    const std::string line = replaced(replaced(mistake.value, '@', bundle.path()), '#', id);
    const std::vector<std::string> args = split(line, ' ');
    const Outcome outcome = runtime(args);
    EXPECT_NE(outcome.status, 0) << line;
    expect(mistake, bundle.path(), outcome);
    print_peers(line, args);
  }
}

TEST_F(Mistakes, OfJson) {
  SKIP_UNLESS(runtime.is_davit(), "every runtime has words of its own");
  const struct {
    const char* text;
    Mistake mistake;
  } cases[] = {
      {"{\n \"ociVersion\": \"1.0.0\",\n}\n",
       {"comma", "", "", ":2:23: not JSON: this comma is one too many", "no comma after"}},
      {"{\n \"ociVersion\": \"1.0.0\"\n \"root\": {}\n}\n",
       {"no comma", "", "", ":2:22: not JSON: a comma is missing after this value", ""}},
      {"{'ociVersion': 1}", {"quotes", "", "", "not JSON", "double quotes"}},
      {"{\n // no\n \"ociVersion\": 1}", {"comment", "", "", "not JSON", "JSON has no comments"}},
      {"{\"ociVersion\": \"1.0.0\"", {"cut off", "", "", "ends in the middle", "cut off"}},
      {"", {"empty", "", "", "the file is empty", ""}},
      {"{} {}", {"two", "", "", "more text after the end", ""}},
      {"\xef\xbb\xbf{}", {"mark", "", "", "byte order mark", "save it as UTF-8"}},
  };
  for (const auto& one : cases) {
    Bundle bundle;
    bundle.write_text(one.text);
    expect(one.mistake, bundle.path(), runtime({"run", "--bundle", bundle.path(), new_id()}));
  }
}

TEST_F(Mistakes, SeveralHaveAHintEach) {
  SKIP_UNLESS(runtime.is_davit(), "every runtime has words of its own");
  Bundle bundle;
  bundle.config["process"]["cwd"] = "relative";
  bundle.config["process"]["rlimits"] = Json::parse(R"([{"type": "NOFILE", "soft": 2, "hard": 1}])");
  bundle.config["linux"]["rootfsPropagation"] = "public";
  bundle.write();
  const Outcome outcome = runtime({"run", "--bundle", bundle.path(), new_id()});
  const auto lines = split(trim(outcome.err), '\n');
  ASSERT_EQ(lines.size(), 6U) << outcome.err;
  EXPECT_NE(lines[1].find("/process/rlimits/0/type"), std::string::npos) << outcome.err;
  EXPECT_EQ(lines[2], "hint: did you mean \"RLIMIT_NOFILE\"?");
  EXPECT_EQ(lines[5].rfind("hint: one of private", 0), 0U) << outcome.err;
}

TEST_F(Mistakes, TheLogHasThemAll) {
  SKIP_UNLESS(runtime.is_davit(), "every runtime has words of its own");
  TempDir place;
  Bundle bundle;
  bundle.config["process"]["cwd"] = "relative";
  bundle.config["process"]["rlimits"] = Json::parse(R"([{"type": "NOFILE", "soft": 1, "hard": 1}])");
  bundle.write();
  const std::string log = place / "log.json";
  runtime({"--log", log, "--log-format", "json", "create", "--bundle", bundle.path(), new_id()});
  const Json entry = Json::parse(read_file(log));
  const std::string message = entry.get("msg").str();
  EXPECT_NE(message.find("/process/cwd"), std::string::npos) << message;
  EXPECT_NE(message.find("/process/rlimits/0/type"), std::string::npos) << message;
  EXPECT_NE(message.find("(did you mean \"RLIMIT_NOFILE\"?)"), std::string::npos) << message;
  EXPECT_EQ(entry.get("pointer").str(), "/process/cwd");
  EXPECT_EQ(entry.get("file").str(), "config.json");
  EXPECT_GT(entry.get("line").number(), 0);
  EXPECT_GT(entry.get("column").number(), 0);
}

}  // namespace
}  // namespace support
