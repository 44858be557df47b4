// SPDX-License-Identifier: Apache-2.0
// Reads the documents of the spec: all errors at once, each with pointer, line and column.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "davit/base/result.hpp"
#include "davit/spec/config.hpp"

namespace davit::spec {

/// What came of reading a document. The value may be used only when `errors` is empty.
template <typename T>
struct [[nodiscard]] Read {
  T value;
  std::vector<Error> errors;    ///< in document order
  std::vector<Error> warnings;  ///< unknown keys and the like: to be logged, never fatal
  std::vector<Error> notices;   ///< those of them that other runtimes read differently: to be said always
  [[nodiscard]] bool ok() const { return errors.empty(); }
};

/// A process that stands in a document of its own (`exec --process`).
struct ProcessDocument {
  Process process;
  std::shared_ptr<const json::Document> document;
};

/// Resources that stand in a document of their own (`update --resources`).
struct ResourcesDocument {
  Resources resources;
  std::shared_ptr<const json::Document> document;
};

/// Mounts that stand in a document of their own (`mounts add`).
struct MountsDocument {
  std::vector<Mount> mounts;
  std::shared_ptr<const json::Document> document;
};

/// Reads and checks config.json; `file_name` is how errors call it.
Read<Config> read_config(std::string text, std::string_view file_name);
/// Reads and checks a process object; unlike in a config, `args` is required.
Read<ProcessDocument> read_process(std::string text, std::string_view file_name);
/// Reads and checks a resources object.
Read<ResourcesDocument> read_resources(std::string text, std::string_view file_name);
/// Reads and checks an object with a list of mounts, like that of a config.
Read<MountsDocument> read_mounts(std::string text, std::string_view file_name);

/// Folds a list into one Error: the first one, with a count of the others. The list must not be empty.
Error first_of(const std::vector<Error>& errors);

}  // namespace davit::spec
