// SPDX-License-Identifier: Apache-2.0
// The table of commands, and the bundles that they are tried on.
#include <ostream>

#include "faults/bundles.hpp"
#include "faults/scenario.hpp"

namespace faults {
namespace {

using Before = Verb::Before;
using Effect = Verb::Effect;

constexpr Verb kVerbs[] = {
    {"create", Before::nothing, Effect::process, true},
    {"start", Before::created, Effect::process, false},
    {"run", Before::nothing, Effect::process, true},
    {"run-detached", Before::nothing, Effect::process, true},
    {"exec", Before::running, Effect::more, true},
    {"exec-detached", Before::running, Effect::more, true},
    {"kill", Before::running, Effect::ended, false},
    {"pause", Before::running, Effect::frozen, true},
    {"resume", Before::paused, Effect::thawed, false},
    {"update", Before::running, Effect::values, true},
    {"delete", Before::stopped, Effect::gone, false},
    {"delete-force", Before::running, Effect::gone, false},
};

const char* name_of(support::View view) {
  return view == support::View::host ? "host" : view == support::View::v1 ? "v1" : "v2";
}

constexpr const char* kProcess = R"({
  "umask": 23, "additionalGids": [5, 6], "uid": 0, "gid": 0
})";

constexpr const char* kSeccomp = R"({
  "defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_X86_64", "SCMP_ARCH_AARCH64"],
  "syscalls": [{"names": ["unshare", "personality"], "action": "SCMP_ACT_ERRNO", "errnoRet": 13}]
})";

void add_limits(support::Json& config, support::View view) {
  using support::Json;
  Json& resources = config["linux"]["resources"];
  resources["devices"] = Json::parse(R"([{"allow": false, "access": "rwm"}])");
  if (view == support::View::v2) {
    resources["hugepageLimits"] = Json::parse(R"([{"pageSize": "2MB", "limit": 8388608}])");
    return;
  }
  resources["pids"] = Json::parse(R"({"limit": 128})");
  resources["cpu"] = Json::parse(R"({"shares": 256})");
  resources["memory"] = Json::parse(R"({"limit": 268435456})");
}

void add_hooks(support::Json& config, const std::string& probe, const std::string& log) {
  using support::Json;
  for (const char* kind : {"prestart", "createRuntime", "createContainer"})
    config["hooks"][kind] =
        Json::array({Json::object({{"path", probe}, {"args", Json::array({"probe", "mark", log, kind})}})});
  config["hooks"]["startContainer"] = Json::array({Json::object(
      {{"path", "/bin/probe"}, {"args", Json::array({"probe", "mark", "/marks", "startContainer"})}})});
  // A failure of these is a warning, so that their marks would prove nothing.
  for (const char* kind : {"poststart", "poststop"})
    config["hooks"][kind] =
        Json::array({Json::object({{"path", probe}, {"args", Json::array({"probe", "call", "getppid"})}})});
}

}  // namespace

std::string Kind::name() const {
  std::string text = std::string(verb->name) + "_" + bundle + "_" + name_of(view);
  for (char& c : text) c = c == '-' ? '_' : c;
  return text;
}

void PrintTo(const Kind& kind, std::ostream* out) {
  *out << kind.name();
}

std::vector<Kind> all_kinds() {
  std::vector<Kind> kinds;
  for (const Verb& verb : kVerbs)
    for (const char* bundle : {"plain", "user", "terminal", "hooks"})
      for (const support::View view : {support::View::host, support::View::v1, support::View::v2})
        kinds.push_back({&verb, bundle, view});
  return kinds;
}

support::Json config_for(const Kind& kind, const Places& places) {
  using support::Json;
  Json config = support::default_config();
  Json& process = config["process"];
  const Json user = Json::parse(kProcess);
  process["user"] = user;
  for (const char* set : {"inheritable", "ambient"})
    process["capabilities"][set] = Json::array({"CAP_CHOWN"});
  process["rlimits"] = Json::parse(R"([{"type": "RLIMIT_NOFILE", "soft": 512, "hard": 512},
                                       {"type": "RLIMIT_CORE", "soft": 0, "hard": 4096}])");
  process["oomScoreAdj"] = 300;
  config["root"]["readonly"] = true;
  config["hostname"] = "disturbed";
  config["mounts"].push(support::mount_entry("/tmp", "tmpfs", "tmpfs", {"nosuid", "mode=1777"}));
  config["mounts"].push(support::mount_entry("/sys/fs/cgroup", "cgroup", "cgroup", {"ro", "nosuid"}));
  config["mounts"].push(support::mount_entry("/identity", "bind", places.identity, {"bind", "nodev"}));
  config["mounts"].push(support::mount_entry("/marks", "bind", places.marks, {"bind", "nodev"}));
  config["linux"]["cgroupsPath"] = "/" + places.id;
  config["linux"]["namespaces"].push(Json::object({{"type", "cgroup"}}));
  config["linux"]["sysctl"]["net.ipv4.ip_unprivileged_port_start"] = "77";
  config["linux"]["seccomp"] = Json::parse(kSeccomp);
  add_limits(config, kind.view);
  if (kind.bundle == "user") support::add_user_namespace(config);
  if (kind.bundle == "terminal") process["terminal"] = true;
  if (kind.bundle == "hooks") add_hooks(config, places.rootfs + "/bin/probe", places.marks);
  return config;
}

}  // namespace faults
