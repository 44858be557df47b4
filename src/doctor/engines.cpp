// SPDX-License-Identifier: Apache-2.0
// Whether the engines that are installed know davit.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>

#include "davit/sys/file.hpp"
#include "doctor/trials.hpp"

namespace davit::doctor {
namespace {

constexpr std::size_t kMaximumFile = 1 << 20;

std::string home() {
  const char* value = ::getenv("HOME");
  return value != nullptr ? value : "/root";
}

void add_file(EngineFiles& engine, const std::string& path) {
  const auto text = sys::read_file(path, kMaximumFile);
  if (!text.ok()) return;
  engine.files += (engine.files.empty() ? "" : ", ") + path;
  engine.text += *text + "\n";
}

void add_directory(EngineFiles& engine, const std::string& path) {
  const auto directory = sys::open(path, O_RDONLY | O_DIRECTORY);
  if (!directory.ok()) return;
  auto names = sys::list_directory(*directory);
  if (!names.ok()) return;
  std::sort(names->begin(), names->end());
  for (const std::string& name : *names)
    if (name.ends_with(".conf") || name.ends_with(".toml")) add_file(engine, path + "/" + name);
}

EngineFiles look(const char* name, const char* program, const std::vector<std::string>& files) {
  EngineFiles engine{name, find_program(program)};
  if (engine.program.empty()) return engine;
  for (const std::string& file : files)
    file.ends_with(".d") ? add_directory(engine, file) : add_file(engine, file);
  return engine;
}

}  // namespace

std::vector<std::string> paths_of_davit(std::string_view text) {
  constexpr std::string_view kEnd = "/davit\"";
  std::vector<std::string> paths;
  for (std::size_t at = text.find(kEnd); at != std::string_view::npos; at = text.find(kEnd, at + 1)) {
    const std::size_t begin = text.rfind('"', at);
    if (begin == std::string_view::npos) continue;
    std::string path(text.substr(begin + 1, at - begin + kEnd.size() - 2));
    if (path.starts_with('/') && std::find(paths.begin(), paths.end(), path) == paths.end())
      paths.push_back(std::move(path));
  }
  return paths;
}

Diagnosis diagnose_engine(const EngineFiles& engine) {
  Diagnosis result{engine.name};
  if (engine.program.empty()) {
    result.health = Health::unasked;
    result.evidence = "is not installed";
    return result;
  }
  const std::vector<std::string> paths = paths_of_davit(engine.text);
  if (paths.empty()) {
    result.health = Health::unasked;
    result.evidence =
        engine.program + " does not know davit" + (engine.files.empty() ? "" : " by " + engine.files);
    result.remedy = "the lines for it are in davit's README, under \"Under an engine\"";
    return result;
  }
  for (const std::string& path : paths)
    if (::access(path.c_str(), X_OK) != 0) {
      result.health = Health::lacking;
      result.evidence = "is told that davit is " + path + ": " + errno_text(errno);
      result.remedy = "install davit there, or correct the path in " + engine.files;
      return result;
    }
  result.evidence = "knows davit as " + paths.front();
  return result;
}

void try_engines(Diagnoses& out) {
  const std::string own = home() + "/.config/containers/containers.conf";
  out.push_back(
      diagnose_engine(look("Podman", "podman",
                           {"/usr/share/containers/containers.conf", "/etc/containers/containers.conf",
                            "/etc/containers/containers.conf.d", own, own + ".d"})));
  out.push_back(diagnose_engine(
      look("Docker", "dockerd", {"/etc/docker/daemon.json", home() + "/.config/docker/daemon.json"})));
  out.push_back(diagnose_engine(
      look("containerd", "containerd", {"/etc/containerd/config.toml", "/etc/containerd/conf.d"})));
  out.push_back(diagnose_engine(look("CRI-O", "crio", {"/etc/crio/crio.conf", "/etc/crio/crio.conf.d"})));
}

}  // namespace davit::doctor
