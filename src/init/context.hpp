// SPDX-License-Identifier: Apache-2.0
// What one run of a program knows, and the functions that perform its operations.
#pragma once

#include "davit/program/operations.hpp"
#include "init/syscall.hpp"
#include "init/text.hpp"

namespace davit::init {

using program::Detail;
using program::List;
using program::Message;
using program::MessageType;
using program::Operation;
using program::Point;
using program::Slot;
using program::Str;

/// How an operation ended: errno (positive), and what it was about to do where the errno alone does not tell.
struct [[nodiscard]] Status {
  i32 error = 0;
  Detail detail = Detail::none;
  [[nodiscard]] bool failed() const { return error != 0; }
};

inline constexpr Status kDone{};

/// The status of a system call's answer.
inline Status check(long result, Detail detail = Detail::none) {
  return result < 0 ? Status{static_cast<i32>(-result), detail} : kDone;
}

#define INIT_TRY(...)                                                                    \
  do {                                                                                   \
    if (const ::davit::init::Status tried = (__VA_ARGS__); tried.failed()) return tried; \
  } while (false)

/// Items of a list in the program.
template <typename T>
struct View {
  T* first = nullptr;
  u32 count = 0;
  [[nodiscard]] T* begin() const { return first; }
  [[nodiscard]] T* end() const { return first + count; }
};

/// The sets of capset(2).
struct Capabilities {
  u64 effective = 0;
  u64 permitted = 0;
  u64 inheritable = 0;
};

/// State of one run. Nothing here outlives execve.
struct Context {
  std::byte* base = nullptr;   ///< the program, private and writable
  FdRef channel;               ///< where messages go: davit, after wait_start whoever started us
  Message message;             ///< text and value that go with the next message
  u32 start_operation = 0;     ///< which one waited for the start; failures after it count from there
  bool outlives_host = false;  ///< davit may end from here on; EOF on the channel is what tells of its death
  bool is_umask_set = false;   ///< nothing is to be restored before execve
  u32 inherited_umask = 0022;  ///< of whoever started davit
  u32 joined = 0;              ///< CLONE_NEW* types that join_namespaces has entered
  Capabilities granted;        ///< by set_capabilities, without what it held back
  bool is_root = false;        ///< all uids and gids are 0, and have been since execve set them
  bool must_enter_as_user = false;  ///< root may not enter the working directory
  SweptFd empty_mount;              ///< what hides directories; made by the first mask_path that needs it
  const char* program = nullptr;    ///< what find_program found
  const char* home = nullptr;       ///< "HOME=..." from set_home

  [[nodiscard]] program::Header& header() const { return *reinterpret_cast<program::Header*>(base); }
  [[nodiscard]] const char* text(Str str) const {
    return reinterpret_cast<const char*>(base) + header().data + str.offset;
  }
  template <typename T>
  [[nodiscard]] View<T> items(List<T> list) const {
    return {reinterpret_cast<T*>(base + header().data + list.offset), list.count};
  }
  /// The descriptor in a slot; none for kNoSlot and for a slot that nobody filled.
  [[nodiscard]] FdRef slot(Slot slot) const;
  /// Empties a slot; the caller owns the descriptor now. -1 if there was none.
  [[nodiscard]] i32 take(Slot slot) const;
  /// Puts a descriptor into a slot; one that was there is closed.
  void fill(Slot slot, Fd descriptor) const;
};

/// Sends a message of this type with what context.message holds; empties it afterwards. A host that is gone
/// is no error: there is nobody to tell.
Status send(Context& context, MessageType type, const Operation& operation, Status status = {},
            FdRef attached = {});

/// Waits for the host's message for `point`, which may bring a descriptor for `slot`; ends with the host.
Status await_host(Context& context, Point point, Slot slot = program::kNoSlot);

/// Sets Message::text (cut to fit).
void say(Context& context, const char* text);

/// Not dumpable, and (until the container is created) killed with davit. To be called again after everything
/// that changes credentials, because the kernel resets both then.
Status guard(const Context& context);
/// Takes the death signal back: execve would hand it on to the container's program.
Status outlive_host(Context& context);

/// Whether davit has closed its end of the channel.
bool is_host_gone(const Context& context);

/// Runs one operation.
Status execute_one(Context& context, const Operation& operation);

/// Runs all records in order. Returns only after a failure, which has been reported, or at the end of a
/// program without execute.
Status run_records(Context& context);

/// Sets everything back that init changed for its own work and that execve would hand on.
Status settle(Context& context);

/// Whether what setgroups(2) would not take away is nothing: in a user namespace that denies it, the groups
/// of whoever made it are left, but as ids that are not mapped, or as `gid`, which the process gets anyway.
Status check_groups_unmapped(u32 gid);

// One function per operation; operations.hpp says what each one does.
Status perform(Context& context, const program::AwaitHost& operation);
Status perform(Context& context, const program::TellHost& operation);
Status perform(Context& context, const program::AttachCgroup& operation);
Status perform(Context& context, const program::JoinNamespaces& operation);
Status perform(Context& context, const program::JoinProcess& operation);
Status perform(Context& context, const program::Unshare& operation);
Status perform(Context& context, const program::BecomeNamespaceRoot& operation);
Status perform(Context& context, const program::SetTimeOffsets& operation);
Status perform(Context& context, const program::ForkInit& operation);
Status perform(Context& context, const program::NewSession& operation);
Status perform(Context& context, const program::JoinKeyring& operation);
Status perform(Context& context, const program::LoopbackUp& operation);
Status perform(Context& context, const program::SetHostname& operation);
Status perform(Context& context, const program::SetDomainname& operation);
Status perform(Context& context, const program::EnterPlace& operation);
Status perform(Context& context, const program::SetPropagation& operation);
Status perform(Context& context, const program::OpenTree& operation);
Status perform(Context& context, const program::AttachRoot& operation);
Status perform(Context& context, const program::MountFilesystem& operation);
Status perform(Context& context, const program::MountTree& operation);
Status perform(Context& context, const program::Remount& operation);
Status perform(Context& context, const program::MakeDevice& operation);
Status perform(Context& context, const program::MakeSymlink& operation);
Status perform(Context& context, const program::MakeDirectory& operation);
Status perform(Context& context, const program::MaskPath& operation);
Status perform(Context& context, const program::ProtectPath& operation);
Status perform(Context& context, const program::SealRoot& operation);
Status perform(Context& context, const program::PivotRoot& operation);
Status perform(Context& context, const program::ChangeRoot& operation);
Status perform(Context& context, const program::EnterRoot& operation);
Status perform(Context& context, const program::DetachMount& operation);
Status perform(Context& context, const program::OpenConsole& operation);
Status perform(Context& context, const program::TakeTerminal& operation);
Status perform(Context& context, const program::OwnStdio& operation);
Status perform(Context& context, const program::OpenProc& operation);
Status perform(Context& context, const program::WriteSysctl& operation);
Status perform(Context& context, const program::WriteLabel& operation);
Status perform(Context& context, const program::SetScheduler& operation);
Status perform(Context& context, const program::SetIoPriority& operation);
Status perform(Context& context, const program::SetMemoryPolicy& operation);
Status perform(Context& context, const program::SetAffinity& operation);
Status perform(Context& context, const program::SetPersonality& operation);
Status perform(Context& context, const program::SetLimit& operation);
Status perform(Context& context, const program::SetUmask& operation);
Status perform(Context& context, const program::DropBounding& operation);
Status perform(Context& context, const program::BecomeUser& operation);
Status perform(Context& context, const program::SetCapabilities& operation);
Status perform(Context& context, const program::ReleaseCapabilities& operation);
Status perform(Context& context, const program::NoNewPrivileges& operation);
Status perform(Context& context, const program::LoadSeccomp& operation);
Status perform(Context& context, const program::ChangeDirectory& operation);
Status perform(Context& context, const program::CheckDirectory& operation);
Status perform(Context& context, const program::SetHome& operation);
Status perform(Context& context, const program::RunHook& operation);
Status perform(Context& context, const program::FindProgram& operation);
Status perform(Context& context, const program::WaitStart& operation);
Status perform(Context& context, const program::CloseDescriptors& operation);
Status perform(Context& context, const program::Execute& operation);

}  // namespace davit::init
