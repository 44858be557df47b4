// SPDX-License-Identifier: Apache-2.0
// Device nodes, symlinks and directories below the container's root.
#include "init/mounting.hpp"
#include "init/paths.hpp"

namespace davit::init {
namespace {

using program::MakeDevice;

/// dev_t as mknod(2) takes it.
constexpr u64 device_number(u32 major, u32 minor) {
  return (minor & 0xffU) | static_cast<u64>(major) << 8 | static_cast<u64>(minor & ~0xffU) << 12;
}

bool is_same_device(const MakeDevice& wanted, const Node& node) {
  if (node.type() != (wanted.mode & kTypeMask)) return false;
  return node.type() == kTypeFifo || (node.major == wanted.major && node.minor == wanted.minor);
}

/// Where nodes cannot be made, the host's own is bound onto an empty file.
Status bind_node(Context& context, FdRef root, const MakeDevice& operation) {
  const long cloned = syscall(__NR_open_tree, kWorkingDirectory, context.text(operation.host_path),
                              OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
  INIT_TRY(check(cloned, Detail::clone_tree));
  const SweptFd tree(cloned);
  Node node;
  INIT_TRY(look(tree, node));
  if (!is_same_device(operation, node)) return {ENODEV, Detail::wrong_device};
  const program::Target place{operation.path, program::TargetKind::file, {}, program::kTargetNoFollow};
  SweptFd target;
  INIT_TRY(open_target(context, root, place, target));
  INIT_TRY(look(target, node));
  if (node.type() == kTypeLink) return {ELOOP, Detail::make_node};
  INIT_TRY(change_attributes(tree, {kBorrowed, 0, 0}, false));
  return attach(tree, target);
}

/// The file of an image at the place of a node would pass for it, and take what is thrown away.
Status take_existing(Context& context, FdRef root, FdRef parent, const char* name, const MakeDevice& wanted) {
  const long opened = syscall(__NR_openat, parent, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
  INIT_TRY(check(opened, Detail::make_node));
  const SweptFd file(opened);
  Node node;
  INIT_TRY(look(file, node));
  if (is_same_device(wanted, node)) return kDone;
  if (wanted.cover_file != 0 && node.type() == kTypeRegular) return bind_node(context, root, wanted);
  return {EEXIST, Detail::wrong_device};
}

/// Whether the symlink `name` says exactly `content`.
bool says(FdRef parent, const char* name, const char* content, u32 length) {
  char buffer[kPathMax];
  const long got = syscall(__NR_readlinkat, parent, name, buffer, sizeof buffer);
  return got == static_cast<long>(length) && is_equal(buffer, content, length);
}

}  // namespace

Status perform(Context& context, const MakeDevice& operation) {
  const FdRef root = context.slot(operation.root);
  if (operation.bind != 0) return bind_node(context, root, operation);
  SweptFd parent;
  const char* name = nullptr;
  INIT_TRY(open_parent(context, root, context.text(operation.path), parent, name));
  const long made = syscall(__NR_mknodat, FdRef(parent), name, operation.mode,
                            device_number(operation.major, operation.minor));
  if (made == -EEXIST) return take_existing(context, root, parent, name, operation);
  if (made == -EPERM && operation.host_path.length > 0) return bind_node(context, root, operation);
  INIT_TRY(check(made, Detail::make_node));
  if (operation.uid == 0 && operation.gid == 0) return kDone;  // as we are
  return check(syscall(__NR_fchownat, FdRef(parent), name, operation.uid, operation.gid, AT_SYMLINK_NOFOLLOW),
               Detail::make_node);
}

Status perform(Context& context, const program::MakeSymlink& operation) {
  SweptFd parent;
  const char* name = nullptr;
  INIT_TRY(open_parent(context, context.slot(operation.root), context.text(operation.path), parent, name));
  const char* content = context.text(operation.content);
  long made = syscall(__NR_symlinkat, content, FdRef(parent), name);
  if (made != -EEXIST || says(parent, name, content, operation.content.length))
    return made == -EEXIST ? kDone : check(made, Detail::create_target);
  if (operation.keep_existing != 0) return kDone;
  if (operation.replace == 0) return check(made, Detail::create_target);
  // unlinkat without AT_REMOVEDIR leaves directories alone.
  INIT_TRY(check(syscall(__NR_unlinkat, FdRef(parent), name, 0), Detail::create_target));
  made = syscall(__NR_symlinkat, content, FdRef(parent), name);
  return check(made, Detail::create_target);
}

Status perform(Context& context, const program::MakeDirectory& operation) {
  SweptFd directory;
  return make_directories(context, context.slot(operation.root), context.text(operation.path), operation.mode,
                          directory);
}

}  // namespace davit::init
