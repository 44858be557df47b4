// SPDX-License-Identifier: Apache-2.0
// What happens and how long it takes, for whoever asked to be told (--debug, --trace); costs nothing while
// nobody has.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace davit::story {

enum class Actor : std::uint8_t { davit, stage, init, hook, process };

struct Event {
  Actor actor = Actor::davit;
  std::string name;
  std::string detail{};    ///< more about it, or empty
  std::int64_t begin = 0;  ///< nanoseconds of CLOCK_MONOTONIC
  std::int64_t end = 0;    ///< the same as `begin`: a moment
};

/// From here on `listener` hears of every event; one that is empty hears of none. Not for several threads.
void set_listener(std::function<void(const Event&)> listener);
/// Whether it is worth the while to find out what tell() would be told.
bool is_listening();
void tell(const Event& event);
/// Something that happens now and takes no time.
void tell(Actor actor, std::string_view name, std::string_view detail = {});
/// Nanoseconds of CLOCK_MONOTONIC.
std::int64_t now();

/// The trace that this call of davit belongs to, as 32 hexadecimal digits (W3C trace context); empty: none.
void set_trace_id(std::string id);
/// Puts the variable into an environment with which a program that davit starts can go on with the trace.
void continue_trace(std::vector<std::string>& environment);

/// Something that lasts as long as this object.
class Span {
 public:
  Span(Actor actor, std::string_view name, std::string_view detail = {});
  Span(const Span&) = delete;
  Span& operator=(const Span&) = delete;
  ~Span();

 private:
  Event event_;
};

}  // namespace davit::story
