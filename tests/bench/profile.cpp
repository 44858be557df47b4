// SPDX-License-Identifier: Apache-2.0
#include "profile.hpp"

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>

namespace davit::bench {
namespace {

[[noreturn]] void reject(const std::string& path, const std::string& line) {
  std::fprintf(stderr, "%s: not understood: %s\n", path.c_str(), line.c_str());
  std::exit(2);
}

// "arg2!=9"
bool read_condition(const std::string& word, Condition& condition) {
  char operation[3] = "";
  unsigned long long value = 0;
  if (std::sscanf(word.c_str(), "arg%u%2[=!]%llu", &condition.index, operation, &value) != 3) return false;
  condition.equal = operation[0] == '=';
  condition.value = value;
  return condition.index < 6;
}

bool read_head(const std::string& line, Rule& rule) {
  std::istringstream words(line);
  std::string word;
  words >> word;
  rule.allow = word == "ALLOW";
  rule.error = 0;
  if (!rule.allow && (word != "ERRNO" || !(words >> rule.error))) return false;
  while (words >> word) {
    Condition condition{};
    if (!read_condition(word, condition)) return false;
    rule.conditions.push_back(condition);
  }
  return true;
}

std::string rule_json(const Rule& rule) {
  std::string text = "{\"names\": [";
  for (const std::string& name : rule.names) text += (&name == &rule.names[0] ? "\"" : ", \"") + name + "\"";
  text += rule.allow ? "], \"action\": \"SCMP_ACT_ALLOW\"" : "], \"action\": \"SCMP_ACT_ERRNO\"";
  if (!rule.allow) text += ", \"errnoRet\": " + std::to_string(rule.error);
  for (const Condition& condition : rule.conditions) {
    text += &condition == &rule.conditions[0] ? ", \"args\": [" : ", ";
    text += "{\"index\": " + std::to_string(condition.index) +
            ", \"value\": " + std::to_string(condition.value) + ", \"valueTwo\": 0, \"op\": \"" +
            (condition.equal ? "SCMP_CMP_EQ" : "SCMP_CMP_NE") + "\"}";
  }
  return text + (rule.conditions.empty() ? "}" : "]}");
}

}  // namespace

Profile read_profile(const std::string& path) {
  std::ifstream file(path);
  if (!file) reject(path, "cannot be opened");
  Profile profile;
  std::string line;
  while (std::getline(file, line)) {
    if (line.empty() || line[0] == '#') continue;
    if (line[0] != ' ') {
      Rule rule{};
      if (!read_head(line, rule)) reject(path, line);
      profile.push_back(rule);
      continue;
    }
    if (profile.empty()) reject(path, line);
    std::istringstream words(line);
    std::string word;
    while (words >> word) profile.back().names.push_back(word);
  }
  return profile;
}

std::string profile_json(const Profile& profile) {
  std::string text =
      "{\"defaultAction\": \"SCMP_ACT_ERRNO\", \"defaultErrnoRet\": 38,\n"
      "      \"architectures\": [\"SCMP_ARCH_X86_64\", \"SCMP_ARCH_X86\", \"SCMP_ARCH_X32\"],\n"
      "      \"syscalls\": [";
  for (const Rule& rule : profile)
    text += (&rule == &profile[0] ? "\n        " : ",\n        ") + rule_json(rule);
  return text + "\n      ]}";
}

}  // namespace davit::bench
