// SPDX-License-Identifier: Apache-2.0
// Network devices and their addresses, over rtnetlink(7).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "davit/base/result.hpp"
#include "davit/sys/fd.hpp"

namespace davit::sys {

struct NetworkDevice {
  std::string name;
  int index = 0;
  bool is_up = false;
};

/// An address that stays until somebody takes it away, as the kernel describes it.
struct NetworkAddress {
  std::uint8_t family = 0;
  std::uint8_t prefix = 0;
  std::uint32_t flags = 0;  ///< IFA_F_*, without what the kernel finds out by itself
  struct Attribute {
    std::uint16_t type = 0;  ///< IFA_*
    std::vector<std::byte> value;
  };
  std::vector<Attribute> attributes;
};

/// Reads what has come in answer to request number `sequence`: true when that was the end of it. `error` is
/// set where it failed, or where what it lists has changed meanwhile (EAGAIN).
bool hear(std::span<const std::byte> messages, std::uint32_t sequence, int& error);
/// `wanted` as the number of a device, or the lowest that none of the others has.
int free_index(std::span<const NetworkDevice> others, int wanted);

/// A socket of one network namespace, that of its opening.
class RouteSocket {
 public:
  static Result<RouteSocket> open();
  /// In the namespace behind `network`; the caller is in `own`, which is his, again when it returns.
  static Result<RouteSocket> open_in(FdRef network, FdRef own);

  /// ENODEV when there is none of this name.
  Result<NetworkDevice> device(const std::string& name);
  Result<std::vector<NetworkDevice>> devices();
  /// The permanent global ones (IFA_F_PERMANENT, RT_SCOPE_UNIVERSE).
  Result<std::vector<NetworkAddress>> addresses(int index);
  Result<void> add(int index, const NetworkAddress& address);
  Result<void> set_up(int index);
  /// Into the namespace behind `network`, as device `new_index` called `name` ("%d" stands for a number).
  /// Loses its addresses, and is down.
  Result<void> move(int index, FdRef network, int new_index, const std::string& name);

  /// From now on, for removals(); such a socket is good for nothing else.
  Result<void> watch();
  /// The numbers of the devices that have gone from the namespace since the last call, be it to another one.
  /// ENOBUFS: more has happened than can be told.
  Result<std::vector<int>> removals();

 private:
  explicit RouteSocket(UniqueFd socket) : socket_(std::move(socket)) {}
  Result<std::vector<std::byte>> ask(const std::vector<std::byte>& request);
  Result<std::vector<std::byte>> list(const std::vector<std::byte>& request);

  UniqueFd socket_;
  std::uint32_t sequence_ = 0;
};

}  // namespace davit::sys
