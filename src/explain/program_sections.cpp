// SPDX-License-Identifier: Apache-2.0
// The sections that are read off the program: what init does, in its order.
#include <algorithm>
#include <array>
#include <unordered_map>

#include "davit/explain/render.hpp"
#include "davit/program/all.hpp"
#include "davit/program/printer.hpp"
#include "explain/sections.hpp"
#include "explain/words.hpp"

namespace davit::explain {
namespace {

using program::Op;

/// The lines of those operations that `wanted` picks, in their order.
template <typename Wanted>
std::vector<Line> lines_of(const Subject& subject, Wanted&& wanted) {
  std::vector<Line> lines;
  if (!subject.compiled.plan) return lines;
  const plan::Plan& plan = *subject.compiled.plan;
  const Slots slots = slots_of(plan);
  program::for_each_operation(plan.program.image, [&](const program::Operation& operation) {
    if (wanted(operation)) lines.push_back(line_of(plan, operation, slots));
  });
  return lines;
}

template <std::size_t N>
std::vector<Line> lines_of(const Subject& subject, const std::array<Op, N>& kinds) {
  return lines_of(subject, [&](const program::Operation& operation) {
    return std::find(kinds.begin(), kinds.end(), operation.op) != kinds.end();
  });
}

/// A place in the tree, what happens there, and what is mounted below.
struct Node {
  std::string path;
  std::vector<Line> lines;
  std::vector<std::size_t> children;  ///< of the tree's nodes
};

/// What is mounted where. What was mounted below a place before is hidden by what comes there, and still
/// stands where it was.
class Tree {
 public:
  void add(Line line) {
    Node& node = nodes_[index_of(line.label)];
    node.lines.push_back(std::move(line));
  }
  /// As lines, each place below what it is mounted in.
  [[nodiscard]] std::vector<Line> lines() const {
    std::vector<Line> lines;
    flatten(nodes_[0], "", 0, lines);
    return lines;
  }

 private:
  std::size_t index_of(const std::string& path) {
    if (const auto known = places_.find(path); known != places_.end()) return known->second;
    std::string around = path;
    while (places_.count(around) == 0) {
      const std::size_t slash = around.rfind('/');
      around = slash == 0 || slash == std::string::npos ? "/" : around.substr(0, slash);
    }
    const std::size_t made = nodes_.size();
    nodes_.push_back({path, {}, {}});
    nodes_[places_[around]].children.push_back(made);
    places_[path] = made;
    return made;
  }
  void flatten(const Node& node, const std::string& parent, unsigned depth, std::vector<Line>& lines) const {
    bool is_first = true;
    for (Line line : node.lines) {
      line.depth = depth;
      line.label = !is_first        ? std::string()
                   : parent == "/"  ? node.path
                   : parent.empty() ? node.path
                                    : node.path.substr(parent.size());
      if (!is_first) line.text = "then " + line.text;
      lines.push_back(std::move(line));
      is_first = false;
    }
    for (const std::size_t child : node.children) flatten(nodes_[child], node.path, depth + 1, lines);
  }

  std::vector<Node> nodes_{{"/", {}, {}}};
  std::unordered_map<std::string, std::size_t> places_{{"/", 0}};
};

bool is_in_dev(const program::Operation& operation, const plan::Plan& plan) {
  if (operation.op != Op::make_symlink) return false;
  const auto& link = static_cast<const program::MakeSymlink&>(operation);
  return program::text(plan.program.image, link.path).starts_with("/dev/");
}

}  // namespace

Section mounts_section(const Subject& subject) {
  constexpr auto kKinds =
      std::to_array<Op>({Op::attach_root, Op::mount_filesystem, Op::mount_tree, Op::remount,
                         Op::make_directory, Op::seal_root, Op::change_root});
  Section section{"mounts", "Root and mounts", {}};
  Tree tree;
  for (Line& line : lines_of(subject, [&](const program::Operation& operation) {
         if (operation.op == Op::make_symlink) return !is_in_dev(operation, *subject.compiled.plan);
         return std::find(kKinds.begin(), kKinds.end(), operation.op) != kKinds.end();
       }))
    tree.add(std::move(line));
  section.lines = tree.lines();
  return section;
}

Section masks_section(const Subject& subject) {
  constexpr auto kKinds = std::to_array<Op>({Op::mask_path, Op::protect_path});
  Section section{"masks", "Masked and read-only paths", lines_of(subject, kKinds)};
  if (section.lines.empty())
    section.lines.push_back(
        {"", "none: all of the kernel's files in /proc and /sys can be reached", {}, Tone::notable});
  return section;
}

Section settings_section(const Subject& subject) {
  constexpr auto kKinds = std::to_array<Op>({Op::set_hostname, Op::set_domainname, Op::write_sysctl});
  return {"settings", "Names and kernel parameters", lines_of(subject, kKinds)};
}

Section identity_section(const Subject& subject) {
  constexpr auto kKinds =
      std::to_array<Op>({Op::set_umask, Op::drop_bounding, Op::become_user, Op::set_capabilities,
                         Op::no_new_privileges, Op::write_label, Op::set_home, Op::set_personality});
  Section section{"identity", "Identity", lines_of(subject, kKinds)};
  const Line* bounding = nullptr;
  for (Line& line : section.lines) {
    if (line.label == "bounding") bounding = &line;
    if (line.label == "capabilities" && bounding != nullptr && bounding->text == line.text)
      line.text = "effective and permitted: the same";
  }
  if (subject.config.process && !subject.config.process->no_new_privileges)
    section.lines.push_back({"no_new_privs", "not set: setuid programs and file capabilities work",
                             mark_of(subject.config.process->position), Tone::plain});
  return section;
}

Section program_section(const Subject& subject) {
  Section section{"program", "Program", {}};
  if (!subject.config.process) {
    section.lines.push_back({"", "none: the config has no process, and start will refuse"});
    return section;
  }
  const spec::Process& process = *subject.config.process;
  const auto add = [&](const char* label, std::string text, const char* below) {
    section.lines.push_back({label, std::move(text), mark_of(process.position, below)});
  };
  add("execute", command_line(process.args), "args");
  add("directory", process.cwd, "cwd");
  std::vector<std::string> names;
  for (const std::string& entry : process.env) names.push_back(entry.substr(0, entry.find('=')));
  add("environment", names.empty() ? "empty" : joined(names), "env");
  constexpr auto kKinds = std::to_array<Op>(
      {Op::new_session, Op::join_keyring, Op::open_console, Op::take_terminal, Op::own_stdio});
  for (Line& line : lines_of(subject, kKinds)) section.lines.push_back(std::move(line));
  const std::uint32_t kept = subject.request.call.preserve_fds;
  section.lines.push_back(
      {"descriptors", "0, 1, 2" + std::string(kept > 0 ? " and " + std::to_string(kept) + " more" : "") +
                          "; all others are closed"});
  return section;
}

std::string operations_text(const plan::Plan& plan) {
  std::string text;
  program::for_each_operation(plan.program.image, [&](const program::Operation& operation) {
    std::string line =
        std::to_string(operation.index) + " " + program::print_operation(plan.program.image, operation);
    const features::Place& place = plan.places[plan.program.origins[operation.index]];
    const std::string pointer = spec::pointer_of(place.position, place.below);
    if (!pointer.empty()) {
      constexpr std::size_t kColumn = 84;
      line.resize(std::max(line.size() + 2, kColumn), ' ');
      line += "# " + pointer;
    }
    text += line + "\n";
  });
  return text;
}

std::string operations_json(const plan::Plan& plan) {
  const Slots slots = slots_of(plan);
  json::Writer out(json::Style::pretty);
  out.begin_array();
  program::for_each_operation(plan.program.image, [&](const program::Operation& operation) {
    const Line line = line_of(plan, operation, slots);
    out.begin_object();
    out.key("operation").string(program::name(operation.op));
    out.key("operands")
        .string(program::print_operation(plan.program.image, operation)
                    .substr(std::string_view(program::name(operation.op)).size()));
    out.key("label").string(line.label);
    out.key("text").string(line.text);
    write_mark(out, line.mark);
    out.end_object();
  });
  out.end_array();
  return out.take() + "\n";
}

}  // namespace davit::explain
