// SPDX-License-Identifier: Apache-2.0
#include "davit/criu/message.hpp"

#include <algorithm>
#include <memory>

#include "criu_rpc/rpc.pb-c.h"

namespace davit::criu {
namespace {

constexpr int kLogErrorsAndSteps = 4;

// protobuf-c wants to be able to write into texts, and never does when it packs.
char* text(const std::string& value) {
  return const_cast<char*>(value.c_str());
}

/// A list of messages, and the pointers to them that protobuf-c takes.
template <typename Message>
class List {
 public:
  Message& add(const Message& empty) {
    messages_.push_back(std::make_unique<Message>(empty));
    pointers_.push_back(messages_.back().get());
    return *messages_.back();
  }
  void put(std::size_t& count, Message**& target) {
    count = pointers_.size();
    target = pointers_.data();
  }

 private:
  std::vector<std::unique_ptr<Message>> messages_;
  std::vector<Message*> pointers_;
};

#define DAVIT_SET(message, member, value) ((message).has_##member = 1, (message).member = (value))

/// The message and what it points to.
struct PackedOptions {
  CriuOptions message = CRIU_OPTIONS__INIT;
  CriuPageServer page_server = CRIU_PAGE_SERVER__INIT;
  List<CriuExternalMount> mounts;
  List<CriuJoinNamespace> namespaces;
  List<CriuInherited> inherited;
  List<CriuCgroupRoot> roots;
  std::vector<char*> external;
};

void put_text(char*& target, const std::string& value) {
  if (!value.empty()) target = text(value);
}

void put_switches(CriuOptions& out, const Options& options) {
  DAVIT_SET(out, leave_running, options.leave_running);
  DAVIT_SET(out, external_unix_sockets, options.external_unix_sockets);
  DAVIT_SET(out, tcp_established, options.tcp_established);
  DAVIT_SET(out, tcp_skip_in_flight, options.tcp_skip_in_flight);
  DAVIT_SET(out, tcp_close, options.tcp_close);
  DAVIT_SET(out, evasive_devices, options.evasive_devices);
  DAVIT_SET(out, shell_job, options.shell_job);
  DAVIT_SET(out, file_locks, options.file_locks);
  DAVIT_SET(out, track_memory, options.track_memory);
  DAVIT_SET(out, auto_dedup, options.auto_dedup);
  DAVIT_SET(out, link_remap, options.link_remap);
  DAVIT_SET(out, restore_as_sibling, options.restore_as_sibling);
  DAVIT_SET(out, lazy_pages, options.lazy_pages);
  DAVIT_SET(out, notify, 1);
  DAVIT_SET(out, orphan_terminal, 1);
  DAVIT_SET(out, manage_cgroups, 1);
}

void put_texts(CriuOptions& out, const Options& options) {
  put_text(out.log_file, options.log_file);
  put_text(out.root, options.root);
  put_text(out.parent_images, options.parent_images);
  put_text(out.freeze_cgroup, options.freeze_cgroup);
  put_text(out.config_file, options.config_file);
  put_text(out.lsm_profile, options.lsm_profile);
  put_text(out.lsm_mount_context, options.lsm_mount_context);
}

void put_numbers(CriuOptions& out, const Options& options) {
  out.images_directory = options.images_directory;
  if (options.work_directory >= 0) DAVIT_SET(out, work_directory, options.work_directory);
  if (options.pid > 0) DAVIT_SET(out, pid, options.pid);
  DAVIT_SET(out, log_level, kLogErrorsAndSteps);
  DAVIT_SET(out, cgroups_mode, static_cast<std::int32_t>(options.cgroups_mode));
  DAVIT_SET(out, empty_namespaces, options.empty_namespaces);
  if (options.network_lock != NetworkLock::usual)
    DAVIT_SET(out, network_lock, static_cast<std::int32_t>(options.network_lock));
}

void put_lists(PackedOptions& packed, const Options& options) {
  CriuOptions& out = packed.message;
  for (const ExternalMount& mount : options.external_mounts) {
    CriuExternalMount& entry = packed.mounts.add(CRIU_EXTERNAL_MOUNT__INIT);
    entry.key = text(mount.key);
    entry.value = text(mount.value);
  }
  packed.mounts.put(out.n_external_mounts, out.external_mounts);
  for (const JoinNamespace& join : options.join_namespaces) {
    CriuJoinNamespace& entry = packed.namespaces.add(CRIU_JOIN_NAMESPACE__INIT);
    entry.type = text(join.type);
    entry.path = text(join.path);
  }
  packed.namespaces.put(out.n_join_namespaces, out.join_namespaces);
  for (const Inherited& one : options.inherited) {
    CriuInherited& entry = packed.inherited.add(CRIU_INHERITED__INIT);
    entry.key = text(one.key);
    entry.number = one.number;
  }
  packed.inherited.put(out.n_inherited, out.inherited);
  for (const CgroupRoot& root : options.cgroup_roots) {
    CriuCgroupRoot& entry = packed.roots.add(CRIU_CGROUP_ROOT__INIT);
    entry.controller = text(root.controller);
    entry.path = text(root.path);
  }
  packed.roots.put(out.n_cgroup_roots, out.cgroup_roots);
  for (const std::string& one : options.external) packed.external.push_back(text(one));
  out.n_external = packed.external.size();
  out.external = packed.external.data();
}

void put_options(PackedOptions& packed, const Options& options) {
  put_numbers(packed.message, options);
  put_switches(packed.message, options);
  put_texts(packed.message, options);
  put_lists(packed, options);
  if (!options.page_server) return;
  packed.page_server.address = text(options.page_server->address);
  DAVIT_SET(packed.page_server, port, options.page_server->port);
  packed.message.page_server = &packed.page_server;
}

std::string pack(const CriuRequest& request) {
  std::string bytes(criu_request__get_packed_size(&request), '\0');
  criu_request__pack(&request, reinterpret_cast<std::uint8_t*>(bytes.data()));
  return bytes;
}

struct Free {
  void operator()(CriuResponse* response) const { criu_response__free_unpacked(response, nullptr); }
};

Version version_of(const CriuVersion& version) {
  const auto part = [](std::int32_t number) { return static_cast<Version>(std::clamp(number, 0, 99)); };
  return part(version.major_number) * 10000 + part(version.minor_number) * 100 +
         (version.has_sublevel != 0 ? part(version.sublevel) : 0);
}

void take_notification(Response& response, const CriuNotification& notification) {
  if (notification.script != nullptr) response.script = notification.script;
  if (notification.has_pid != 0) response.pid = notification.pid;
}

}  // namespace

std::string encode(const Request& request) {
  CriuRequest message = CRIU_REQUEST__INIT;
  PackedOptions packed;
  CriuFeatures features = CRIU_FEATURES__INIT;
  message.type = static_cast<std::int32_t>(request.type);
  if (request.options) {
    put_options(packed, *request.options);
    message.options = &packed.message;
  }
  if (request.features) {
    if (request.features->memory_tracking) DAVIT_SET(features, memory_tracking, 1);
    if (request.features->lazy_pages) DAVIT_SET(features, lazy_pages, 1);
    message.features = &features;
  }
  return pack(message);
}

std::string encode_answer(bool success) {
  CriuRequest message = CRIU_REQUEST__INIT;
  message.type = static_cast<std::int32_t>(Type::notify);
  DAVIT_SET(message, notify_success, success ? 1 : 0);
  return pack(message);
}

Result<Response> decode(std::string_view bytes) {
  const std::unique_ptr<CriuResponse, Free> message(
      criu_response__unpack(nullptr, bytes.size(), reinterpret_cast<const std::uint8_t*>(bytes.data())));
  if (message == nullptr) return make_error(Code::system, "criu sent something that is not its protocol");
  Response response;
  if (message->type > 0 && message->type < 256) response.type = static_cast<Type>(message->type);
  response.success = message->success != 0;
  if (message->has_errno_value != 0) response.errno_value = message->errno_value;
  if (message->error != nullptr) response.error = message->error;
  if (message->restored != nullptr) response.pid = message->restored->pid;
  if (message->notification != nullptr) take_notification(response, *message->notification);
  if (message->version != nullptr) response.version = version_of(*message->version);
  if (message->features != nullptr) {
    response.features.memory_tracking = message->features->memory_tracking != 0;
    response.features.lazy_pages = message->features->lazy_pages != 0;
  }
  return response;
}

}  // namespace davit::criu
