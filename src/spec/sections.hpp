// SPDX-License-Identifier: Apache-2.0
// The readers of the sections: read_members() reads like the schema, check() holds the rules of the prose.
#pragma once

#include "davit/spec/config.hpp"
#include "spec/object.hpp"
#include "spec/words.hpp"

namespace davit::spec {

// read_config.cpp, check_config.cpp
void read_members(Object& object, Config& config);
void read_members(Object& object, Root& root);
void read_members(Object& object, Mount& mount);
void read_members(Object& object, MountList& list);
void read_members(Object& object, Hook& hook);
void read_members(Object& object, Hooks& hooks);
void read_members(Object& object, IdMapping& mapping);
bool read_entry(Report& report, std::string_view key, json::Value value,
                std::pair<std::string, std::string>& annotation);
void check(Report& report, Config& config);
void check(Report& report, Root& root);
void check(Report& report, Mount& mount);
inline void check(Report& /*report*/, MountList& /*list*/) {}
void check(Report& report, Hook& hook);
void check(Report& report, IdMapping& mapping);
/// Reports ranges that overlap, on either side.
void check_mappings(Report& report, const std::vector<IdMapping>& mappings);

// read_process.cpp, check_process.cpp
void read_members(Object& object, Process& process);
void read_members(Object& object, User& user);
void read_members(Object& object, Capabilities& capabilities);
void read_members(Object& object, Rlimit& rlimit);
void read_members(Object& object, Scheduler& scheduler);
void read_members(Object& object, IoPriority& priority);
void read_members(Object& object, ExecCpuAffinity& affinity);
void check(Report& report, Process& process);
void check(Report& report, User& user);
void check(Report& report, Rlimit& rlimit);
void check(Report& report, Scheduler& scheduler);
void check(Report& report, IoPriority& priority);
void check(Report& report, ExecCpuAffinity& affinity);

// read_linux.cpp, check_linux.cpp
void read_members(Object& object, Linux& linux);
void read_members(Object& object, Namespace& entry);
void read_members(Object& object, TimeOffsets& offsets);
void read_members(Object& object, TimeOffset& offset);
void read_members(Object& object, Device& device);
void read_members(Object& object, NetDevice& device);
void read_members(Object& object, IntelRdt& rdt);
void read_members(Object& object, MemoryPolicy& policy);
void read_members(Object& object, Personality& personality);
bool read(Report& report, json::Value value, ListedPath& path);
bool read_entry(Report& report, std::string_view key, json::Value value, NetDevice& device);
bool read_entry(Report& report, std::string_view key, json::Value value, Sysctl& sysctl);
void check(Report& report, Linux& linux);
void check(Report& report, Namespace& entry);
void check(Report& report, TimeOffset& offset);
void check(Report& report, Device& device);
void check(Report& report, IntelRdt& rdt);
void check(Report& report, MemoryPolicy& policy);

// read_resources.cpp, check_resources.cpp
void read_members(Object& object, Resources& resources);
void read_members(Object& object, DeviceRule& rule);
void read_members(Object& object, Memory& memory);
void read_members(Object& object, Cpu& cpu);
void read_members(Object& object, Pids& pids);
void read_members(Object& object, BlockIo& io);
void read_members(Object& object, WeightDevice& device);
void read_members(Object& object, ThrottleDevice& device);
void read_members(Object& object, HugepageLimit& limit);
void read_members(Object& object, Network& network);
void read_members(Object& object, InterfacePriority& priority);
void read_members(Object& object, RdmaLimit& limit);
bool read_entry(Report& report, std::string_view key, json::Value value, RdmaLimit& limit);
bool read_entry(Report& report, std::string_view key, json::Value value, UnifiedEntry& entry);
void check(Report& report, Memory& memory);
void check(Report& report, Cpu& cpu);
void check(Report& report, Pids& pids);
void check(Report& report, BlockIo& io);
void check(Report& report, WeightDevice& device);
void check(Report& report, ThrottleDevice& device);
void check(Report& report, HugepageLimit& limit);
void check(Report& report, InterfacePriority& priority);
void check(Report& report, RdmaLimit& limit);

// read_seccomp.cpp
void read_members(Object& object, Seccomp& seccomp);
void read_members(Object& object, SeccompRule& rule);
void read_members(Object& object, SeccompArgument& argument);
void check(Report& report, Seccomp& seccomp);
void check(Report& report, SeccompRule& rule);
void check(Report& report, SeccompArgument& argument);

// checks.cpp: what several sections share
/// A member that must be an absolute path.
void check_absolute(Report& report, const Position& position, std::string_view below, std::string_view path);
/// A list of CPUs or memory nodes as the kernel reads it ("0-3,7", "0-15:1/4"); may be empty.
void check_list(Report& report, const Position& position, std::string_view below, std::string_view list);
/// A network interface name (15 bytes, no slash, colon or space).
void check_interface(Report& report, const Position& position, std::string_view below, std::string_view name);
/// User and group ids: 4294967295 means "no id" to the kernel.
void check_id(Report& report, const Position& position, std::string_view below, std::uint32_t id);
/// Device numbers fit in 12 and 20 bits, whatever the integer type of the JSON.
void check_device_number(Report& report, const Position& position, std::uint64_t major, std::uint64_t minor);
bool has_newline(std::string_view text);

}  // namespace davit::spec
