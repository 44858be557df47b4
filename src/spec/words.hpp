// SPDX-License-Identifier: Apache-2.0
// The words of the closed sets and their enumerators: the one place where both stand together.
#pragma once

#include <array>
#include <span>
#include <string>
#include <string_view>

#include "davit/spec/config.hpp"
#include "spec/object.hpp"

namespace davit::spec {

template <typename E>
struct Word {
  std::string_view text;
  E value;
};

/// A closed set; `noun` is how messages call one of it.
template <typename E>
struct Words {
  std::string_view noun;
  std::span<const Word<E>> list;
};

Words<NamespaceType> words_of(NamespaceType);
Words<SeccompAction> words_of(SeccompAction);
Words<SeccompOperator> words_of(SeccompOperator);
Words<SeccompFlag> words_of(SeccompFlag);
Words<SchedulerPolicy> words_of(SchedulerPolicy);
Words<SchedulerFlag> words_of(SchedulerFlag);
Words<IoPriorityClass> words_of(IoPriorityClass);
Words<MemoryPolicyMode> words_of(MemoryPolicyMode);
Words<MemoryPolicyFlag> words_of(MemoryPolicyFlag);
Words<RootfsPropagation> words_of(RootfsPropagation);
Words<PersonalityDomain> words_of(PersonalityDomain);
Words<DeviceType> words_of(DeviceType);
Words<DeviceRuleType> words_of(DeviceRuleType);

/// Names that stay strings because only a later layer knows their numbers.
std::span<const std::string_view> rlimit_types();
std::span<const std::string_view> seccomp_architectures();

/// Reports a word that is not in its set; always false.
bool report_word(Report& report, json::Value value, std::string_view noun,
                 std::span<const std::string> allowed);

template <typename E>
requires std::is_enum_v<E> && requires {
  words_of(E{});
}
bool read(Report& report, json::Value value, E& target) {
  if (value.kind() != json::Kind::string) return report_kind(report, value, "a string");
  const Words<E> words = words_of(E{});
  for (const Word<E>& word : words.list)
    if (word.text == value.text()) {
      target = word.value;
      return true;
    }
  std::vector<std::string> allowed;
  for (const Word<E>& word : words.list) allowed.emplace_back(word.text);
  return report_word(report, value, words.noun, allowed);
}

}  // namespace davit::spec
