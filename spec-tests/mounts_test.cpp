// SPDX-License-Identifier: Apache-2.0
// config.md, mounts: every option word and the order of the list.
#include <sys/mount.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "clause.hpp"

namespace spec_tests {
namespace {

using support::default_config;
using support::find_mount;
using support::mount_entry;
using support::split;

class Mounts : public SpecTest {
 protected:
  /// The line of mountinfo about the last mount on that destination.
  std::vector<std::string> fields_of(const Json& config, const std::string& destination) {
    std::vector<std::string> last;
    for (const auto& line : split(output(config, "cat /proc/self/mountinfo"), '\n')) {
      auto fields = split(line, ' ');
      if (fields.size() > 9 && fields[4] == destination) last = std::move(fields);
    }
    return last;
  }
  static bool has(const std::vector<std::string>& fields, const std::string& option) {
    for (const std::string& field : {fields[5], fields.back()}) {
      const auto options = split(field, ',');
      if (std::find(options.begin(), options.end(), option) != options.end()) return true;
    }
    return false;
  }
};

struct Word {
  const char* clause;
  const char* option;
  const char* shown;      ///< what mountinfo must show, or ""
  const char* not_shown;  ///< what it must not show, or ""
};

constexpr Word kRequired[] = {
    {"config-95", "async", "", "sync"},
    {"config-96", "atime", "", "noatime"},
    {"config-98", "defaults", "rw", ""},
    {"config-99", "dev", "", "nodev"},
    {"config-100", "diratime", "", "nodiratime"},
    {"config-101", "dirsync", "", ""},
    {"config-102", "exec", "", "noexec"},
    {"config-103", "iversion", "", ""},
    {"config-104", "lazytime", "", ""},
    {"config-105", "loud", "", ""},
    {"config-107", "noatime", "noatime", ""},
    {"config-108", "nodev", "nodev", ""},
    {"config-109", "nodiratime", "nodiratime", ""},
    {"config-110", "noexec", "noexec", ""},
    {"config-111", "noiversion", "", ""},
    {"config-112", "nolazytime", "", ""},
    {"config-114", "norelatime", "", "noatime"},
    {"config-115", "nostrictatime", "relatime", ""},
    {"config-116", "nosuid", "nosuid", ""},
    {"config-117", "nosymfollow", "nosymfollow", ""},
    {"config-123", "relatime", "relatime", ""},
    {"config-133", "ro", "ro", ""},
    {"config-144", "rw", "rw", ""},
    {"config-146", "silent", "", ""},
    {"config-148", "strictatime", "", "relatime"},
    {"config-149", "suid", "", "nosuid"},
    {"config-150", "symfollow", "", "nosymfollow"},
    {"config-151", "sync", "sync", ""},
};

constexpr Word kRecommended[] = {
    {"config-119", "ratime", "", "noatime"},
    {"config-121", "rdev", "", "nodev"},
    {"config-122", "rdiratime", "", "nodiratime"},
    {"config-125", "rexec", "", "noexec"},
    {"config-126", "rnoatime", "noatime", ""},
    {"config-127", "rnodiratime", "nodiratime", ""},
    {"config-128", "rnoexec", "noexec", ""},
    {"config-129", "rnorelatime", "", "noatime"},
    {"config-130", "rnostrictatime", "", ""},
    {"config-131", "rnosuid", "nosuid", ""},
    {"config-132", "rnosymfollow", "nosymfollow", ""},
    {"config-135", "rrelatime", "relatime", ""},
    {"config-136", "rro", "ro", ""},
    {"config-137", "rrw", "", "ro"},
    {"config-140", "rstrictatime", "", "relatime"},
    {"config-141", "rsuid", "", "nosuid"},
    {"config-142", "rsymfollow", "", "nosymfollow"},
};

constexpr Word kOptional[] = {
    {"config-106", "mand", "", ""},
    {"config-113", "nomand", "", ""},
};

/// A filesystem of its own, so that it does not matter how the host's is mounted.
class OwnTmpfs {
 public:
  explicit OwnTmpfs(const std::string& path) : path_(path) {
    EXPECT_EQ(mount("tmpfs", path.c_str(), "tmpfs", 0, nullptr), 0) << strerror(errno);
  }
  OwnTmpfs(const OwnTmpfs&) = delete;
  OwnTmpfs& operator=(const OwnTmpfs&) = delete;
  ~OwnTmpfs() { umount2(path_.c_str(), MNT_DETACH); }

 private:
  std::string path_;
};

class Options : public Mounts, public ::testing::WithParamInterface<Word> {};

TEST_P(Options, IsUnderstood) {
  const Word& word = GetParam();
  const ClauseScope clause({word.clause});
  if (std::any_of(std::begin(kOptional), std::end(kOptional),
                  [&](const Word& one) { return std::string(one.option) == word.option; }))
    NEEDS_FEATURE("mountOptions=" + std::string(word.option), "1.0");
  const bool recursive = word.option[0] == 'r' && std::string(word.option) != "ro" &&
                         std::string(word.option) != "rw" && std::string(word.option) != "relatime";
  TempDir source;
  const OwnTmpfs filesystem(source.path());
  Json config = default_config();
  config["mounts"].push(recursive ? mount_entry("/mnt", "bind", source.path(), {"rbind", word.option})
                                  : mount_entry("/mnt", "tmpfs", "tmpfs", {word.option}));
  const auto fields = fields_of(config, "/mnt");
  ASSERT_FALSE(fields.empty());
  if (*word.shown != '\0') {
    EXPECT_TRUE(has(fields, word.shown)) << fields[5];
  }
  if (*word.not_shown != '\0') {
    EXPECT_FALSE(has(fields, word.not_shown)) << fields[5];
  }
}

std::string option_name(const testing::TestParamInfo<Word>& parameter) {
  return parameter.param.option;
}
INSTANTIATE_TEST_SUITE_P(Must, Options, ::testing::ValuesIn(kRequired), option_name);
INSTANTIATE_TEST_SUITE_P(May, Options, ::testing::ValuesIn(kOptional), option_name);
INSTANTIATE_TEST_SUITE_P(Should, Options, ::testing::ValuesIn(kRecommended), option_name);

TEST_F(Mounts, InListedOrder) {
  CLAUSE("config-65", "config-66", "config-70", "config-79", "config-185");
  Json config = default_config();
  config["mounts"].push(mount_entry("/mnt", "tmpfs", "one", {"size=1m"}));
  config["mounts"].push(mount_entry("/mnt/inner", "tmpfs", "two", {"size=1m"}));
  config["mounts"].push(mount_entry("/mnt", "tmpfs", "three", {"size=2m"}));
  const std::string text =
      output(config, "grep ' /mnt' /proc/self/mountinfo | sed 's/.*tmpfs //' | cut -d' ' -f1");
  EXPECT_EQ(text, "one\ntwo\nthree");
}

TEST_F(Mounts, DestinationsAreRelativeToTheRoot) {
  CLAUSE("config-71", "config-72", "config-78");
  Json config = default_config();
  config["process"]["cwd"] = "/tmp";
  config["mounts"].push(mount_entry("mnt/relative", "tmpfs", "tmpfs"));
  EXPECT_FALSE(fields_of(config, "/mnt/relative").empty());
}

TEST_F(Mounts, Bind) {
  CLAUSE("config-97", "config-120");
  TempDir source;
  support::make_dirs(source / "below");
  ASSERT_EQ(mount("tmpfs", (source / "below").c_str(), "tmpfs", 0, nullptr), 0);
  support::write_file(source / "below/file", "x");
  Json config = default_config();
  config["mounts"].push(mount_entry("/mnt", "bind", source.path(), {"bind"}));
  EXPECT_EQ(output(config, "ls /mnt/below"), "");
  (*find_mount(config, "/mnt"))["options"] = Json(std::vector<std::string>{"rbind"});
  EXPECT_EQ(output(config, "ls /mnt/below"), "file");
  umount2((source / "below").c_str(), MNT_DETACH);
}

TEST_F(Mounts, Propagation) {
  CLAUSE("config-118", "config-134", "config-138", "config-139", "config-143", "config-145", "config-147",
         "config-153");
  TempDir source;
  ASSERT_EQ(mount("tmpfs", source.path().c_str(), "tmpfs", 0, nullptr), 0);
  ASSERT_EQ(mount(nullptr, source.path().c_str(), nullptr, MS_SHARED, nullptr), 0);
  const std::pair<const char*, const char*> cases[] = {{"shared", "shared:"},
                                                       {"rshared", "shared:"},
                                                       {"slave", "master:"},
                                                       {"rslave", "master:"},
                                                       {"private", "-"},
                                                       {"rprivate", "-"},
                                                       {"unbindable", "unbindable"},
                                                       {"runbindable", "unbindable"}};
  for (const auto& [option, shown] : cases) {
    Json config = default_config();
    config["linux"]["rootfsPropagation"] = "slave";
    config["mounts"].push(mount_entry("/mnt", "bind", source.path(), {"bind", option}));
    const auto fields = fields_of(config, "/mnt");
    ASSERT_FALSE(fields.empty()) << option;
    EXPECT_EQ(fields[6].rfind(shown, 0), 0U) << option << " shows as " << fields[6];
  }
  umount2(source.path().c_str(), MNT_DETACH);
}

TEST_F(Mounts, Remount) {
  CLAUSE("config-124");
  Json config = default_config();
  config["mounts"].push(mount_entry("/mnt", "tmpfs", "tmpfs", {"size=1m"}));
  config["mounts"].push(mount_entry("/mnt", "tmpfs", "tmpfs", {"remount", "ro", "size=1m"}));
  EXPECT_EQ(output(config, "touch /mnt/x 2>/dev/null || echo refused; grep -c ' /mnt ' /proc/self/mountinfo"),
            "refused\n1");
}

TEST_F(Mounts, UnknownOptionsGoToTheFilesystem) {
  CLAUSE("config-163", "config-166");
  Json config = default_config();
  config["mounts"].push(mount_entry("/mnt", "tmpfs", "tmpfs", {"size=123k"}));
  const auto fields = fields_of(config, "/mnt");
  ASSERT_FALSE(fields.empty());
  EXPECT_TRUE(has(fields, "size=124k") || has(fields, "size=123k")) << fields.back();
  config["mounts"].push(mount_entry("/mnt", "tmpfs", "tmpfs", {"nosuchoption"}));
  refused(config);
}

TEST_F(Mounts, WordsOfMountDoWhatTheyDoThere) {
  CLAUSE("config-164");
  Json config = default_config();
  std::string words;
  // These mean something to mount(8) alone, and nothing to the kernel.
  for (const char* word :
       {"auto", "noauto", "user", "nouser", "users", "owner", "group", "nofail", "_netdev"}) {
    if (!claims().features().get("mountOptions").contains(word)) continue;
    words += word;
    config["mounts"].push(mount_entry(std::string("/mnt/") + word, "tmpfs", "tmpfs", {word}));
  }
  if (words.empty()) GTEST_SKIP() << kNotApplicable << "`features` lists no such option";
  EXPECT_EQ(output(config, "echo fine"), "fine");
}

TEST_F(Mounts, Tmpcopyup) {
  CLAUSE("config-152");
  NEEDS_FEATURE("mountOptions=tmpcopyup", "1.0");
  Json config = default_config();
  config["mounts"].push(mount_entry("/etc", "tmpfs", "tmpfs", {"tmpcopyup"}));
  EXPECT_EQ(output(config, "grep -c root: /etc/passwd; echo x >/etc/new && echo written"), "1\nwritten");
}

class IdmappedMounts : public Mounts {
 protected:
  /// A bind mount on /mnt whose files belong to 1000 where they belong to 0.
  static Json with(const std::string& source, const std::vector<std::string>& options) {
    Json config = default_config();
    Json entry = mount_entry("/mnt", "bind", source, options);
    for (const char* key : {"uidMappings", "gidMappings"})
      entry[key] = Json::parse(R"([{"containerID": 0, "hostID": 1000, "size": 10}])");
    config["mounts"].push(entry);
    return config;
  }
};

#define NEEDS_IDMAP NEEDS_FEATURE("linux.mountExtensions.idmap.enabled", "1.2")

TEST_F(IdmappedMounts, MappingsAreUsed) {
  CLAUSE("config-154", "config-188", "config-189", "config-193", "config-194");
  NEEDS_IDMAP;
  TempDir source;
  support::write_file(source / "file", "x");
  EXPECT_EQ(output(with(source.path(), {"bind"}), "stat -c %u:%g /mnt/file"), "1000:1000");
  CLAUSE("config-190", "config-195", "config-154");
  EXPECT_EQ(output(with(source.path(), {"bind", "idmap"}), "stat -c %u:%g /mnt/file"), "1000:1000");
}

TEST_F(IdmappedMounts, Recursively) {
  CLAUSE("config-155");
  NEEDS_IDMAP;
  TempDir source;
  TempDir other;  // of the same filesystem: not every kernel can show a tmpfs with other ids
  support::make_dirs(source / "below");
  ASSERT_EQ(mount(other.path().c_str(), (source / "below").c_str(), nullptr, MS_BIND, nullptr), 0);
  EXPECT_EQ(output(with(source.path(), {"rbind", "ridmap"}), "stat -c %u /mnt /mnt/below"), "1000\n1000");
  umount2((source / "below").c_str(), MNT_DETACH);
}

TEST_F(IdmappedMounts, NeedAMapping) {
  CLAUSE("config-154", "config-155");
  NEEDS_IDMAP;
  TempDir source;
  for (const char* option : {"idmap", "ridmap"}) {
    Json config = default_config();
    config["mounts"].push(mount_entry("/mnt", "bind", source.path(), {"rbind", option}));
    SCOPED_TRACE(option);
    refused(config);
  }
}

TEST_F(IdmappedMounts, MappingsComeInPairs) {
  TempDir source;
  for (const char* key : {"uidMappings", "gidMappings"}) {
    CLAUSE(key == std::string("uidMappings") ? "config-192" : "config-197");
    NEEDS_IDMAP;
    Json config = default_config();
    Json entry = mount_entry("/mnt", "bind", source.path(), {"bind", "idmap"});
    entry[key] = Json::parse(R"([{"containerID": 0, "hostID": 1000, "size": 10}])");
    config["mounts"].push(entry);
    refused(config);
  }
}

TEST_F(Mounts, OptionsAreTheWordsOfMount) {
  CLAUSE("config-84", "config-91", "config-161");
  Json config = default_config();
  config["mounts"].push(
      mount_entry("/mnt", "tmpfs", "tmpfs", {"noexec", "nosuid", "nodev", "ro", "size=1m"}));
  const auto fields = fields_of(config, "/mnt");
  ASSERT_FALSE(fields.empty());
  for (const char* word : {"noexec", "nosuid", "nodev", "ro"}) {
    EXPECT_TRUE(has(fields, word)) << word << ": " << fields[5];
  }
}

TEST_F(Mounts, DefaultFilesystems) {
  CLAUSE("config-linux-11");
  const std::string text = output(default_config(), "cut -d' ' -f2,3 /proc/mounts");
  for (const char* line : {"/proc proc", "/sys sysfs", "/dev/pts devpts", "/dev/shm tmpfs"}) {
    EXPECT_NE(text.find(line), std::string::npos) << line << "\n" << text;
  }
}

}  // namespace
}  // namespace spec_tests
