// SPDX-License-Identifier: Apache-2.0
#include "davit/doctor/doctor.hpp"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "davit/sys/file.hpp"
#include "doctor/trials.hpp"

namespace davit::doctor {
namespace {

std::string_view word_of(Health health) {
  constexpr std::string_view kWords[] = {"good", "unasked", "lacking", "bad"};
  return kWords[static_cast<std::size_t>(health)];
}

explain::Tone tone_of(Health health) {
  constexpr explain::Tone kTones[] = {explain::Tone::good, explain::Tone::plain, explain::Tone::notable,
                                      explain::Tone::bad};
  return kTones[static_cast<std::size_t>(health)];
}

/// As it stands in front of the evidence.
std::string_view verdict_of(Health health) {
  constexpr std::string_view kVerdicts[] = {"yes: ", "", "no: ", "NO: "};
  return kVerdicts[static_cast<std::size_t>(health)];
}

std::string summary(Health worst) {
  switch (worst) {
    case Health::bad:
      return "Containers cannot run here as they are: see the lines with NO.";
    case Health::lacking:
      return "Containers run here; what a line says no to is missing to those that ask for it.";
    default:
      return "Containers run here; nothing that was tried is missing.";
  }
}

}  // namespace

std::string told(const Outcome& outcome) {
  return outcome.step + ": " + errno_text(outcome.errno_value);
}

std::string first_line(const std::string& path) {
  const std::string text = sys::read_record(path).value_or("");
  return text.substr(0, text.find('\n'));
}

std::string find_program(const std::string& name) {
  const char* value = ::getenv("PATH");
  // Engines and helpers of the system stand where users often do not look.
  const std::string path = std::string(value != nullptr ? value : "") +
                           ":/usr/local/sbin:/usr/sbin:/usr/local/bin:/usr/bin:/sbin:/bin";
  for (std::size_t begin = 0; begin < path.size();) {
    const std::size_t end = std::min(path.find(':', begin), path.size());
    std::string file = path.substr(begin, end - begin) + "/" + name;
    if (file.front() == '/' && ::access(file.c_str(), X_OK) == 0) return file;
    begin = end + 1;
  }
  return {};
}

bool is_root() {
  return ::geteuid() == 0;
}

std::vector<Diagnosis> examine() {
  Diagnoses diagnoses;
  try_kernel(diagnoses);
  try_confinement(diagnoses);
  try_cgroups(diagnoses);
  try_caller(diagnoses);
  try_engines(diagnoses);
  return diagnoses;
}

Health worst_of(const std::vector<Diagnosis>& diagnoses) {
  Health worst = Health::good;
  for (const Diagnosis& one : diagnoses)
    if (one.health != Health::unasked) worst = std::max(worst, one.health);
  return worst;
}

std::string text_of(const std::vector<Diagnosis>& diagnoses, const explain::Style& style) {
  explain::Section section{"doctor", "What was tried", {}};
  for (const Diagnosis& one : diagnoses) {
    section.lines.push_back(
        {one.name, std::string(verdict_of(one.health)) + one.evidence, {}, tone_of(one.health)});
    if (!one.remedy.empty()) section.lines.push_back({"", "remedy: " + one.remedy});
  }
  std::string out = explain::text_of(section, style) + "\n";
  for (const std::string& row : explain::wrap(summary(worst_of(diagnoses)), style.width))
    out.append(row).append("\n");
  return out;
}

std::string json_of(const std::vector<Diagnosis>& diagnoses) {
  json::Writer out(json::Style::pretty);
  out.begin_object();
  out.key("health").string(word_of(worst_of(diagnoses)));
  out.key("diagnoses").begin_array();
  for (const Diagnosis& one : diagnoses) {
    out.begin_object();
    out.key("name").string(one.name);
    out.key("health").string(word_of(one.health));
    out.key("evidence").string(one.evidence);
    if (!one.remedy.empty()) out.key("remedy").string(one.remedy);
    out.end_object();
  }
  out.end_array();
  out.end_object();
  return out.take() + "\n";
}

}  // namespace davit::doctor
