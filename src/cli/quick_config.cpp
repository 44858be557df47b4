// SPDX-License-Identifier: Apache-2.0
#include "cli/quick_config.hpp"

#include <unistd.h>

#include <map>

#include "davit/host/facts.hpp"
#include "davit/json/document.hpp"
#include "davit/json/writer.hpp"
#include "davit/spec/defaults.hpp"

namespace davit::cli {

namespace {

using Replacements = std::map<std::string, std::string>;  // JSON pointer -> JSON

void copy(json::Writer& out, const json::Document& document, std::uint32_t node,
          const Replacements& replacements);

void copy_object(json::Writer& out, const json::Document& document, json::Value object,
                 const Replacements& replacements) {
  out.begin_object();
  for (std::uint32_t node = object.begin_node(); node < object.end_node();) {
    out.key(document.at(node).text());
    copy(out, document, node + 1, replacements);
    node = document.at(node + 1).next_node();
  }
  out.end_object();
}

void copy(json::Writer& out, const json::Document& document, std::uint32_t node,
          const Replacements& replacements) {
  const auto replacement = replacements.find(document.pointer(node));
  if (replacement != replacements.end()) {
    out.raw(replacement->second);
    return;
  }
  const json::Value value = document.at(node);
  switch (value.kind()) {
    case json::Kind::object:
      return copy_object(out, document, value, replacements);
    case json::Kind::array:
      out.begin_array();
      for (std::uint32_t inner = value.begin_node(); inner < value.end_node();) {
        copy(out, document, inner, replacements);
        inner = document.at(inner).next_node();
      }
      out.end_array();
      return;
    case json::Kind::string:
    case json::Kind::key:
      out.string(value.text());
      return;
    case json::Kind::number:
      out.raw(value.text());
      return;
    case json::Kind::boolean:
      out.boolean(value.boolean());
      return;
    case json::Kind::null:
      out.null();
      return;
  }
}

std::string json_string(const std::string& text) {
  std::string out;
  json::append_string(out, text);
  return out;
}

}  // namespace

Result<std::string> example_config(bool is_rootless) {
  const bool is_v2 = TRY(host::probe_cgroup_layout()).mode == host::CgroupMode::v2;
  return is_rootless ? spec::rootless_config_json(::geteuid(), ::getegid(), is_v2)
                     : spec::default_config_json(is_v2);
}

Result<std::string> quick_config(const QuickConfig& quick) {
  const std::string base = TRY(example_config(::geteuid() != 0));
  const json::Document::Parsed parsed = json::Document::parse(base, "default config");
  if (parsed.document == nullptr) return make_error(Code::internal, "the default config is not valid JSON");
  json::Writer args(json::Style::compact);
  args.strings(quick.args.empty() ? std::vector<std::string>{"sh"} : quick.args);
  const Replacements replacements = {
      {"/process/args", args.take()},
      {"/process/terminal", quick.terminal ? "true" : "false"},
      {"/root/path", json_string(quick.rootfs)},
      {"/hostname", json_string(quick.hostname)},
  };
  json::Writer out(json::Style::pretty);
  copy(out, *parsed.document, 0, replacements);
  return out.take() + "\n";
}

}  // namespace davit::cli
