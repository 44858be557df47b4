// SPDX-License-Identifier: Apache-2.0
// Mistakes that people make, and what davit answers: the place, the cause, and what to do.
// DAVIT_TEST_PEERS=DIR also prints what the runc and the crun in that directory say to the same.
#include <cstdlib>
#include <iostream>

#include "mistakes.hpp"
#include "mistakes_of_calls.hpp"
#include "support/fixture.hpp"

namespace support {
namespace {

class Mistakes : public ContainerTest {
 protected:
  /// What every mistake may be about.
  static void furnish(Bundle& bundle) {
    write_file(bundle.path() + "/file", "x");
    make_dirs(bundle.path() + "/directory");
    write_file(bundle.path() + "/hook", "#!/bin/sh\necho no device >&2\nexit 3\n", 0755);
    write_file(bundle.path() + "/process.json", R"({"args": ["nosuch"], "cwd": "/", "env": ["PATH=/bin"]})");
    write_file(bundle.rootfs() + "/bin/plain", "#!/bin/sh\n", 0644);
    write_file(bundle.rootfs() + "/bin/text", "hello\n", 0755);
    write_file(bundle.rootfs() + "/bin/script", "#!/no/such/interpreter\n", 0755);
    make_symlink("/no/such", bundle.rootfs() + "/bin/dangling");
    make_symlink("loop", bundle.rootfs() + "/bin/loop");
    write_file(bundle.rootfs() + "/bin/empty", "", 0755);
    write_file(bundle.rootfs() + "/bin/script-of-directory", "#!/bin\n", 0755);
    std::string elf = read_file(bundle.rootfs() + "/bin/busybox").substr(0, 64);
    elf[18] = static_cast<char>(243);  // EM_RISCV
    write_file(bundle.rootfs() + "/bin/foreign", elf, 0755);
    write_file(bundle.path() + "/text", "hello\n", 0755);
    write_file(bundle.rootfs() + "/bin/dos", "#!/bin/sh\r\n", 0755);
  }
  static std::string replaced(std::string text, char mark, const std::string& by) {
    for (std::size_t at = 0; (at = text.find(mark, at)) != std::string::npos; at += by.size())
      text.replace(at, 1, by);
    return text;
  }
  /// The first line that is no hint, and the hint below it.
  static std::pair<std::string, std::string> answer_of(const std::string& err) {
    std::pair<std::string, std::string> answer;
    for (const std::string& line : split(err, '\n')) {
      const bool is_hint = line.rfind("hint: ", 0) == 0;
      if (is_hint && answer.second.empty()) answer.second = line;
      if (!is_hint && !answer.first.empty()) break;
      if (!is_hint) answer.first = line;
    }
    return answer;
  }
  static void change(Json& config, const std::string& path, const std::string& value) {
    const bool has_sign = path[0] == '+' || path[0] == '-';
    const std::vector<std::string> keys = split(has_sign ? path.substr(1) : path, '.');
    Json& parent = keys.size() > 1 ? config[keys[0]] : config;
    if (path[0] == '-') return parent.erase(keys.back());
    Json& place = parent[keys.back()];
    if (path[0] == '+')
      place.push(Json::parse(value));
    else
      place = Json::parse(value);
  }
  static void expect(const Mistake& mistake, const std::string& bundle, const Outcome& outcome) {
    const auto [line, hint] = answer_of(outcome.err);
    const std::string seen = std::string(mistake.what) + "\n" + outcome.err;
    EXPECT_NE(line.find(replaced(mistake.line, '@', bundle)), std::string::npos) << seen;
    EXPECT_NE(hint.find(replaced(mistake.hint, '@', bundle)), std::string::npos) << seen;
    EXPECT_EQ(hint.empty(), *mistake.hint == '\0') << seen;
  }
  /// What other runtimes say to the same; for people who compare.
  void print_peers(const std::string& what, const std::vector<std::string>& args) {
    const char* directory = std::getenv("DAVIT_TEST_PEERS");
    if (directory == nullptr) return;
    for (const char* name : {"/runc", "/crun"}) {
      TempDir state;
      const Runtime peer(std::string(directory) + name, state.path());
      const Outcome outcome = peer(args);
      std::cout << what << ": " << peer.name() << " (" << outcome.status
                << "): " << trim(outcome.err.empty() ? outcome.out : outcome.err) << "\n";
      peer({"delete", "--force", args.back()});
    }
  }
};

TEST_F(Mistakes, OfConfigs) {
  SKIP_UNLESS(runtime.is_davit(), "every runtime has words of its own");
  Bundle bundle;
  furnish(bundle);
  for (const Mistake& mistake : kConfigMistakes) {
    bundle.config = default_config();
    bundle.args({"true"});
    if (std::string(mistake.what).rfind("unmapped", 0) == 0) add_user_namespace(bundle.config);
    const std::string path = mistake.path;
    change(bundle.config, path, replaced(mistake.value, '@', bundle.path()));
    if (path == "linux.resources")
      bundle.config["linux"]["cgroupsPath"] = cgroup_path(Sandbox::get().new_id());
    bundle.write();
    const std::vector<std::string> args = {"run", "--bundle", bundle.path(), new_id()};
    expect(mistake, bundle.path(), runtime(args));
    print_peers(mistake.what, args);
  }
}

TEST_F(Mistakes, OfCalls) {
  SKIP_UNLESS(runtime.is_davit(), "every runtime has words of its own");
  Bundle bundle;
  furnish(bundle);
  bundle.args({"/bin/sleep", "1000"});
  const std::string id = start(bundle);
  for (const Mistake& mistake : kCallMistakes) {
    const std::string line = replaced(replaced(mistake.value, '@', bundle.path()), '#', id);
    const std::vector<std::string> args = split(line, ' ');
    const Outcome outcome = runtime(args);
    EXPECT_NE(outcome.status, 0) << line;
    expect(mistake, bundle.path(), outcome);
    print_peers(line, args);
  }
}

TEST_F(Mistakes, OfFiles) {
  SKIP_UNLESS(runtime.is_davit(), "every runtime has words of its own");
  for (const Mistake& mistake : kFileMistakes) {
    Bundle bundle;
    bundle.write_text(mistake.value);
    const std::vector<std::string> args = {"run", "--bundle", bundle.path(), new_id()};
    expect(mistake, bundle.path(), runtime(args));
    print_peers(mistake.what, args);
  }
}

TEST_F(Mistakes, SeveralHaveAHintEach) {
  SKIP_UNLESS(runtime.is_davit(), "every runtime has words of its own");
  Bundle bundle;
  bundle.config["process"]["cwd"] = "relative";
  bundle.config["process"]["rlimits"] = Json::parse(R"([{"type": "NOFILE", "soft": 2, "hard": 1}])");
  bundle.config["linux"]["rootfsPropagation"] = "public";
  bundle.write();
  const Outcome outcome = runtime({"run", "--bundle", bundle.path(), new_id()});
  const auto lines = split(trim(outcome.err), '\n');
  ASSERT_EQ(lines.size(), 6U) << outcome.err;
  EXPECT_NE(lines[1].find("/process/rlimits/0/type"), std::string::npos) << outcome.err;
  EXPECT_EQ(lines[2], "hint: did you mean \"RLIMIT_NOFILE\"?");
  EXPECT_EQ(lines[5].rfind("hint: one of private", 0), 0U) << outcome.err;
}

TEST_F(Mistakes, TheLogHasThemAll) {
  SKIP_UNLESS(runtime.is_davit(), "every runtime has words of its own");
  TempDir place;
  Bundle bundle;
  bundle.config["process"]["cwd"] = "relative";
  bundle.config["process"]["rlimits"] = Json::parse(R"([{"type": "NOFILE", "soft": 1, "hard": 1}])");
  bundle.write();
  const std::string log = place / "log.json";
  runtime({"--log", log, "--log-format", "json", "create", "--bundle", bundle.path(), new_id()});
  const Json entry = Json::parse(read_file(log));
  const std::string message = entry.get("msg").str();
  EXPECT_NE(message.find("/process/cwd"), std::string::npos) << message;
  EXPECT_NE(message.find("/process/rlimits/0/type"), std::string::npos) << message;
  EXPECT_NE(message.find("(did you mean \"RLIMIT_NOFILE\"?)"), std::string::npos) << message;
  EXPECT_EQ(entry.get("pointer").str(), "/process/cwd");
  EXPECT_EQ(entry.get("file").str(), "config.json");
  EXPECT_GT(entry.get("line").number(), 0);
  EXPECT_GT(entry.get("column").number(), 0);
}

}  // namespace
}  // namespace support
