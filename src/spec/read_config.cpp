// SPDX-License-Identifier: Apache-2.0
#include <memory>
#include <utility>

#include "davit/spec/reader.hpp"
#include "spec/sections.hpp"

namespace davit::spec {

void read_members(Object& object, Config& config) {
  std::vector<std::pair<std::string, std::string>> annotations;
  object.required("ociVersion", config.oci_version);
  object.optional("process", config.process);
  object.required("root", config.root);
  object.optional("hostname", config.hostname);
  object.optional("domainname", config.domainname);
  object.optional("mounts", config.mounts);
  object.optional("hooks", config.hooks);
  object.entries("annotations", annotations);
  object.optional("linux", config.linux);
  for (const char* other : {"windows", "solaris", "vm", "zos", "freebsd"}) object.ignored(other);
  for (auto& [key, value] : annotations) config.annotations.emplace(std::move(key), std::move(value));
}

void read_members(Object& object, Root& root) {
  object.required("path", root.path);
  object.optional("readonly", root.readonly);
}

void read_members(Object& object, Mount& mount) {
  object.required("destination", mount.destination);
  object.optional("type", mount.type);
  object.optional("source", mount.source);
  object.optional("options", mount.options);
  object.optional("uidMappings", mount.uid_mappings);
  object.optional("gidMappings", mount.gid_mappings);
}

void read_members(Object& object, MountList& list) {
  object.required("mounts", list.mounts);
}

void read_members(Object& object, IdMapping& mapping) {
  object.required("containerID", mapping.container_id);
  object.required("hostID", mapping.host_id);
  object.required("size", mapping.size);
}

void read_members(Object& object, Hooks& hooks) {
  object.optional("prestart", hooks.prestart);
  object.optional("createRuntime", hooks.create_runtime);
  object.optional("createContainer", hooks.create_container);
  object.optional("startContainer", hooks.start_container);
  object.optional("poststart", hooks.poststart);
  object.optional("poststop", hooks.poststop);
}

void read_members(Object& object, Hook& hook) {
  object.required("path", hook.path);
  object.optional("args", hook.args);
  object.optional("env", hook.env);
  object.optional("timeout", hook.timeout);
}

bool read_entry(Report& report, std::string_view key, json::Value value,
                std::pair<std::string, std::string>& annotation) {
  annotation.first = key;
  if (key.empty()) report.error(value, "an annotation's key must not be empty");
  if (key.find('\0') != std::string_view::npos) report.error(value, "an annotation's key must not hold NUL");
  return read(report, value, annotation.second);
}

/// The list as a member, or alone, as crun has it.
static bool read(Report& report, json::Value value, MountList& list) {
  if (value.kind() == json::Kind::array) return read(report, value, list.mounts);
  return read<MountList>(report, value, list);
}

namespace {

/// Parses a text and reads its root as `target`, which is `result.value` or a member of it.
template <typename T, typename Target>
void read_document(std::string text, std::string_view name, Target& target, Read<T>& result) {
  Report report;
  json::Document::Parsed parsed = json::Document::parse(std::move(text), name);
  report.errors = std::move(parsed.errors);
  if (parsed.document != nullptr) read(report, parsed.document->root(), target);
  report.sort();
  result.value.document = std::move(parsed.document);
  result.errors = std::move(report.errors);
  result.warnings = std::move(report.warnings);
  result.notices = std::move(report.notices);
}

}  // namespace

Read<Config> read_config(std::string text, std::string_view file_name) {
  Read<Config> result;
  read_document(std::move(text), file_name, result.value, result);
  return result;
}

Read<ProcessDocument> read_process(std::string text, std::string_view file_name) {
  Read<ProcessDocument> result;
  read_document(std::move(text), file_name, result.value.process, result);
  return result;
}

Read<ResourcesDocument> read_resources(std::string text, std::string_view file_name) {
  Read<ResourcesDocument> result;
  read_document(std::move(text), file_name, result.value.resources, result);
  return result;
}

Read<MountsDocument> read_mounts(std::string text, std::string_view file_name) {
  Read<MountsDocument> result;
  MountList list;
  read_document(std::move(text), file_name, list, result);
  result.value.mounts = std::move(list.mounts);
  return result;
}

}  // namespace davit::spec
