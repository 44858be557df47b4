// SPDX-License-Identifier: Apache-2.0
#include "spec/object.hpp"

#include <algorithm>
#include <charconv>
#include <span>

namespace davit::spec {
namespace {

char lower(char character) {
  return character >= 'A' && character <= 'Z' ? static_cast<char>(character - 'A' + 'a') : character;
}

bool equal_but_for_case(std::string_view left, std::string_view right) {
  return std::equal(left.begin(), left.end(), right.begin(), right.end(),
                    [](char a, char b) { return lower(a) == lower(b); });
}

/// Whether one added, lost, changed or swapped character explains the difference.
bool differs_by_a_slip(std::string_view left, std::string_view right) {
  if (left.size() > right.size()) std::swap(left, right);
  if (left.size() < 4 || right.size() - left.size() > 1) return false;
  std::size_t head = 0;
  while (head < left.size() && lower(left[head]) == lower(right[head])) ++head;
  std::size_t tail = 0;
  while (tail < left.size() - head &&
         lower(left[left.size() - 1 - tail]) == lower(right[right.size() - 1 - tail]))
    ++tail;
  const std::size_t rest = left.size() - head - tail;
  if (rest <= 1) return true;
  return rest == 2 && left.size() == right.size() && left[head] == right[head + 1] &&
         left[head + 1] == right[head];
}

/// Words of other programs for keys of the schema; each only where the object has that key.
struct Synonym {
  std::string_view written;
  std::string_view meant;
};
constexpr Synonym kSynonyms[] = {
    {"target", "destination"}, {"dst", "destination"},   {"mountpoint", "destination"},
    {"src", "source"},         {"fstype", "type"},       {"blkio", "blockIO"},
    {"io", "blockIO"},         {"cmd", "args"},          {"command", "args"},
    {"argv", "args"},          {"environment", "env"},   {"workdir", "cwd"},
    {"workingDir", "cwd"},     {"caps", "capabilities"}, {"ulimits", "rlimits"},
    {"tty", "terminal"},       {"rootfs", "root"},       {"volumes", "mounts"},
    {"labels", "annotations"}, {"sysctls", "sysctl"},    {"memswap", "swap"},
    {"quotaUs", "quota"},      {"mode", "fileMode"},
};

/// Keys that people put beside the object that they belong into.
struct Home {
  std::string_view keys;  ///< between spaces
  std::string_view object;
};
constexpr Home kHomes[] = {
    {" args env cwd user terminal capabilities rlimits noNewPrivileges oomScoreAdj apparmorProfile ",
     "process"},
    {" namespaces resources seccomp sysctl devices cgroupsPath uidMappings gidMappings maskedPaths "
     "readonlyPaths "
     "rootfsPropagation ",
     "linux"},
    {" path readonly ", "root"},
    {" prestart createRuntime createContainer startContainer poststart poststop ", "hooks"},
    {" memory cpu pids blockIO hugepageLimits unified ", "resources"},
};

/// What somebody meant who wrote a key that is not in `known`; empty: nobody can tell.
std::string advice_on_key(std::string_view written, std::span<const std::string_view> known) {
  const auto is_known = [&](std::string_view key) {
    return std::find(known.begin(), known.end(), key) != known.end();
  };
  for (const std::string_view key : known)
    if (differs_by_a_slip(key, written)) return text("did you mean ", json::quoted(key), "?");
  for (const Synonym& one : kSynonyms)
    if (one.written == written && is_known(one.meant))
      return text("did you mean ", json::quoted(one.meant), "?");
  for (const Home& home : kHomes)
    if (is_known(home.object) && home.keys.find(text(" ", written, " ")) != std::string_view::npos)
      return text("it belongs into the object ", json::quoted(home.object), " of this one");
  return {};
}

/// How a value that is of another kind is written.
std::string_view advice_on_kind(json::Value value, std::string_view expected) {
  const bool is_text = value.kind() == json::Kind::string;
  const std::string_view written = is_text ? value.text() : std::string_view();
  const bool is_number =
      !written.empty() && written.find_first_not_of("0123456789-") == std::string_view::npos;
  if (expected == "an array")
    return is_text ? "write it in brackets: [\"...\", \"...\"], each word a string of its own" : "";
  if (expected == "an object")
    return value.kind() == json::Kind::boolean ? "" : "write it in braces, with keys: {\"...\": ...}";
  if (expected == "a string") return value.kind() == json::Kind::number ? "write it in double quotes" : "";
  if (expected == "true or false") return "write true or false, without quotes";
  if (expected != "an integer" || !is_text) return {};
  if (is_number && written.size() > 1 && written.front() == '0')
    return "write it without quotes, and decimal, as JSON has no octal numbers: 0644 is 420, 022 is 18";
  if (is_number) return "write it without quotes";
  if (!written.empty() && written.front() >= '0' && written.front() <= '9')
    return "write the plain number, without quotes and without a unit: 64 MiB are 67108864";
  if (written == "max" || written == "unlimited" || written == "infinity")
    return "no limit is -1 in linux.resources, and 18446744073709551615 in process.rlimits";
  return {};
}

}  // namespace

json::Value Object::take(std::string_view key) {
  if (known_count_ < kMaximumKeys) known_[known_count_++] = key;
  const json::Document& document = value_.document();
  const std::uint32_t begin = value_.begin_node();
  const std::uint32_t end = value_.end_node();
  if (begin == end) return {};
  std::uint32_t node = next_ < end ? next_ : begin;
  const std::uint32_t start = node;
  do {
    const json::Value member = document.at(node + 1);
    const bool here = document.at(node).text() == key;
    node = member.next_node() < end ? member.next_node() : begin;
    if (here) {
      next_ = node;
      ++found_;
      return member.kind() == json::Kind::null ? json::Value() : member;
    }
  } while (node != start);
  return {};
}

void Object::report_missing(std::string_view key) {
  intact_ = false;
  report_.error(position(), key,
                value_.find(key).valid() ? "is required, but null" : "is required, but missing");
}

void Object::remember_keys() {
  const std::string pointer = value_.document().pointer(value_.index());
  for (std::size_t i = 0; i < known_count_; ++i) report_.known_keys->push_back(text(pointer, "/", known_[i]));
}

void Object::report_unknown() {
  if (report_.known_keys != nullptr) remember_keys();
  const std::uint32_t end = value_.end_node();
  std::size_t unknown = value_.size() - found_;
  for (std::uint32_t node = value_.begin_node(); node < end && unknown > 0;) {
    const json::Value key = value_.document().at(node);
    node = value_.document().at(node + 1).next_node();
    const auto known = known_.begin();
    const auto known_end = known + static_cast<std::ptrdiff_t>(known_count_);
    if (std::find(known, known_end, key.text()) != known_end) continue;
    --unknown;
    const auto meant =
        std::find_if(known, known_end, [&](auto name) { return equal_but_for_case(name, key.text()); });
    if (meant != known_end) {
      // encoding/json of Go does not look at the case: what is ignored here counts there.
      report_.notice(key,
                     text("unknown key ", json::quoted(key.text()),
                          " is ignored; runtimes in Go take it for ", json::quoted(*meant)),
                     text("did you mean ", json::quoted(*meant), "?"));
      continue;
    }
    report_.warning(key, text("unknown key ", json::quoted(key.text()), " is ignored"),
                    advice_on_key(key.text(), {known_.data(), known_count_}));
  }
}

bool report_kind(Report& report, json::Value value, std::string_view expected) {
  std::string found(json::kind_name(value.kind()));
  if (value.kind() == json::Kind::string) found += text(" ", json::quoted(value.text(), 40));
  if (value.kind() == json::Kind::number) found = text("the number ", value.text().substr(0, 40));
  report.error(value, text("must be ", expected, ", is ", found), advice_on_kind(value, expected));
  return false;
}

bool report_integer(Report& report, json::Value value, std::int64_t low, std::uint64_t high) {
  if (value.kind() != json::Kind::number) return report_kind(report, value, "an integer");
  const std::string number(value.text().substr(0, 40));
  if (number.find_first_of(".eE") != std::string::npos)
    report.error(value, text("must be an integer, is ", number), "write it with digits only");
  else
    report.error(
        value, text("must be between ", std::to_string(low), " and ", std::to_string(high), ", is ", number));
  return false;
}

bool parse_signed(std::string_view text, std::int64_t low, std::int64_t high, std::int64_t& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size() && number >= low && number <= high;
}

bool parse_unsigned(std::string_view text, std::uint64_t high, std::uint64_t& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size() && number <= high;
}

bool read(Report& report, json::Value value, std::string& target) {
  if (value.kind() != json::Kind::string) return report_kind(report, value, "a string");
  target = value.text();
  if (target.find('\0') == std::string::npos) return true;
  report.error(value, "must not hold a NUL character");
  return false;
}

bool read(Report& report, json::Value value, bool& target) {
  if (value.kind() != json::Kind::boolean) return report_kind(report, value, "true or false");
  target = value.boolean();
  return true;
}

}  // namespace davit::spec
