// SPDX-License-Identifier: Apache-2.0
#include "captured.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "support/process.hpp"

namespace support {
namespace {

bool is_bind(const Json& mount) {
  return mount.get("type").str() == "bind" || mount.get("options").contains("bind") ||
         mount.get("options").contains("rbind");
}

bool starts_with_any(const std::string& text, const std::vector<std::string>& prefixes) {
  return std::any_of(prefixes.begin(), prefixes.end(),
                     [&](auto& prefix) { return text.rfind(prefix, 0) == 0; });
}

template <typename Predicate>
void drop(Json& list, Predicate predicate) {
  auto& items = list.items();
  items.erase(std::remove_if(items.begin(), items.end(), predicate), items.end());
}

}  // namespace

std::vector<std::string> captured_configs() {
  const char* elsewhere = getenv("DAVIT_CAPTURED");
  const std::string dir = elsewhere != nullptr ? elsewhere : DAVIT_TESTS_DIR "/golden/captured";
  std::vector<std::string> paths;
  for (const auto& name : list_dir(dir))
    if (name.size() > 5 && name.substr(name.size() - 5) == ".json") paths.push_back(dir + "/" + name);
  return paths;
}

CapturedBundle::CapturedBundle(const std::string& path, const std::string& cgroup)
    : bundle(Json::parse(read_file(path))) {
  Json& config = bundle.config;
  config["root"]["path"] = "rootfs";
  config["linux"]["cgroupsPath"] = cgroup;
  config.erase("hooks");
  for (auto& space : config["linux"]["namespaces"].items()) space.erase("path");
  // Of cgroup v2 only; the values of v1 stay.
  if (config["linux"].has("resources")) config["linux"]["resources"].erase("unified");
  config["linux"].erase("mountLabel");
  adapt_mounts();
  adapt_process();
  // The engine hands over a rootfs that belongs to the container's root.
  if (config["linux"].get("uidMappings").size() > 0) {
    const auto owner = static_cast<uid_t>(config["linux"]["uidMappings"][0].get("hostID").number());
    for (const auto& name : list_dir(bundle.rootfs()))
      if (chown((bundle.rootfs() + "/" + name).c_str(), owner, owner) != 0) ADD_FAILURE() << name;
    if (chown(bundle.rootfs().c_str(), owner, owner) != 0) ADD_FAILURE() << bundle.rootfs();
  }
}

void CapturedBundle::adapt_mounts() {
  int count = 0;
  for (auto& mount : bundle.config["mounts"].items()) {
    if (!is_bind(mount) || mount.get("source").str().rfind("/dev", 0) == 0) continue;
    const std::string destination = mount.get("destination").str();
    const std::string source = sources_ / std::to_string(++count);
    if (destination == "/bin/true" || destination == "/sbin/docker-init") {
      write_file(source, read_file(bundle.rootfs() + "/bin/busybox"), 0755);
    } else if (starts_with_any(destination, {"/etc/", "/run/.containerenv"})) {
      write_file(source, "captured\n");
    } else {
      make_dirs(source, 01777);
    }
    mount["source"] = source;
  }
}

void CapturedBundle::adapt_process() {
  Json& process = bundle.config["process"];
  process["terminal"] = false;
  process.erase("consoleSize");
  process.erase("selinuxLabel");
  // The engine that loads the profile need not be here.
  if (const Json& profile = process.get("apparmorProfile");
      !profile.is_null() &&
      read_file("/sys/kernel/security/apparmor/profiles").find(profile.str() + " (") == std::string::npos)
    process.erase("apparmorProfile");
  if (!has_capability(24)) {  // CAP_SYS_RESOURCE
    drop(process["rlimits"], [](const Json&) { return true; });
    if (process.get("oomScoreAdj").number() < 0) process.erase("oomScoreAdj");
  }
  const Json granted = all_capabilities().get("bounding");
  if (process.has("capabilities")) {
    for (const char* set : {"bounding", "effective", "permitted", "inheritable", "ambient"})
      if (process["capabilities"].has(set))
        drop(process["capabilities"][set], [&](const Json& name) { return !granted.contains(name.str()); });
  }
}

}  // namespace support
