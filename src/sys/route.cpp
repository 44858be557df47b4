// SPDX-License-Identifier: Apache-2.0
#include "davit/sys/route.hpp"

#include <fcntl.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <span>

#include "davit/sys/file.hpp"

namespace davit::sys {
namespace {

constexpr std::size_t kReceiveSize = 64 << 10;  // no message of the kernel's dumps is larger

using Bytes = std::vector<std::byte>;

template <typename T>
void append(Bytes& bytes, const T& value) {
  const auto* const start = reinterpret_cast<const std::byte*>(&value);
  bytes.insert(bytes.end(), start, start + sizeof value);
}

/// A request: its header, the header of its family, attributes.
template <typename Family>
Bytes request(std::uint16_t type, std::uint16_t flags, const Family& family) {
  Bytes bytes;
  struct nlmsghdr header {};
  header.nlmsg_type = type;
  header.nlmsg_flags = static_cast<std::uint16_t>(NLM_F_REQUEST | flags);
  append(bytes, header);
  append(bytes, family);
  bytes.resize(NLMSG_ALIGN(bytes.size()));
  return bytes;
}

void add_attribute(Bytes& bytes, std::uint16_t type, std::span<const std::byte> value) {
  struct rtattr header {};
  header.rta_type = type;
  header.rta_len = static_cast<std::uint16_t>(RTA_LENGTH(value.size()));
  append(bytes, header);
  bytes.insert(bytes.end(), value.begin(), value.end());
  bytes.resize(RTA_ALIGN(bytes.size()));
}

void add_name(Bytes& bytes, const std::string& name) {
  add_attribute(bytes, IFLA_IFNAME, std::as_bytes(std::span(name.c_str(), name.size() + 1)));
}

template <typename T>
void add_number(Bytes& bytes, std::uint16_t type, const T& value) {
  add_attribute(bytes, type, std::as_bytes(std::span(&value, 1)));
}

/// Calls `handle` with the header and the content of every message.
template <typename Handler>
void each_message(std::span<const std::byte> bytes, Handler handle) {
  while (bytes.size() >= sizeof(struct nlmsghdr)) {
    struct nlmsghdr header {};
    std::memcpy(&header, bytes.data(), sizeof header);
    if (header.nlmsg_len < NLMSG_HDRLEN || header.nlmsg_len > bytes.size()) return;
    handle(header, bytes.subspan(NLMSG_HDRLEN, header.nlmsg_len - NLMSG_HDRLEN));
    bytes = bytes.subspan(std::min<std::size_t>(NLMSG_ALIGN(header.nlmsg_len), bytes.size()));
  }
}

/// Calls `handle` with the type and the value of every attribute.
template <typename Handler>
void each_attribute(std::span<const std::byte> bytes, Handler handle) {
  while (bytes.size() >= sizeof(struct rtattr)) {
    struct rtattr header {};
    std::memcpy(&header, bytes.data(), sizeof header);
    if (header.rta_len < RTA_LENGTH(0) || header.rta_len > bytes.size()) return;
    handle(header.rta_type, bytes.subspan(RTA_LENGTH(0), header.rta_len - RTA_LENGTH(0)));
    bytes = bytes.subspan(std::min<std::size_t>(RTA_ALIGN(header.rta_len), bytes.size()));
  }
}

/// Takes the family's header off the front of a message; false when it is too short.
template <typename Family>
bool take(std::span<const std::byte>& bytes, Family& family) {
  if (bytes.size() < sizeof family) return false;
  std::memcpy(&family, bytes.data(), sizeof family);
  bytes = bytes.subspan(std::min<std::size_t>(NLMSG_ALIGN(sizeof family), bytes.size()));
  return true;
}

std::vector<NetworkDevice> devices_of(std::span<const std::byte> messages) {
  std::vector<NetworkDevice> found;
  each_message(messages, [&](const struct nlmsghdr& header, std::span<const std::byte> content) {
    struct ifinfomsg link {};
    if (header.nlmsg_type != RTM_NEWLINK || !take(content, link)) return;
    NetworkDevice device{.index = link.ifi_index, .is_up = (link.ifi_flags & IFF_UP) != 0};
    each_attribute(content, [&](std::uint16_t type, std::span<const std::byte> value) {
      if (type != IFLA_IFNAME) return;
      const auto* const text = reinterpret_cast<const char*>(value.data());
      device.name.assign(text, ::strnlen(text, value.size()));
    });
    found.push_back(std::move(device));
  });
  return found;
}

/// What a new address needs of an old one. Not the label: it begins with the device's old name.
bool is_kept(std::uint16_t type) {
  return type == IFA_ADDRESS || type == IFA_LOCAL || type == IFA_BROADCAST || type == IFA_RT_PRIORITY;
}

NetworkAddress address_of(const struct ifaddrmsg& head, std::span<const std::byte> attributes) {
  constexpr std::uint32_t kOwn = IFA_F_NODAD | IFA_F_HOMEADDRESS | IFA_F_MANAGETEMPADDR |
                                 IFA_F_NOPREFIXROUTE | IFA_F_MCAUTOJOIN | IFA_F_PERMANENT;
  NetworkAddress address{.family = head.ifa_family, .prefix = head.ifa_prefixlen, .flags = head.ifa_flags};
  each_attribute(attributes, [&](std::uint16_t type, std::span<const std::byte> value) {
    if (type == IFA_FLAGS && value.size() == sizeof address.flags)
      std::memcpy(&address.flags, value.data(), sizeof address.flags);
    if (is_kept(type)) address.attributes.push_back({type, {value.begin(), value.end()}});
  });
  address.flags &= kOwn;
  return address;
}

}  // namespace

bool hear(std::span<const std::byte> messages, std::uint32_t sequence, int& error) {
  bool is_done = false;
  each_message(messages, [&](const struct nlmsghdr& header, std::span<const std::byte> content) {
    if (header.nlmsg_seq != sequence) return;
    // What was listed while it changed may lack something.
    if ((header.nlmsg_flags & NLM_F_DUMP_INTR) != 0) error = EAGAIN;
    if (header.nlmsg_type != NLMSG_DONE && header.nlmsg_type != NLMSG_ERROR) return;
    is_done = true;
    std::int32_t status = 0;  // begins both; a list may end with an error, too
    if (take(content, status) && status < 0) error = -status;
  });
  return is_done;
}

int free_index(std::span<const NetworkDevice> others, int wanted) {
  std::vector<int> taken;
  for (const NetworkDevice& other : others) taken.push_back(other.index);
  std::sort(taken.begin(), taken.end());
  if (!std::binary_search(taken.begin(), taken.end(), wanted)) return wanted;
  int index = 1;
  for (const int other : taken) index += other == index ? 1 : 0;
  return index;
}

Result<RouteSocket> RouteSocket::open() {
  UniqueFd socket = UniqueFd::adopt(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE));
  if (!socket.valid()) return system_error(errno, "open a route socket");
  return RouteSocket(std::move(socket));
}

Result<RouteSocket> RouteSocket::open_in(FdRef network, FdRef own) {
  if (::setns(network.number(), CLONE_NEWNET) != 0)
    return system_error(errno, "enter the container's network namespace");
  auto socket = open();
  // In a foreign network davit could only do harm.
  if (::setns(own.number(), CLONE_NEWNET) != 0)
    return system_error(errno, "return to davit's network namespace");
  return socket;
}

Result<std::vector<std::byte>> RouteSocket::ask(const std::vector<std::byte>& request) {
  Bytes sent = request;
  auto* const head = reinterpret_cast<struct nlmsghdr*>(sent.data());
  head->nlmsg_len = static_cast<std::uint32_t>(sent.size());
  head->nlmsg_seq = ++sequence_;
  struct sockaddr_nl kernel {};
  kernel.nl_family = AF_NETLINK;
  if (::sendto(socket_.number(), sent.data(), sent.size(), 0, reinterpret_cast<struct sockaddr*>(&kernel),
               sizeof kernel) < 0)
    return system_error(errno, "ask the kernel about network devices");
  Bytes answer;
  Bytes part(kReceiveSize);
  int error = 0;
  for (;;) {
    struct sockaddr_nl from {};
    socklen_t from_size = sizeof from;
    const ssize_t size = ::recvfrom(socket_.number(), part.data(), part.size(), MSG_TRUNC,
                                    reinterpret_cast<struct sockaddr*>(&from), &from_size);
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return system_error(errno, "hear from the kernel about network devices");
    if (from.nl_pid != 0) continue;  // only the kernel is asked
    if (static_cast<std::size_t>(size) > part.size())
      return system_error(EMSGSIZE, "hear from the kernel about network devices");
    const auto received = std::span<const std::byte>(part).first(static_cast<std::size_t>(size));
    const bool is_done = hear(received, sequence_, error);
    answer.insert(answer.end(), received.begin(), received.end());
    if (is_done && error != 0) return system_error(error, "");
    if (is_done) return answer;
  }
}

Result<Bytes> RouteSocket::list(const Bytes& request) {
  constexpr int kAttempts = 16;
  for (int attempt = 1;; ++attempt) {
    auto answer = ask(request);
    if (answer.ok() || answer.error().errno_value != EAGAIN || attempt == kAttempts) return answer;
  }
}

Result<NetworkDevice> RouteSocket::device(const std::string& name) {
  Bytes query = request(RTM_GETLINK, NLM_F_ACK, ifinfomsg{});
  add_name(query, name);
  const std::vector<NetworkDevice> found = devices_of(TRY(ask(query)));
  if (found.empty()) return system_error(ENODEV, "");
  return found.front();
}

Result<std::vector<NetworkDevice>> RouteSocket::devices() {
  return devices_of(TRY(list(request(RTM_GETLINK, NLM_F_DUMP, ifinfomsg{}))));
}

Result<std::vector<NetworkAddress>> RouteSocket::addresses(int index) {
  const Bytes answer = TRY(list(request(RTM_GETADDR, NLM_F_DUMP, ifaddrmsg{})));
  std::vector<NetworkAddress> found;
  each_message(answer, [&](const struct nlmsghdr& header, std::span<const std::byte> content) {
    struct ifaddrmsg head {};
    if (header.nlmsg_type != RTM_NEWADDR || !take(content, head)) return;
    if (static_cast<int>(head.ifa_index) != index || head.ifa_scope != RT_SCOPE_UNIVERSE) return;
    NetworkAddress address = address_of(head, content);
    if ((address.flags & IFA_F_PERMANENT) != 0) found.push_back(std::move(address));
  });
  return found;
}

Result<void> RouteSocket::add(int index, const NetworkAddress& address) {
  struct ifaddrmsg head {};
  head.ifa_family = address.family;
  head.ifa_prefixlen = address.prefix;
  head.ifa_scope = RT_SCOPE_UNIVERSE;
  head.ifa_index = static_cast<std::uint32_t>(index);
  Bytes query = request(RTM_NEWADDR, NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL, head);
  add_number(query, IFA_FLAGS, address.flags);
  for (const NetworkAddress::Attribute& attribute : address.attributes)
    add_attribute(query, attribute.type, attribute.value);
  TRY(ask(query));
  return {};
}

Result<void> RouteSocket::set_up(int index) {
  struct ifinfomsg link {};
  link.ifi_index = index;
  link.ifi_flags = IFF_UP;
  link.ifi_change = IFF_UP;
  TRY(ask(request(RTM_NEWLINK, NLM_F_ACK, link)));
  return {};
}

Result<void> RouteSocket::watch() {
  struct sockaddr_nl own {};
  own.nl_family = AF_NETLINK;
  own.nl_groups = RTMGRP_LINK;
  // One without an address of its own would count as the sender of all that the kernel tells by itself.
  if (::bind(socket_.number(), reinterpret_cast<struct sockaddr*>(&own), sizeof own) == 0) return {};
  return system_error(errno, "watch network devices");
}

Result<std::vector<int>> RouteSocket::removals() {
  Bytes part(kReceiveSize);
  std::vector<int> gone;
  for (;;) {
    const ssize_t size = ::recv(socket_.number(), part.data(), part.size(), MSG_DONTWAIT | MSG_TRUNC);
    if (size < 0 && errno == EINTR) continue;
    if (size < 0 && errno == EAGAIN) return gone;
    if (size < 0) return system_error(errno, "hear of network devices");
    if (static_cast<std::size_t>(size) > part.size())
      return system_error(EMSGSIZE, "hear of network devices");
    const auto received = std::span<const std::byte>(part).first(static_cast<std::size_t>(size));
    each_message(received, [&](const struct nlmsghdr& header, std::span<const std::byte> content) {
      struct ifinfomsg link {};
      const bool is_removal = header.nlmsg_type == RTM_DELLINK && take(content, link);
      // Bridges have messages of their own about it.
      if (is_removal && link.ifi_family == AF_UNSPEC) gone.push_back(link.ifi_index);
    });
  }
}

Result<void> RouteSocket::move(int index, FdRef network, int new_index, const std::string& name) {
  struct ifinfomsg link {};
  link.ifi_index = index;
  Bytes query = request(RTM_NEWLINK, NLM_F_ACK, link);
  add_number(query, IFLA_NET_NS_FD, static_cast<std::uint32_t>(network.number()));
  add_number(query, IFLA_NEW_IFINDEX, static_cast<std::int32_t>(new_index));
  add_name(query, name);
  TRY(ask(query));
  return {};
}

}  // namespace davit::sys
