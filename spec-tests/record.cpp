// SPDX-License-Identifier: Apache-2.0
#include "record.hpp"

#include <algorithm>
#include <cstdio>
#include <cstring>

#include "clause.hpp"

namespace spec_tests {
namespace {

constexpr std::size_t kSeen = 1500;

/// The message without the trace that names the clauses, and of bearable length.
std::string shortened(std::string text) {
  text = text.substr(0, text.find("\nGoogle Test trace:"));
  for (char& c : text)
    if (static_cast<unsigned char>(c) < ' ' && c != '\n') c = ' ';
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
  return strstr(test.file(), "attacks/") != nullptr ? "attacks" : "spec";
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
