// SPDX-License-Identifier: Apache-2.0
// HOME of a user, from the container's own /etc/passwd: hostile text of any length.
#include "init/execution.hpp"
#include "init/paths.hpp"

namespace davit::init {
namespace {

constexpr u64 kMaxPasswd = 1 << 24;
constexpr u32 kUidField = 2;
constexpr u32 kHomeField = 5;
constexpr char kPrefix[] = "HOME=";
constexpr char kDefault[] = "HOME=/";

/// Reads passwd(5) byte by byte: name:password:uid:gid:gecos:home:shell.
class Lookup {
 public:
  Lookup(u32 uid, char* page) : wanted_(uid), page_(page) { begin_line(); }

  /// True when the line of the wanted user is complete; home() then says where he lives.
  bool take(char byte) {
    if (byte == '\n') {
      if (is_match()) return true;
      begin_line();
    } else if (byte == ':') {
      ++field_;
    } else if (field_ == kUidField) {
      take_digit(byte);
    } else if (field_ == kHomeField && size_ < kPathMax - 1) {
      page_[size_++] = byte;
    }
    return false;
  }
  [[nodiscard]] bool is_match() const { return field_ >= kHomeField && has_uid_ && uid_ == wanted_; }
  /// "HOME=..."; "/" for a user without one, or with one that is too long to be a path.
  const char* home() {
    constexpr u32 kPrefixSize = sizeof kPrefix - 1;
    if (size_ == kPrefixSize || size_ >= kPathMax - 1) page_[kPrefixSize] = '/', size_ = kPrefixSize + 1;
    page_[size_] = '\0';
    return page_;
  }
  void begin_line() {
    __builtin_memcpy(page_, kPrefix, sizeof kPrefix);
    size_ = sizeof kPrefix - 1;
    field_ = 0;
    uid_ = 0;
    has_uid_ = false;
  }

 private:
  void take_digit(char byte) {
    const bool is_digit = byte >= '0' && byte <= '9' && uid_ <= 0xffffffffU;
    if (!is_digit) field_ = ~0U - 8;  // no number: the rest of the line counts for nothing
    if (is_digit) uid_ = uid_ * 10 + static_cast<u64>(byte - '0');
    has_uid_ = is_digit;
  }

  u32 wanted_;
  char* page_;
  u32 size_ = 0;
  u32 field_ = 0;
  u64 uid_ = 0;
  bool has_uid_ = false;
};

/// What the image itself can bring about: it has no such file, or one that leads nowhere or that is nobody's
/// to read.
bool is_absent(long opened) {
  constexpr i32 kAbsent[] = {ENOENT, ENOTDIR, ELOOP, ENAMETOOLONG, EACCES};
  for (const i32 error : kAbsent)
    if (opened == -error) return true;
  return false;
}

/// None is left closed if there is none, or if it is no regular file.
Status open_passwd(FdRef root, Fd& file) {
  constexpr u64 kSteps[] = {O_PATH, O_RDONLY | O_NONBLOCK | O_NOCTTY};  // a device must not even be opened
  for (const u64 flags : kSteps) {
    const long opened = open_below(root, "/etc/passwd", flags);
    file = Fd(opened);
    if (is_absent(opened)) return kDone;
    INIT_TRY(check(opened));
    Node node;
    INIT_TRY(look(file, node));
    if (node.type() == kTypeRegular) continue;
    file.reset();
    return kDone;
  }
  return kDone;
}

Status search(FdRef file, Lookup& lookup) {
  char block[1024];
  for (u64 total = 0; total < kMaxPasswd;) {
    const long got = syscall(__NR_read, file, block, sizeof block);
    if (got == -EINTR) continue;
    INIT_TRY(check(got));
    if (got == 0) break;
    for (long at = 0; at < got; ++at)
      if (lookup.take(block[at])) return kDone;
    total += static_cast<u64>(got);
  }
  if (!lookup.is_match()) lookup.begin_line();  // the last line may lack its newline
  return kDone;
}

}  // namespace

Status perform(Context& context, const program::SetHome& operation) {
  SweptFd root;
  INIT_TRY(open_root(root));
  Fd file;
  INIT_TRY(open_passwd(root, file));
  if (!file.is_open()) {
    context.home = kDefault;
    return kDone;
  }
  char* page = new_page();
  if (page == nullptr) return {ENOMEM};
  Lookup lookup(operation.uid, page);
  INIT_TRY(search(file, lookup));
  context.home = lookup.home();
  return kDone;
}

}  // namespace davit::init
