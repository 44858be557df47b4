// SPDX-License-Identifier: Apache-2.0
// Everything that is wrong with a config, at once.
#include "davit/explain/validate.hpp"

#include <algorithm>

#include "davit/features/cgroup_preview.hpp"
#include "davit/features/namespaces.hpp"
#include "davit/features/rootfs.hpp"
#include "davit/features/seccomp_calls.hpp"
#include "davit/json/document.hpp"
#include "davit/spec/reader.hpp"
#include "explain/checks.hpp"

namespace davit::explain {
namespace {

Finding finding_of(const Error& error, Severity severity) {
  Finding finding;
  finding.severity = severity;
  finding.message = error.message.view();
  if (error.errno_value != 0) finding.message.append(": ").append(errno_text(error.errno_value));
  finding.hint = error.advice.view();
  finding.mark = mark_of(error.where);
  return finding;
}

/// "one of a, b, c" in the hint, and one of them is near.
void suggest_word(Finding& finding, const json::Document* document) {
  constexpr std::string_view kOneOf = "one of ";
  if (document == nullptr || !finding.hint.starts_with(kOneOf)) return;
  const std::size_t begin = finding.message.find('"');
  const std::size_t end = finding.message.rfind('"');
  if (begin == std::string::npos || end == begin) return;
  std::vector<std::string> words;
  std::string_view rest = std::string_view(finding.hint).substr(kOneOf.size());
  while (!rest.empty()) {
    const std::string_view word = rest.substr(0, rest.find(", "));
    words.emplace_back(word);
    rest.remove_prefix(std::min(word.size() + 2, rest.size()));
  }
  const std::string meant = nearest(finding.message.substr(begin + 1, end - begin - 1), words);
  if (!meant.empty()) finding.hint = "did you mean " + json::quoted(meant) + "? It is " + finding.hint;
}

bool is_at_or_below(std::string_view pointer, std::string_view parent) {
  return pointer == parent ||
         (pointer.size() > parent.size() && pointer.starts_with(parent) && pointer[parent.size()] == '/');
}

/// The sections of a config that could not be read tell nothing about the others.
class Broken {
 public:
  explicit Broken(const std::vector<Error>& errors) {
    for (const Error& error : errors) pointers_.emplace_back(error.where.pointer.view());
  }
  /// Whether something at, below or above of this could not be read.
  [[nodiscard]] bool touches(std::string_view pointer) const {
    return std::any_of(pointers_.begin(), pointers_.end(), [&](const std::string& broken) {
      return is_at_or_below(broken, pointer) || is_at_or_below(pointer, broken);
    });
  }

 private:
  std::vector<std::string> pointers_;
};

void append(Verdict& verdict, const std::vector<Error>& errors, Severity severity) {
  for (const Error& error : errors) verdict.findings.push_back(finding_of(error, severity));
}

/// Warnings about places of which nothing has been said; the checks here say it better.
void append_new(Verdict& verdict, const std::vector<Error>& warnings) {
  for (const Error& warning : warnings) {
    const bool is_known = std::any_of(
        verdict.findings.begin(), verdict.findings.end(),
        [&](const Finding& finding) { return finding.mark.pointer == warning.where.pointer.view(); });
    if (!is_known) verdict.findings.push_back(finding_of(warning, Severity::warning));
  }
}

/// What this release does on no host: errors here, though they are notes to who only wants to read a config.
std::vector<Error> take_refusals(const spec::Config& config, Compiled& compiled) {
  std::vector<Error> refusals = plan::validate(config);
  std::erase_if(refusals, [](const Error& error) { return error.code != Code::unsupported; });
  std::erase_if(compiled.notes, [&](const Error& note) {
    return std::any_of(refusals.begin(), refusals.end(),
                       [&](const Error& error) { return error.message.view() == note.message.view(); });
  });
  return refusals;
}

/// The same complaint at the same place once: compile and the checks here may both have found it.
void remove_repeated(std::vector<Finding>& findings) {
  std::vector<Finding> kept;
  for (Finding& finding : findings) {
    const bool is_known = std::any_of(kept.begin(), kept.end(), [&](const Finding& other) {
      return other.message == finding.message && other.mark.line == finding.mark.line &&
             other.mark.column == finding.mark.column;
    });
    if (!is_known) kept.push_back(std::move(finding));
  }
  findings = std::move(kept);
}

void sort(std::vector<Finding>& findings) {
  std::stable_sort(findings.begin(), findings.end(), [](const Finding& left, const Finding& right) {
    return left.mark.line != right.mark.line ? left.mark.line < right.mark.line
                                             : left.mark.column < right.mark.column;
  });
}

}  // namespace

std::size_t Verdict::count(Severity severity) const {
  return static_cast<std::size_t>(
      std::count_if(findings.begin(), findings.end(),
                    [&](const Finding& finding) { return finding.severity == severity; }));
}

Verdict validate(const std::string& text, const std::string& name, const Request& request,
                 bool looks_at_host) {
  Verdict verdict{name};
  auto read = spec::read_config(text, name);
  append(verdict, read.errors, Severity::error);
  append(verdict, read.warnings, Severity::warning);
  spec::Config& config = read.value;
  const Broken broken(read.errors);
  const bool is_whole = read.errors.empty();
  if (config.document != nullptr) {
    check_words(config, verdict.findings);
    check_ids(config, verdict.findings);
    if (!broken.touches("/mounts") && !broken.touches("/linux/namespaces"))
      append(verdict, mount_errors(config, request), Severity::error);
  }
  if (is_whole) {
    namespaces::map_caller(config);
    Compiled compiled = compile(config, request);
    append(verdict, take_refusals(config, compiled), Severity::error);
    append(verdict, compiled.errors, Severity::error);
    if (compiled.plan) append_new(verdict, compiled.plan->warnings);
    append(verdict, resource_errors(config, compiled), Severity::error);
    if (looks_at_host) verdict.sections.push_back(lacks_of(config, request, compiled));
    verdict.sections.push_back(grants_of(config));
  }
  for (Finding& finding : verdict.findings) suggest_word(finding, config.document.get());
  suggest_names(config, verdict.findings);
  remove_repeated(verdict.findings);
  sort(verdict.findings);
  return verdict;
}

}  // namespace davit::explain
