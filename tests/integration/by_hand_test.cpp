// SPDX-License-Identifier: Apache-2.0
// davit as a person uses it at a prompt.
#include <filesystem>

#include "support/fixture.hpp"

namespace support {
namespace {

class ByHand : public ContainerTest {
 protected:
  void SetUp() override { SKIP_UNLESS(runtime.is_davit(), "only davit has these commands"); }
};

TEST_F(ByHand, ABundleIsEnough) {
  Bundle bundle;
  bundle.sh("echo by hand");
  bundle.write();
  const Outcome outcome = runtime({"run", bundle.path() + "/"});
  EXPECT_EQ(outcome.out, "by hand\n") << outcome.all();
  EXPECT_EQ(runtime({"list", "--quiet"}).out, "");
}

TEST_F(ByHand, AnIdThatWasMadeUpIsPrinted) {
  Bundle bundle;
  bundle.args({"/bin/sleep", "1000"});
  bundle.write();
  const Outcome outcome = runtime({"run", "--detach", bundle.path() + "/"});
  ASSERT_EQ(outcome.status, 0) << outcome.all();
  EXPECT_EQ(runtime({"list", "--quiet"}).out, outcome.out);
  EXPECT_EQ(runtime({"delete", "--force", outcome.line()}).status, 0);
  const std::string id = new_id();
  EXPECT_EQ(runtime({"run", "--detach", "--bundle", bundle.path(), id}).out, "") << "known to the caller";
}

TEST_F(ByHand, ADirectoryAndACommandAreEnough) {
  Bundle bundle;
  const Outcome outcome =
      runtime({"run", "--rootfs", bundle.rootfs(), "--", "/bin/sh", "-c", "echo in $PWD; id -u"});
  EXPECT_EQ(outcome.out, "in /\n0\n") << outcome.all();
}

TEST_F(ByHand, ExplainShowsTheProgram) {
  Bundle bundle;
  bundle.write();
  const Outcome outcome = runtime({"explain", bundle.path()});
  EXPECT_TRUE(outcome.ok()) << outcome.all();
  EXPECT_NE(outcome.out.find("/proc"), std::string::npos) << outcome.out;
  EXPECT_NE(outcome.out.find("/bin/true"), std::string::npos) << outcome.out;
  EXPECT_EQ(runtime({"list", "--quiet"}).out, "") << "nothing is created";
}

TEST_F(ByHand, ExplainTakesAFileAndTheStandardInput) {
  Bundle bundle;
  bundle.write();
  const Outcome file = runtime({"explain", bundle.path() + "/config.json"});
  EXPECT_TRUE(file.ok()) << file.all();
  const Outcome operations = runtime({"explain", "--operations", bundle.path()});
  EXPECT_NE(operations.out.find("pivot_root"), std::string::npos) << operations.all();
  Options options;
  options.input = bundle.config.dump();
  const Outcome input = runtime({"explain", "-"}, options);
  EXPECT_NE(input.out.find("Namespaces"), std::string::npos) << input.all();
}

TEST_F(ByHand, ExplainHasTheForkWhereCreateHasIt) {
  Bundle first;
  first.sh("while :; do sleep 1; done");
  const std::string id = start(first);
  Bundle bundle;
  for (auto& entry : bundle.config["linux"]["namespaces"].items())
    if (entry.get("type").str() == "pid")
      entry["path"] = "/proc/" + std::to_string(runtime.pid(id)) + "/ns/pid";
  bundle.write();
  const std::string explained = runtime({"explain", "--operations", bundle.path()}).out;
  const std::string second = new_id();
  const std::string done = runtime({"--debug", "create", "--bundle", bundle.path(), second}).err;
  destroy(second);
  const auto forks_late = [](const std::string& text) {
    EXPECT_NE(text.find("fork_init"), std::string::npos) << text;
    return text.find("fork_init") > text.find("pivot_root");
  };
  EXPECT_EQ(forks_late(explained), forks_late(done)) << explained << done;
}

TEST_F(ByHand, ExplainSaysWhatItDidNotFind) {
  const Outcome outcome = runtime({"explain", "nope"});
  EXPECT_EQ(outcome.status, 1);
  EXPECT_NE(outcome.err.find("no container called \"nope\""), std::string::npos) << outcome.err;
}

TEST_F(ByHand, ExplainForProgramsIsJson) {
  Bundle bundle;
  bundle.write();
  for (const char* option : {"--json", "--operations"}) {
    const Outcome outcome = runtime({"explain", "--json", option, bundle.path()});
    EXPECT_TRUE(Json::try_parse(outcome.out)) << outcome.all();
  }
}

TEST_F(ByHand, ExplainComparesTwoBundles) {
  Bundle one, other;
  one.write();
  other.config["hostname"] = "another";
  other.write();
  const Outcome outcome = runtime({"explain", one.path(), other.path()});
  EXPECT_TRUE(outcome.ok()) << outcome.all();
  EXPECT_NE(outcome.out.find("+ hostname"), std::string::npos) << outcome.all();
}

TEST_F(ByHand, ExplainNeedsNoRoot) {
  Bundle bundle;
  bundle.write();
  const Outcome outcome = runtime.as_user(65534, {"explain", bundle.path()});
  EXPECT_TRUE(outcome.ok()) << outcome.all();
}

TEST_F(ByHand, AKeyThatDiffersInCaseOnlyIsNamedInTheQuietestLog) {
  Bundle bundle;
  bundle.config["root"]["readOnly"] = true;
  bundle.write();
  const std::string log = bundle.path() + "/log";
  const std::string id = new_id();
  const std::vector<std::string> options{"--log",  log,        "--log-format", "json",
                                         "create", "--bundle", bundle.path(),  id};
  EXPECT_TRUE(runtime(options).ok()) << read_file(log);
  EXPECT_NE(read_file(log).find("readOnly"), std::string::npos) << read_file(log);
  // An engine reads one record of a failure: the notice is in it.
  std::filesystem::remove(log);
  EXPECT_FALSE(runtime(options).ok()) << "the id is taken";
  const auto record = Json::try_parse(read_file(log));
  ASSERT_TRUE(record) << read_file(log);
  EXPECT_NE(record->get("msg").str().find("readOnly"), std::string::npos) << read_file(log);
}

TEST_F(ByHand, ValidateTellsByItsStatus) {
  Bundle bundle;
  bundle.write();
  EXPECT_EQ(runtime({"validate", "--strict", bundle.path()}).status, 0);
  bundle.config["process"]["unheard"] = "of";
  bundle.write();
  EXPECT_EQ(runtime({"validate", bundle.path()}).status, 0);
  EXPECT_EQ(runtime({"validate", "--strict", bundle.path()}).status, 2);
  bundle.config["process"]["cwd"] = "relative";
  bundle.write();
  const Outcome outcome = runtime({"validate", "--strict", bundle.path()});
  EXPECT_EQ(outcome.status, 1);
  EXPECT_NE(outcome.out.find("/process/unheard"), std::string::npos) << outcome.all();
  EXPECT_NE(outcome.out.find("/process/cwd"), std::string::npos) << outcome.all();
  EXPECT_TRUE(Json::try_parse(runtime({"validate", "--json", bundle.path()}).out));
}

TEST_F(ByHand, ValidateSaysWhatTheHostLacks) {
  Bundle bundle;
  bundle.config["process"]["args"] = Json::parse(R"(["/bin/nowhere"])");
  bundle.write();
  const Outcome outcome = runtime({"validate", "--host", bundle.path()});
  EXPECT_TRUE(outcome.ok()) << outcome.all();
  EXPECT_NE(outcome.out.find("/bin/nowhere in the root: No such file"), std::string::npos) << outcome.out;
}

TEST_F(ByHand, SeveralMistakesAreShownAtOnce) {
  Bundle bundle;
  bundle.config["process"]["cwd"] = "relative";
  bundle.config["process"]["rlimits"] = Json::parse(R"([{"type": "RLIMIT_NOSUCH", "soft": 1, "hard": 1}])");
  bundle.write();
  const Outcome outcome = runtime({"run", bundle.path() + "/"});
  EXPECT_NE(outcome.status, 0);
  EXPECT_NE(outcome.err.find("cwd"), std::string::npos) << outcome.err;
}

}  // namespace
}  // namespace support
