// SPDX-License-Identifier: Apache-2.0
#include "cli/config_source.hpp"
#include "cli/handlers.hpp"
#include "cli/output_style.hpp"
#include "davit/container/id.hpp"
#include "davit/explain/explain.hpp"
#include "davit/explain/render.hpp"
#include "davit/features/namespaces.hpp"
#include "davit/spec/reader.hpp"

namespace davit::cli {

namespace {

/// A config and what would become of it.
struct Explained {
  spec::Config config;
  explain::Request request;
  explain::Compiled compiled;
};

Result<Explained> explain_config(Invocation& invocation, const std::string& argument) {
  const Arguments& options = invocation.options();
  container::Context& context = *TRY(invocation.context());
  ConfigSource source = TRY(find_config(invocation, argument));
  TRY(container::check_id(source.id));
  Explained result;
  result.request.call.id = source.id;
  result.request.call.bundle = source.bundle;
  result.request.call.no_pivot = options.flag("no-pivot");
  result.request.call.no_new_keyring = options.flag("no-new-keyring");
  result.request.manager = context.cgroup_manager;
  result.request.guesses_manager = !options.given("cgroup-manager") && !options.given("systemd-cgroup");
  auto read = spec::read_config(std::move(source.text), source.name);
  if (read.ok()) {
    result.config = std::move(read.value);
    namespaces::map_caller(result.config);
    result.compiled = explain::compile(result.config, result.request);
    read.errors = result.compiled.errors;
  }
  if (!read.errors.empty()) {
    context.errors = read.errors;
    return context.errors.front();
  }
  result.compiled.notes.insert(result.compiled.notes.begin(), read.warnings.begin(), read.warnings.end());
  return result;
}

explain::Document document_of(const Explained& one) {
  return explain::explain(one.config, one.request, one.compiled);
}

Result<std::string> operations_of(const Explained& one, bool wants_json) {
  // What this host cannot even compile is the note that says why.
  if (!one.compiled.plan) return one.compiled.notes.back();
  return wants_json ? explain::operations_json(*one.compiled.plan)
                    : explain::operations_text(*one.compiled.plan);
}

}  // namespace

Result<int> command_explain(Invocation& invocation) {
  const std::vector<std::string>& arguments = invocation.arguments();
  const bool json = invocation.options().flag("json");
  const Explained first = TRY(explain_config(invocation, arguments.empty() ? "" : arguments.front()));
  if (arguments.size() > 1) {
    const explain::Document left = document_of(first);
    const explain::Document right = document_of(TRY(explain_config(invocation, arguments.back())));
    TRY(print(json ? explain::difference_json(left, right)
                   : explain::difference(left, right, output_style())));
    return 0;
  }
  if (invocation.options().flag("operations")) {
    TRY(print(TRY(operations_of(first, json))));
    return 0;
  }
  const explain::Document document = document_of(first);
  TRY(print(json ? explain::json_of(document) : explain::text_of(document, output_style())));
  return 0;
}

}  // namespace davit::cli
