// SPDX-License-Identifier: Apache-2.0
// bundle.md, glossary.md and the parts of config.md about the document as a whole.
#include <sys/inotify.h>
#include <unistd.h>

#include "clause.hpp"

namespace spec_tests {
namespace {

using support::default_config;

class Document : public SpecTest {};

TEST_F(Document, ConfigJsonIsInTheRootOfTheBundle) {
  CLAUSE("bundle-14", "bundle-19", "runtime-109");
  Bundle bundle;
  bundle.sh("echo found");
  EXPECT_EQ(run_bundle(bundle).out, "found\n");
  rename((bundle.path() + "/config.json").c_str(), (bundle.path() + "/Config.json").c_str());
  EXPECT_NE(runtime({"create", "--bundle", bundle.path(), new_id()}).status, 0);
}

TEST_F(Document, IsUtf8) {
  CLAUSE("glossary-27");
  Bundle bundle;
  bundle.config["annotations"]["org.example.\xc3\xa4"] = "\xe2\x82\xac";
  bundle.sh("true");
  EXPECT_TRUE(run_bundle(bundle).ok());
  std::string text = bundle.config.dump();
  text.replace(text.find("\xe2\x82\xac"), 3, "\xff\xfe\xff");
  bundle.write_text(text);
  bundle.config = Json();
  refused(bundle);
}

TEST_F(Document, HasNoNameTwice) {
  CLAUSE("glossary-28");
  Bundle bundle;
  std::string text = bundle.config.dump();
  bundle.write_text(text.insert(1, R"("root": {"path": "elsewhere"},)"));
  bundle.config = Json();
  refused(bundle);
}

TEST_F(Document, VersionsAreSemanticVersions) {
  CLAUSE("config-17");
  for (const char* good : {"1.0.0", "1.0.2", "1.1.0", "1.0.2-dev", "1.0.0-rc1+build.5"}) {
    Json config = default_config();
    config["ociVersion"] = good;
    EXPECT_EQ(output(config, "echo fine"), "fine") << good;
  }
  for (const char* bad : {"", "1", "1.0", "one.two.three", "v1.0.0", "2.0.0", "01.0.0", "1.0.0-"}) {
    Json config = default_config();
    config["ociVersion"] = bad;
    SCOPED_TRACE(bad);
    refused(config);
  }
}

TEST_F(Document, UnknownPropertiesAreIgnored) {
  CLAUSE("config-755", "config-742");
  Json config = default_config();
  config["unknown"] = Json::parse(R"({"deep": [null, true, 1.5, "x"]})");
  config["linux"]["unknown"] = "x";
  config["process"]["Unknown"] = 1;
  config["annotations"]["com.example.unknown"] = "x";
  EXPECT_EQ(output(config, "echo fine"), "fine");
}

TEST_F(Document, InvalidValuesAreErrors) {
  CLAUSE("config-760", "runtime-116", "runtime-59");
  const char* cases[] = {R"({"terminal": "yes"})", R"({"cwd": 5})", R"({"args": "sh"})",
                         R"({"user": {"uid": 1.5}})"};
  for (const char* text : cases) {
    Json config = default_config();
    const Json change = Json::parse(text);
    config["process"][change.members()[0].first] = change.members()[0].second;
    SCOPED_TRACE(text);
    refused(config);
  }
}

TEST_F(Document, AnnotationsMapStringsToStrings) {
  CLAUSE("config-718", "config-721", "config-723", "config-745");
  Bundle bundle;
  bundle.config["annotations"] = Json::parse(R"({"com.example.a": "x", "com.example.empty": ""})");
  bundle.args({"/bin/sleep", "1000"});
  const std::string id = create(bundle);
  EXPECT_EQ(runtime.state(id).get("annotations").get("com.example.a").str(), "x");
  bundle.config["annotations"] = Json::object();
  bundle.sh("true");
  EXPECT_TRUE(run_bundle(bundle).ok());
  CLAUSE("config-744");
  bundle.config["annotations"] = Json::parse(R"({"com.example.a": 5})");
  refused(bundle);
  CLAUSE("config-720");
  bundle.config["annotations"] = Json::parse(R"(["a", "b"])");
  refused(bundle);
}

TEST_F(Document, AnnotationsOfTheSpecificationsOwn) {
  CLAUSE("config-727", "config-728", "config-732", "config-733", "config-734", "config-735", "config-736",
         "config-737", "config-738", "config-739");
  const std::pair<const char*, const char*> keys[] = {{"os", "linux"},
                                                      {"os.version", "6.1"},
                                                      {"os.features", "any"},
                                                      {"architecture", "amd64"},
                                                      {"variant", "v2"},
                                                      {"author", "somebody"},
                                                      {"created", "2024-01-01T00:00:00Z"},
                                                      {"stopSignal", "SIGTERM"}};
  Bundle bundle;
  for (const auto& [key, value] : keys)
    bundle.config["annotations"][std::string("org.opencontainers.image.") + key] = value;
  bundle.args({"/bin/sleep", "1000"});
  const Json annotations = runtime.state(create(bundle)).get("annotations");
  for (const auto& [key, value] : keys) {
    EXPECT_EQ(annotations.get(std::string("org.opencontainers.image.") + key).str(), value) << key;
  }
}

TEST_F(Document, UnknownAnnotationKeysAreIgnored) {
  CLAUSE("config-741", "config-742", "config-725", "config-719");
  Json config = default_config();
  config["annotations"] = Json::parse(
      R"({"org.opencontainers.nosuch": "x", "plain": "x", "com.example.text": "{\"a\": [1, 2]}"})");
  EXPECT_EQ(output(config, "echo fine"), "fine");
}

TEST_F(Document, AnnotationKeysAreNotEmpty) {
  CLAUSE("config-724");
  Json config = default_config();
  config["annotations"] = Json::parse(R"({"": "x"})");
  refused(config);
}

TEST_F(Document, RootIsADirectoryThatExists) {
  CLAUSE("config-29", "config-35", "config-39");
  Json config = default_config();
  EXPECT_EQ(output(config, "echo relative"), "relative");
  Bundle bundle;
  bundle.config["root"]["path"] = bundle.rootfs();
  bundle.sh("echo absolute");
  EXPECT_EQ(run_bundle(bundle).out, "absolute\n");
  CLAUSE("config-41");
  config["root"]["path"] = "missing";
  refused(config);
  config["root"]["path"] = "config.json";
  refused(config);
  CLAUSE("config-33");
  config.erase("root");
  refused(config);
}

TEST_F(Document, RootCanBeReadonly) {
  CLAUSE("config-43");
  Json config = default_config();
  EXPECT_EQ(output(config, "touch /new && echo writable"), "writable");
  config["root"]["readonly"] = true;
  EXPECT_EQ(output(config, "touch /new 2>/dev/null || echo refused"), "refused");
}

/// Tells whether somebody opens files of a directory.
class Watch {
 public:
  explicit Watch(const std::string& directory) : inotify_(inotify_init1(IN_CLOEXEC | IN_NONBLOCK)) {
    inotify_add_watch(inotify_.get(), directory.c_str(), IN_OPEN);
  }
  /// The names of those that were opened since the last call.
  std::string opened() {
    alignas(inotify_event) char buffer[4096];
    std::string names;
    for (ssize_t size = 0; (size = read(inotify_.get(), buffer, sizeof buffer)) > 0;)
      for (ssize_t at = 0; at < size;) {
        const auto* event = reinterpret_cast<const inotify_event*>(buffer + at);
        if (event->len > 0) names += std::string(event->name) + " ";
        at += static_cast<ssize_t>(sizeof *event + event->len);
      }
    return names;
  }

 private:
  support::Fd inotify_;
};

TEST_F(Document, RelativePathsOfVirtualMachinesAreNotUsed) {
  CLAUSE("config-527", "config-528", "config-vm-8", "config-vm-9", "config-vm-10", "config-vm-11",
         "config-vm-24", "config-vm-25", "config-vm-26", "config-vm-27", "config-vm-28", "config-vm-29",
         "config-vm-43", "config-vm-44", "config-vm-45", "config-vm-46");
  TempDir place;
  for (const char* name : {"hypervisor", "kernel", "initrd", "image"})
    support::write_file(place / name, "#!/bin/sh\n", 0755);
  Bundle bundle;
  bundle.sh("echo fine");
  bundle.config["vm"] = Json::parse(R"({"hypervisor": {"path": "hypervisor", "parameters": ["x"]},
      "kernel": {"path": "kernel", "parameters": ["x"], "initrd": "initrd"},
      "image": {"path": "image", "format": "raw"}})");
  Watch watch(place.path());
  const Outcome outcome = run_bundle(bundle, {}, {.cwd = place.path()});
  // A runtime that makes no virtual machines may ignore what it does not know.
  if (outcome.ok()) {
    EXPECT_EQ(outcome.out, "fine\n");
  } else {
    EXPECT_NE(support::trim(outcome.err), "");
  }
  EXPECT_EQ(watch.opened(), "");
}

}  // namespace
}  // namespace spec_tests
