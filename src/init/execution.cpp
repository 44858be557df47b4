// SPDX-License-Identifier: Apache-2.0
// From the working directory to execve.
#include "init/execution.hpp"

#include "init/explain.hpp"
#include "init/paths.hpp"

namespace davit::init {
namespace {

constexpr u32 kCloseOnExec = 4;  // CLOSE_RANGE_CLOEXEC

/// HOME replaces the entry "HOME=", or takes the last one, which the compiler left empty; without set_home an
/// empty last entry would be an environment string of its own.
void place_home(const Context& context, View<Str> environment, const char** pointers) {
  if (context.home == nullptr || environment.count == 0) return;
  for (u32 i = 0; i < environment.count; ++i)
    if (is_equal(pointers[i], "HOME=")) {
      pointers[i] = context.home;
      if (pointers[environment.count - 1][0] == '\0') pointers[environment.count - 1] = nullptr;
      return;
    }
  if (pointers[environment.count - 1][0] == '\0') pointers[environment.count - 1] = context.home;
}

Status make_and_enter(Context& context, FdRef root, const char* path) {
  SweptFd directory;
  INIT_TRY(make_directories(context, root, path, 0755, directory));
  return check(syscall(__NR_fchdir, FdRef(directory)));
}

/// The program is not in this directory, or not for us; anything else might hide the one that is meant.
bool is_passed_over(i32 error) {
  constexpr i32 kAbsent[] = {ENOENT, ENOTDIR, EACCES, EISDIR, ELOOP, ENAMETOOLONG};
  for (const i32 absent : kAbsent)
    if (error == absent) return true;
  return false;
}

/// One round per directory in PATH; an empty one is the working directory.
Status search(Context& context, const char* name, const char* directories) {
  char* page = new_page();
  if (page == nullptr) return {ENOMEM};
  const char* at = directories;
  for (;;) {
    const char* end = at;
    while (*end != '\0' && *end != ':') ++end;
    Writer path(page, kPathMax);
    if (end == at) path.add(".");
    path.add(at, static_cast<u64>(end - at)).add("/").add(name);
    const Status status = path.is_cut() ? Status{ENAMETOOLONG} : check_executable(context, page);
    if (!status.failed()) {
      context.message.text[0] = '\0';
      context.program = page;
      return kDone;
    }
    if (!is_passed_over(status.error)) {
      context.message.text[0] = '\0';
      return status;
    }
    // What stands in the way of the first one that is there; a later one may do.
    if (status.error == EACCES && context.message.text[0] == '\0') say(context, page);
    if (*end == '\0') return {ENOENT, Detail::not_in_path};
    at = end + 1;
  }
}

bool is_kept(const Context& context, const program::CloseDescriptors& operation, i32 number) {
  if (number == context.channel.number) return true;
  for (const Slot slot : context.items(operation.keep))
    if (context.slot(slot).number == number) return true;
  return false;
}

/// The numbers that davit hands in are as high as those that its caller had open.
u32 last_kept(const Context& context, const program::CloseDescriptors& operation) {
  i32 last = context.channel.is_open() ? context.channel.number : 0;
  for (const Slot slot : context.items(operation.keep))
    if (context.slot(slot).number > last) last = context.slot(slot).number;
  return static_cast<u32>(last);
}

}  // namespace

const char** as_pointers(const Context& context, List<Str> list) {
  // A Str is as large as a pointer, and the mapping is ours to write. The builder left a zero behind it.
  static_assert(sizeof(Str) == sizeof(char*));
  const View<Str> strings = context.items(list);
  auto** pointers = reinterpret_cast<const char**>(strings.first);
  for (u32 i = 0; i < strings.count; ++i) {
    const char* text = context.text(strings.first[i]);
    __builtin_memcpy(&pointers[i], &text, sizeof text);
  }
  return pointers;
}

char* new_page() {
  const long page =
      syscall(__NR_mmap, nullptr, kPathMax, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return page < 0 ? nullptr : reinterpret_cast<char*>(page);
}

Status settle(Context& context) {
  INIT_TRY(outlive_host(context));
  if (context.is_umask_set) return kDone;
  context.is_umask_set = true;
  return check(syscall(__NR_umask, context.inherited_umask));
}

Status perform(Context& context, const program::ChangeDirectory& operation) {
  if (operation.is_retry != 0 && !context.must_enter_as_user) return kDone;
  const char* path = context.text(operation.path);
  if (is_equal(path, "/")) return check(syscall(__NR_chdir, path));
  SweptFd root;
  INIT_TRY(open_root(root));
  // Not chdir(2): a magic link such as /proc/self/fd/7 would lead out of the container (CVE-2024-21626).
  const long opened = open_below(root, path, O_PATH | O_DIRECTORY);
  if (opened == -ENOENT && operation.make_missing != 0) return make_and_enter(context, root, path);
  const SweptFd directory(opened);
  const long result = opened < 0 ? opened : syscall(__NR_fchdir, FdRef(directory));
  // A stage does not see itself in the container's /proc.
  const bool may_be_later = result == -EACCES || (result == -ENOENT && operation.make_missing == 0);
  context.must_enter_as_user = may_be_later && operation.is_retry == 0;
  return context.must_enter_as_user ? kDone : check(result);
}

Status perform(Context& /*context*/, const program::CheckDirectory& /*operation*/) {
  char path[kPathMax];
  const long got = syscall(__NR_getcwd, path, sizeof path);
  // Too long for the buffer is inside: the kernel has found the way to the root.
  if (got == -ERANGE || got == -ENAMETOOLONG) return kDone;
  INIT_TRY(check(got, Detail::outside_root));
  return path[0] == '/' ? kDone : Status{EPERM, Detail::outside_root};
}

Status perform(Context& context, const program::FindProgram& operation) {
  const char* name = context.text(operation.name);
  if (contains(name, '/')) {
    INIT_TRY(check_executable(context, name));
    context.program = name;
    return kDone;
  }
  if (name[0] == '\0' || operation.has_path == 0 || operation.search_path.length == 0)
    return {ENOENT, Detail::not_in_path};
  return search(context, name, context.text(operation.search_path));
}

Status perform(Context& context, const program::CloseDescriptors& operation) {
  // Everything above the inherited ones vanishes at execve; until then init still needs its channel.
  if (operation.sweep == 0) return check(syscall(__NR_close_range, operation.first, ~0U, kCloseOnExec));
  u32 gap = operation.first;
  const u32 last = last_kept(context, operation);
  for (u32 number = gap; number <= last; ++number) {
    if (!is_kept(context, operation, static_cast<i32>(number))) continue;
    if (number > gap) INIT_TRY(check(syscall(__NR_close_range, gap, number - 1, 0)));
    gap = number + 1;
  }
  return check(syscall(__NR_close_range, gap, ~0U, 0));
}

Status perform(Context& context, const program::Execute& operation) {
  INIT_TRY(settle(context));
  const View<Str> environment = context.items(operation.environment);
  const char** arguments = as_pointers(context, operation.arguments);
  const char** variables = as_pointers(context, operation.environment);
  place_home(context, environment, variables);
  const char* path = context.program != nullptr ? context.program : arguments[0];
  if (path == nullptr) return {EINVAL};
  const long result = syscall(__NR_execve, path, arguments, variables);
  return explain(context, path, static_cast<i32>(-result));
}

}  // namespace davit::init
