// SPDX-License-Identifier: Apache-2.0
#include "cli/invocation.hpp"

#include <unistd.h>

#include <charconv>

#include "davit/base/story.hpp"
#include "davit/sys/file.hpp"

namespace davit::cli {

namespace {

Result<cgroup::Manager> choose_manager(const Arguments& options) {
  const std::string name = options.text("cgroup-manager");
  if (name == "disabled") return cgroup::Manager::disabled;
  if (name == "systemd" || (name.empty() && options.flag("systemd-cgroup"))) return cgroup::Manager::systemd;
  if (name.empty() || name == "cgroupfs") return cgroup::Manager::cgroupfs;
  Error error = make_error(Code::invalid_argument, "unknown --cgroup-manager \"" + name.substr(0, 40) + "\"");
  return error.advise("it is cgroupfs, systemd or disabled");
}

Result<std::optional<unsigned>> choose_patience(const Arguments& options) {
  if (!options.given("systemd-timeout")) return std::optional<unsigned>();
  const std::uint32_t seconds = TRY(parse_number(options.text("systemd-timeout"), "--systemd-timeout"));
  if (seconds > 0 && seconds <= 86400) return std::optional<unsigned>(seconds);
  return make_error(Code::invalid_argument, "--systemd-timeout must be between 1 second and a day");
}

}  // namespace

Result<container::Context*> Invocation::context() {
  if (context_) return &*context_;
  const cgroup::Manager manager = TRY(choose_manager(options()));
  const std::optional<unsigned> patience = TRY(choose_patience(options()));
  context_.emplace(container::Context{TRY(container::Store::at(options().text("root"))), manager, patience});
  story::tell(story::Actor::davit, "state directory", context_->store.root());
  return &*context_;
}

Result<std::uint32_t> parse_number(std::string_view text, std::string_view what) {
  std::uint32_t value = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failure == std::errc() && end == text.data() + text.size() && !text.empty() && value != UINT32_MAX)
    return value;
  Text<768> message("invalid ");
  message.append(what).append(" \"").append(text.substr(0, 60)).append("\": it is not a number from 0 to ");
  return make_error(Code::invalid_argument, message.append_number(UINT32_MAX - 1));
}

Result<void> print(std::string_view text) {
  auto written = sys::write_all(sys::FdRef::of(STDOUT_FILENO), text);
  if (!written.ok()) written.error().wrap("print the result");
  return written;
}

Result<bool> wants_json(const Arguments& options) {
  const std::string format = options.text("format");
  if (format == "json") return true;
  if (format.empty() || format == "table") return false;
  Error error = make_error(Code::invalid_argument, "unknown --format \"" + format.substr(0, 40) + "\"");
  return error.advise("it is table or json");
}

}  // namespace davit::cli
