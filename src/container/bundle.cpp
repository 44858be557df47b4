// SPDX-License-Identifier: Apache-2.0
#include "container/bundle.hpp"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <optional>
#include <string_view>

#include "container/paths.hpp"
#include "davit/features/namespaces.hpp"
#include "davit/plan/plan.hpp"
#include "davit/spec/reader.hpp"
#include "davit/sys/file.hpp"

namespace davit::container {

namespace {

constexpr std::size_t kMaximumConfig = 16u << 20;
constexpr std::uint32_t kMaximumDescriptors = 1u << 20;
constexpr int kFirstDescriptor = 3;

Result<std::string> config_text(const CreateCall& call, sys::FdRef bundle) {
  if (call.config_text) return *call.config_text;
  auto text = call.config_file.empty() ? sys::read_file_at(bundle, "config.json", kMaximumConfig)
                                       : sys::read_file_or_pipe(call.config_file, kMaximumConfig);
  if (text.ok()) return text;
  Error error = text.error();
  if (!call.config_file.empty()) return error.wrap("read the file of --config");
  if (error.errno_value == ENOENT) {
    error.wrap(call.bundle == "." ? "this directory is not a bundle" : call.bundle + " is not a bundle");
    error.advise("name the directory of config.json with --bundle; `davit spec` writes an example");
  }
  return error;
}

// The number of descriptors that a service manager passes to this process (sd_listen_fds(3)).
Result<std::uint32_t> passed_by_manager() {
  const char* pid = ::getenv("LISTEN_PID");
  const char* count = ::getenv("LISTEN_FDS");
  // Engines that start us in between leave the pid out: they cannot know it.
  if (count == nullptr || (pid != nullptr && std::to_string(::getpid()) != pid)) return 0u;
  std::uint32_t number = 0;
  const std::string_view digits = count;
  const auto [end, failure] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (failure != std::errc() || end != digits.data() + digits.size() || number > kMaximumDescriptors)
    return make_error(Code::invalid_argument, "LISTEN_FDS in the environment is not a sensible number");
  return number;
}

/// The config of a bundle whose path is its real one, as those of engines are: no need to ask for that.
/// Nothing: find out the long way.
std::optional<std::string> config_of_real_path(const CreateCall& call) {
  if (call.config_text || !call.config_file.empty() || !call.bundle.starts_with('/')) return {};
  if (clean_path(call.bundle) != call.bundle) return {};
  const auto file = sys::open_at2(sys::current_directory(), call.bundle + "/config.json",
                                  O_RDONLY | O_NONBLOCK, RESOLVE_NO_SYMLINKS);
  if (!file.ok()) return {};
  const auto status = sys::stat_of(*file);
  if (!status.ok() || !S_ISREG(status->st_mode)) return {};
  auto text = sys::read_all(*file, *status, kMaximumConfig);
  if (!text.ok()) return {};
  return std::move(*text);
}

Result<sys::UniqueFd> open_directory(const std::string& bundle) {
  auto directory = sys::open(bundle, O_PATH | O_DIRECTORY);
  if (directory.ok()) return directory;
  Error error = directory.error();
  constexpr std::string_view kFile = "/config.json";
  if (error.errno_value == ENOTDIR && bundle.ends_with(kFile))
    error.advise("a bundle is the directory of config.json: " +
                 bundle.substr(0, bundle.size() - kFile.size()));
  if (error.errno_value == ENOTDIR) error.advise("a bundle is a directory with a config.json in it");
  if (error.errno_value == ENOENT)
    error.advise("there is no such bundle; `davit spec` writes a config.json for one");
  return error;
}

Result<void> find_bundle(const CreateCall& call, Bundle& bundle) {
  if (auto text = config_of_real_path(call)) {
    bundle.path = call.bundle;
    bundle.text = std::move(*text);
    return {};
  }
  const sys::UniqueFd directory = TRY(open_directory(call.bundle));
  bundle.path = TRY(sys::read_link("/proc/self/fd/" + std::to_string(directory.number())));
  bundle.text = TRY(config_text(call, directory));
  return {};
}

}  // namespace

Result<Bundle> load_bundle(Context& context, const CreateCall& call) {
  Bundle bundle;
  TRY(find_bundle(call, bundle));
  auto read = spec::read_config(bundle.text, call.config_file.empty() ? "config.json" : call.config_file);
  context.warnings.insert(context.warnings.end(), read.warnings.begin(), read.warnings.end());
  context.notices = std::move(read.notices);
  if (read.ok()) namespaces::map_caller(read.value);
  if (read.ok()) read.errors = plan::validate(read.value);
  if (!read.ok()) {
    context.errors = std::move(read.errors);
    return context.errors.front();
  }
  bundle.config = std::move(read.value);
  return bundle;
}

Result<void> check_process(const spec::Config& config) {
  if (config.process) return {};
  Error error = make_error(Code::invalid_config, "cannot start a container whose config has no process");
  error.where.file.append("config.json");
  return error.advise("add a process object to config.json and create the container again");
}

Result<std::vector<std::string>> preserve_descriptors(launch::Options& options) {
  const std::uint32_t listening = TRY(passed_by_manager());
  std::uint32_t total = options.preserve_fds + listening;
  if (options.preserve_fds > kMaximumDescriptors || total > kMaximumDescriptors)
    return make_error(Code::invalid_argument, "--preserve-fds is too large a number");
  for (std::uint32_t i = 0; i < total; ++i) {
    const int number = kFirstDescriptor + static_cast<int>(i);
    const int flags = ::fcntl(number, F_GETFD);
    if (flags >= 0 && ::fcntl(number, F_SETFD, flags & ~FD_CLOEXEC) == 0) continue;
    const int errno_value = errno;
    // What a manager promised and did not keep is not our caller's fault; nothing of ours gets the number.
    if (i >= options.preserve_fds) {
      total = i;
      break;
    }
    Text<768> message("unable to stat preserved-fd ");
    message.append_number(number - kFirstDescriptor).append(" (of ").append_number(total).append(")");
    Error error = system_error(errno_value, message);
    error.code = Code::invalid_argument;
    return error.advise("every descriptor from 3 on that is to be preserved must be open");
  }
  options.preserve_fds = total;
  std::vector<std::string> variables;
  if (listening == 0) return variables;
  variables.push_back("LISTEN_FDS=" + std::to_string(listening));
  variables.emplace_back("LISTEN_PID=1");
  if (const char* names = ::getenv("LISTEN_FDNAMES"))
    variables.push_back(std::string("LISTEN_FDNAMES=") + names);
  return variables;
}

std::vector<std::string> descriptor_names(const launch::Options& options, bool terminal) {
  std::vector<std::string> names;
  const int end = kFirstDescriptor + static_cast<int>(options.preserve_fds);
  for (int number = 0; number < end; ++number) {
    const bool is_terminals = terminal && number < kFirstDescriptor;
    auto name = is_terminals ? Result<std::string>(std::string())
                             : sys::read_link("/proc/self/fd/" + std::to_string(number));
    names.push_back(std::move(name).value_or({}));
  }
  return names;
}

void copy_terminal_size(spec::Process& process) {
  struct winsize size = {};
  if (!process.terminal || ::ioctl(STDIN_FILENO, TIOCGWINSZ, &size) < 0) return;
  if (size.ws_row != 0 && size.ws_col != 0)
    process.console_size = spec::ConsoleSize{size.ws_row, size.ws_col};
}

Result<void> write_pid_file(const std::string& path, pid_t pid) {
  auto written = sys::replace_file(path, std::to_string(pid), 0666);
  if (!written.ok()) written.error().wrap("write the pid file");
  return written;
}

}  // namespace davit::container
