// SPDX-License-Identifier: Apache-2.0
#include "davit/program/builder.hpp"

#include <cstring>
#include <functional>

namespace davit::program {
namespace {

/// Among more strings than this, the search for an equal one would cost more than the copy.
constexpr std::size_t kInterned = 256;

constexpr std::size_t aligned(std::size_t size) {
  return (size + 7) & ~std::size_t{7};
}

void put(std::vector<std::byte>& bytes, const void* from, std::size_t size) {
  const auto* first = static_cast<const std::byte*>(from);
  bytes.insert(bytes.end(), first, first + size);
}

}  // namespace

Builder::Builder() {
  records_.reserve(8192);
  data_.reserve(16384);
  data_.resize(8);  // offset 0 is the empty string
}

Slot Builder::reserve() {
  slots_.push_back(-1);
  return static_cast<Slot>(slots_.size() - 1);
}

u32 Builder::store(const void* bytes, std::size_t size) {
  data_.resize(aligned(data_.size()));
  const auto offset = static_cast<u32>(data_.size());
  put(data_, bytes, size);
  return offset;
}

Str Builder::text(std::string_view value) {
  if (value.empty()) return {};
  const std::size_t hash = std::hash<std::string_view>{}(value);
  for (const auto& [known, str] : interned_) {
    const char* stored = reinterpret_cast<const char*>(data_.data()) + str.offset;
    if (known == hash && std::string_view(stored, str.length) == value) return str;
  }
  const Str str{static_cast<u32>(data_.size()), static_cast<u32>(value.size())};
  put(data_, value.data(), value.size());
  data_.push_back(std::byte{0});
  if (interned_.size() < kInterned) interned_.emplace_back(hash, str);
  return str;
}

List<Str> Builder::texts(std::span<const std::string> values) {
  std::vector<Str> strings;
  strings.reserve(values.size() + 1);
  for (const std::string& value : values) strings.push_back(text(value));
  strings.emplace_back();  // not counted: becomes the null pointer when init turns the list into an argv
  return {store(strings.data(), strings.size() * sizeof(Str)), static_cast<u32>(values.size())};
}

void Builder::append(const void* record, std::size_t size, Origin origin) {
  put(records_, record, size);
  origins_.push_back(origin);
}

Program Builder::finish() {
  Header header;
  header.slots = list(std::span<const i32>(slots_));
  header.channel = channel_;
  header.flags = trace_ ? kTrace : 0;
  header.records = sizeof header;
  header.records_end = static_cast<u32>(sizeof header + records_.size());
  header.data = header.records_end;
  data_.resize(aligned(data_.size()));
  header.size = static_cast<u32>(header.data + data_.size());

  Program program;
  program.image.reserve(header.size);
  put(program.image, &header, sizeof header);
  put(program.image, records_.data(), records_.size());
  put(program.image, data_.data(), data_.size());
  program.origins = std::move(origins_);
  program.slots = slots_.size();
  *this = Builder();
  return program;
}

void Program::set_ignored_signals(u64 signals) {
  std::memcpy(image.data() + offsetof(Header, ignored_signals), &signals, sizeof signals);
}

void Program::inherit(Slot slot, int descriptor) {
  Header header;
  std::memcpy(&header, image.data(), sizeof header);
  const std::size_t at = header.data + header.slots.offset + sizeof(i32) * static_cast<std::size_t>(slot);
  const i32 number = descriptor;
  std::memcpy(image.data() + at, &number, sizeof number);
  inherited.push_back(descriptor);
}

}  // namespace davit::program
