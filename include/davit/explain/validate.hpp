// SPDX-License-Identifier: Apache-2.0
// `davit validate`: all that can be known of a config without running it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "davit/explain/document.hpp"
#include "davit/explain/explain.hpp"
#include "davit/explain/render.hpp"

namespace davit::explain {

enum class Severity : std::uint8_t { error, warning };

/// Something that is wrong with a config.
struct Finding {
  Severity severity = Severity::error;
  std::string message{};
  std::string hint{};  ///< what to do; may be empty
  Mark mark{};
};

struct Verdict {
  std::string name;  ///< of the file
  std::vector<Finding> findings{};
  std::vector<Section> sections{};  ///< what the host lacks, what the config grants

  [[nodiscard]] std::size_t count(Severity severity) const;
};

/// Reads and checks a config. `looks_at_host`: also whether this machine has what it asks for.
Verdict validate(const std::string& text, const std::string& name, const Request& request,
                 bool looks_at_host);

/// What a careful person wants to see of a config: all that leads out of the container, or takes more of the
/// host than its share.
Section grants_of(const spec::Config& config);
/// What a config asks for and this machine lacks; makes nothing.
Section lacks_of(const spec::Config& config, const Request& request, const Compiled& compiled);

/// Findings with the line of the config that they are about, the sections, and a summary.
std::string text_of(const Verdict& verdict, std::string_view config_text, const Style& style);
/// The line of a config, and one below it that points at what an error is about; empty: there is no such
/// place.
std::string excerpt(std::string_view config_text, const Mark& mark, const Style& style);
/// {"file", "errors", "warnings", "findings": [...], "sections": [...]}
std::string json_of(const Verdict& verdict, std::string_view config_text);

/// The word that was probably meant; empty: none is near.
std::string nearest(std::string_view word, const std::vector<std::string>& known);

}  // namespace davit::explain
