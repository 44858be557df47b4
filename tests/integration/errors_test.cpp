// SPDX-License-Identifier: Apache-2.0
// What goes wrong leaves the host as it was, and says what it was in one line.
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/fixture.hpp"

namespace support {
namespace {

class Errors : public ContainerTest {};

TEST_F(Errors, BadConfigsAreRefusedAndLeaveNothing) {
  struct Case {
    const char* what;
    const char* pointer;
    const char* value;
    bool peers_too;
  };
  const Case cases[] = {
      {"no version", "ociVersion", "null", false},
      {"version is no SemVer", "ociVersion", "\"one\"", false},
      {"root without a path", "root", "{}", false},
      {"rootfs that is not there", "root", R"({"path": "nowhere"})", true},
      {"rootfs that is a file", "root", R"({"path": "config.json"})", true},
      {"process is a list", "process", "[]", true},
      {"args empty", "process.args", "[]", true},
      {"args of numbers", "process.args", "[1, 2]", true},
      {"cwd relative", "process.cwd", "\"relative\"", true},
      {"uid negative", "process.user", R"({"uid": -1, "gid": 0})", true},
      {"uid too large", "process.user", R"({"uid": 4294967296, "gid": 0})", true},
      {"unknown limit", "process.rlimits", R"([{"type": "RLIMIT_NOSUCH", "soft": 1, "hard": 1}])", true},
      {"limit twice", "process.rlimits",
       R"([{"type": "RLIMIT_CORE", "soft": 1, "hard": 1}, {"type": "RLIMIT_CORE", "soft": 1, "hard": 1}])",
       false},
      {"soft above hard", "process.rlimits", R"([{"type": "RLIMIT_CORE", "soft": 2, "hard": 1}])", true},
      {"oomScoreAdj too large", "process.oomScoreAdj", "5000", true},
      {"mount without destination", "mounts", R"([{"type": "tmpfs", "source": "x"}])", false},
      {"mounts is an object", "mounts", "{}", true},
      {"namespaces a string", "linux.namespaces", "\"pid\"", true},
      {"unknown propagation", "linux.rootfsPropagation", "\"sideways\"", false},
      {"relative masked path", "linux.maskedPaths", R"(["proc/x"])", false},
      {"unknown device type", "linux.devices", R"([{"path": "/dev/x", "type": "q", "major": 1, "minor": 1}])",
       true},
      {"relative device path", "linux.devices", R"([{"path": "x", "type": "c", "major": 1, "minor": 3}])",
       false},
      {"bad personality", "linux.personality", R"({"domain": "SOLARIS"})", false},
      {"empty annotation key", "annotations", R"({"": "x"})", false},
      {"annotation not a string", "annotations", R"({"a": 1})", true},
      {"hostname a number", "hostname", "5", true},
      {"bad scheduler", "process.scheduler", R"({"policy": "SCHED_NOSUCH"})", false},
      {"bad io class", "process.ioPriority", R"({"class": "IOPRIO_CLASS_NOSUCH", "priority": 1})", false},
      {"bad page size", "linux.resources",
       R"({"hugepageLimits": [{"pageSize": "../../../../../x", "limit": 1}]})", false},
      {"bad memory policy", "linux.memoryPolicy", R"({"mode": "MPOL_NOSUCH"})", false},
      {"burst above quota", "linux.resources", R"({"cpu": {"quota": 1000, "period": 10000, "burst": 5000}})",
       false},
      {"uid mapping without the namespace", "linux.uidMappings",
       R"([{"containerID": 0, "hostID": 1000, "size": 1}])", false},
  };
  for (const auto& one : cases) {
    if (!runtime.is_davit() && (!one.peers_too || runtime.name() == "crun")) continue;
    SCOPED_TRACE(one.what);
    Json config = default_config();
    const auto keys = split(one.pointer, '.');
    Json& place = keys.size() > 1 ? config[keys[0]][keys[1]] : config[keys[0]];
    place = Json::parse(one.value);
    if (std::string(one.value) == "null") config.erase(one.pointer);
    refused(config);
  }
}

TEST_F(Errors, TextsThatAreNoConfig) {
  for (const char* text :
       {"", "null", "[]", "{", "{}x", "\"text\"", "{\"ociVersion\": \"1.0.0\",}", "\xff\xfe"}) {
    Bundle bundle;
    bundle.write_text(text);
    bundle.config = Json();
    if (!runtime.is_davit() && (std::string(text) == "{}x" || std::string(text) == "null")) continue;
    SCOPED_TRACE(text);
    refused(bundle);
  }
}

TEST_F(Errors, DuplicateNamesAreRefused) {
  SKIP_FOR("runc,crun", "the last one wins");
  Bundle bundle;
  std::string text = bundle.config.dump();
  text.insert(1, R"("hostname": "first",)");
  bundle.write_text(text);
  bundle.config = Json();
  EXPECT_NE(refused(bundle).find("hostname"), std::string::npos);
}

TEST_F(Errors, AMissingBundleOrConfig) {
  const std::string id = new_id();
  const Outcome missing_bundle = runtime({"create", "--bundle", "/no/such/bundle", id});
  EXPECT_NE(missing_bundle.status, 0);
  EXPECT_NE(missing_bundle.err.find("/no/such/bundle"), std::string::npos) << missing_bundle.err;
  Bundle bundle;
  unlink((bundle.path() + "/config.json").c_str());
  const Outcome missing_config = runtime({"create", "--bundle", bundle.path(), id});
  EXPECT_NE(missing_config.status, 0);
  EXPECT_NE(missing_config.err.find("config.json"), std::string::npos) << missing_config.err;
}

TEST_F(Errors, AConfigThatIsNoSuchFileIsReadByNobody) {
  SKIP_FOR("runc,crun", "wait for a writer, or quote what they find");
  const std::string id = new_id();
  const auto create_in = [&](const Bundle& bundle) {
    return runtime({"create", "--bundle", ".", id}, {.cwd = bundle.path()});
  };
  Bundle pipe;
  unlink((pipe.path() + "/config.json").c_str());
  ASSERT_EQ(mkfifo((pipe.path() + "/config.json").c_str(), 0600), 0);
  const Outcome of_pipe = create_in(pipe);
  EXPECT_NE(of_pipe.status, 0);
  EXPECT_NE(of_pipe.err.find("regular"), std::string::npos) << of_pipe.err;
  Bundle sparse;
  sparse.write();
  ASSERT_EQ(truncate((sparse.path() + "/config.json").c_str(), off_t{1} << 40), 0);
  const Outcome of_sparse = create_in(sparse);
  EXPECT_NE(of_sparse.status, 0);
  EXPECT_NE(of_sparse.err.find("config.json"), std::string::npos) << of_sparse.err;
  Bundle link;
  unlink((link.path() + "/config.json").c_str());
  write_file(link.path() + "/secret", "root:secret:0:0\n");
  ASSERT_EQ(symlink("secret", (link.path() + "/config.json").c_str()), 0);
  const Outcome of_link = create_in(link);
  EXPECT_NE(of_link.status, 0);
  EXPECT_EQ(of_link.err.find("root:"), std::string::npos) << of_link.err;
}

TEST_F(Errors, NameThePlaceInTheConfig) {
  SKIP_FOR("runc,crun", "only davit knows where it stands");
  Bundle bundle;
  bundle.write_text(
      "{\n  \"ociVersion\": \"1.0.0\",\n  \"root\": {\"path\": \"rootfs\"},\n"
      "  \"process\": {\"cwd\": \"/\", \"args\": [\"x\"],\n    \"user\": {\"uid\": \"zero\", \"gid\": "
      "0}}\n}\n");
  bundle.config = Json();
  const std::string error = refused(bundle);
  EXPECT_NE(error.find("config.json:5:"), std::string::npos) << error;
  EXPECT_NE(error.find("/process/user/uid"), std::string::npos) << error;
}

TEST_F(Errors, AProgramThatCannotBeExecutedIsNamedByStart) {
  SKIP_FOR("runc,crun", "only davit knows why");
  for (const char* seccomp : {"", R"({"defaultAction": "SCMP_ACT_ALLOW", "syscalls": []})"}) {
    // The host has changed since create: start describes what it hears without looking at it again.
    TempDir volume;
    Bundle bundle;
    write_file(bundle.rootfs() + "/bin/script", "#!/no/such/interpreter\n", 0755);
    bundle.args({"/bin/script"});
    bundle.config["mounts"].push(mount_entry("/mnt", "bind", volume / "volume", {"bind"}));
    make_dirs(volume / "volume");
    if (*seccomp != '\0') bundle.config["linux"]["seccomp"] = Json::parse(seccomp);
    const std::string id = create(bundle);
    rmdir((volume / "volume").c_str());
    const Outcome outcome = runtime({"start", id});
    EXPECT_EQ(outcome.status, 1);
    EXPECT_NE(outcome.err.find("its interpreter /no/such/interpreter is missing"), std::string::npos)
        << outcome.err;
    EXPECT_NE(outcome.err.find("/process/args"), std::string::npos) << outcome.err;
    EXPECT_EQ(runtime.state(id).get("status").str(), "stopped");
  }
}

TEST_F(Errors, RulesThatAreBrokenAreAllNamed) {
  SKIP_FOR("runc,crun", "they name the first");
  Json config = default_config();
  remove_namespace(config, "uts");
  config["hostname"] = "host";
  config["domainname"] = "domain";
  config["linux"]["sysctl"] = Json::parse(R"({"kernel.panic": "1", "kernel.hostname": "x"})");
  const std::string error = refused(config);
  for (const char* pointer :
       {"/hostname", "/domainname", "/linux/sysctl/kernel.panic", "/linux/sysctl/kernel.hostname"}) {
    EXPECT_NE(error.find(pointer), std::string::npos) << pointer << "\n" << error;
  }
}

TEST_F(Errors, ALogThatCannotBeOpenedIsOne) {
  Bundle bundle;
  bundle.write();
  const std::string id = new_id();
  runtime.global_options = {"--log", "/no/such/place/log"};
  const Outcome outcome = runtime({"create", "--bundle", bundle.path(), id});
  EXPECT_NE(outcome.status, 0);
  EXPECT_NE(outcome.err.find("/no/such/place/log"), std::string::npos) << outcome.err;
  runtime.global_options.clear();
  EXPECT_TRUE(runtime.state(id).is_null());
}

TEST_F(Errors, AnIdWithASlashIsNoPath) {
  const Outcome outcome = runtime({"run", "no/such"});
  EXPECT_NE(outcome.status, 0);
  if (runtime.is_davit()) {
    EXPECT_NE(outcome.err.find("invalid container ID format"), std::string::npos) << outcome.err;
  }
}

TEST_F(Errors, WarningsComeBeforeTheContainerRuns) {
  SKIP_FOR("crun", "does not warn");
  Bundle bundle;
  bundle.config["process"]["capabilities"]["bounding"].push("CAP_NO_SUCH");
  bundle.args({"/bin/sleep", "1000"});
  bundle.write();
  const std::string id = new_id();
  Child child = runtime.start({"run", "--bundle", bundle.path(), id});
  EXPECT_TRUE(eventually([&] { return child.err().find("CAP_NO_SUCH") != std::string::npos; }))
      << child.err();
  EXPECT_TRUE(eventually([&] { return runtime.status(id) == "running"; }));
  runtime({"kill", id, "KILL"});
  child.wait();
}

TEST_F(Errors, OneLineAndNothingOnStdout) {
  Json config = default_config();
  config["mounts"].push(mount_entry("/mnt", "nosuchfs", "none"));
  Bundle bundle(config);
  const Outcome outcome = run_bundle(bundle);
  EXPECT_NE(outcome.status, 0);
  EXPECT_EQ(outcome.out, "");
  if (runtime.is_davit()) {
    EXPECT_EQ(outcome.err.rfind("davit: ", 0), 0U) << outcome.err;
    // A second line may give advice.
    EXPECT_LE(split(trim(outcome.err), '\n').size(), 2U) << outcome.err;
  }
}

TEST_F(Errors, TheLogFileHoldsOneObjectOfTheAgreedShape) {
  SKIP_FOR("crun", "writes the level and the text, but to the file only");
  TempDir place;
  Bundle bundle;
  bundle.config["mounts"].push(mount_entry("/mnt", "nosuchfs", "none"));
  bundle.write();
  const std::string log = place / "log.json";
  const Outcome outcome =
      runtime({"--log", log, "--log-format", "json", "create", "--bundle", bundle.path(), new_id()});
  EXPECT_NE(outcome.status, 0);
  const auto lines = split(read_file(log), '\n');
  ASSERT_FALSE(lines.empty());
  if (runtime.is_davit()) {
    EXPECT_EQ(lines.size(), 1U) << "podman parses the whole file as one object";
  }
  const Json entry = Json::parse(lines.back());
  EXPECT_EQ(entry.get("level").str(), "error");
  EXPECT_NE(entry.get("msg").str().find("/mnt"), std::string::npos) << entry.dump();
  const std::string time = entry.get("time").str();
  EXPECT_GE(time.size(), 20U);
  EXPECT_EQ(time[10], 'T');
  EXPECT_NE(trim(outcome.err), "") << "on stderr too";
}

TEST_F(Errors, NothingIsLoggedWhenAllIsWell) {
  TempDir place;
  Bundle bundle;
  bundle.write();
  const std::string log = place / "log.json";
  const Outcome outcome =
      runtime({"--log", log, "--log-format=json", "run", "--bundle", bundle.path(), new_id()});
  EXPECT_TRUE(outcome.ok()) << outcome.all();
  EXPECT_EQ(outcome.err, "");
  EXPECT_EQ(read_file(log), "");
}

TEST_F(Errors, TheCommandLine) {
  EXPECT_NE(runtime({"nosuchcommand"}).status, 0);
  EXPECT_NE(runtime({"create"}).status, 0);
  EXPECT_NE(runtime({"start"}).status, 0);
  EXPECT_NE(runtime({"state", "a", "b"}).status, 0);
  EXPECT_NE(runtime({"run", "--nosuchoption", "x"}).status, 0);
  const Outcome missing_value = run({runtime.path(), "restore", "--lsm-mount-context"});
  EXPECT_NE(missing_value.status, 0);
  if (!is_runtime(runtime, "crun")) {
    EXPECT_NE((missing_value.err + missing_value.out).find("flag needs an argument"), std::string::npos)
        << missing_value.all();
  }
  EXPECT_EQ(run({runtime.path(), "checkpoint", "--help"}).status, 0)
      << "podman and cri-o ask in this way whether they can checkpoint";
  EXPECT_EQ(run({runtime.path(), "--help"}).status, 0);
  for (const char* command : {"create", "start", "run", "exec", "kill", "delete", "state", "list"}) {
    EXPECT_EQ(run({runtime.path(), command, "--help"}).status, 0) << command;
  }
}

TEST_F(Errors, EngineSpellingsOfOptions) {
  SKIP_FOR("crun", "reads long options with two dashes only");
  Bundle bundle;
  bundle.sh("echo spelled");
  bundle.write();
  for (const std::vector<std::string>& args : {
           std::vector<std::string>{"run", "-bundle", bundle.path()},
           std::vector<std::string>{"run", "--bundle=" + bundle.path()},
           std::vector<std::string>{"run", "-b", bundle.path(), "--no-new-keyring"},
           std::vector<std::string>{"--debug=false", "run", "-bundle=" + bundle.path()},
       }) {
    auto all = args;
    all.push_back(new_id());
    const Outcome outcome = runtime(all);
    EXPECT_EQ(outcome.out, "spelled\n") << args[1] << outcome.all();
  }
}

TEST_F(Errors, FeaturesAsksNothingOfTheHost) {
  SKIP_FOR("crun", "before 1.9 has no features");
  const Options hidden = {.in_child = [] {
    if (unshare(CLONE_NEWNS) != 0) _exit(99);
    for (const char* place : {"/sys", "/proc"})
      if (mount("none", place, "tmpfs", 0, nullptr) != 0) _exit(99);
  }};
  const Outcome there = run({runtime.path(), "features"}, hidden);
#ifndef __SANITIZE_ADDRESS__  // which in the end looks for leaks, and for that into /proc
  EXPECT_TRUE(there.ok()) << there.all();
#endif
  EXPECT_EQ(there.out, run({runtime.path(), "features"}).out);
}

TEST_F(Errors, UnknownPropertiesAreIgnored) {
  Json config = default_config();
  config["x-unknown"] = Json::parse(R"({"a": [1, 2, {"b": null}]})");
  config["process"]["unknown"] = 5;
  config["linux"]["future"] = Json::array();
  config["windows"] = Json::object();
  EXPECT_EQ(output(config, "echo fine"), "fine");
}

TEST_F(Errors, AFailureLateInCreateUndoesEverything) {
  // The console socket is looked at after most was set up, a missing one is found out early by some: both
  // must undo.
  Bundle bundle;
  bundle.config["process"]["terminal"] = true;
  bundle.config["linux"]["cgroupsPath"] = cgroup_path(Sandbox::get().new_id());
  bundle.write();
  const HostSnapshot before = HostSnapshot::take(runtime.root());
  const std::string id = new_id();
  const Outcome outcome =
      runtime({"create", "--console-socket", "/no/such/socket", "--bundle", bundle.path(), id});
  EXPECT_NE(outcome.status, 0);
  EXPECT_TRUE(eventually([&] { return HostSnapshot::take(runtime.root()).leaked_since(before).empty(); }))
      << HostSnapshot::take(runtime.root()).leaked_since(before);
  EXPECT_TRUE(runtime.state(id).is_null());
}

}  // namespace
}  // namespace support
