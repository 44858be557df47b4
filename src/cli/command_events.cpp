// SPDX-License-Identifier: Apache-2.0
#include "cli/duration.hpp"
#include "cli/event_json.hpp"
#include "cli/handlers.hpp"
#include "cli/invocation.hpp"

namespace davit::cli {

namespace {

constexpr std::int64_t kInterval = 5000;

class Printer : public container::EventSink {
 public:
  explicit Printer(const std::string& id) : id_(id) {}
  Result<void> usage(const container::Usage& usage) override { return print(usage_event(id_, usage)); }
  Result<void> out_of_memory() override { return print(oom_event(id_)); }

 private:
  const std::string& id_;
};

}  // namespace

Result<int> command_events(Invocation& invocation) {
  const std::string& id = invocation.arguments().front();
  const std::string wanted = invocation.options().text("interval");
  const std::int64_t interval =
      invocation.options().given("interval") ? TRY(parse_duration(wanted)) : kInterval;
  container::Context& context = *TRY(invocation.context());
  Printer printer(id);
  if (invocation.options().flag("stats"))
    TRY(printer.usage(TRY(container::usage(context, id))));
  else
    TRY(container::follow_events(context, id, interval, printer));
  return 0;
}

}  // namespace davit::cli
