// SPDX-License-Identifier: Apache-2.0
#include "cli/table.hpp"

#include <algorithm>

namespace davit::cli {

namespace {
constexpr std::size_t kLeastWidth = 12;
constexpr std::size_t kGap = 3;
}  // namespace

std::string format_table(const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()), kLeastWidth);
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size() + kGap);
  }
  std::string out;
  for (const auto& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      out.append(row[i]);
      if (i + 1 < row.size()) out.append(widths[i] - row[i].size(), ' ');
    }
    out.append("\n");
  }
  return out;
}

std::string list_table(const std::vector<spec::State>& states) {
  std::vector<std::vector<std::string>> rows = {{"ID", "PID", "STATUS", "BUNDLE", "CREATED", "OWNER"}};
  for (const spec::State& state : states)
    rows.push_back({state.id, std::to_string(state.pid), std::string(spec::status_name(state.status)),
                    state.bundle, state.created, state.owner});
  return format_table(rows);
}

std::string long_table(const std::vector<spec::State>& states) {
  std::vector<std::vector<std::string>> rows = {
      {"ID", "PID", "STATUS", "EXIT", "OOM-KILLED", "FINISHED", "FAILED STEP", "BUNDLE", "CREATED", "OWNER"}};
  for (const spec::State& state : states) {
    const bool has_ended = state.status == spec::Status::stopped;
    const std::string unknown = has_ended ? "unknown" : "-";
    std::string exit = state.exit_code ? std::to_string(*state.exit_code) : unknown;
    if (!state.exit_signal.empty()) exit += " (" + state.exit_signal + ")";
    const std::string oom = state.oom_killed ? (*state.oom_killed ? "yes" : "no") : unknown;
    rows.push_back({state.id, std::to_string(state.pid), std::string(spec::status_name(state.status)), exit,
                    oom, state.finished.empty() ? unknown : state.finished,
                    state.failed_step.empty() ? "-" : state.failed_step, state.bundle, state.created,
                    state.owner});
  }
  return format_table(rows);
}

}  // namespace davit::cli
