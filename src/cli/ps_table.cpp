// SPDX-License-Identifier: Apache-2.0
#include "cli/ps_table.hpp"

#include <algorithm>
#include <charconv>

#include "davit/base/fields.hpp"

namespace davit::cli {

namespace {

std::vector<std::string_view> words_of(std::string_view line) {
  std::vector<std::string_view> words;
  while (true) {
    const std::size_t begin = line.find_first_not_of(" \t");
    if (begin == std::string_view::npos) return words;
    line.remove_prefix(begin);
    const std::size_t end = std::min(line.find_first_of(" \t"), line.size());
    words.push_back(line.substr(0, end));
    line.remove_prefix(end);
  }
}

}  // namespace

Result<std::string> filter_ps(std::string_view output, const std::vector<pid_t>& pids) {
  std::string kept;
  std::size_t column = 0;
  for (bool header = true; !output.empty(); header = false) {
    const std::string_view line = next_line(output);
    const std::vector<std::string_view> words = words_of(line);
    bool keep = header;
    if (header) {
      column = static_cast<std::size_t>(std::find(words.begin(), words.end(), "PID") - words.begin());
      if (column == words.size())
        return make_error(Code::invalid_argument, "couldn't find PID field in ps output");
    } else if (column < words.size()) {
      pid_t pid = 0;
      std::from_chars(words[column].data(), words[column].data() + words[column].size(), pid);
      keep = std::find(pids.begin(), pids.end(), pid) != pids.end();
    }
    if (keep) kept.append(line).append("\n");
  }
  return kept;
}

}  // namespace davit::cli
