// SPDX-License-Identifier: Apache-2.0
#include "davit/bus/systemd.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdlib>

namespace davit::bus {
namespace {

constexpr const char* kDestination = "org.freedesktop.systemd1";
constexpr const char* kManagerPath = "/org/freedesktop/systemd1";
constexpr const char* kManager = "org.freedesktop.systemd1.Manager";
constexpr const char* kJob = "org.freedesktop.systemd1.Job";
constexpr const char* kEndOfJob = "JobRemoved";

constexpr std::string_view kUnitExists = "org.freedesktop.systemd1.UnitExists";
constexpr std::string_view kNoSuchUnit = "org.freedesktop.systemd1.NoSuchUnit";

/// How long to wait for a signal before the manager is asked: a signal may be lost, where a bus is between.
constexpr std::int64_t kFirstLook = 100;  // milliseconds
constexpr std::int64_t kLongestLook = 2000;
/// For a last question after the deadline, to be able to say what is wrong.
constexpr std::int64_t kLastLook = 1000;

std::vector<Value> settings(const std::vector<Property>& properties) {
  std::vector<Value> parts;
  for (const Property& property : properties)
    parts.push_back(structure({text(property.name), variant(property.value)}));
  return parts;
}

Error refusal(const Reply& reply, std::string_view what, std::string_view about) {
  Text<768> message("systemd refuses ");
  message.append(what).append(about.empty() ? "" : " of ").append(about).append(": ");
  message.append(reply.text.empty() ? reply.error : reply.text);
  return make_error(Code::system, message);
}

std::string number_of(const std::string& job) {
  return job.substr(job.rfind('/') + 1);
}

}  // namespace

Result<Systemd> Systemd::connect(const std::vector<Address>& addresses, Deadline deadline) {
  Error first = make_error(Code::unsupported, "there is no systemd to talk to");
  for (const Address& address : addresses) {
    auto connection = Connection::open(address, kEndOfJob, deadline);
    if (connection.ok()) return Systemd(std::move(*connection), deadline);
    if (&address == &addresses.front()) first = connection.error();
    // A socket that somebody listens on is the right one, even if it takes its time.
    if (deadline.passed()) break;
  }
  return first.wrap("cannot talk to systemd");
}

Result<Reply> Systemd::call(const char* method, std::vector<Value> arguments, std::string_view about) {
  auto reply =
      connection_.call({kDestination, kManagerPath, kManager, method, std::move(arguments)}, deadline_);
  if (reply.ok()) return reply;
  Error error = reply.error();
  if (error.errno_value == ETIMEDOUT)
    error.advise("systemd does not answer at all: see whether `systemctl status` does, and its journal");
  Text<768> context("systemd");
  if (!about.empty()) context.append(", unit ").append(about);
  return error.wrap(context);
}

Result<Reply> Systemd::get(const std::string& path, const char* interface, const char* property,
                           Deadline deadline) {
  return connection_.call(
      {kDestination, path, "org.freedesktop.DBus.Properties", "Get", {text(interface), text(property)}},
      deadline);
}

Result<unsigned> Systemd::version() {
  const Reply reply = TRY(get(kManagerPath, kManager, "Version", deadline_));
  if (!reply.error.empty()) return refusal(reply, "to tell its version", "");
  const bool has_text = !reply.values.empty() && !reply.values.front().parts.empty();
  const std::string& words = has_text ? reply.values.front().parts.front().text : reply.text;
  // "257.9-1~deb13u1", or "v258-rc2"
  const std::size_t digit = words.find_first_of("0123456789");
  if (digit == std::string::npos)
    return make_error(Code::system, "systemd calls its version \"" + words.substr(0, 60) + "\"");
  return static_cast<unsigned>(std::strtoul(words.c_str() + digit, nullptr, 10));
}

Result<bool> Systemd::start(const std::string& unit, const std::vector<Property>& properties) {
  TRY(listen_for(unit));
  // "fail": a job that is in the way is none of ours.
  const Reply reply =
      TRY(call("StartTransientUnit",
               {text(unit), text("fail"), array("(sv)", settings(properties)), array("(sa(sv))", {})}, unit));
  if (reply.error == kUnitExists) return false;
  if (!reply.error.empty() || reply.values.empty()) return refusal(reply, "the start", unit);
  TRY(wait_for_job(reply.values.front().text, unit, "start"));
  return true;
}

Result<bool> Systemd::stop(const std::string& unit) {
  TRY(listen_for(unit));
  const Reply reply = TRY(call("StopUnit", {text(unit), text("replace")}, unit));
  if (reply.error == kNoSuchUnit) return false;
  if (!reply.error.empty() || reply.values.empty()) return refusal(reply, "the stop", unit);
  TRY(wait_for_job(reply.values.front().text, unit, "stop"));
  return true;
}

Result<void> Systemd::reset_failed(const std::string& unit) {
  const Reply reply = TRY(call("ResetFailedUnit", {text(unit)}, unit));
  if (reply.error.empty() || reply.error == kNoSuchUnit) return {};
  return refusal(reply, "the reset", unit);
}

Result<bool> Systemd::set_properties(const std::string& unit, const std::vector<Property>& properties) {
  const Reply reply =
      TRY(call("SetUnitProperties", {text(unit), flag(true), array("(sv)", settings(properties))}, unit));
  if (reply.error == kNoSuchUnit) return false;
  if (!reply.error.empty()) return refusal(reply, "the new limits", unit);
  return true;
}

Result<void> Systemd::attach(const std::string& unit, const std::string& below, int pid) {
  const Reply reply = TRY(
      call("AttachProcessesToUnit",
           {text(unit), text(below), array("u", {{.type = "u", .number = static_cast<std::uint64_t>(pid)}})},
           unit));
  if (!reply.error.empty()) return refusal(reply, "to take a process", unit);
  return {};
}

Result<void> Systemd::listen_for(const std::string& unit) {
  if (!connection_.address().is_broker) return {};
  constexpr const char* kBroker = "org.freedesktop.DBus";
  const std::string rule = "type='signal',path='" + std::string(kManagerPath) + "',interface='" + kManager +
                           "',member='" + kEndOfJob + "',arg2='" + unit + "'";
  const Reply reply =
      TRY(connection_.call({kBroker, "/org/freedesktop/DBus", kBroker, "AddMatch", {text(rule)}}, deadline_));
  if (!reply.error.empty()) return refusal(reply, "to tell of the end of jobs", unit);
  return {};
}

Result<void> Systemd::wait_for_job(const std::string& job, const std::string& unit, std::string_view what) {
  for (std::int64_t look = kFirstLook;; look = std::min(2 * look, kLongestLook)) {
    while (const auto signal = TRY(connection_.next_signal(deadline_.at_most(look)))) {
      const std::vector<Value>& values = signal->values;  // number, path, unit, result
      if (deadline_.passed()) break;
      if (signal->interface != kManager || values.size() < 4 || values[1].text != job) continue;
      if (values[3].text == "done") return {};
      Text<768> message("systemd's job ");
      message.append(number_of(job)).append(", the ").append(what).append(" of ").append(unit);
      return make_error(Code::system, message.append(", has ended with: ").append(values[3].text));
    }
    if (deadline_.passed()) return late(job, unit, what);
    const auto state = state_of_job(job, deadline_);
    if (state.ok() && state->empty()) return {};  // what came of it shows in the cgroup
    if (state.ok()) continue;
    return state.error().errno_value == ETIMEDOUT ? late(job, unit, what) : state.error();
  }
}

Result<std::string> Systemd::state_of_job(const std::string& job, Deadline deadline) {
  const Reply reply = TRY(get(job, kJob, "State", deadline));
  if (!reply.error.empty()) return std::string();
  const bool has_text = !reply.values.empty() && !reply.values.front().parts.empty();
  return has_text ? reply.values.front().parts.front().text : std::string("unknown");
}

Error Systemd::late(const std::string& job, const std::string& unit, std::string_view what) {
  Text<768> message("waited in vain for systemd's job ");
  message.append(number_of(job)).append(", the ").append(what).append(" of ").append(unit);
  const auto state = state_of_job(job, Deadline::in(kLastLook));
  Error error = make_error(Code::system, message);
  error.errno_value = ETIMEDOUT;
  if (!state.ok()) {
    error.message.append(" (it does not answer any more)");
    return error.advise("see whether `systemctl status` gets an answer, and systemd's journal");
  }
  error.message.append(state->empty() ? " (it has just ended)" : " (it answers, and calls the job ");
  if (!state->empty()) error.message.append(*state).append(")");
  return error.advise(
      "`systemctl list-jobs` tells what it is busy with; --systemd-timeout gives it more time");
}

}  // namespace davit::bus
