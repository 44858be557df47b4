// SPDX-License-Identifier: Apache-2.0
// A CRIU that is played (tests/support/fake_criu), and containers for it.
#pragma once

#include <sys/stat.h>

#include <string>
#include <vector>

#include "support/fixture.hpp"

namespace support {

class Criu : public ContainerTest {
 protected:
  void SetUp() override {
    SKIP_UNLESS(runtime.is_davit(), "it is davit's conversation with CRIU that is played");
  }
  Options play(const std::string& mode = "success") {
    Options options;
    options.env = {"PATH=" DAVIT_FAKE_CRIU ":/usr/bin:/bin", "FAKE_CRIU=" + mode,
                   "FAKE_CRIU_LOG=" + (place / "log")};
    return options;
  }
  std::string log() { return read_file(place / "log"); }
  std::string images() { return place / "images"; }
  /// A hook that notes the word and the pid of the state.
  void add_hook(Bundle& bundle, const std::string& kind, const std::string& script = "true") {
    const std::string pid = "$(sed -n 's/.*\"pid\":\\([0-9]*\\).*/\\1/p')";
    const std::string note = "echo " + kind + " " + pid + " >>" + (place / "log") + "; " + script;
    bundle.config["hooks"][kind].push(
        Json::object({{"path", "/bin/sh"}, {"args", Json(std::vector<std::string>{"sh", "-c", note})}}));
  }
  Bundle& sleeper() {
    bundle_.args({"/bin/sleep", "1000"});
    return bundle_;
  }
  Outcome checkpoint(const std::string& id, std::vector<std::string> flags, const Options& options) {
    std::vector<std::string> argv = {"checkpoint", "--image-path", images()};
    argv.insert(argv.end(), flags.begin(), flags.end());
    argv.push_back(id);
    return runtime(argv, options);
  }
  Outcome restore(const std::string& id, std::vector<std::string> flags, const Options& options) {
    bundle_.write();
    std::vector<std::string> argv = {"restore", "--image-path", images(), "--bundle", bundle_.path()};
    argv.insert(argv.end(), flags.begin(), flags.end());
    argv.push_back(id);
    return runtime(argv, options);
  }
  void make_images(std::string_view descriptors = R"(["/dev/null","pipe:[1]","pipe:[2]"])") {
    ::mkdir(images().c_str(), 0700);
    write_file(images() + "/descriptors.json", descriptors);
  }
  void expect_running(const std::string& id) { EXPECT_EQ(runtime.status(id), "running"); }
  static bool says(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
  }

  TempDir place;
  Bundle bundle_;
};

}  // namespace support
