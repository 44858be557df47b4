// SPDX-License-Identifier: Apache-2.0
// linux.netDevices: devices of the host that move into the container.
#include <unistd.h>

#include "support/fixture.hpp"

namespace support {
namespace {

#define NEEDS_DEVICES() SKIP_FOR("crun", "1.28 has no netDevices")

/// A veth pair of this machine, one end of which is meant for a container.
class NetDevices : public ContainerTest {
 protected:
  void SetUp() override {
    ContainerTest::SetUp();
    const std::string number = std::to_string(::getpid() % 100000) + "x" + std::to_string(++count_);
    name_ = "dvt" + number + "a";
    peer_ = "dvt" + number + "b";
    can_make_ = run({"ip", "link", "add", name_, "type", "veth", "peer", "name", peer_}).status == 0;
    config_ = default_config();
  }
  void TearDown() override {
    if (can_make_) run({"ip", "link", "delete", peer_});
    ContainerTest::TearDown();
  }

  Outcome try_device(const char* wanted, const std::string& script) {
    config_["linux"]["netDevices"][name_] =
        wanted == nullptr ? Json::object() : Json::object({{"name", wanted}});
    return try_script(config_, script);
  }
  bool is_on_host() { return exists("/sys/class/net/" + name_); }

  std::string name_, peer_;
  bool can_make_ = false;
  Json config_;

 private:
  static inline int count_ = 0;
};

#define NEEDS_VETH() SKIP_UNLESS(can_make_, "no veth pair can be made here")

TEST_F(NetDevices, MoveWithNameAndAddressesAndAreUp) {
  NEEDS_DEVICES();
  NEEDS_VETH();
  ASSERT_EQ(run({"ip", "address", "add", "192.0.2.7/24", "dev", name_}).status, 0);
  ASSERT_EQ(run({"ip", "address", "add", "2001:db8::7/64", "dev", name_, "nodad"}).status, 0);
  ASSERT_EQ(run({"ip", "address", "add", "192.0.2.9/24", "dev", name_, "valid_lft", "1000", "preferred_lft",
                 "1000"})
                .status,
            0);
  const Outcome outcome = try_device("inside0", "ip address show dev inside0");
  ASSERT_TRUE(outcome.ok()) << outcome.all();
  EXPECT_NE(outcome.out.find("UP"), std::string::npos) << outcome.out;
  EXPECT_NE(outcome.out.find("inet 192.0.2.7/24"), std::string::npos) << outcome.out;
  EXPECT_NE(outcome.out.find("inet6 2001:db8::7/64"), std::string::npos) << outcome.out;
  EXPECT_EQ(outcome.out.find("192.0.2.9"), std::string::npos) << "not permanent: " << outcome.out;
}

TEST_F(NetDevices, KeepTheirNameOrGetAFreeOne) {
  NEEDS_DEVICES();
  NEEDS_VETH();
  const Outcome outcome = try_device(nullptr, "ls /sys/class/net /proc/sys/net/ipv4/conf");
  ASSERT_TRUE(outcome.ok()) << outcome.all();
  EXPECT_NE(outcome.out.find(name_), std::string::npos) << outcome.out;
}

TEST_F(NetDevices, GetAFreeNumber) {
  NEEDS_DEVICES();
  NEEDS_VETH();
  const Outcome outcome = try_device("net%d", "cat /sys/class/net/net0/operstate");
  EXPECT_TRUE(outcome.ok()) << outcome.all();
}

TEST_F(NetDevices, AreThereForSettingsAndHooks) {
  NEEDS_DEVICES();
  NEEDS_VETH();
  config_["linux"]["sysctl"]["net.ipv4.conf.inside0.forwarding"] = "1";
  const Outcome outcome = try_device("inside0", "cat /proc/sys/net/ipv4/conf/inside0/forwarding");
  ASSERT_TRUE(outcome.ok()) << outcome.all();
  EXPECT_EQ(outcome.out, "1\n");
}

TEST_F(NetDevices, GoIntoAUserNamespace) {
  NEEDS_DEVICES();
  NEEDS_VETH();
  add_user_namespace(config_);
  const Outcome outcome = try_device("inside0", "cat /sys/class/net/inside0/operstate");
  EXPECT_TRUE(outcome.ok()) << outcome.all();
}

TEST_F(NetDevices, ThatAreMissingAreAnError) {
  NEEDS_DEVICES();
  config_["linux"]["netDevices"]["nosuchdev0"] = Json::object();
  const std::string error = refused(config_);
  EXPECT_NE(error.find("network device nosuchdev0: No such device"), std::string::npos) << error;
}

TEST_F(NetDevices, NeedANetworkOfTheirOwn) {
  NEEDS_DEVICES();
  NEEDS_VETH();
  remove_namespace(config_, "network");
  config_["linux"]["netDevices"][name_] = Json::object();
  const std::string error = refused(config_);
  EXPECT_NE(error.find("private network namespace"), std::string::npos) << error;
  EXPECT_TRUE(is_on_host());
}

TEST_F(NetDevices, DoNotTakeANameThatIsTaken) {
  NEEDS_DEVICES();
  NEEDS_VETH();
  config_["linux"]["netDevices"][name_] = Json::object({{"name", "lo"}});
  const std::string error = refused(config_);
  EXPECT_NE(error.find("has a network device lo already"), std::string::npos) << error;
  EXPECT_TRUE(is_on_host());
}

TEST_F(NetDevices, ComeBackFromAContainerThatFails) {
  SKIP_FOR("crun runc", "loses them");
  NEEDS_VETH();
  ASSERT_EQ(run({"ip", "address", "add", "192.0.2.7/24", "dev", name_}).status, 0);
  ASSERT_EQ(run({"ip", "link", "set", name_, "up"}).status, 0);
  config_["linux"]["netDevices"][name_] = Json::object({{"name", "inside0"}});
  config_["process"]["args"] = Json::array({"/no/such/program"});
  refused(config_);
  const Outcome address = run({"ip", "address", "show", "dev", name_});
  EXPECT_NE(address.out.find("192.0.2.7/24"), std::string::npos) << address.all();
  EXPECT_NE(address.out.find("UP"), std::string::npos) << address.all();
}

TEST_F(NetDevices, AnotherOneInItsPlaceStaysWhereItIs) {
  SKIP_FOR("crun runc", "bring none back");
  NEEDS_VETH();
  Child other({"unshare", "-n", "sleep", "1000"}, {});
  const std::string network = "/proc/" + std::to_string(other.pid()) + "/ns/net";
  ASSERT_TRUE(eventually([&] { return read_link(network) != read_link("/proc/self/ns/net"); }));
  for (auto& entry : config_["linux"]["namespaces"].items())
    if (entry.get("type").str() == "network") entry["path"] = network;
  config_["linux"]["netDevices"][name_] = Json::object({{"name", "inside0"}});
  TempDir place;
  write_file(place / "hook",
             "#!/bin/sh\nexec >" + (place / "log") + " 2>&1\nset -x\nexec nsenter --net=" + network +
                 " sh -xc 'number=$(ip -o link show inside0 | cut -d: -f1); ip link delete inside0; "
                 "ip link add inside0 index $number type veth peer name outside0; ip link; exit 3'\n",
             0755);
  config_["hooks"]["createRuntime"] = Json::parse(R"([{"path": ")" + place / "hook" + R"("}])");
  const std::string said = refused(config_);
  const std::string log = read_file(place / "log");
  EXPECT_NE(said.find("exit status 3"), std::string::npos) << said << log;
  EXPECT_NE(log.find("outside0"), std::string::npos) << log;
  EXPECT_FALSE(is_on_host()) << log;
}

}  // namespace
}  // namespace support
