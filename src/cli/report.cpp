// SPDX-License-Identifier: Apache-2.0
#include "cli/report.hpp"

#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "davit/explain/validate.hpp"

namespace davit::cli {

namespace {

constexpr std::size_t kMostInLog = 20;  // of the errors of one document; more tell nobody anything

std::string_view advice_for(const Error& error) {
  if (!error.advice.empty()) return error.advice;
  const bool refused = error.errno_value == EPERM || error.errno_value == EACCES;
  if (refused && ::geteuid() != 0)
    return "run it as root, or with a config for users (`davit spec --rootless` writes one)";
  return {};
}

/// The bytes of the UTF-8 character at the beginning; 0: it is none.
std::size_t character_size(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text.front());
  const std::size_t size = lead < 0x80 ? 1 : lead < 0xc2 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  if (size == 0 || lead > 0xf4 || size > text.size()) return 0;
  for (std::size_t i = 1; i < size; ++i)
    if ((static_cast<unsigned char>(text[i]) & 0xc0) != 0x80) return 0;
  return size;
}

/// Control characters, also those of eight bits, and what reorders the line it stands in.
bool is_obeyed(std::string_view character) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(character[i]); };
  if (character.size() == 1) return byte(0) < 0x20 || byte(0) == 0x7f;
  if (character.size() == 2) return byte(0) == 0xc2 && byte(1) < 0xa0;
  if (character.size() != 3 || byte(0) != 0xe2) return false;
  return (byte(1) == 0x80 && byte(2) >= 0xa8 && byte(2) <= 0xae) ||
         (byte(1) == 0x81 && byte(2) >= 0xa6 && byte(2) <= 0xa9);
}

/// The log says it as it is.
Error with_harmless_advice(const Error& error) {
  Error result = error;
  result.advice.clear();
  return result.advise(harmless(error.advice));
}

}  // namespace

std::string harmless(std::string_view text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.remove_suffix(1);
  std::string line;
  while (!text.empty()) {
    const std::size_t size = character_size(text);
    const std::string_view character = text.substr(0, std::max<std::size_t>(size, 1));
    if (size == 0)
      line += '?';
    else if (is_obeyed(character))
      line += ' ';
    else
      line.append(character);
    text.remove_prefix(character.size());
  }
  return line;
}

Reporter::Reporter(const Log& log, std::string_view command, std::string_view subject) : log_(log) {
  if (!command.empty())
    prefix_.append(command).append(subject.empty() ? "" : " ").append(harmless(subject)).append(": ");
}

std::string quote(const Quotation& quotation, const Error& error) {
  if (quotation.text.empty()) return {};
  const explain::Mark mark{error.where.line, error.where.column, {}};
  return explain::excerpt(quotation.text, mark, quotation.style);
}

void Reporter::failure(const Error& error, std::span<const Error> all, std::span<const Error> notices,
                       const Quotation& quotation) const {
  std::string message;  // users of an engine see nothing but this
  std::string human;
  std::string_view last_advice;
  const std::size_t count = std::max<std::size_t>(all.size(), 1);
  for (std::size_t i = 0; i < count; ++i) {
    const Error& one = i == 0 ? error : all[i];
    const std::string line = harmless(describe(one));
    const std::string_view advice = advice_for(one);
    human.append("davit: ").append(prefix_).append(line).append("\n");
    human.append(quote(quotation, one));
    // Several of a kind have one hint: below the first.
    if (!advice.empty() && advice != last_advice)
      human.append("hint: ").append(harmless(advice)).append("\n");
    if (i < kMostInLog) {
      message.append(i == 0 ? prefix_ : "; ").append(line);
      if (!advice.empty() && advice != last_advice) message.append(" (").append(harmless(advice)).append(")");
    }
    last_advice = advice;
  }
  if (count > kMostInLog)
    message.append(" (and ").append(std::to_string(count - kMostInLog)).append(" more errors)");
  for (const Error& notice : notices.first(std::min(notices.size(), kMostInLog))) {
    const std::string line = harmless(describe(notice));
    human.append("davit: warning: ").append(prefix_).append(line).append("\n");
    message.append("; warning: ").append(line);
  }
  Error about = error;
  about.advise(advice_for(error));
  log_.error(message, human, about);
}

void Reporter::warning(const Error& warning) const {
  log_.warning(prefix_ + harmless(describe(warning)), with_harmless_advice(warning));
}

void Reporter::notice(const Error& notice) const {
  log_.notice(prefix_ + harmless(describe(notice)), with_harmless_advice(notice));
}

}  // namespace davit::cli
