// SPDX-License-Identifier: Apache-2.0
#include "cli/config_source.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "davit/container/id.hpp"
#include "davit/sys/file.hpp"

namespace davit::cli {

namespace {

constexpr std::size_t kMaximumConfig = 16u << 20;

std::string trimmed(std::string path) {
  while (path.size() > 1 && path.ends_with('/')) path.pop_back();
  return path;
}

std::string directory_of(const std::string& file) {
  const std::size_t slash = file.rfind('/');
  return slash == std::string::npos ? "." : slash == 0 ? "/" : file.substr(0, slash);
}

Result<ConfigSource> from_file(const std::string& file, const std::string& bundle) {
  ConfigSource source;
  source.text = TRY(sys::read_file_or_pipe(file, kMaximumConfig));
  source.name = file;
  source.bundle = TRY(sys::real_path(bundle));
  return source;
}

/// Whoever looks into the bundle of another user does not look for what a link in it leads to: what is there
/// may be secret, and would be quoted.
Result<void> check_link(const std::string& file) {
  const auto status = sys::stat_at(sys::current_directory(), file, AT_SYMLINK_NOFOLLOW);
  const bool is_link = status.ok() && S_ISLNK(status->st_mode);
  if (!is_link || status->st_uid == 0 || status->st_uid == ::geteuid()) return {};
  Error error = make_error(Code::invalid_argument, file + " is a symlink of another user's");
  return error.advise("look where it leads, and name that file with --config");
}

Result<ConfigSource> from_bundle(const std::string& directory) {
  const std::string path = trimmed(directory);
  const std::string file = path == "." ? "config.json" : path + "/config.json";
  TRY(check_link(file));
  auto source = from_file(file, path);
  if (source.ok() || source.error().errno_value != ENOENT) return source;
  Error error = source.error();
  error.wrap(path == "." ? "this directory is not a bundle" : path + " is not a bundle");
  error.advise("name a bundle, a config file, or - for the standard input; `davit spec` writes an example");
  return error;
}

Result<ConfigSource> from_input() {
  ConfigSource source;
  source.text = TRY(sys::read_all(sys::FdRef::of(STDIN_FILENO), kMaximumConfig));
  source.name = "standard input";
  source.bundle = TRY(sys::real_path("."));
  source.id = "stdin";
  return source;
}

Result<ConfigSource> from_container(Invocation& invocation, const std::string& id) {
  const auto unknown = [&] {
    Error error =
        make_error(Code::not_found, "there is no bundle, no file, and no container called \"" + id + "\"");
    return error.advise("name a bundle, a config file, the id of a container, or - for the standard input");
  };
  if (!container::check_id(id).ok()) return unknown();
  container::Context& context = *TRY(invocation.context());
  auto entry = context.store.open(id);
  if (!entry.ok()) return unknown();
  ConfigSource source;
  source.text = TRY(entry->read_config());
  source.name = "config.json";
  source.bundle = TRY(entry->read()).bundle;
  source.id = id;
  return source;
}

Result<ConfigSource> find_text(Invocation& invocation, const std::string& argument) {
  const Arguments& options = invocation.options();
  if (options.given("bundle") || options.given("config")) {
    const std::string bundle = options.given("bundle") ? options.text("bundle") : ".";
    auto source = options.given("config") ? from_file(options.text("config"), bundle) : from_bundle(bundle);
    if (source.ok()) source->id = argument;
    return source;
  }
  if (argument.empty()) return from_bundle(".");
  if (argument == "-") return from_input();
  const auto status = sys::stat_at(sys::current_directory(), argument);
  if (status.ok() && S_ISDIR(status->st_mode)) return from_bundle(argument);
  if (status.ok()) return from_file(argument, directory_of(argument));
  if (status.error().errno_value != ENOENT || argument.find('/') != std::string::npos) return status.error();
  return from_container(invocation, argument);
}

}  // namespace

Result<ConfigSource> find_config(Invocation& invocation, const std::string& argument) {
  auto source = find_text(invocation, argument);
  if (!source.ok()) return source;
  if (source->id.empty()) source->id = container::id_from_path(source->bundle);
  return source;
}

}  // namespace davit::cli
