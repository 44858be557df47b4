// SPDX-License-Identifier: Apache-2.0
// Operations in words: a sentence for each of those that init knows.
#include <linux/mount.h>
#include <linux/sched.h>
#include <sys/mount.h>

#include "davit/program/all.hpp"
#include "davit/program/printer.hpp"
#include "explain/sections.hpp"
#include "explain/words.hpp"

namespace davit::explain {
namespace {

using program::Slot;

/// One operation with the program around it.
struct Reader {
  const program::Program& program;
  const Slots& slots;

  [[nodiscard]] std::string text(program::Str value) const {
    return std::string(program::text(program.image, value));
  }
  template <typename T>
  [[nodiscard]] T at(program::List<T> list, std::uint32_t index) const {
    T value{};
    const auto& header = *reinterpret_cast<const program::Header*>(program.image.data());
    const std::size_t offset = std::size_t{header.data} + list.offset + std::size_t{index} * sizeof(T);
    if (offset + sizeof(T) <= program.image.size())
      __builtin_memcpy(&value, program.image.data() + offset, sizeof value);
    return value;
  }
  [[nodiscard]] std::string mount(Slot slot) const {
    const auto found = slots.mounts.find(slot);
    return found == slots.mounts.end() ? "/" : found->second;
  }
  [[nodiscard]] std::string source(Slot slot) const {
    const auto found = slots.sources.find(slot);
    return found == slots.sources.end() ? "what was opened before" : found->second;
  }
};

void add(std::vector<std::string>& words, std::string word) {
  if (!word.empty()) words.push_back(std::move(word));
}

std::string replace_commas(std::string text) {
  for (std::size_t at = text.find(','); at != std::string::npos; at = text.find(',', at + 2))
    text.insert(at + 1, " ");
  return text;
}

void add_attributes(std::vector<std::string>& words, const program::MountAttributes& attributes,
                    const char* reach) {
  const auto with_reach = [&](const std::string& text) { return text.empty() ? text : text + reach; };
  add(words, with_reach(replace_commas(program::mount_attributes(attributes.set))));
  if (attributes.clear != 0)
    add(words, with_reach("without " + replace_commas(program::mount_attributes(attributes.clear))));
  add(words, with_reach(program::mount_flags(attributes.propagation)));
}

std::string attributes_text(const program::MountAttributes& own, const program::MountAttributes& recursive) {
  std::vector<std::string> words;
  add_attributes(words, own, "");
  add_attributes(words, recursive, " (and all below)");
  return joined(words);
}

std::string after_colon(const std::string& text, const std::string& rest) {
  return rest.empty() ? text : text + ": " + rest;
}

Sentence say(const Reader& reader, const program::MountFilesystem& o) {
  std::vector<std::string> words;
  add_attributes(words, o.attributes, "");
  for (std::uint32_t i = 0; i < o.options.count; ++i) {
    const program::FilesystemOption option = reader.at(o.options, i);
    add(words, reader.text(option.key) + (option.is_flag != 0 ? "" : "=" + reader.text(option.value)));
  }
  if ((o.flags & program::kMountCopyUp) != 0) add(words, "with a copy of what the image has there");
  return {reader.text(o.target.path), after_colon("a new " + reader.text(o.type), joined(words))};
}

Sentence say(const Reader& reader, const program::MountTree& o) {
  return {reader.text(o.target.path), after_colon("bind of " + reader.source(o.tree),
                                                  attributes_text(o.attributes, o.recursive_attributes))};
}

Sentence say(const Reader& reader, const program::Remount& o) {
  std::string text = attributes_text(o.attributes, o.recursive_attributes);
  if (o.options.count > 0) text += (text.empty() ? "" : ", ") + counted(o.options.count, "filesystem option");
  return {reader.text(o.target.path), after_colon("is changed", text)};
}

Sentence say(const Reader& reader, const program::AttachRoot& o) {
  return {"/", after_colon("bind of " + reader.source(o.tree),
                           attributes_text(o.attributes, o.recursive_attributes))};
}

Sentence say(const Reader& reader, const program::OpenTree& o) {
  const std::string path = reader.text(o.path);
  return {path, path.empty() ? "the root is opened" : "is opened to be bound"};
}

Sentence say(const Reader& reader, const program::SealRoot& o) {
  std::vector<std::string> words;
  const bool is_private = o.attributes.propagation == MS_PRIVATE;
  if ((o.attributes.set & MOUNT_ATTR_RDONLY) != 0) words.emplace_back("becomes read-only");
  if (is_private) words.emplace_back("hears of no more mounts of the host");
  if (o.attributes.propagation != 0 && !is_private)
    words.push_back("becomes " + program::mount_flags(o.attributes.propagation));
  const bool is_whole = o.recursive != 0 || o.recursive_propagation != 0;
  return {reader.mount(o.root), joined(words, " and ") + (is_whole ? ", with all below" : "")};
}

Sentence say(const Reader& reader, const program::MakeDevice& o) {
  constexpr std::uint32_t kTypeMask = 0170000;
  constexpr std::uint32_t kCharacter = 0020000;
  constexpr std::uint32_t kBlock = 0060000;
  const std::uint32_t type = o.mode & kTypeMask;
  std::string text;
  if (type == kCharacter || type == kBlock) {
    text =
        (type == kBlock ? "block " : "character ") + std::to_string(o.major) + ":" + std::to_string(o.minor);
    if (o.bind != 0) text += ", the host's own node";
  } else {
    text = "a fifo";
  }
  text += ", mode " + octal(o.mode & 07777);
  if (o.uid != 0 || o.gid != 0) text += ", owner " + std::to_string(o.uid) + ":" + std::to_string(o.gid);
  return {reader.text(o.path), text};
}

Sentence say(const Reader& reader, const program::MakeSymlink& o) {
  return {reader.text(o.path),
          "link to " + reader.text(o.content) + (o.keep_existing != 0 ? ", where the image has none" : "")};
}

Sentence say(const Reader& reader, const program::MakeDirectory& o) {
  return {reader.text(o.path), "a directory, mode " + octal(o.mode)};
}
Sentence say(const Reader& reader, const program::MaskPath& o) {
  return {reader.text(o.path), "hidden"};
}
Sentence say(const Reader& reader, const program::ProtectPath& o) {
  return {reader.text(o.path), "read-only"};
}
Sentence say(const Reader&, const program::PivotRoot&) {
  return {"/", "becomes the root, and the host's tree is gone"};
}
Sentence say(const Reader&, const program::ChangeRoot&) {
  return {"/", "is moved over the host's root and entered (no pivot_root)"};
}
Sentence say(const Reader&, const program::EnterRoot&) {
  return {"/", "is entered by chroot"};
}
Sentence say(const Reader& reader, const program::DetachMount& o) {
  return {reader.text(o.path), "is unmounted"};
}
Sentence say(const Reader&, const program::SetPropagation& o) {
  const bool is_slave = (o.flags & MS_SLAVE) != 0;
  return {"/", is_slave ? "mounts made here do not reach the host"
                        : "propagation: " + program::mount_flags(o.flags)};
}
Sentence say(const Reader& reader, const program::EnterPlace& o) {
  return {reader.text(o.host_path), "is where the container's tree will hang"};
}

Sentence say(const Reader& reader, const program::AttachCgroup& o) {
  return {reader.text(o.host_path), "init moves itself into this cgroup"};
}
Sentence say(const Reader& reader, const program::JoinNamespaces& o) {
  std::vector<std::string> types;
  for (std::uint32_t i = 0; i < o.namespaces.count; ++i)
    types.push_back(program::clone_flags(reader.at(o.namespaces, i).type));
  return {"join", joined(types)};
}
Sentence say(const Reader&, const program::JoinProcess& o) {
  return {"join", replace_commas(program::clone_flags(o.types)) + " of the container's init"};
}
Sentence say(const Reader&, const program::Unshare& o) {
  return {"new", replace_commas(program::clone_flags(o.types))};
}
Sentence say(const Reader&, const program::BecomeNamespaceRoot& o) {
  return {"user",
          "init acts as " + std::to_string(o.uid) + ":" + std::to_string(o.gid) + " of the user namespace"};
}
Sentence say(const Reader& reader, const program::SetTimeOffsets& o) {
  std::string text = reader.text(o.text);
  while (!text.empty() && text.back() == '\n') text.pop_back();
  for (std::size_t at = text.find('\n'); at != std::string::npos; at = text.find('\n', at))
    text.replace(at, 1, "; ");
  return {"time", "clocks are moved: " + text};
}
Sentence say(const Reader&, const program::ForkInit& o) {
  const std::string types = replace_commas(program::clone_flags(o.types));
  return {"init", types.empty() ? "is forked" : "is forked into new namespaces: " + types};
}
Sentence say(const Reader&, const program::NewSession&) {
  return {"session", "a new one, without a terminal"};
}
Sentence say(const Reader& reader, const program::JoinKeyring& o) {
  return {"keyring", "a session keyring of its own, called " + reader.text(o.name)};
}
Sentence say(const Reader&, const program::LoopbackUp&) {
  return {"lo", "is brought up"};
}
Sentence say(const Reader& reader, const program::SetHostname& o) {
  return {"hostname", reader.text(o.name)};
}
Sentence say(const Reader& reader, const program::SetDomainname& o) {
  return {"domainname", reader.text(o.name)};
}

Sentence say(const Reader&, const program::AwaitHost& o) {
  return {program::name(o.point), "init waits for davit"};
}
Sentence say(const Reader&, const program::TellHost& o) {
  return {program::name(o.point), "init tells davit that it is there"};
}
Sentence say(const Reader&, const program::WaitStart&) {
  return {"start", "is waited for"};
}

Sentence say(const Reader&, const program::OpenConsole& o) {
  std::string text = "a new pty in the container's devpts is stdin, stdout and stderr";
  if (o.bind_console != 0) text += ", and /dev/console";
  if (o.rows != 0) text += "; " + std::to_string(o.columns) + " by " + std::to_string(o.rows) + " characters";
  return {"terminal", text};
}
Sentence say(const Reader&, const program::TakeTerminal&) {
  return {"terminal", "controls the session"};
}
Sentence say(const Reader&, const program::OwnStdio&) {
  return {"stdio", "the caller's, handed to the user"};
}
Sentence say(const Reader&, const program::OpenProc&) {
  return {"proc", "a procfs that nothing in the container can redirect is opened"};
}
Sentence say(const Reader& reader, const program::WriteSysctl& o) {
  std::string path = reader.text(o.path);
  if (path.starts_with("sys/")) path.erase(0, 4);
  for (char& character : path)
    if (character == '/') character = '.';
  return {path, "= " + reader.text(o.value)};
}
Sentence say(const Reader& reader, const program::WriteLabel& o) {
  const bool is_apparmor = reader.text(o.attribute).starts_with("apparmor");
  std::string value = reader.text(o.value);
  if (is_apparmor && value.starts_with("exec ")) value.erase(0, 5);
  return {is_apparmor ? "AppArmor" : "SELinux", (is_apparmor ? "profile " : "label ") + value};
}
Sentence say(const Reader&, const program::SetScheduler& o) {
  constexpr const char* kPolicies[] = {"SCHED_OTHER", "SCHED_FIFO", "SCHED_RR",      "SCHED_BATCH",
                                       "SCHED_ISO",   "SCHED_IDLE", "SCHED_DEADLINE"};
  std::string text = o.policy < std::size(kPolicies) ? kPolicies[o.policy] : std::to_string(o.policy);
  text += ", nice " + std::to_string(o.nice);
  if (o.priority != 0) text += ", priority " + std::to_string(o.priority);
  if (o.period != 0)
    text += ", " + std::to_string(o.runtime) + " ns in each " + std::to_string(o.period) + " ns";
  return {"scheduler", text};
}
Sentence say(const Reader&, const program::SetIoPriority& o) {
  constexpr const char* kClasses[] = {"none", "realtime", "best effort", "idle"};
  constexpr unsigned kShift = 13;
  const std::uint32_t io_class = o.value >> kShift;
  return {"I/O priority", std::string(io_class < std::size(kClasses) ? kClasses[io_class] : "?") + ", " +
                              std::to_string(o.value & ((1U << kShift) - 1))};
}
Sentence say(const Reader&, const program::SetMemoryPolicy& o) {
  return {"NUMA policy", "mode " + std::to_string(o.mode)};
}
Sentence say(const Reader&, const program::SetAffinity& o) {
  return {"CPUs", o.mask.count == 0 ? "all that the cgroup has" : "a chosen set"};
}
Sentence say(const Reader&, const program::SetPersonality& o) {
  return {"personality", o.persona == 8 ? "32 bit (uname says so)" : std::to_string(o.persona)};
}
Sentence say(const Reader&, const program::SetLimit& o) {
  return {"limit " + std::to_string(o.resource),
          std::to_string(o.soft) + ", at most " + std::to_string(o.hard)};
}

Sentence say(const Reader&, const program::SetUmask& o) {
  return {"umask", octal(o.mask)};
}
Sentence say(const Reader&, const program::DropBounding& o) {
  return {"bounding", o.keep == 0 ? "no capability at all" : replace_commas(program::capabilities(o.keep))};
}
Sentence say(const Reader& reader, const program::BecomeUser& o) {
  std::string text = "uid " + std::to_string(o.uid) + ", gid " + std::to_string(o.gid);
  std::vector<std::string> groups;
  for (std::uint32_t i = 0; i < o.groups.count; ++i) groups.push_back(std::to_string(reader.at(o.groups, i)));
  if (o.keep_groups != 0)
    text += ", with the caller's other groups";
  else if (!groups.empty())
    text += ", groups " + joined(groups);
  return {"user", text};
}
Sentence say(const Reader&, const program::SetCapabilities& o) {
  const auto list = [](std::uint64_t mask) {
    return mask == 0 ? std::string("none") : replace_commas(program::capabilities(mask));
  };
  std::string text = list(o.effective);
  if (o.permitted != o.effective) text += "; permitted: " + list(o.permitted);
  if (o.inheritable != 0) text += "; inheritable: " + list(o.inheritable);
  if (o.ambient != 0) text += "; ambient: " + list(o.ambient);
  return {"capabilities", text};
}
Sentence say(const Reader&, const program::ReleaseCapabilities&) {
  return {"capabilities", "what loading the filter took is given up"};
}
Sentence say(const Reader&, const program::NoNewPrivileges&) {
  return {"no_new_privs", "set: no program it executes gains privileges"};
}
Sentence say(const Reader&, const program::LoadSeccomp&) {
  return {"seccomp", "the filter is loaded"};
}
Sentence say(const Reader& reader, const program::ChangeDirectory& o) {
  std::string text = reader.text(o.path);
  if (o.make_missing != 0) text += ", made if it is missing";
  return {"directory", text};
}
Sentence say(const Reader&, const program::CheckDirectory&) {
  return {"directory", "is checked to lie inside of the container"};
}
Sentence say(const Reader&, const program::SetHome& o) {
  return {"HOME", "that of uid " + std::to_string(o.uid) + " in the container's /etc/passwd"};
}
Sentence say(const Reader& reader, const program::RunHook& o) {
  return {reader.text(o.path), "is run as a hook"};
}
Sentence say(const Reader& reader, const program::FindProgram& o) {
  const std::string name = reader.text(o.name);
  if (name.find('/') != std::string::npos) return {"program", name};
  return {"program",
          name + ", looked for in " + (o.has_path != 0 ? reader.text(o.search_path) : "the default PATH")};
}
Sentence say(const Reader&, const program::CloseDescriptors& o) {
  return {"descriptors", "from " + std::to_string(o.first) + " on are closed"};
}
Sentence say(const Reader& reader, const program::Execute& o) {
  std::vector<std::string> words;
  for (std::uint32_t i = 0; i < o.arguments.count; ++i)
    words.push_back(reader.text(reader.at(o.arguments, i)));
  return {"execute", command_line(words)};
}

using Say = Sentence (*)(const Reader&, const program::Operation&);

template <typename T>
Sentence say_as(const Reader& reader, const program::Operation& operation) {
  return say(reader, static_cast<const T&>(operation));
}

template <typename... Types>
Say speaker_of(program::Op op, program::TypeList<Types...> /*types*/) {
  Say found = nullptr;
  ((Types::kOp == op ? void(found = &say_as<Types>) : void()), ...);
  return found;
}

}  // namespace

Slots slots_of(const plan::Plan& plan) {
  Slots slots;
  for (const features::HostRequest& request : plan.requests) {
    if (request.kind != features::RequestKind::tree) continue;
    slots.sources[request.slot] = request.path + (request.idmap.wanted ? " (ids shifted)" : "");
  }
  std::string place;
  program::for_each_operation(plan.program.image, [&](const program::Operation& operation) {
    if (operation.op == program::Op::enter_place)
      place = program::text(plan.program.image, static_cast<const program::EnterPlace&>(operation).host_path);
    if (operation.op == program::Op::mount_filesystem) {
      const auto& mount = static_cast<const program::MountFilesystem&>(operation);
      if (mount.mount != program::kNoSlot)
        slots.mounts[mount.mount] = program::text(plan.program.image, mount.target.path);
    }
    if (operation.op != program::Op::open_tree) return;
    const auto& open = static_cast<const program::OpenTree&>(operation);
    const std::string path(program::text(plan.program.image, open.path));
    const bool is_inside = open.root != program::kNoSlot;
    slots.sources[open.tree] = path.empty() ? place : path + (is_inside ? " of the container" : "");
  });
  return slots;
}

Sentence sentence_of(const program::Program& program, const program::Operation& operation,
                     const Slots& slots) {
  const Reader reader{program, slots};
  const Say speaker = speaker_of(operation.op, program::AllOperations{});
  return speaker == nullptr ? Sentence{program::name(operation.op), ""} : speaker(reader, operation);
}

Line line_of(const plan::Plan& plan, const program::Operation& operation, const Slots& slots) {
  Sentence sentence = sentence_of(plan.program, operation, slots);
  Line line;
  line.label = std::move(sentence.label);
  line.text = std::move(sentence.text);
  const features::Place& place = plan.places[plan.program.origins[operation.index]];
  line.mark = mark_of(place.position, place.below);
  return line;
}

}  // namespace davit::explain
