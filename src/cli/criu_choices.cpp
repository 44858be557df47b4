// SPDX-License-Identifier: Apache-2.0
#include "cli/criu_choices.hpp"

#include <sched.h>

#include <charconv>

#include "cli/invocation.hpp"

namespace davit::cli {

namespace {

template <typename Value>
struct Word {
  std::string_view text;
  Value value;
};

constexpr Word<criu::CgroupsMode> kModes[] = {
    {"soft", criu::CgroupsMode::soft},     {"full", criu::CgroupsMode::full},
    {"strict", criu::CgroupsMode::strict}, {"ignore", criu::CgroupsMode::ignore},
    {"none", criu::CgroupsMode::none},     {"props", criu::CgroupsMode::props},
};
constexpr Word<criu::NetworkLock> kLocks[] = {
    {"iptables", criu::NetworkLock::iptables},
    {"nftables", criu::NetworkLock::nftables},
    {"skip", criu::NetworkLock::skip},
};
constexpr Word<std::uint32_t> kNamespaces[] = {{"network", CLONE_NEWNET}};

template <typename Value, std::size_t N>
Result<Value> one_of(const Word<Value> (&words)[N], std::string_view option, std::string_view given) {
  for (const Word<Value>& word : words)
    if (word.text == given) return word.value;
  Text<768> message("invalid ");
  message.append(option).append(" \"").append(given.substr(0, 60)).append("\"");
  Text<256> choice("one of");
  for (const Word<Value>& word : words) choice.append(" ").append(word.text);
  Error error = make_error(Code::invalid_argument, message);
  return error.advise(choice);
}

Result<criu::PageServer> page_server(const std::string& given) {
  const std::size_t colon = given.rfind(':');
  criu::PageServer server;
  const char* const end = given.data() + given.size();
  if (colon != std::string::npos && colon > 0) {
    server.address = given.substr(0, colon);
    const auto [stop, failure] = std::from_chars(given.data() + colon + 1, end, server.port);
    if (failure == std::errc() && stop == end && server.port > 0 && server.port < 65536) return server;
  }
  Error error = make_error(Code::invalid_argument, "--page-server needs ADDRESS:PORT, not " + given);
  return error.advise("for example 192.0.2.1:27000");
}

}  // namespace

Result<criu::Choices> criu_choices(const Arguments& options) {
  criu::Choices choices;
  if (options.given("image-path")) choices.image_path = options.text("image-path");
  choices.work_path = options.text("work-path");
  choices.parent_path = options.text("parent-path");
  choices.lsm_profile = options.text("lsm-profile");
  choices.lsm_mount_context = options.text("lsm-mount-context");
  choices.leave_running = options.flag("leave-running");
  choices.pre_dump = options.flag("pre-dump");
  choices.external_unix_sockets = options.flag("ext-unix-sk");
  choices.tcp_established = options.flag("tcp-established");
  choices.tcp_skip_in_flight = options.flag("tcp-skip-in-flight");
  choices.tcp_close = options.flag("tcp-close");
  choices.shell_job = options.flag("shell-job");
  choices.file_locks = options.flag("file-locks");
  choices.auto_dedup = options.flag("auto-dedup");
  choices.link_remap = options.flag("link-remap");
  choices.lazy_pages = options.flag("lazy-pages");
  if (options.given("manage-cgroups-mode"))
    choices.cgroups_mode = TRY(one_of(kModes, "--manage-cgroups-mode", options.text("manage-cgroups-mode")));
  if (options.given("network-lock"))
    choices.network_lock = TRY(one_of(kLocks, "--network-lock", options.text("network-lock")));
  for (const std::string& name : options.list("empty-ns"))
    choices.empty_namespaces |= TRY(one_of(kNamespaces, "--empty-ns", name));
  if (options.given("page-server")) choices.page_server = TRY(page_server(options.text("page-server")));
  if (options.given("status-fd"))
    choices.status_descriptor =
        static_cast<int>(TRY(parse_number(options.text("status-fd"), "--status-fd")) & 0x7fffffffU);
  if (choices.image_path.empty()) return make_error(Code::invalid_argument, "--image-path is empty");
  if (!choices.parent_path.starts_with('/')) return choices;
  Error error = make_error(Code::invalid_argument, "--parent-path is absolute: " + choices.parent_path);
  return error.advise("it is where the other checkpoint is as seen from the image path: ../pre-dump");
}

}  // namespace davit::cli
