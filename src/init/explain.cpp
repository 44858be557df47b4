// SPDX-License-Identifier: Apache-2.0
#include "init/explain.hpp"

#include <linux/elf.h>

#include "init/paths.hpp"

namespace davit::init {
namespace {

constexpr u32 kHeaderSize = 256;  // as much as the kernel looks at
constexpr u64 kStatfsNoexec = 8;  // ST_NOEXEC
constexpr u32 kAccessExecute = 1;

#if defined(__x86_64__)
constexpr u16 kMachine = EM_X86_64;
constexpr u16 kSmallMachine = EM_386;  // whose programs many kernels run as well
#else
constexpr u16 kMachine = EM_AARCH64;
constexpr u16 kSmallMachine = EM_ARM;
#endif

/// Opens for reading without ever waiting for (or disturbing) something that is no regular file.
Fd open_regular(const char* path) {
  const Fd found(syscall(__NR_openat, kWorkingDirectory, path, O_PATH | O_CLOEXEC));
  Node node;
  if (!found.is_open() || look(found, node).failed() || node.type() != kTypeRegular) return Fd();
  Fd file(syscall(__NR_openat, kWorkingDirectory, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (!file.is_open() || look(file, node).failed() || node.type() != kTypeRegular) return Fd();
  return file;
}

/// The interpreter of a "#!" line, as the kernel reads it: up to a blank, a tab or the end of the line.
void script_interpreter(const char* header, Writer& interpreter) {
  const char* at = header + 2;
  while (*at == ' ' || *at == '\t') ++at;
  const char* end = at;
  while (*end != '\0' && *end != '\n' && *end != ' ' && *end != '\t') ++end;
  interpreter.add(at, static_cast<u64>(end - at));
}

/// PT_INTERP of an ELF file of the class that these headers belong to.
template <typename Header, typename Segment>
void elf_interpreter(FdRef file, const char* header, Writer& interpreter) {
  Header elf;
  __builtin_memcpy(&elf, header, sizeof elf);
  for (u32 index = 0; index < elf.e_phnum && index < 64; ++index) {
    Segment segment;
    const u64 at = elf.e_phoff + static_cast<u64>(index) * sizeof segment;
    if (syscall(__NR_pread64, file, &segment, sizeof segment, at) != sizeof segment) return;
    if (segment.p_type != PT_INTERP) continue;
    char path[kHeaderSize] = {};
    if (syscall(__NR_pread64, file, path, sizeof path - 1, segment.p_offset) > 0) interpreter.add(path);
    return;
  }
}

bool is_elf(const char* header) {
  return is_equal(header, ELFMAG, SELFMAG);
}

bool is_of_this_machine(const char* header) {
  Elf64_Ehdr elf;
  __builtin_memcpy(&elf, header, sizeof elf);
  return elf.e_ident[EI_CLASS] == ELFCLASS64 && elf.e_machine == kMachine;
}

bool is_of_small_machine(const char* header) {
  Elf32_Ehdr elf;
  __builtin_memcpy(&elf, header, sizeof elf);
  return elf.e_ident[EI_CLASS] == ELFCLASS32 && elf.e_machine == kSmallMachine;
}

/// The interpreter of the program at `path`; empty if it has none.
void find_interpreter(const char* path, Writer& interpreter) {
  const Fd file = open_regular(path);
  char header[kHeaderSize + 1] = {};
  if (!file.is_open() || syscall(__NR_pread64, FdRef(file), header, kHeaderSize, 0) < 4) return;
  if (header[0] == '#' && header[1] == '!') script_interpreter(header, interpreter);
  if (!is_elf(header)) return;
  if (is_of_this_machine(header)) elf_interpreter<Elf64_Ehdr, Elf64_Phdr>(file, header, interpreter);
  if (is_of_small_machine(header)) elf_interpreter<Elf32_Ehdr, Elf32_Phdr>(file, header, interpreter);
}

Status explain_missing(Context& context, const char* path) {
  const long opened = syscall(__NR_openat, kWorkingDirectory, path, O_PATH | O_CLOEXEC);
  const Fd found(opened);
  if (opened == -ENOENT) return {ENOENT, Detail::no_such_file};
  if (opened < 0) return {ENOENT};  // a filter lets us look no further
  Writer interpreter(context.message.text);
  find_interpreter(path, interpreter);
  if (interpreter.size() == 0) return {ENOENT};
  const bool is_crlf = interpreter.text()[interpreter.size() - 1] == '\r';
  return {ENOENT, is_crlf ? Detail::crlf_interpreter : Detail::no_interpreter};
}

Status explain_refused(Context& context, const char* path) {
  const Status own = check_executable(context, path);
  if (own.failed()) return own;
  Writer interpreter(context.message.text);
  find_interpreter(path, interpreter);
  if (interpreter.size() > 0 && check_executable(context, interpreter.text()).failed())
    return {EACCES, Detail::interpreter_not_executable};
  context.message.text[0] = '\0';
  return {EACCES, Detail::not_executable};
}

Status explain_format(Context& context, const char* path) {
  const Fd file = open_regular(path);
  char header[kHeaderSize] = {};
  if (!file.is_open() || syscall(__NR_pread64, FdRef(file), header, sizeof header, 0) < 20)
    return {ENOEXEC, Detail::bad_format};
  if (!is_elf(header) || is_of_this_machine(header)) return {ENOEXEC, Detail::bad_format};
  Elf64_Ehdr elf;
  __builtin_memcpy(&elf, header, sizeof elf);
  context.message.value = elf.e_machine;
  return {ENOEXEC, Detail::wrong_architecture};
}

}  // namespace

Status check_executable(Context& /*context*/, const char* path) {
  Node node;
  const Status seen = look(kWorkingDirectory, path, node);
  if (seen.error == ENOENT) return {ENOENT, Detail::no_such_file};
  INIT_TRY(seen);
  if (node.type() == kTypeDirectory) return {EISDIR, Detail::is_directory};
  const long allowed = syscall(__NR_faccessat2, kWorkingDirectory, path, kAccessExecute, AT_EACCESS);
  if (allowed != -EACCES) return check(allowed);
  struct statfs filesystem;
  const bool is_noexec = syscall(__NR_statfs, path, &filesystem) == 0 &&
                         (static_cast<u64>(filesystem.f_flags) & kStatfsNoexec) != 0 &&
                         (node.mode & 0111) != 0;
  return {EACCES, is_noexec ? Detail::noexec_mount : Detail::not_executable};
}

Status explain(Context& context, const char* path, i32 error) {
  switch (error) {
    case ENOENT:
      return explain_missing(context, path);
    case EACCES:
      return explain_refused(context, path);
    case ENOEXEC:
      return explain_format(context, path);
    default:
      return {error};
  }
}

}  // namespace davit::init
