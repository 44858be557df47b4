// SPDX-License-Identifier: Apache-2.0
// What is done to every input of the config fuzzer; also run over the corpus in each unit test run.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "davit/spec/reader.hpp"

namespace davit::fuzz {

inline void must(bool holds, const char* promise) {
  if (holds) return;
  std::fprintf(stderr, "broken promise: %s\n", promise);
  std::abort();
}

/// What happens to a config that was accepted; set it to carry on to the next layer.
inline void (*on_config)(const spec::Config&) = nullptr;

inline void check_errors(const std::vector<Error>& errors) {
  for (const Error& error : errors) {
    must(error.code == Code::invalid_config, "a reader reports invalid_config only");
    must(error.where.line != 0 && error.where.column != 0, "every error has a line and a column");
    must(!error.message.empty(), "every error says something");
    const auto line = describe(error);
    for (const char character : line.view())
      must(character >= ' ' || character < 0, "an error is one line without control characters");
  }
}

inline void check_accepted(const spec::Config& config) {
  bool seen[spec::kNamespaceTypes] = {};
  for (const spec::Namespace& entry : config.linux.namespaces) {
    bool& before = seen[static_cast<std::size_t>(entry.type)];
    must(!before, "a namespace type occurs once");
    before = true;
  }
  for (const spec::Mount& mount : config.mounts)
    must(!mount.destination.empty(), "a mount has a destination");
  for (const spec::UnifiedEntry& entry : config.linux.resources.unified)
    must(entry.file.find('/') == std::string::npos, "a cgroup file name has no slash");
  if (config.process) must(!config.process->args.empty(), "a process has a program");
}

/// Reads the bytes as each kind of document and checks what the readers promise.
inline void exercise_config(std::string_view bytes) {
  const auto config = spec::read_config(std::string(bytes), "config.json");
  check_errors(config.errors);
  check_errors(config.warnings);
  if (config.ok()) {
    check_accepted(config.value);
    if (on_config != nullptr) on_config(config.value);
  }
  check_errors(spec::read_process(std::string(bytes), "process.json").errors);
  check_errors(spec::read_resources(std::string(bytes), "resources.json").errors);
}

}  // namespace davit::fuzz
