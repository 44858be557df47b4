// SPDX-License-Identifier: Apache-2.0
#include "features/rootfs/options.hpp"

#include <linux/mount.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <span>

#include "davit/features/rootfs.hpp"

namespace davit::rootfs {
namespace {

enum class Effect : std::uint8_t {
  nothing,       ///< the default, or without meaning for a new mount
  attribute,     ///< of the mount: sets and clears MOUNT_ATTR_*
  recursive,     ///< the same for the mount and everything below it
  propagation,   ///< `set` is the MS_* type
  rpropagation,  ///< the same, recursively
  superblock,    ///< of the filesystem: adds the word
  unsuperblock,  ///< takes the word without its "no" (or "async" its "sync") back
  bind,
  rbind,
  remount,
  copy_up,
  copy_symlink,
  source_no_follow,
  target_no_follow,
  idmap,
  ridmap,
};

struct Word {
  std::string_view name;
  Effect effect = Effect::nothing;
  std::uint64_t set = 0;
  std::uint64_t clear = 0;
};

constexpr std::uint64_t kAtime = MOUNT_ATTR__ATIME;

// Sorted by name. Access time is one field of the kernel: whoever names a mode clears the others, and what
// takes a mode back leads to relatime, the kernel's default.
constexpr auto kWords = std::to_array<Word>({
    {"acl", Effect::nothing},  // the old flag; filesystems that have ACLs use them
    {"async", Effect::unsuperblock},
    {"atime", Effect::attribute, MOUNT_ATTR_RELATIME, kAtime},
    {"bind", Effect::bind},
    {"copy-symlink", Effect::copy_symlink},
    {"defaults", Effect::nothing},
    {"dest-nofollow", Effect::target_no_follow},
    {"dev", Effect::attribute, 0, MOUNT_ATTR_NODEV},
    {"diratime", Effect::attribute, 0, MOUNT_ATTR_NODIRATIME},
    {"dirsync", Effect::superblock},
    {"exec", Effect::attribute, 0, MOUNT_ATTR_NOEXEC},
    {"idmap", Effect::idmap},
    {"iversion", Effect::nothing},  // filesystems decide for themselves since Linux 4.15
    {"lazytime", Effect::superblock},
    {"loud", Effect::nothing},
    {"mand", Effect::superblock},
    {"noacl", Effect::nothing},
    {"noatime", Effect::attribute, MOUNT_ATTR_NOATIME, kAtime},
    {"nodev", Effect::attribute, MOUNT_ATTR_NODEV, 0},
    {"nodiratime", Effect::attribute, MOUNT_ATTR_NODIRATIME, 0},
    {"noexec", Effect::attribute, MOUNT_ATTR_NOEXEC, 0},
    {"noiversion", Effect::nothing},
    {"nolazytime", Effect::unsuperblock},
    {"nomand", Effect::unsuperblock},
    {"norelatime", Effect::nothing},
    {"nostrictatime", Effect::attribute, MOUNT_ATTR_RELATIME, kAtime},
    {"nosuid", Effect::attribute, MOUNT_ATTR_NOSUID, 0},
    {"nosymfollow", Effect::attribute, MOUNT_ATTR_NOSYMFOLLOW, 0},
    {"private", Effect::propagation, MS_PRIVATE},
    {"rbind", Effect::rbind},
    {"relatime", Effect::attribute, MOUNT_ATTR_RELATIME, kAtime},
    {"remount", Effect::remount},
    {"ridmap", Effect::ridmap},
    {"ro", Effect::attribute, MOUNT_ATTR_RDONLY, 0},
    {"rprivate", Effect::rpropagation, MS_PRIVATE},
    {"rshared", Effect::rpropagation, MS_SHARED},
    {"rslave", Effect::rpropagation, MS_SLAVE},
    {"runbindable", Effect::rpropagation, MS_UNBINDABLE},
    {"rw", Effect::attribute, 0, MOUNT_ATTR_RDONLY},
    {"shared", Effect::propagation, MS_SHARED},
    {"silent", Effect::nothing},
    {"slave", Effect::propagation, MS_SLAVE},
    {"src-nofollow", Effect::source_no_follow},
    {"strictatime", Effect::attribute, MOUNT_ATTR_STRICTATIME, kAtime},
    {"suid", Effect::attribute, 0, MOUNT_ATTR_NOSUID},
    {"symfollow", Effect::attribute, 0, MOUNT_ATTR_NOSYMFOLLOW},
    {"sync", Effect::superblock},
    {"tmpcopyup", Effect::copy_up},
    {"unbindable", Effect::propagation, MS_UNBINDABLE},
});

// The same attributes for the mount and everything below it.
constexpr auto kRecursiveWords = std::to_array<Word>({
    {"ratime", Effect::recursive, MOUNT_ATTR_RELATIME, kAtime},
    {"rdev", Effect::recursive, 0, MOUNT_ATTR_NODEV},
    {"rdiratime", Effect::recursive, 0, MOUNT_ATTR_NODIRATIME},
    {"rexec", Effect::recursive, 0, MOUNT_ATTR_NOEXEC},
    {"rnoatime", Effect::recursive, MOUNT_ATTR_NOATIME, kAtime},
    {"rnodev", Effect::recursive, MOUNT_ATTR_NODEV, 0},
    {"rnodiratime", Effect::recursive, MOUNT_ATTR_NODIRATIME, 0},
    {"rnoexec", Effect::recursive, MOUNT_ATTR_NOEXEC, 0},
    {"rnorelatime", Effect::nothing},
    {"rnostrictatime", Effect::recursive, MOUNT_ATTR_RELATIME, kAtime},
    {"rnosuid", Effect::recursive, MOUNT_ATTR_NOSUID, 0},
    {"rnosymfollow", Effect::recursive, MOUNT_ATTR_NOSYMFOLLOW, 0},
    {"rrelatime", Effect::recursive, MOUNT_ATTR_RELATIME, kAtime},
    {"rro", Effect::recursive, MOUNT_ATTR_RDONLY, 0},
    {"rrw", Effect::recursive, 0, MOUNT_ATTR_RDONLY},
    {"rstrictatime", Effect::recursive, MOUNT_ATTR_STRICTATIME, kAtime},
    {"rsuid", Effect::recursive, 0, MOUNT_ATTR_NOSUID},
    {"rsymfollow", Effect::recursive, 0, MOUNT_ATTR_NOSYMFOLLOW},
});

constexpr bool by_name(const Word& left, const Word& right) {
  return left.name < right.name;
}
static_assert(std::is_sorted(kWords.begin(), kWords.end(), by_name));
static_assert(std::is_sorted(kRecursiveWords.begin(), kRecursiveWords.end(), by_name));

const Word* find_in(std::span<const Word> words, std::string_view name) {
  const auto found = std::lower_bound(words.begin(), words.end(), name,
                                      [](const Word& word, std::string_view key) { return word.name < key; });
  return found != words.end() && found->name == name ? &*found : nullptr;
}

const Word* find_word(std::string_view name) {
  const Word* found = find_in(kWords, name);
  return found != nullptr ? found : find_in(kRecursiveWords, name);
}

/// Later words win over earlier ones.
void change(program::MountAttributes& attributes, const Word& word) {
  attributes.set = (attributes.set & ~word.clear) | word.set;
  attributes.clear = (attributes.clear | word.clear) & ~(word.set & ~kAtime);
}

void apply(const Word& word, Options& options) {
  switch (word.effect) {
    case Effect::nothing:
      break;
    case Effect::attribute:
      change(options.attributes, word);
      break;
    case Effect::recursive:
      change(options.recursive_attributes, word);
      break;
    case Effect::propagation:
      options.propagations.push_back({word.set, false});
      break;
    case Effect::rpropagation:
      options.propagations.push_back({word.set, true});
      break;
    case Effect::superblock:
      options.superblock.emplace_back(word.name);
      break;
    case Effect::unsuperblock:
      std::erase(options.superblock, word.name == "async" ? "sync" : word.name.substr(2));
      break;
    case Effect::bind:
      options.bind = true;
      break;
    case Effect::rbind:
      options.bind = options.recursive = true;
      break;
    case Effect::remount:
      options.remount = true;
      break;
    case Effect::copy_up:
      options.copy_up = true;
      break;
    case Effect::copy_symlink:
      options.copy_symlink = true;
      break;
    case Effect::source_no_follow:
      options.source_no_follow = true;
      break;
    case Effect::target_no_follow:
      options.target_no_follow = true;
      break;
    case Effect::idmap:
      options.idmap = true;
      break;
    case Effect::ridmap:
      options.idmap = options.recursive_idmap = true;
      break;
  }
}

Result<void> read_word(const std::string& word, Options& options) {
  if (word.empty()) return {};
  if (const Word* known = find_word(word)) {
    apply(*known, options);
    return {};
  }
  const std::size_t equals = word.find('=');
  const std::string key = word.substr(0, equals);
  if (key.empty()) return make_error(Code::invalid_config, "a mount option has no name");
  if (equals == std::string::npos) {
    options.parameters.push_back({key, {}, true});
    return {};
  }
  const std::string value = word.substr(equals + 1);
  if (key == "idmap" || key == "ridmap") {
    apply(*find_word(key), options);
    options.idmap_text = value;
    return {};
  }
  options.parameters.push_back({key, value, false});
  return {};
}

/// A word may hold several parameters, as the data of mount(2) does ("size=1m,mode=755"). Not split where a
/// comma belongs to the value: labels and the layers of overlay, which escapes it.
bool is_splittable(const std::string& word) {
  return word.find(',') != std::string::npos && word.find('"') == std::string::npos &&
         word.find("context=") == std::string::npos && word.find('\\') == std::string::npos;
}

bool read_number(std::string_view text, std::uint32_t& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size() && !text.empty();
}

/// The host id behind an id of the container's user namespace.
bool to_host(const std::vector<spec::IdMapping>& mappings, std::uint32_t id, std::uint32_t size,
             std::uint32_t& host) {
  for (const spec::IdMapping& mapping : mappings) {
    if (id < mapping.container_id || id - mapping.container_id >= mapping.size) continue;
    if (size > mapping.size - (id - mapping.container_id)) return false;
    host = mapping.host_id + (id - mapping.container_id);
    return true;
  }
  return false;
}

Result<spec::IdMapping> read_triple(std::string_view text, const std::vector<spec::IdMapping>& container) {
  const Error malformed = make_error(Code::invalid_config, std::string("malformed id mapping \"") +
                                                               std::string(text) + "\" in option idmap");
  const bool relative = text.starts_with('@');
  if (relative) text.remove_prefix(1);
  const std::size_t first = text.find('-');
  const std::size_t second = first == text.npos ? text.npos : text.find('-', first + 1);
  if (second == text.npos) return malformed;
  spec::IdMapping mapping;
  if (!read_number(text.substr(0, first), mapping.container_id) ||
      !read_number(text.substr(first + 1, second - first - 1), mapping.host_id) ||
      !read_number(text.substr(second + 1), mapping.size) || mapping.size == 0)
    return malformed;
  if (relative && !to_host(container, mapping.host_id, mapping.size, mapping.host_id)) return malformed;
  return mapping;
}

Result<std::vector<spec::IdMapping>> read_triples(std::string_view text,
                                                  const std::vector<spec::IdMapping>& container) {
  std::vector<spec::IdMapping> mappings;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('#'), text.size());
    mappings.push_back(TRY(read_triple(text.substr(0, end), container)));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return mappings;
}

}  // namespace

bool Options::readonly() const {
  return ((attributes.set | recursive_attributes.set) & MOUNT_ATTR_RDONLY) != 0;
}

Result<Options> read_options(const spec::Mount& mount) {
  Options options;
  for (std::size_t index = 0; index < mount.options.size(); ++index) {
    std::string_view rest = mount.options[index];
    const bool split = is_splittable(mount.options[index]);
    do {
      const std::size_t end = split ? std::min(rest.find(','), rest.size()) : rest.size();
      auto read = read_word(std::string(rest.substr(0, end)), options);
      if (!read) return spec::at(mount.position, "options/" + std::to_string(index), read.error());
      rest.remove_prefix(std::min(end + 1, rest.size()));
    } while (!rest.empty());
  }
  // What was forbidden for the whole tree holds for its top, too: engines write "rw" beside "rro".
  options.attributes.clear &= ~(options.recursive_attributes.set & ~kAtime);
  // Any mount with "bind" or "rbind" is one; the type is a dummy then. The reverse is the peers' custom.
  if (mount.type == "bind" || mount.type == "rbind") options.bind = true;
  if (mount.type == "rbind") options.recursive = true;
  return options;
}

Result<IdmapMappings> read_idmap(std::string_view text, const spec::Linux& linux) {
  IdmapMappings mappings;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(';'), text.size());
    const std::string_view part = text.substr(0, end);
    if (part.starts_with("uids="))
      mappings.uids = TRY(read_triples(part.substr(5), linux.uid_mappings));
    else if (part.starts_with("gids="))
      mappings.gids = TRY(read_triples(part.substr(5), linux.gid_mappings));
    else
      return make_error(Code::invalid_config, "option idmap wants \"uids=...;gids=...\"");
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  if (mappings.uids.empty() || mappings.gids.empty())
    return make_error(Code::invalid_config, "option idmap needs both uids and gids");
  return mappings;
}

std::vector<std::string> mount_options() {
  std::vector<std::string> names;
  for (const Word& word : kWords) names.emplace_back(word.name);
  for (const Word& word : kRecursiveWords) names.emplace_back(word.name);
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace davit::rootfs
