// SPDX-License-Identifier: Apache-2.0
// The keys that the reader knows are those of the OCI schema: no more, no less.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "davit/json/document.hpp"
#include "spec/sections.hpp"

namespace davit::spec {
namespace {

const std::filesystem::path kTests = DAVIT_TESTS_DIR;

std::shared_ptr<const json::Document> load(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  auto parsed = json::Document::parse({std::istreambuf_iterator<char>(file), {}}, path.filename().string());
  EXPECT_NE(parsed.document, nullptr) << path;
  return parsed.document;
}

/// Collects "/linux/devices/*/path" and the like from the schema, following its references.
class Schema {
 public:
  std::set<std::string> keys(const std::string& file) {
    walk(file_root(file), file, "");
    return std::move(keys_);
  }

 private:
  json::Value file_root(const std::string& name) {
    auto& document = files_[name];
    if (document == nullptr) document = load(kTests / "lint/schema" / name);
    return document->root();
  }

  void follow(std::string reference, std::string file, const std::string& path) {
    const std::size_t hash = reference.find('#');
    if (hash != 0) file = reference.substr(0, hash);
    json::Value value = file_root(file);
    for (std::size_t at = hash + 2; at <= reference.size();) {
      const std::size_t end = std::min(reference.find('/', at), reference.size());
      value = value.find(reference.substr(at, end - at));
      ASSERT_TRUE(value.valid()) << reference;
      at = end + 1;
    }
    walk(value, file, path);
  }

  void walk(json::Value schema, const std::string& file, const std::string& path) {
    if (const auto reference = schema.find("$ref"); reference.valid())
      follow(std::string(reference.text()), file, path);
    for (const char* list : {"allOf", "anyOf"})
      if (const auto parts = schema.find(list); parts.valid())
        for (std::size_t i = 0; i < parts.size(); ++i) walk(parts.element(i), file, path);
    for (const char* inner : {"items", "additionalProperties"})
      if (const auto value = schema.find(inner); value.valid()) walk(value, file, path + "/*");
    if (const auto properties = schema.find("properties"); properties.valid())
      members(properties, file, path);
  }

  void members(json::Value properties, const std::string& file, const std::string& path) {
    const std::set<std::string_view> elsewhere = {"windows", "solaris", "vm", "zos", "freebsd"};
    for (std::uint32_t node = properties.begin_node(); node < properties.end_node();) {
      const std::string key(properties.document().at(node).text());
      const json::Value value = properties.document().at(node + 1);
      node = value.next_node();
      keys_.insert(path + "/" + key);
      if (path.empty() && elsewhere.contains(key)) continue;
      walk(value, file, path + "/" + key);
    }
  }

  std::map<std::string, std::shared_ptr<const json::Document>> files_;
  std::set<std::string> keys_;
};

/// "/mounts/0/type" as "/mounts/*/type".
std::string without_indexes(const std::string& pointer) {
  std::string result;
  for (std::size_t at = 0; at < pointer.size();) {
    const std::size_t end = std::min(pointer.find('/', at + 1), pointer.size());
    const std::string token = pointer.substr(at + 1, end - at - 1);
    const bool index = !token.empty() && token.find_first_not_of("0123456789") == std::string::npos;
    result += "/" + (index ? std::string("*") : token);
    at = end;
  }
  return result;
}

TEST(SpecSchema, ReaderKnowsExactlyTheKeysOfTheSchema) {
  const auto document = load(kTests / "golden/spec/every-key.json");
  std::vector<std::string> asked;
  Report report;
  report.known_keys = &asked;
  Config config;
  ASSERT_TRUE(read(report, document->root(), config));
  std::set<std::string> reader;
  for (const std::string& pointer : asked) reader.insert(without_indexes(pointer));
  const std::set<std::string> schema = Schema().keys("config-schema.json");
  EXPECT_GT(schema.size(), 150u);
  for (const std::string& key : schema) EXPECT_TRUE(reader.contains(key)) << key << " is not read";
  for (const std::string& key : reader) EXPECT_TRUE(schema.contains(key)) << key << " is not in the schema";
}

}  // namespace
}  // namespace davit::spec
