// SPDX-License-Identifier: Apache-2.0
// config-linux.md, network devices.
#include <unistd.h>

#include "clause.hpp"
#include "support/payload.hpp"

namespace spec_tests {
namespace {

using support::default_config;

/// A network device of the host, of whichever kind it can make, that is gone at the end, wherever a runtime
/// has put it.
class Device {
 public:
  explicit Device(std::string name) : name_(std::move(name)) {
    const auto made = [](std::vector<std::string> words) {
      words.insert(words.begin(), support::busybox());
      return support::run(words).ok();
    };
    is_tap_ = made({"tunctl", "-t", name_});
    made_ = is_tap_;
    for (const char* kind : {"dummy", "ifb", "bridge", "veth"})
      made_ = made_ || made({"ip", "link", "add", "name", name_, "type", kind});
  }
  Device(const Device&) = delete;
  Device& operator=(const Device&) = delete;
  ~Device() {
    if (is_tap_)
      support::run({support::busybox(), "tunctl", "-d", name_});
    else if (made_)
      support::run({support::busybox(), "ip", "link", "delete", "dev", name_});
  }
  [[nodiscard]] bool made() const { return made_; }
  [[nodiscard]] bool add(const std::string& address) const {
    return support::run({support::busybox(), "ip", "addr", "add", address, "dev", name_}).ok();
  }
  [[nodiscard]] bool set(const std::string& what, const std::string& value) const {
    return support::run({support::busybox(), "ip", "link", "set", "dev", name_, what, value}).ok();
  }
  [[nodiscard]] bool is_here() const { return support::exists("/sys/class/net/" + name_); }
  [[nodiscard]] const std::string& name() const { return name_; }

 private:
  std::string name_;
  bool is_tap_ = false;
  bool made_ = false;
};

class NetDevicesSpec : public SpecTest {
 protected:
  static std::string new_name() {
    static int count = 0;
    return "dvt" + std::to_string(getpid() % 100000) + "n" + std::to_string(++count);
  }
  static Json with(const std::string& device, const std::string& name) {
    Json config = default_config();
    config["process"]["capabilities"] = support::all_capabilities();
    config["linux"]["netDevices"][device] = name.empty() ? Json::object() : Json::object({{"name", name}});
    return config;
  }
};

#define NEEDS_DEVICE(device)                        \
  NEEDS_FEATURE("linux.netDevices.enabled", "1.3"); \
  SKIP_UNLESS((device).made(),                      \
              "this kernel makes no network device: neither TAP, dummy, ifb, bridge nor veth")

TEST_F(NetDevicesSpec, AreMovedRenamedAndUp) {
  CLAUSE("config-linux-214", "config-linux-221");
  const Device device(new_name());
  NEEDS_DEVICE(device);
  Bundle bundle(with(device.name(), "inside0"));
  bundle.sh("cat /sys/class/net/inside0/flags");
  const Outcome outcome = run_bundle(bundle);
  ASSERT_TRUE(outcome.ok()) << outcome.all();
  CLAUSE("config-linux-238");
  EXPECT_EQ(strtoul(outcome.out.c_str(), nullptr, 16) & 1U, 1U) << "up: " << outcome.out;
}

TEST_F(NetDevicesSpec, KeepTheirNameWithoutAnother) {
  CLAUSE("config-linux-214");
  const Device device(new_name());
  NEEDS_DEVICE(device);
  EXPECT_EQ(output(with(device.name(), ""), "test -d /sys/class/net/" + device.name() + " && echo there"),
            "there");
}

TEST_F(NetDevicesSpec, ANameThatIsTakenIsAnError) {
  CLAUSE("config-linux-224", "config-linux-226");
  const Device device(new_name());
  NEEDS_DEVICE(device);
  refused(with(device.name(), "lo"));
  CLAUSE("runtime-84");
  EXPECT_TRUE(device.is_here()) << "a failure leaves the device where it was";
}

TEST_F(NetDevicesSpec, ADeviceThatIsMissingIsAnError) {
  CLAUSE("config-linux-214", "runtime-116");
  NEEDS_FEATURE("linux.netDevices.enabled", "1.3");
  refused(with("nosuchdev0", ""));
}

TEST_F(NetDevicesSpec, APatternIsFilledIn) {
  CLAUSE("config-linux-228");
  const Device device(new_name());
  NEEDS_DEVICE(device);
  EXPECT_EQ(output(with(device.name(), "some%d"), "cd /sys/class/net && echo some*"), "some0");
}

TEST_F(NetDevicesSpec, AttributesAndPermanentAddressesStay) {
  CLAUSE("config-linux-232");
  const Device device(new_name());
  NEEDS_DEVICE(device);
  ASSERT_TRUE(device.add("192.0.2.7/24"));
  ASSERT_TRUE(device.set("mtu", "1300"));
  const bool six = device.add("2001:db8::7/64");
  const std::string text =
      output(with(device.name(), "inside0"), "cat /sys/class/net/inside0/mtu; ip addr show dev inside0");
  EXPECT_EQ(text.rfind("1300\n", 0), 0U) << text;
  EXPECT_NE(text.find("inet 192.0.2.7/24"), std::string::npos) << text;
  if (six) {
    EXPECT_NE(text.find("inet6 2001:db8::7/64"), std::string::npos) << text;
  }
}

TEST_F(NetDevicesSpec, AreNotMovedBack) {
  CLAUSE("config-linux-244", "config-linux-251");
  const Device device(new_name());
  NEEDS_DEVICE(device);
  Bundle bundle(with(device.name(), "inside0"));
  bundle.args({"/bin/sleep", "1000"});
  const std::string id = start(bundle);
  ASSERT_FALSE(device.is_here());
  // What is done to it in there stays as it is.
  EXPECT_TRUE(exec(id, "ip link set dev inside0 down").ok());
  EXPECT_EQ(exec(id, "cat /sys/class/net/inside0/operstate").line(), "down");
  destroy(id);
  EXPECT_FALSE(device.is_here()) << "it ends with its namespace, unless it was moved away";
  EXPECT_FALSE(support::exists("/sys/class/net/inside0"));
}

}  // namespace
}  // namespace spec_tests
