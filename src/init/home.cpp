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

Fd open_passwd(FdRef root) {
  const Fd found(open_below(root, "/etc/passwd", O_PATH));
  Node node;
  if (!found.is_open() || look(found, node).failed() || node.type() != kTypeRegular) return Fd();
  Fd file(open_below(root, "/etc/passwd", O_RDONLY | O_NONBLOCK | O_NOCTTY));
  if (!file.is_open() || look(file, node).failed() || node.type() != kTypeRegular) return Fd();
  return file;
}

void search(FdRef file, Lookup& lookup) {
  char block[1024];
  for (u64 total = 0; total < kMaxPasswd;) {
    const long got = syscall(__NR_read, file, block, sizeof block);
    if (got <= 0) break;
    for (long at = 0; at < got; ++at)
      if (lookup.take(block[at])) return;
    total += static_cast<u64>(got);
  }
  if (!lookup.is_match()) lookup.begin_line();  // the last line may lack its newline
}

}  // namespace

Status perform(Context& context, const program::SetHome& operation) {
  FdRef root;
  INIT_TRY(open_root(context, root));
  const Fd file = open_passwd(root);
  if (!file.is_open()) {
    context.home = kDefault;
    return kDone;
  }
  char* page = new_page();
  if (page == nullptr) return {ENOMEM};
  Lookup lookup(operation.uid, page);
  search(file, lookup);
  context.home = lookup.home();
  return kDone;
}

}  // namespace davit::init
