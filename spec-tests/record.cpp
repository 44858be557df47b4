// SPDX-License-Identifier: Apache-2.0
#include "record.hpp"

#include <algorithm>
#include <cstdio>
#include <cstring>

#include "clause.hpp"

namespace spec_tests {
namespace {

constexpr std::size_t kSeen = 1500;

/// How many bytes the character at `at` takes in UTF-8; 0: it is none.
std::size_t length_at(const std::string& text, std::size_t at) {
  const auto lead = static_cast<unsigned char>(text[at]);
  const std::size_t length = lead < 0x80   ? 1
                             : lead < 0xc2 ? 0
                             : lead < 0xe0 ? 2
                             : lead < 0xf0 ? 3
                             : lead < 0xf5 ? 4
                                           : 0;
  if (length == 0 || at + length > text.size()) return 0;
  const auto next = length > 1 ? static_cast<unsigned char>(text[at + 1]) : 0;
  // Too long, a surrogate, beyond Unicode.
  if ((lead == 0xe0 && next < 0xa0) || (lead == 0xed && next > 0x9f) || (lead == 0xf0 && next < 0x90) ||
      (lead == 0xf4 && next > 0x8f))
    return 0;
  for (std::size_t i = 1; i < length; ++i)
    if ((static_cast<unsigned char>(text[at + i]) & 0xc0U) != 0x80) return 0;
  return length;
}

/// What any form of report can hold, whatever a container has written: UTF-8 without control characters.
std::string printable(const std::string& text) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = length_at(text, at);
    const bool control = length == 1 && text[at] != '\n' && (text[at] < ' ' || text[at] == 0x7f);
    if (length == 0)
      out += '?';
    else if (control)
      out += ' ';
    else
      out.append(text, at, length);
    at += std::max<std::size_t>(length, 1);
  }
  return out;
}

/// The message without the trace that names the clauses, and of bearable length.
std::string shortened(std::string text) {
  text = printable(text.substr(0, text.find("\nGoogle Test trace:")));
  if (text.size() > kSeen) {
    text.resize(kSeen);
    while (!text.empty() && (static_cast<unsigned char>(text.back()) & 0x80U) != 0) text.pop_back();
    text += " …";
  }
  return support::trim(text);
}

Verdict verdict_of_skip(const std::string& reason) {
  return reason.rfind(kNotApplicable, 0) == 0 ? Verdict::not_applicable : Verdict::not_tested;
}

}  // namespace

Record& Record::get() {
  static auto* record = new Record;  // belongs to GoogleTest once it listens
  return *record;
}

std::string Record::suite_of(const testing::TestInfo& test) {
  for (const char* suite : kOtherSuites)
    if (strstr(test.file(), (std::string(suite) + "/").c_str()) != nullptr) return suite;
  return "spec";
}

void Record::open(const std::vector<std::string>& ids) {
  open_.push_back(scopes_.size());
  scopes_.push_back({ids, Verdict::passed, ""});
}

void Record::close() {
  open_.pop_back();
}

void Record::OnTestStart(const testing::TestInfo& test) {
  current_ = {};
  current_.suite = suite_of(test);
  current_.name = std::string(test.test_suite_name()) + "." + test.name();
  scopes_.clear();
  open_.clear();
}

void Record::OnTestPartResult(const testing::TestPartResult& part) {
  if (part.passed()) return;
  const std::string seen = shortened(part.message());
  const Verdict verdict = part.skipped() ? verdict_of_skip(seen) : Verdict::failed;
  // An exception has left every scope: it came from the latest one.
  Scope* scope = !open_.empty() ? &scopes_[open_.back()] : !scopes_.empty() ? &scopes_.back() : nullptr;
  if (current_.verdict != Verdict::failed) {
    current_.verdict = verdict;
    current_.seen = seen;
  }
  if (scope == nullptr || scope->verdict == Verdict::failed) return;
  scope->verdict = verdict;
  scope->seen = verdict == Verdict::not_applicable ? seen.substr(strlen(kNotApplicable)) : seen;
}

void Record::add_findings() {
  for (const auto& scope : scopes_)
    for (const auto& id : scope.ids) {
      const auto known = std::find_if(current_.findings.begin(), current_.findings.end(),
                                      [&](const Finding& finding) { return finding.clause == id; });
      if (known == current_.findings.end())
        current_.findings.push_back({id, scope.verdict, scope.seen});
      else if (scope.verdict < known->verdict)
        *known = {id, scope.verdict, scope.seen};
    }
}

void Record::OnTestEnd(const testing::TestInfo& test) {
  add_findings();
  current_.milliseconds = static_cast<int>(test.result()->elapsed_time());
  if (talks) {
    printf("%-14s %s\n", word_of(current_.verdict), current_.name.c_str());
    if (current_.verdict != Verdict::passed)
      for (const auto& line : support::split(current_.seen, '\n'))
        printf("               %s\n", line.c_str());
    fflush(stdout);
  }
  tests_.push_back(current_);
}

}  // namespace spec_tests
