// SPDX-License-Identifier: Apache-2.0
#include "davit/program/printer.hpp"

#include "davit/program/all.hpp"

namespace davit::program {
namespace {

/// One line about one operation; operands without a value are left out.
class Line {
 public:
  explicit Line(std::span<const std::byte> image) : image_(image) {}

  Line& word(std::string_view value) {
    if (!value.empty()) out_.append(" ").append(value);
    return *this;
  }
  Line& item(const char* key, std::string_view value) {
    if (!value.empty()) out_.append(" ").append(key).append("=").append(value);
    return *this;
  }
  Line& string(const char* key, Str value) {
    if (value.length == 0) return *this;
    out_.append(" ").append(key).append("=");
    quote(text(image_, value));
    return *this;
  }
  Line& number(const char* key, u64 value) { return item(key, std::to_string(value)); }
  Line& count(const char* key, u64 value) { return value != 0 ? number(key, value) : *this; }
  Line& flag(const char* key, bool is_set) { return is_set ? word(key) : *this; }
  Line& octal(const char* key, u32 value) {
    std::string digits;
    do digits.insert(digits.begin(), static_cast<char>('0' + value % 8));
    while ((value /= 8) != 0);
    return item(key, "0" + digits);
  }
  Line& slot(const char* key, Slot value) {
    return value == kNoSlot ? *this : item(key, "#" + std::to_string(static_cast<u32>(value)));
  }
  Line& target(const Target& value) {
    string("target", value.path);
    flag("file", value.kind == TargetKind::file);
    flag("ordinary", (value.flags & kTargetMustBeOrdinary) != 0);
    flag("must-exist", (value.flags & kTargetMustExist) != 0);
    flag("for-proc", (value.flags & kTargetForProc) != 0);
    flag("in-proc", (value.flags & kTargetInProc) != 0);
    return flag("no-follow", (value.flags & kTargetNoFollow) != 0);
  }
  Line& attributes(const std::string& prefix, const MountAttributes& value) {
    item((prefix + "set").c_str(), mount_attributes(value.set));
    item((prefix + "clear").c_str(), mount_attributes(value.clear));
    return item((prefix + "propagation").c_str(), mount_flags(value.propagation));
  }
  Line& strings(const char* key, List<Str> list) {
    if (list.count == 0) return *this;
    out_.append(" ").append(key).append("=[");
    for (u32 i = 0; i < list.count; ++i) {
      if (i > 0) out_ += ' ';
      quote(text(image_, at(list, i)));
    }
    out_ += ']';
    return *this;
  }
  template <typename T>
  T at(List<T> list, u32 index) const {
    T value{};
    const auto& header = *reinterpret_cast<const Header*>(image_.data());
    const std::size_t offset = header.data + list.offset + index * sizeof(T);
    if (offset + sizeof(T) <= image_.size()) __builtin_memcpy(&value, image_.data() + offset, sizeof value);
    return value;
  }
  [[nodiscard]] std::string_view view(Str value) const { return text(image_, value); }
  std::string take() { return std::move(out_); }

 private:
  /// A plain word stays as it is; anything that could be misread on a terminal is quoted and escaped.
  void quote(std::string_view value) {
    bool is_plain = !value.empty();
    for (const char c : value) is_plain = is_plain && c > ' ' && c < 127 && c != '"' && c != '\\';
    if (is_plain) {
      out_ += value;
      return;
    }
    out_ += '"';
    for (const char c : value) {
      const auto byte = static_cast<unsigned char>(c);
      if (c == '"' || c == '\\') {
        out_ += '\\';
        out_ += c;
      } else if (byte < ' ' || byte == 127) {
        constexpr char kDigits[] = "0123456789abcdef";
        out_.append("\\x").append(1, kDigits[byte / 16]).append(1, kDigits[byte % 16]);
      } else {
        out_ += c;
      }
    }
    out_ += '"';
  }

  std::span<const std::byte> image_;
  std::string out_;
};

// One overload per operation that has operands.
void operands(Line& /*line*/, const Operation& /*operation*/) {}
void operands(Line& line, const AwaitHost& o) {
  line.word(name(o.point)).slot("into", o.slot);
}
void operands(Line& line, const TellHost& o) {
  line.word(name(o.point)).slot("about", o.slot);
}
void operands(Line& line, const AttachCgroup& o) {
  line.string("host-path", o.host_path).slot("file", o.file);
}
void operands(Line& line, const JoinNamespaces& o) {
  for (u32 i = 0; i < o.namespaces.count; ++i) {
    const NamespaceRef reference = line.at(o.namespaces, i);
    line.slot(clone_flags(reference.type).c_str(), reference.slot);
  }
  line.flag("may-lack-privilege", o.may_lack_privilege != 0);
}
void operands(Line& line, const JoinProcess& o) {
  line.slot("pidfd", o.pidfd).item("types", clone_flags(o.types));
}
void operands(Line& line, const Unshare& o) {
  line.item("types", clone_flags(o.types));
}
void operands(Line& line, const BecomeNamespaceRoot& o) {
  line.count("uid", o.uid).count("gid", o.gid);
}
void operands(Line& line, const SetTimeOffsets& o) {
  line.string("offsets", o.text);
}
void operands(Line& line, const ForkInit& o) {
  line.item("types", clone_flags(o.types));
}
void operands(Line& line, const JoinKeyring& o) {
  line.string("name", o.name);
}
void operands(Line& line, const SetHostname& o) {
  line.string("name", o.name);
}
void operands(Line& line, const SetDomainname& o) {
  line.string("name", o.name);
}
void operands(Line& line, const SetPropagation& o) {
  line.item("flags", mount_flags(o.flags));
}
void operands(Line& line, const EnterPlace& o) {
  line.string("host-path", o.host_path);
}
void operands(Line& line, const OpenTree& o) {
  line.string(o.root == kNoSlot ? "host-path" : "path", o.path)
      .flag("recursive", o.recursive != 0)
      .flag("no-follow", o.no_follow != 0)
      .slot("below", o.root)
      .slot("into", o.tree);
}
void operands(Line& line, const AttachRoot& o) {
  line.slot("tree", o.tree).attributes("", o.attributes).attributes("recursive-", o.recursive_attributes);
}
void print_options(Line& line, List<FilesystemOption> options) {
  for (u32 i = 0; i < options.count; ++i) {
    const FilesystemOption option = line.at(options, i);
    const std::string key(line.view(option.key));
    if (option.is_flag != 0) line.word(key);
    if (option.is_flag != 0) continue;
    if (option.is_optional != 0)
      line.word(key + "=" + std::string(line.view(option.value)) + "?");
    else
      line.string(key.c_str(), option.value);
  }
}
void operands(Line& line, const MountFilesystem& o) {
  line.string("type", o.type).string("source", o.source).target(o.target).attributes("", o.attributes);
  print_options(line, o.options);
  line.flag("copy-up", (o.flags & kMountCopyUp) != 0)
      .flag("sysfs-fallback", (o.flags & kMountSysfsFallback) != 0);
  line.slot("into", o.mount);
}
void operands(Line& line, const MountTree& o) {
  line.slot("tree", o.tree).target(o.target);
  line.attributes("", o.attributes).attributes("recursive-", o.recursive_attributes);
  line.attributes("replaced-", {0, o.replaced, 0});
}
void operands(Line& line, const Remount& o) {
  line.target(o.target).attributes("", o.attributes).attributes("recursive-", o.recursive_attributes);
  print_options(line, o.options);
}
void operands(Line& line, const MakeDevice& o) {
  constexpr u32 kTypeMask = 0170000;
  constexpr u32 kCharacter = 0020000;
  constexpr u32 kBlock = 0060000;
  const u32 type = o.mode & kTypeMask;
  line.string("path", o.path).word(type == kCharacter ? "c" : type == kBlock ? "b" : "p");
  line.word(std::to_string(o.major) + ":" + std::to_string(o.minor)).octal("mode", o.mode & 07777);
  line.number("uid", o.uid)
      .number("gid", o.gid)
      .flag("bind", o.bind != 0)
      .flag("cover-file", o.cover_file != 0);
  line.string("host-path", o.host_path);
}
void operands(Line& line, const MakeSymlink& o) {
  line.string("path", o.path).string("content", o.content);
  line.flag("keep-existing", o.keep_existing != 0).flag("replace", o.replace != 0);
}
void operands(Line& line, const MakeDirectory& o) {
  line.string("path", o.path).octal("mode", o.mode);
}
void operands(Line& line, const MaskPath& o) {
  line.string("path", o.path);
}
void operands(Line& line, const ProtectPath& o) {
  line.string("path", o.path);
}
void operands(Line& line, const SealRoot& o) {
  line.attributes("", o.attributes).flag("recursive-propagation", o.recursive_propagation != 0);
  line.flag("recursive", o.recursive != 0);
}
void operands(Line& line, const PivotRoot& o) {
  line.slot("root", o.root);
}
void operands(Line& line, const ChangeRoot& o) {
  line.slot("root", o.root);
}
void operands(Line& line, const EnterRoot& o) {
  line.slot("directory", o.directory);
}
void operands(Line& line, const DetachMount& o) {
  line.string("path", o.path);
}
void operands(Line& line, const OpenConsole& o) {
  line.count("rows", o.rows)
      .count("columns", o.columns)
      .number("uid", o.uid)
      .flag("bind", o.bind_console != 0)
      .flag("clear-onlcr", o.clear_onlcr != 0);
}
void operands(Line& line, const OwnStdio& o) {
  line.number("uid", o.uid);
}
void operands(Line& line, const OpenProc& o) {
  line.slot("into", o.proc).flag("processes-only", o.processes_only != 0);
}
void operands(Line& line, const WriteSysctl& o) {
  line.string("path", o.path).string("value", o.value);
}
void operands(Line& line, const WriteLabel& o) {
  line.string("attribute", o.attribute).string("fallback", o.fallback).string("value", o.value);
}
void operands(Line& line, const SetScheduler& o) {
  line.number("policy", o.policy).item("nice", std::to_string(o.nice)).count("priority", o.priority);
  line.count("flags", o.flags)
      .count("runtime", o.runtime)
      .count("deadline", o.deadline)
      .count("period", o.period);
}
void operands(Line& line, const SetIoPriority& o) {
  constexpr u32 kClassShift = 13;
  line.number("class", o.value >> kClassShift).number("data", o.value & ((1U << kClassShift) - 1));
}
void operands(Line& line, const SetMemoryPolicy& o) {
  line.number("mode", o.mode).number("max-node", o.max_node);
}
void operands(Line& line, const SetAffinity& o) {
  line.flag("all", o.mask.count == 0);
  for (u32 i = 0; i < o.mask.count; ++i) line.number("mask", line.at(o.mask, i));
}
void operands(Line& line, const SetPersonality& o) {
  line.number("persona", o.persona);
}
void operands(Line& line, const SetLimit& o) {
  line.number("resource", o.resource).number("soft", o.soft).number("hard", o.hard);
}
void operands(Line& line, const SetUmask& o) {
  line.octal("mask", o.mask);
}
void operands(Line& line, const DropBounding& o) {
  line.item("keep", o.keep == 0 ? "none" : capabilities(o.keep));
}
void operands(Line& line, const BecomeUser& o) {
  line.number("uid", o.uid).number("gid", o.gid);
  for (u32 i = 0; i < o.groups.count; ++i) line.number("group", line.at(o.groups, i));
  line.flag("keep-groups", o.keep_groups != 0);
}
void operands(Line& line, const SetCapabilities& o) {
  line.item("effective", capabilities(o.effective)).item("permitted", capabilities(o.permitted));
  line.item("inheritable", capabilities(o.inheritable)).item("ambient", capabilities(o.ambient));
  if (o.held != 0) line.item("held", capabilities(o.held));
}
void operands(Line& line, const LoadSeccomp& o) {
  line.count("flags", o.flags).slot("filter", o.filter);
}
void operands(Line& line, const ChangeDirectory& o) {
  line.string("path", o.path).flag("retry", o.is_retry != 0).flag("make-missing", o.make_missing != 0);
}
void operands(Line& line, const SetHome& o) {
  line.number("uid", o.uid);
}
void operands(Line& line, const RunHook& o) {
  line.string("path", o.path).strings("arguments", o.arguments).count("timeout", o.timeout_seconds);
  line.flag("filtered", o.is_filtered != 0);
}
void operands(Line& line, const FindProgram& o) {
  line.string("name", o.name).string("search-path", o.search_path);
}
void operands(Line& line, const WaitStart& o) {
  line.slot("listener", o.listener);
}
void operands(Line& line, const CloseDescriptors& o) {
  line.number("first", o.first);
}
// The environment stays out: it is where secrets are.
void operands(Line& line, const Execute& o) {
  line.strings("arguments", o.arguments).number("variables", o.environment.count);
}

using Print = void (*)(Line&, const Operation&);

template <typename T>
void print_as(Line& line, const Operation& operation) {
  operands(line, static_cast<const T&>(operation));
}

template <typename... Types>
Print printer_of(Op op, TypeList<Types...> /*types*/) {
  Print found = nullptr;
  ((Types::kOp == op ? void(found = &print_as<Types>) : void()), ...);
  return found;
}

}  // namespace

std::string_view text(std::span<const std::byte> image, Str str) {
  const auto& header = *reinterpret_cast<const Header*>(image.data());
  const std::size_t begin = std::size_t{header.data} + str.offset;
  if (begin + str.length > image.size()) return {};
  return {reinterpret_cast<const char*>(image.data()) + begin, str.length};
}

const Operation* find_operation(std::span<const std::byte> image, u32 index) {
  const Operation* found = nullptr;
  for_each_operation(image, [&](const Operation& operation) {
    if (operation.index == index) found = &operation;
  });
  return found;
}

std::string print_operation(std::span<const std::byte> image, const Operation& operation) {
  Line line(image);
  if (const Print print_it = printer_of(operation.op, AllOperations{})) print_it(line, operation);
  return name(operation.op) + line.take();
}

std::string print(const Program& program) {
  std::string out;
  for_each_operation(program.image, [&](const Operation& operation) {
    const std::string number = std::to_string(operation.index);
    out.append(number.size() < 3 ? 3 - number.size() : 0, ' ').append(number).append("  ");
    out.append(print_operation(program.image, operation)).append("\n");
  });
  return out;
}

}  // namespace davit::program
