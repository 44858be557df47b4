// SPDX-License-Identifier: Apache-2.0
// The one error value of davit: made where something fails, enriched on its way up, printed once by cli.
#pragma once

#include <cstdint>
#include <type_traits>

#include "davit/base/text.hpp"

namespace davit {

/// What kind of failure it is; callers branch on this, never on text.
enum class Code : std::uint8_t {
  internal,          ///< a broken promise between our own parts
  invalid_config,    ///< config.json, process.json or resources are not acceptable
  invalid_argument,  ///< the command line is not acceptable
  not_found,         ///< the container (or a file that was asked for) does not exist
  already_exists,    ///< the container id is taken
  wrong_state,       ///< the operation is not allowed in the container's present state
  unsupported,       ///< this kernel, this build or this release cannot do what was asked
  system,            ///< a system call failed: `errno_value` says how
  exec_failed,       ///< the container's program could not be executed
  hook_failed,       ///< a hook failed or timed out
};

/// A position inside a JSON document; line 0 means unknown. Lines and columns count from 1.
struct Location {
  std::uint32_t line = 0;
  std::uint32_t column = 0;
  Text<64> file;      ///< as the user named it, e.g. "config.json"
  Text<192> pointer;  ///< JSON pointer, e.g. "/mounts/3/options"
};

/// Heap-free and trivially copyable; each layer adds only what it knows. What makes or changes one is cold:
/// the compiler keeps all the code that leads there away from the code that runs.
struct Error {
  Code code = Code::internal;
  int errno_value = 0;  ///< 0 when no system call is involved; its strerror text ends the message
  Location where;
  Text<32> step;      ///< name of the parent step or operation in which it happened
  Text<768> message;  ///< what was attempted and on what, without errno text
  Text<256> advice;   ///< what the user can do, or empty

  /// Puts `text: ` in front of the message.
  [[gnu::cold]] Error& wrap(std::string_view text);
  /// Sets the advice unless a lower layer has already given one.
  [[gnu::cold]] Error& advise(std::string_view text);
};
static_assert(std::is_trivially_copyable_v<Error>);

/// Makes an error without an errno; `message` is cut at the capacity of Error::message.
[[gnu::cold]] Error make_error(Code code, std::string_view message);
/// Makes a Code::system error of a failed call; `errno_value` is the errno it left.
[[gnu::cold]] Error system_error(int errno_value, std::string_view message);

/// Makes a copy in memory that holds nothing yet.
[[gnu::cold]] void place_error(Error* at, const Error& error);

/// Renders everything but the program name and the command: `file:line:col: pointer: message: strerror`.
/// The advice is not included.
[[gnu::cold]] Text<1536> describe(const Error& error);

/// The strerror text of an errno value (thread safe, never null).
const char* errno_text(int errno_value);
/// The symbolic name of an errno value ("EPERM"), or "errno N".
const char* errno_name(int errno_value);

}  // namespace davit
