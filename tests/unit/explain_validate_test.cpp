// SPDX-License-Identifier: Apache-2.0
// What is wrong with a config, all at once, and what it grants.
#include "davit/explain/validate.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>

namespace davit::explain {
namespace {

constexpr const char* kMistakes = R"({
  "ociVersion": "1.2.0",
  "root": {"path": "rootfs", "readOnly": true},
  "process": {
    "cwd": "relative",
    "args": ["sh"],
    "user": {"uid": 5000, "gid": 0},
    "capabilities": {"bounding": ["KILL"]},
    "rlimits": [{"type": "NOFILE", "soft": 10, "hard": 20}]
  },
  "mounts": [{"destination": "/proc", "type": "proc", "source": "proc", "options": ["nosudi"]}],
  "linux": {
    "namespaces": [{"type": "mount"}, {"type": "netwrok"}, {"type": "user"}],
    "uidMappings": [{"containerID": 0, "hostID": 100000, "size": 1000}],
    "gidMappings": [{"containerID": 0, "hostID": 100000, "size": 1000}],
    "seccomp": {"defaultAction": "SCMP_ACT_ALOW", "syscalls": [{"names": ["opneat"], "action": "allow"}]}
  }
})";

constexpr const char* kPlain = R"({"ociVersion": "1.0.2", "root": {"path": "rootfs"},
  "process": {"cwd": "/", "args": ["sh"], "noNewPrivileges": true},
  "mounts": [{"destination": "/a", "type": "tmpfs"}, {"destination": "/b", "type": "bind"},
             {"destination": "/c", "source": "/c"}],
  "linux": {"namespaces": [{"type": "mount"}, {"type": "pid"}]}})";

Verdict check(const std::string& text) {
  return validate(text, "config.json", {.call = {.id = "x", .bundle = "/bundle"}}, false);
}

const Finding* at(const Verdict& verdict, std::string_view pointer) {
  const auto found = std::find_if(verdict.findings.begin(), verdict.findings.end(),
                                  [&](const Finding& finding) { return finding.mark.pointer == pointer; });
  return found == verdict.findings.end() ? nullptr : &*found;
}

struct Meant {
  const char* pointer;
  const char* hint;
  Severity severity;
};

TEST(Validate, EveryMistakeIsNamedWithWhatWasMeant) {
  const Verdict verdict = check(kMistakes);
  for (const Meant& one :
       {Meant{"/root/readOnly", "\"readonly\"", Severity::warning},
        Meant{"/process/user/uid", "linux.uidMappings", Severity::error},
        Meant{"/process/capabilities/bounding/0", "\"CAP_KILL\"", Severity::warning},
        Meant{"/process/rlimits/0/type", "\"RLIMIT_NOFILE\"", Severity::error},
        Meant{"/mounts/0/options/0", "\"nosuid\"", Severity::warning},
        Meant{"/linux/namespaces/1/type", "\"network\"", Severity::error},
        Meant{"/linux/seccomp/defaultAction", "\"SCMP_ACT_ALLOW\"", Severity::error},
        Meant{"/linux/seccomp/syscalls/0/names/0", "\"openat\"", Severity::warning},
        Meant{"/linux/seccomp/syscalls/0/action", "\"SCMP_ACT_ALLOW\"", Severity::error}}) {
    const Finding* finding = at(verdict, one.pointer);
    ASSERT_NE(finding, nullptr) << one.pointer;
    EXPECT_NE(finding->hint.find(one.hint), std::string::npos) << one.pointer << ": " << finding->hint;
    EXPECT_EQ(finding->severity, one.severity) << one.pointer;
  }
  EXPECT_NE(at(verdict, "/process/cwd"), nullptr);
  EXPECT_EQ(verdict.findings.size(), 10U);
}

TEST(Validate, RulesThatLibseccompLosesAreNamed) {
  const auto warned = [](const char* second) {
    const Verdict verdict = check(std::string(R"({"ociVersion": "1.0.2", "root": {"path": "rootfs"},
      "process": {"cwd": "/", "args": ["sh"]}, "linux": {"seccomp": {"defaultAction": "SCMP_ACT_ERRNO",
      "syscalls": [{"names": ["read", "socket"], "action": "SCMP_ACT_ALLOW",
                    "args": [{"index": 0, "value": 3, "op": "SCMP_CMP_LT"}]},
                   {"names": ["socket"], "action": "SCMP_ACT_ALLOW", "args": [)") +
                                  second + "]}]}}}");
    const Finding* finding = at(verdict, "/linux/seccomp/syscalls/0");
    return finding != nullptr && finding->severity == Severity::warning &&
           finding->message.find("the rules for socket overlap") != std::string::npos;
  };
  EXPECT_TRUE(warned(R"({"index": 1, "value": 9, "op": "SCMP_CMP_GT"})"));
  EXPECT_FALSE(warned(""));
}

TEST(Validate, EveryMountIsCheckedByItself) {
  const Verdict verdict = check(kPlain);
  EXPECT_EQ(at(verdict, "/mounts/0"), nullptr);
  EXPECT_NE(at(verdict, "/mounts/1"), nullptr);
  EXPECT_NE(at(verdict, "/mounts/2"), nullptr);
}

TEST(Validate, TheTextIsUnderlined) {
  const std::string text = text_of(check(kMistakes), kMistakes, {});
  EXPECT_NE(text.find("|          ^~~~~~~~~~\n"), std::string::npos) << text;
  EXPECT_NE(text.find("config.json: 6 errors, 4 warnings"), std::string::npos) << text;
}

TEST(Validate, NoLineIsTooLong) {
  std::string one_line = kMistakes;
  std::replace(one_line.begin(), one_line.end(), '\n', ' ');
  for (const std::string& config : {std::string(kMistakes), one_line})
    for (const unsigned width : {30U, 50U, 80U}) {
      std::istringstream lines(text_of(check(config), config, {width, false}));
      for (std::string line; std::getline(lines, line);) ASSERT_LE(columns_of(line), width) << line;
    }
}

// A caret below something else than the value would be worse than none.
TEST(Validate, TheCaretStandsBelowTheValueInALongLine) {
  std::string one_line = kMistakes;
  std::replace(one_line.begin(), one_line.end(), '\n', ' ');
  std::istringstream lines(text_of(check(one_line), one_line, {60, false}));
  std::string before, line;
  bool is_found = false;
  while (std::getline(lines, line)) {
    if (before.find("\"netwrok\"") != std::string::npos && line.find('^') != std::string::npos) {
      EXPECT_EQ(before.substr(line.find('^'), 9), "\"netwrok\"");
      is_found = true;
    }
    before = line;
  }
  EXPECT_TRUE(is_found);
}

TEST(Validate, NoTerminalIsMovedByAConfig) {
  const std::string config =
      "{\"ociVersion\": \"1.0.0\", \"root\": {\"path\": \"r\"}, \"\x1b[2J\": \"\xc2\x9b\"}";
  const std::string text = text_of(check(config), config, {});
  EXPECT_EQ(text.find('\x1b'), std::string::npos) << text;
  EXPECT_EQ(text.find("\xc2\x9b"), std::string::npos) << text;
}

// Long, on one line, with a mistake at every step.
TEST(Validate, AHostileConfigTakesNeitherLongNorMuch) {
  std::string config = R"({"ociVersion": "1.0.0", "root": {"path": "r"}, "mounts": [)";
  for (int i = 0; i < 5000; ++i)
    config += R"({"destination": "/x", "type": "tmpfs", "options": ["nosudi"]},)";
  config.back() = ']';
  config += "}";
  const Verdict verdict = check(config);
  EXPECT_GT(verdict.findings.size(), 10U);
  EXPECT_LT(verdict.findings.size(), 200U);
  EXPECT_LT(text_of(verdict, config, {}).size(), 100000U);
}

TEST(Grants, WhatLeadsOutIsNamed) {
  spec::Config config;
  config.process.emplace();
  config.process->capabilities.emplace();
  config.process->capabilities->bounding = {"CAP_CHOWN", "CAP_SYS_ADMIN"};
  spec::Mount mount;
  mount.destination = "/host";
  mount.type = "bind";
  mount.source = "/";
  config.mounts.push_back(mount);
  std::string labels;
  for (const Line& line : grants_of(config).lines) labels += line.label + " ";
  for (const char* label :
       {"root", "host pid", "host network", "CAP_SYS_ADMIN", "/host", "seccomp", "memory"})
    EXPECT_NE(labels.find(label), std::string::npos) << label << " in " << labels;
  EXPECT_EQ(labels.find("CAP_CHOWN"), std::string::npos);
}

TEST(Nearest, AWordThatIsFarIsNotMeant) {
  EXPECT_EQ(nearest("network", {"user", "pid"}), "");
  EXPECT_EQ(nearest("", {"user"}), "");
  EXPECT_EQ(nearest("READONLY", {"readonly"}), "readonly");
  EXPECT_EQ(nearest("nofile", {"RLIMIT_NOFILE"}), "RLIMIT_NOFILE");
  EXPECT_EQ(nearest("opne", {"open", "openat"}), "open");
}

}  // namespace
}  // namespace davit::explain
