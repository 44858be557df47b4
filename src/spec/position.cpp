// SPDX-License-Identifier: Apache-2.0
#include "davit/spec/position.hpp"

#include "davit/json/document.hpp"

namespace davit::spec {
namespace {

/// Cuts the first reference token off a relative pointer.
std::string_view next_token(std::string_view& below) {
  if (below.starts_with('/')) below.remove_prefix(1);
  const std::string_view token = below.substr(0, below.find('/'));
  below.remove_prefix(token.size());
  return token;
}

json::Value child_of(json::Value value, std::string_view token) {
  if (value.kind() == json::Kind::object) {
    std::string key;
    for (std::size_t i = 0; i < token.size(); ++i) {
      const bool escape = token[i] == '~' && i + 1 < token.size();
      key += escape ? (token[++i] == '1' ? '/' : '~') : token[i];
    }
    return value.find(key);
  }
  std::size_t index = 0;
  for (const char digit : token) {
    if (digit < '0' || digit > '9' || index > json::kMaximumNodes) return {};
    index = index * 10 + static_cast<std::size_t>(digit - '0');
  }
  return token.empty() ? json::Value() : value.element(index);
}

}  // namespace

Location locate(const Position& position, std::string_view below) {
  if (position.document == nullptr) return {};
  json::Value value = position.document->at(position.node);
  std::string_view rest = below;
  while (!rest.empty()) {
    const std::string_view before = rest;
    const json::Value child = child_of(value, next_token(rest));
    if (!child.valid()) {
      rest = before;
      break;
    }
    value = child;
  }
  Location location = position.document->locate(value.index());
  if (!rest.empty()) location.pointer.append(rest.starts_with('/') ? "" : "/").append(rest);
  return location;
}

std::string pointer_of(const Position& position, std::string_view below) {
  std::string pointer = position.document == nullptr ? "" : position.document->pointer(position.node);
  if (!below.empty()) {
    if (!below.starts_with('/')) pointer += '/';
    pointer += below;
  }
  return pointer;
}

Error at(const Position& position, Error error) {
  return at(position, {}, error);
}

Error at(const Position& position, std::string_view below, Error error) {
  if (error.where.file.empty()) error.where = locate(position, below);
  return error;
}

}  // namespace davit::spec
