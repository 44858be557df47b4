// SPDX-License-Identifier: Apache-2.0
// Which known word somebody meant.
#include <algorithm>

#include "davit/explain/validate.hpp"

namespace davit::explain {
namespace {

std::string lower(std::string_view word) {
  std::string result(word);
  for (char& character : result)
    if (character >= 'A' && character <= 'Z') character = static_cast<char>(character - 'A' + 'a');
  return result;
}

/// Inserted, lost, changed and swapped characters (optimal string alignment).
std::size_t distance(const std::string& left, const std::string& right) {
  std::vector<std::size_t> before_last, last(right.size() + 1), row(right.size() + 1);
  for (std::size_t j = 0; j <= right.size(); ++j) last[j] = j;
  for (std::size_t i = 1; i <= left.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= right.size(); ++j) {
      const bool same = left[i - 1] == right[j - 1];
      row[j] = std::min({row[j - 1] + 1, last[j] + 1, last[j - 1] + (same ? 0 : 1)});
      if (i > 1 && j > 1 && left[i - 1] == right[j - 2] && left[i - 2] == right[j - 1])
        row[j] = std::min(row[j], before_last[j - 2] + 1);
    }
    before_last = last;
    last = row;
  }
  return last[right.size()];
}

/// "KILL" for "CAP_KILL", "nofile" for "RLIMIT_NOFILE", "allow" for "SCMP_ACT_ALLOW".
bool lacks_prefix(const std::string& word, const std::string& known) {
  return known.size() > word.size() && known.ends_with(word) && known[known.size() - word.size() - 1] == '_';
}

}  // namespace

std::string nearest(std::string_view word, const std::vector<std::string>& known) {
  constexpr std::size_t kLongest = 64;  // a hostile file must not keep us busy
  if (word.empty() || word.size() > kLongest) return {};
  const std::string wanted = lower(word);
  std::string best;
  std::size_t least = wanted.size() < 4 ? 2 : wanted.size() < 8 ? 3 : 4;  // one more than may differ
  for (const std::string& candidate : known) {
    const std::string folded = lower(candidate);
    if (folded == wanted) return candidate;
    if (wanted.size() >= 3 && lacks_prefix(wanted, folded)) {
      best = candidate;
      least = 1;
      continue;
    }
    const std::size_t longer = std::max(folded.size(), wanted.size());
    if (longer - std::min(folded.size(), wanted.size()) >= least) continue;
    const std::size_t apart = distance(wanted, folded);
    if (apart < least) best = candidate, least = apart;
  }
  return best;
}

}  // namespace davit::explain
