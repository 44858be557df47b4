// SPDX-License-Identifier: Apache-2.0
#include <sys/auxv.h>

#include "container/make.hpp"
#include "container/neighbours.hpp"
#include "container/notify.hpp"
#include "container/open.hpp"
#include "container/paths.hpp"
#include "container/poststop.hpp"
#include "davit/base/story.hpp"
#include "davit/container/id.hpp"
#include "davit/container/time.hpp"
#include "davit/features/namespaces.hpp"
#include "davit/features/terminal.hpp"
#include "davit/sys/process.hpp"

namespace davit::container {

namespace {

constexpr int kMaximumNames = 1000;
constexpr int kDeathTimeout = 10'000;  // milliseconds

class EntryRecorder : public launch::Recorder {
 public:
  EntryRecorder(const Entry& entry, Record& record) : entry_(entry), record_(record) {}

  Result<void> creating(const cgroup::Place& place, const resctrl::Group& group) override {
    record_.cgroup = place;
    record_.resctrl_group = group;
    return entry_.write(record_);
  }
  Result<void> created(pid_t pid, sys::FdRef pidfd) override {
    record_.init = TRY(identify(pid, pidfd, entry_.directory()));
    return entry_.write(record_);
  }
  sys::FdRef directory() override { return entry_.directory(); }

 private:
  const Entry& entry_;
  Record& record_;
};

Result<Entry> reserve(Context& context, CreateCall& call) {
  if (!call.id.empty()) return context.store.reserve(call.id);
  const std::string name = id_from_path(call.id_hint);
  for (int number = 1; number < kMaximumNames; ++number) {
    call.id = number == 1 ? name : name + "-" + std::to_string(number);
    auto entry = context.store.reserve(call.id);
    if (entry.ok()) context.made_up_id = call.id;
    if (entry.ok() || entry.error().code != Code::already_exists) return entry;
  }
  return make_error(Code::already_exists, "too many containers are called " + name);
}

// The last resort when a container is complete, but cannot be handed over.
void take_back(Context& context, const Record& record, const Bundle& bundle,
               const launch::Launched& launched) {
  (void)sys::send_signal(launched.pidfd, 9);
  (void)sys::wait_end(launched.pidfd, kDeathTimeout);
  (void)cgroup::remove(record.cgroup, context.warnings);
  const auto removed = resctrl::remove(resctrl::host_tree(), record.resctrl_group);
  if (!removed.ok()) context.warnings.push_back(removed.error());
  run_poststop_hooks(context, record, bundle.config);
}

Result<Bundle> load_bundle_told(Context& context, const CreateCall& call) {
  const story::Span span(story::Actor::davit, "read the config", call.bundle);
  return load_bundle(context, call);
}

}  // namespace

Record first_record(const std::string& id, const Bundle& bundle) {
  Record record;
  record.id = id;
  record.bundle = bundle.path;
  record.rootfs = below(bundle.path, bundle.config.root.path);
  record.created = utc_now(Precision::nanoseconds);
  record.owner = static_cast<uid_t>(::getauxval(AT_UID));
  record.annotations = bundle.config.annotations;
  const spec::Namespace* pid = bundle.config.linux.find_namespace(spec::NamespaceType::pid);
  record.own_pid_namespace = pid != nullptr && pid->path.empty();
  record.poststop_hooks = !bundle.config.hooks.poststop.empty();
  record.starts_plainly = bundle.config.process && bundle.config.hooks.poststart.empty();
  return record;
}

Result<Made> make_container(Context& context, CreateCall call, bool stays, bool by_socket) {
  if (!call.id.empty()) TRY(check_id(call.id));
  const std::vector<std::string> variables = TRY(preserve_descriptors(call.options));
  Bundle bundle = TRY(load_bundle_told(context, call));
  spec::Process* process = bundle.config.process ? &*bundle.config.process : nullptr;
  if (process != nullptr) {
    TRY(terminal::check(*process, !stays, !call.options.console_socket.empty()));
    process->env.insert(process->env.end(), variables.begin(), variables.end());
  }
  if (!by_socket) TRY(check_process(bundle.config));
  call.options.foreground = stays;
  if (stays && process != nullptr) copy_terminal_size(*process);

  Entry entry = TRY(reserve(context, call));
  Undo undo;
  undo.push([&entry] { (void)entry.discard(); });
  Record record = first_record(call.id, bundle);
  record.no_pivot = call.options.no_pivot;
  record.descriptors = descriptor_names(call.options, process != nullptr && process->terminal);
  TRY(entry.write_config(bundle.text));
  if (Notify::from_environment())
    TRY(Notify::prepare(entry, context.store.root() + "/" + call.id, bundle.config));
  TRY(warn_neighbours(context.store, bundle.config));
  EntryRecorder recorder(entry, record);
  const launch::CreateRequest request{bundle.config,    call.id,      bundle.path, context.cgroup_manager,
                                      context.patience, call.options, by_socket};
  launch::Launched launched = TRY(launch::create(request, recorder));
  Undo complete;  // goes before `launched` does
  complete.push([&] { take_back(context, record, bundle, launched); });
  context.warnings.insert(context.warnings.end(), launched.warnings.begin(), launched.warnings.end());
  if (!call.pid_file.empty()) TRY(write_pid_file(call.pid_file, launched.pid));
  complete.commit();
  undo.commit();
  entry.unlock();
  return Made{std::move(entry), std::move(record), std::move(bundle), std::move(launched)};
}

Result<void> create(Context& context, CreateCall call) {
  TRY(make_container(context, std::move(call), false, true));
  return {};
}

}  // namespace davit::container
