// SPDX-License-Identifier: Apache-2.0
// The floor's cgroups: on v2 the child is born inside; on v1 it joins each hierarchy by writing "0" to
// `tasks`.
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "floor.hpp"

namespace davit::bench::floor {
namespace {

// Calls visit(item) for every item of a list.
template <typename Visit>
void split(const char* list, char separator, Visit visit) {
  char item[256];
  while (*list != 0) {
    const char* end = strchrnul(list, separator);
    snprintf(item, sizeof item, "%.*s", static_cast<int>(end - list), list);
    visit(item);
    list = *end != 0 ? end + 1 : end;
  }
}

void apply_setting(const Request& request, char* setting) {
  char* value = strchr(setting, '=');
  *value++ = 0;
  const char* rest = strchr(setting, '%') + 1;
  char path[512];
  snprintf(path, sizeof path, "%s%.*s%s%s", kCgroups, static_cast<int>(rest - 1 - setting), setting,
           request.id, rest);
  const int file = open_file(path, O_WRONLY);
  split(value, '|', [&](const char* text) { must(write(file, text, strlen(text)), path); });
  close(file);
}

constexpr bpf_insn instruction(unsigned code, unsigned to, unsigned from, int offset, int value) {
  bpf_insn made{};
  made.code = static_cast<__u8>(code);
  made.dst_reg = static_cast<__u8>(to) & 15;
  made.src_reg = static_cast<__u8>(from) & 15;
  made.off = static_cast<__s16>(offset);
  made.imm = value;
  return made;
}

// mknod of anything; null, zero, full, random and urandom; tty, console and ptmx; pts.
constexpr bpf_insn kDevices[] = {
    instruction(BPF_LDX | BPF_MEM | BPF_W, 2, 1, 0, 0),  // type, access in the upper half
    instruction(BPF_LDX | BPF_MEM | BPF_W, 4, 1, 4, 0),  // major
    instruction(BPF_LDX | BPF_MEM | BPF_W, 5, 1, 8, 0),  // minor
    instruction(BPF_ALU64 | BPF_MOV | BPF_X, 3, 2, 0, 0),
    instruction(BPF_ALU64 | BPF_RSH | BPF_K, 3, 0, 0, 16),
    instruction(BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, 1),
    instruction(BPF_JMP | BPF_JEQ | BPF_K, 3, 0, 9, BPF_DEVCG_ACC_MKNOD),
    instruction(BPF_ALU64 | BPF_AND | BPF_K, 2, 0, 0, 0xffff),
    instruction(BPF_JMP | BPF_JNE | BPF_K, 2, 0, 9, BPF_DEVCG_DEV_CHAR),
    instruction(BPF_JMP | BPF_JEQ | BPF_K, 4, 0, 6, 136),
    instruction(BPF_JMP | BPF_JEQ | BPF_K, 4, 0, 6, 5),
    instruction(BPF_JMP | BPF_JNE | BPF_K, 4, 0, 6, 1),
    instruction(BPF_JMP | BPF_JGT | BPF_K, 5, 0, 5, 9),
    instruction(BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, 0x3a8),  // minors 3 5 7 8 9
    instruction(BPF_ALU64 | BPF_RSH | BPF_X, 0, 5, 0, 0),
    instruction(BPF_ALU64 | BPF_AND | BPF_K, 0, 0, 0, 1),
    instruction(BPF_JMP | BPF_EXIT, 0, 0, 0, 0),
    instruction(BPF_JMP | BPF_JLE | BPF_K, 5, 0, 1, 2),
    instruction(BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, 0),
    instruction(BPF_JMP | BPF_EXIT, 0, 0, 0, 0),
};

void attach_device_program(int cgroup) {
  bpf_attr load{};
  load.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE;
  load.insns = reinterpret_cast<__u64>(kDevices);
  load.insn_cnt = sizeof kDevices / sizeof *kDevices;
  load.license = reinterpret_cast<__u64>("GPL");
  const int program =
      static_cast<int>(must(syscall(SYS_bpf, BPF_PROG_LOAD, &load, sizeof load), "BPF_PROG_LOAD"));
  bpf_attr attach{};
  attach.target_fd = static_cast<__u32>(cgroup);
  attach.attach_bpf_fd = static_cast<__u32>(program);
  attach.attach_type = BPF_CGROUP_DEVICE;
  attach.attach_flags = BPF_F_ALLOW_MULTI;
  must(syscall(SYS_bpf, BPF_PROG_ATTACH, &attach, sizeof attach), "BPF_PROG_ATTACH");
}

const char* folder(const char* hierarchy, const char* id, const char* file) {
  static char path[512];
  snprintf(path, sizeof path, "%s%s/%s/%s", kCgroups, hierarchy, id, file);
  return path;
}

bool has_unified() {
  return cgroup_is_v2() || strstr(fact("FLOOR_HIERARCHIES"), "unified") != nullptr;
}

}  // namespace

bool cgroup_is_v2() {
  return *fact("FLOOR_HIERARCHIES") == 0;
}

int open_unified_cgroup(const Request& request) {
  static int opened = -1;
  if (opened >= 0 || !has_unified()) return opened;
  const char* path = folder(cgroup_is_v2() ? "." : "unified", request.id, "");
  return opened = open_file(path, O_RDONLY | O_DIRECTORY);
}

void make_cgroups(const Request& request) {
  if (cgroup_is_v2()) {
    must(mkdir(folder(".", request.id, ""), 0755), "mkdir cgroup");
    attach_device_program(open_unified_cgroup(request));
  }
  split(fact("FLOOR_HIERARCHIES"), ':',
        [&](const char* name) { must(mkdir(folder(name, request.id, ""), 0755), name); });
  split(fact("FLOOR_SETTINGS"), ';', [&](char* setting) { apply_setting(request, setting); });
}

void join_v1_cgroups(const Request& request) {
  int files[32];
  const int count = open_v1_tasks(request, files, 32);
  for (int i = 0; i < count; i++) must(write(files[i], "0", 1), "tasks");
}

int open_v1_tasks(const Request& request, int* files, int room) {
  int count = 0;
  split(fact("FLOOR_HIERARCHIES"), ':', [&](const char* name) {
    if (count == room || strcmp(name, "unified") == 0) return;
    const char* path = folder(name, request.id, "tasks");
    files[count++] = open_file(path, O_WRONLY);
  });
  return count;
}

// The last process may still be on its way out of the cgroup.
void remove_cgroups(const Request& request) {
  const auto remove = [&](const char* name) {
    const char* path = folder(name, request.id, "");
    for (int tries = 0; rmdir(path) != 0; tries++) {
      if (tries == 1000) must(-1, path);
      usleep(100);
    }
  };
  if (cgroup_is_v2()) remove(".");
  split(fact("FLOOR_HIERARCHIES"), ':', remove);
}

}  // namespace davit::bench::floor
