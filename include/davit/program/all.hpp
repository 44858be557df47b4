// SPDX-License-Identifier: Apache-2.0
// Every type of operation, once: tables over all of them are made from this list.
#pragma once

#include "davit/program/operations.hpp"

namespace davit::program {

template <typename... Types>
struct TypeList {};

using AllOperations =
    TypeList<AwaitHost, TellHost, AttachCgroup, JoinNamespaces, JoinProcess, Unshare, BecomeNamespaceRoot,
             SetTimeOffsets, ForkInit, NewSession, JoinKeyring, LoopbackUp, SetHostname, SetDomainname,
             EnterPlace, SetPropagation, OpenTree, AttachRoot, MountFilesystem, MountTree, Remount,
             MakeDevice, MakeSymlink, MakeDirectory, MaskPath, ProtectPath, SealRoot, PivotRoot, ChangeRoot,
             EnterRoot, DetachMount, OpenConsole, TakeTerminal, OwnStdio, OpenProc, WriteSysctl, WriteLabel,
             SetScheduler, SetIoPriority, SetMemoryPolicy, SetAffinity, SetPersonality, SetLimit, SetUmask,
             DropBounding, BecomeUser, SetCapabilities, ReleaseCapabilities, NoNewPrivileges, LoadSeccomp,
             ChangeDirectory, CheckDirectory, SetHome, RunHook, FindProgram, WaitStart, CloseDescriptors,
             Execute>;

/// One past the highest operation code.
inline constexpr u32 kOpCount = static_cast<u32>(Op::execute) + 1;

}  // namespace davit::program
