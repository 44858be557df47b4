// SPDX-License-Identifier: Apache-2.0
#include "cli/config_source.hpp"
#include "cli/handlers.hpp"
#include "cli/output_style.hpp"
#include "davit/explain/validate.hpp"

namespace davit::cli {

namespace {

constexpr int kHasErrors = 1;
constexpr int kHasWarnings = 2;

int status_of(const explain::Verdict& verdict, bool is_strict) {
  if (verdict.count(explain::Severity::error) > 0) return kHasErrors;
  return is_strict && verdict.count(explain::Severity::warning) > 0 ? kHasWarnings : 0;
}

}  // namespace

Result<int> command_validate(Invocation& invocation) {
  const Arguments& options = invocation.options();
  const container::Context& context = *TRY(invocation.context());
  const std::string argument = invocation.arguments().empty() ? "" : invocation.arguments().front();
  const ConfigSource source = TRY(find_config(invocation, argument));
  explain::Request request;
  request.call.id = source.id;
  request.call.bundle = source.bundle;
  request.manager = context.cgroup_manager;
  request.guesses_manager = !options.given("cgroup-manager") && !options.given("systemd-cgroup");
  const explain::Verdict verdict = explain::validate(source.text, source.name, request, options.flag("host"));
  TRY(print(options.flag("json") ? explain::json_of(verdict, source.text)
                                 : explain::text_of(verdict, source.text, output_style())));
  return status_of(verdict, options.flag("strict"));
}

}  // namespace davit::cli
