// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <memory>

#include "davit/features/network.hpp"
#include "davit/sys/file.hpp"
#include "davit/sys/route.hpp"

namespace davit::network {
namespace {

/// The two ends of a move.
struct Ends {
  sys::UniqueFd host_network;
  sys::UniqueFd container_network;
  sys::RouteSocket host;
  sys::RouteSocket container;
  sys::RouteSocket watch;   ///< of the container's devices
  std::vector<int> gone{};  ///< those that the watch has told of
  bool is_watched = true;   ///< it has told of all
};

Result<std::shared_ptr<Ends>> open_ends(sys::FdRef network) {
  sys::UniqueFd own = TRY(sys::open("/proc/thread-self/ns/net", O_RDONLY));
  const struct stat ours = TRY(sys::stat_of(own));
  const struct stat theirs = TRY(sys::stat_of(network));
  if (ours.st_dev == theirs.st_dev && ours.st_ino == theirs.st_ino)
    return make_error(Code::invalid_config, "the container shares davit's network namespace")
        .advise("give it a network namespace of its own, or remove netDevices");
  sys::UniqueFd copy = TRY(sys::duplicate(network));
  sys::RouteSocket host = TRY(sys::RouteSocket::open());
  sys::RouteSocket container = TRY(sys::RouteSocket::open_in(network, own));
  sys::RouteSocket watch = TRY(sys::RouteSocket::open_in(network, own));
  TRY(watch.watch());
  return std::make_shared<Ends>(
      Ends{std::move(own), std::move(copy), std::move(host), std::move(container), std::move(watch)});
}

bool is_template(const std::string& name) {
  return name.ends_with("%d");
}

/// The device as it was on the host.
struct Original {
  sys::NetworkDevice device;
  std::vector<sys::NetworkAddress> addresses;
};

/// Whether the device of this number has gone that often since it was moved; false also where that is
/// unknown.
bool has_gone(Ends& ends, int index, std::ptrdiff_t times) {
  const auto removals = ends.watch.removals();
  ends.is_watched = ends.is_watched && removals.ok();
  if (removals.ok()) ends.gone.insert(ends.gone.end(), removals->begin(), removals->end());
  return ends.is_watched && std::count(ends.gone.begin(), ends.gone.end(), index) == times;
}

/// As far as it can be done: there is nobody to tell. Others may be in that network, and put a device of
/// their own in the place of ours: that one is not the host's.
void bring_back(Ends& ends, const Original& original, int index) {
  const sys::NetworkDevice& device = original.device;
  if (!has_gone(ends, index, 0)) return;
  if (!ends.container.move(index, ends.host_network, device.index, device.name).ok()) return;
  if (!has_gone(ends, index, 1)) {
    (void)ends.host.move(device.index, ends.container_network, index, device.name);
    return;
  }
  for (const sys::NetworkAddress& address : original.addresses) (void)ends.host.add(device.index, address);
  if (device.is_up) (void)ends.host.set_up(device.index);
}

Error explain(Error error, const std::string& what, std::string_view advice) {
  if (error.message.view().empty())
    error.message.append(what);
  else
    error.wrap(what);
  if (error.errno_value == EPERM) return error.advise("it takes CAP_NET_ADMIN over the host's network");
  return advice.empty() ? error : error.advise(advice);
}

/// The spec wants to know before anything is moved.
Result<void> check_name(Ends& ends, const std::string& name) {
  if (is_template(name)) return {};
  const auto other = ends.container.device(name);
  if (!other.ok()) return other.error().errno_value == ENODEV ? Result<void>() : other.error();
  return make_error(Code::invalid_config, "the container has a network device " + name + " already")
      .advise("choose another \"name\"; one that ends in \"%d\" gets a free number");
}

Result<void> move_device(const std::shared_ptr<Ends>& ends, const spec::NetDevice& wanted, Undo& undo) {
  const std::string what = "network device " + wanted.host_name;
  auto device = ends->host.device(wanted.host_name);
  if (!device.ok())
    return explain(device.error(), what, "`ip link` lists those that the host has; hooks run later");
  TRY(check_name(*ends, wanted.name));
  Original original{*device, TRY(ends->host.addresses(device->index))};
  const int index = sys::free_index(TRY(ends->container.devices()), device->index);
  // The kernel moves it first, and may then refuse its name.
  undo.push([ends, original, index] { bring_back(*ends, original, index); });
  const auto moved = ends->host.move(device->index, ends->container_network, index, wanted.name);
  if (!moved.ok())
    return explain(moved.error(), "move " + what + " into the container as " + wanted.name, "");
  for (const sys::NetworkAddress& address : original.addresses) {
    const auto added = ends->container.add(index, address);
    // A device that makes an address for itself may have been quicker.
    if (!added.ok() && added.error().errno_value != EEXIST)
      return explain(added.error(), "keep an address of " + what, "");
  }
  const auto up = ends->container.set_up(index);
  return up.ok() ? up : explain(up.error(), "set up " + what + " in the container", "");
}

}  // namespace

Result<void> move_devices(const std::vector<spec::NetDevice>& devices, sys::FdRef network, Undo& undo) {
  if (devices.empty()) return {};
  auto ends = open_ends(network);
  if (!ends.ok()) return spec::at(devices.front().position, ends.error());
  for (const spec::NetDevice& device : devices) {
    auto moved = move_device(*ends, device, undo);
    if (!moved.ok()) return spec::at(device.position, moved.error());
  }
  return {};
}

}  // namespace davit::network
