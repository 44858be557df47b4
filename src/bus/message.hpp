// SPDX-License-Identifier: Apache-2.0
// Messages of D-Bus between davit's values and bytes.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "davit/bus/connection.hpp"

namespace davit::bus {

/// The bytes of a call. Code::invalid_argument: a value that cannot be in a message.
Result<std::string> encode(const Call& call, std::uint32_t serial);

/// How many bytes the message at the start of `bytes` has; 0: not known yet. EPROTO: it is none.
Result<std::size_t> message_size(std::string_view bytes);

/// What came in. Calls of the other side are nobody's.
struct Nothing {};
struct Answer {
  std::uint32_t serial = 0;  ///< of the call
  Reply reply;
};
using Incoming = std::variant<Nothing, Answer, Signal>;
/// Reads one whole message. Of signals only those called `wanted`.
Result<Incoming> decode(std::string_view bytes, std::string_view wanted);

}  // namespace davit::bus
