// SPDX-License-Identifier: Apache-2.0
#include "claims.hpp"

#include <array>
#include <cstdlib>
#include <map>

#include "support/process.hpp"

namespace spec_tests {
namespace {

using support::Json;

std::array<long, 3> numbers(std::string_view version) {
  std::array<long, 3> parts{};
  const auto fields = support::split(version, '.');
  for (std::size_t i = 0; i < parts.size() && i < fields.size(); ++i)
    parts.at(i) = strtol(fields[i].c_str(), nullptr, 10);
  return parts;
}

std::string specification_in(const std::string& version) {
  for (const auto& line : support::split(version, '\n'))
    if (line.rfind("spec: ", 0) == 0) return support::trim(line.substr(6));
  return "";
}

}  // namespace

const Claims& Claims::of(const std::string& path) {
  static std::map<std::string, Claims> known;
  auto at = known.find(path);
  if (at == known.end()) at = known.emplace(path, Claims(path)).first;
  return at->second;
}

Claims::Claims(const std::string& path) {
  const std::string version = support::run({path, "--version"}).out;
  version_ = version.substr(0, version.find('\n'));
  specification_ = specification_in(version);
  const support::Outcome outcome = support::run({path, "features"});
  if (!outcome.ok()) return;
  features_ = Json::try_parse(outcome.out).value_or(Json());
  if (features_.has("ociVersionMax")) specification_ = features_.get("ociVersionMax").str();
}

std::string Claims::older_than(std::string_view since) const {
  if (specification_.empty() || numbers(specification_) >= numbers(since)) return "";
  return "new in " + std::string(since) + " of the specification; this runtime says that it knows " +
         specification_;
}

std::string Claims::lacks(std::string_view feature, std::string_view since) const {
  const auto equals = feature.find('=');
  const std::string path(feature.substr(0, equals));
  Json at = features_;
  for (const auto& key : support::split(path, '.')) at = Json(at.get(key));
  if (at.is_null()) return older_than(since);
  if (equals != std::string_view::npos) {
    const std::string word(feature.substr(equals + 1));
    return at.contains(word) ? "" : "`features` does not list " + word + " in " + path;
  }
  return at.kind() == Json::Kind::boolean && !at.is_true() ? "`features` says that " + path + " is false"
                                                           : "";
}

}  // namespace spec_tests
