// SPDX-License-Identifier: Apache-2.0
#include "davit/container/signals.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <csignal>
#include <string>
#include <utility>

namespace davit::container {

namespace {

struct Name {
  std::string_view name;
  int number;
};

constexpr std::array kNames = {
    Name{"HUP", SIGHUP},   Name{"INT", SIGINT},     Name{"QUIT", SIGQUIT}, Name{"ILL", SIGILL},
    Name{"TRAP", SIGTRAP}, Name{"ABRT", SIGABRT},   Name{"IOT", SIGABRT},  Name{"BUS", SIGBUS},
    Name{"FPE", SIGFPE},   Name{"KILL", SIGKILL},   Name{"USR1", SIGUSR1}, Name{"SEGV", SIGSEGV},
    Name{"USR2", SIGUSR2}, Name{"PIPE", SIGPIPE},   Name{"ALRM", SIGALRM}, Name{"TERM", SIGTERM},
    Name{"STKFLT", 16},    Name{"CHLD", SIGCHLD},   Name{"CLD", SIGCHLD},  Name{"CONT", SIGCONT},
    Name{"STOP", SIGSTOP}, Name{"TSTP", SIGTSTP},   Name{"TTIN", SIGTTIN}, Name{"TTOU", SIGTTOU},
    Name{"URG", SIGURG},   Name{"XCPU", SIGXCPU},   Name{"XFSZ", SIGXFSZ}, Name{"VTALRM", SIGVTALRM},
    Name{"PROF", SIGPROF}, Name{"WINCH", SIGWINCH}, Name{"IO", SIGIO},     Name{"POLL", SIGIO},
    Name{"PWR", SIGPWR},   Name{"SYS", SIGSYS},
};

// The C library keeps two real-time signals to itself; users and engines count from its SIGRTMIN.
constexpr int kFirstRealTime = 34;
constexpr int kLast = 64;

Error unknown(std::string_view text) {
  Text<768> message("unknown signal \"");
  message.append(text.substr(0, 40)).append("\"");
  Error error = make_error(Code::invalid_argument, message);
  error.advise("use a name (TERM, SIGKILL, RTMIN+3) or a number from 1 to 64");
  return error;
}

// A whole decimal number, or -1.
int number(std::string_view text) {
  int value = -1;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  return failure == std::errc() && end == text.data() + text.size() && value >= 0 ? value : -1;
}

// "RTMIN+3" and "RTMAX-3"; -1 when it is neither or leaves the range.
int real_time(std::string_view name) {
  const bool from_first = name.starts_with("RTMIN");
  if (!from_first && !name.starts_with("RTMAX")) return -1;
  const int base = from_first ? kFirstRealTime : kLast;
  if (name.size() == 5) return base;
  if (name[5] != (from_first ? '+' : '-')) return -1;
  const int offset = number(name.substr(6));
  if (offset < 0 || offset > kLast - kFirstRealTime) return -1;
  return from_first ? base + offset : base - offset;
}

}  // namespace

Result<int> parse_signal(std::string_view text) {
  if (!text.empty() && std::isdigit(static_cast<unsigned char>(text.front())) != 0) {
    const int value = number(text);
    if (value < 0 || value > kLast) return unknown(text);
    return value;
  }
  std::string name(text);
  std::transform(name.begin(), name.end(), name.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  if (name.starts_with("SIG")) name.erase(0, 3);
  for (const Name& entry : kNames)
    if (entry.name == name) return entry.number;
  const int value = real_time(name);
  if (value < 0) return unknown(text);
  return value;
}

std::vector<std::string_view> signal_names() {
  std::vector<std::string_view> names;
  int last = 0;
  // Other names of a signal come behind its first one.
  for (const Name& entry : kNames)
    if (std::exchange(last, entry.number) != entry.number) names.push_back(entry.name);
  return names;
}

}  // namespace davit::container
