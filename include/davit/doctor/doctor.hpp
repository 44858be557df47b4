// SPDX-License-Identifier: Apache-2.0
// `davit doctor`: what containers of this caller can have on this host, found out by trying.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "davit/explain/document.hpp"
#include "davit/explain/render.hpp"

namespace davit::doctor {

enum class Health : std::uint8_t {
  good,     ///< tried, and it works
  unasked,  ///< not there, and nothing needs it here
  lacking,  ///< containers run, but not those that ask for it
  bad,      ///< no container runs
};

/// What came of one trial.
struct Diagnosis {
  std::string name{};  ///< "mount namespace"
  Health health = Health::good;
  std::string evidence{};
  std::string remedy{};  ///< a command or what to change; empty where nothing has to be
};

/// Tries everything. What could change this process is done by a child; what has to be made on the host for
/// it (a cgroup) is removed again.
std::vector<Diagnosis> examine();
/// The worst of them; what nobody asked for is no fault.
Health worst_of(const std::vector<Diagnosis>& diagnoses);

std::string text_of(const std::vector<Diagnosis>& diagnoses, const explain::Style& style);
/// {"health", "diagnoses": [{"name", "health", "evidence", "remedy"}]}
std::string json_of(const std::vector<Diagnosis>& diagnoses);

/// How an engine knows davit: what its configuration files say about a program of that name.
struct EngineFiles {
  std::string name;     ///< "Podman"
  std::string program;  ///< empty: not installed
  std::string files{};  ///< the names of those that are there
  std::string text{};   ///< all of them together
};
Diagnosis diagnose_engine(const EngineFiles& engine);
/// The paths in quotes that end in /davit.
std::vector<std::string> paths_of_davit(std::string_view text);

}  // namespace davit::doctor
