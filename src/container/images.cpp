// SPDX-License-Identifier: Apache-2.0
#include "container/images.hpp"

#include <fcntl.h>

#include <cerrno>

#include "davit/criu/worker.hpp"
#include "davit/sys/file.hpp"
#include "davit/sys/interruption.hpp"

namespace davit::container {

namespace {

constexpr std::size_t kMaximumLog = 64u << 20;

Result<sys::UniqueFd> open_directory(const std::string& path, bool make, std::string_view option) {
  if (make) {
    const auto made = sys::make_directory_at(sys::current_directory(), path, 0700);
    if (!made.ok() && made.error().errno_value != EEXIST) {
      Error error = made.error();
      return error.wrap(option);
    }
  }
  auto directory = sys::open(path, O_RDONLY | O_DIRECTORY);
  if (!directory.ok()) directory.error().wrap(option);
  return directory;
}

sys::FdRef place_of_log(const Images& images) {
  return images.work.valid() ? images.work.ref() : images.directory.ref();
}

}  // namespace

Result<Images> open_images(const criu::Choices& choices, bool make) {
  Images images;
  images.directory = TRY(open_directory(choices.image_path, make, "--image-path"));
  images.path = TRY(sys::real_path(choices.image_path));
  images.work_path = images.path;
  if (choices.work_path.empty()) return images;
  images.work = TRY(open_directory(choices.work_path, true, "--work-path"));
  images.work_path = TRY(sys::real_path(choices.work_path));
  return images;
}

Result<void> reopen_images(Images& images, pid_t pid) {
  const std::string root = "/proc/" + std::to_string(pid) + "/root";
  images.directory = TRY(sys::open(root + images.path, O_RDONLY | O_DIRECTORY));
  if (images.work.valid()) images.work = TRY(sys::open(root + images.work_path, O_RDONLY | O_DIRECTORY));
  return {};
}

Result<void> clear_log(const Images& images, const std::string& log) {
  auto removed = sys::unlink_at(place_of_log(images), log);
  if (!removed.ok() && removed.error().errno_value != ENOENT) return removed.error().wrap(images.work_path);
  return {};
}

Error error_of(const criu::Response& response) {
  // It may quote the log, as the log does it.
  const std::string quoted = criu::errors_of(response.error);
  const std::string& text = quoted.empty() ? response.error : quoted;
  return response.errno_value > 0 ? system_error(response.errno_value, text) : make_error(Code::system, text);
}

Error failure_of(const Error& cause, std::string_view what, const Images& images, const std::string& log) {
  Error error = cause;
  // What davit itself did on CRIU's behalf has an error of its own, and the log only knows that it failed.
  if (error.code != Code::system || sys::Interruption::has_come()) return error;
  const auto text = sys::read_file_at(place_of_log(images), log, kMaximumLog);
  const std::string lines = text.ok() ? criu::errors_of(*text) : std::string();
  Text<768> message("criu cannot ");
  message.append(what);
  const bool is_in_lines = lines.find(error.message.view()) != std::string::npos;
  if (!is_in_lines) message.append(": ").append(error.message);
  if (!lines.empty()) message.append(": ").append(lines);
  error.message = message;
  return error.advise("all that criu says is in " + images.work_path + "/" + log);
}

}  // namespace davit::container
