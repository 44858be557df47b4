// SPDX-License-Identifier: Apache-2.0
// config-linux.md, seccomp.
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>

#include "clause.hpp"

namespace spec_tests {
namespace {

using support::Fd;

class SeccompSpec : public SpecTest {
 protected:
  static Json with(std::string_view seccomp) {
    Json config = support::default_config();
    config["linux"]["seccomp"] = Json::parse(seccomp);
    return config;
  }
};

TEST_F(SeccompSpec, RulesApply) {
  CLAUSE("config-linux-881", "config-linux-885", "config-linux-890", "config-linux-941", "config-linux-946",
         "config-linux-948", "config-linux-961", "config-linux-966", "config-linux-969", "config-linux-970",
         "config-linux-972");
  Bundle bundle(
      with(R"({"defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86"],
      "syscalls": [{"names": ["sync"], "action": "SCMP_ACT_ERRNO", "errnoRet": 38},
                   {"names": ["getppid"], "action": "SCMP_ACT_ERRNO"},
                   {"names": ["personality"], "action": "SCMP_ACT_ERRNO", "errnoRet": 13,
                    "args": [{"index": 0, "value": 8, "op": "SCMP_CMP_EQ"}]}]})"));
  bundle.args({"/bin/probe", "call", "sync", "getppid", "personality0", "personality32"});
  EXPECT_EQ(run_bundle(bundle).out, "sync ENOSYS\ngetppid EPERM\npersonality0 ok\npersonality32 EACCES\n");
}

TEST_F(SeccompSpec, MaskedEquality) {
  CLAUSE("config-linux-971");
  Bundle bundle(with(R"({"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
      {"names": ["personality"], "action": "SCMP_ACT_ERRNO", "errnoRet": 13,
       "args": [{"index": 0, "value": 12, "valueTwo": 8, "op": "SCMP_CMP_MASKED_EQ"}]}]})"));
  bundle.args({"/bin/probe", "call", "personality0", "personality32"});
  EXPECT_EQ(run_bundle(bundle).out, "personality0 ok\npersonality32 EACCES\n");
}

TEST_F(SeccompSpec, Flags) {
  CLAUSE("config-linux-917", "config-linux-942");
  Json config = with(R"({"defaultAction": "SCMP_ACT_ALLOW", "flags": ["SECCOMP_FILTER_FLAG_LOG"]})");
  EXPECT_EQ(output(config, "echo fine"), "fine");
  CLAUSE("config-linux-917", "config-760");
  config["linux"]["seccomp"]["flags"] = Json(std::vector<std::string>{"SECCOMP_FILTER_FLAG_NOSUCH"});
  refused(config);
}

TEST_F(SeccompSpec, AnErrnoNeedsAnActionThatTakesIt) {
  CLAUSE("config-linux-886", "config-linux-888");
  NEEDS_VERSION("1.1");
  refused(with(R"({"defaultAction": "SCMP_ACT_KILL", "defaultErrnoRet": 1})"));
  CLAUSE("config-linux-963");
  refused(with(R"({"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
      {"names": ["sync"], "action": "SCMP_ACT_KILL", "errnoRet": 1}]})"));
}

TEST_F(SeccompSpec, NamesAreNotEmpty) {
  CLAUSE("config-linux-947");
  refused(with(
      R"({"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": [], "action": "SCMP_ACT_ERRNO"}]})"));
}

TEST_F(SeccompSpec, MetadataNeedsAListener) {
  CLAUSE("config-linux-937", "config-linux-939");
  refused(with(R"({"defaultAction": "SCMP_ACT_ALLOW", "listenerMetadata": "x"})"));
}

TEST_F(SeccompSpec, AFailureToSendIsAnError) {
  CLAUSE("config-linux-930");
  refused(with(R"({"defaultAction": "SCMP_ACT_ALLOW", "listenerPath": "/no/such/socket", "syscalls": [
      {"names": ["sync"], "action": "SCMP_ACT_NOTIFY"}]})"));
}

TEST_F(SeccompSpec, TheListenerGetsTheStateAndTheDescriptor) {
  CLAUSE("config-linux-926", "config-linux-927", "config-linux-928", "config-linux-929", "config-linux-935",
         "config-linux-1007", "config-linux-1009", "config-linux-1013", "config-linux-1014",
         "config-linux-1016", "config-linux-1017", "config-linux-1018");
  TempDir place;
  const std::string path = place / "agent";
  const Fd listener(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  snprintf(address.sun_path, sizeof address.sun_path, "%s", path.c_str());
  ASSERT_EQ(bind(listener.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  ASSERT_EQ(listen(listener.get(), 4), 0);
  Bundle bundle(
      with(R"({"defaultAction": "SCMP_ACT_ALLOW", "listenerMetadata": "for the agent", "listenerPath": ")" +
           path + R"(", "syscalls": [{"names": ["sync"], "action": "SCMP_ACT_NOTIFY"}]})"));
  bundle.sh("true");
  bundle.write();
  Child child = runtime.start({"run", "--bundle", bundle.path(), new_id()});
  pollfd wait = {listener.get(), POLLIN, 0};
  ASSERT_EQ(poll(&wait, 1, 60000), 1) << child.err();
  const Fd connection(accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
  std::string text;
  Fd received;
  for (bool first = true;; first = false) {
    char buffer[16384];
    alignas(cmsghdr) char control[256] = {};
    iovec part = {buffer, sizeof buffer};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    const ssize_t size = recvmsg(connection.get(), &message, MSG_CMSG_CLOEXEC);
    if (const cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr) {
      EXPECT_TRUE(first) << "descriptors come with the first message only";
      int number = -1;
      memcpy(&number, CMSG_DATA(header), sizeof number);
      received = Fd(number);
    }
    if (size <= 0) break;  // closed after exactly one state
    text.append(buffer, static_cast<std::size_t>(size));
  }
  EXPECT_TRUE(received.valid());
  const Json state = Json::parse(text);
  EXPECT_EQ(state.get("fds").dump(), R"(["seccompFd"])");
  EXPECT_EQ(state.get("metadata").str(), "for the agent");
  EXPECT_TRUE(state.get("pid").is_number());
  EXPECT_NE(state.get("ociVersion").str(), "");
  EXPECT_NE(state.get("state").get("id").str(), "");
  EXPECT_TRUE(child.wait().ok());
  wait.revents = 0;
  EXPECT_EQ(poll(&wait, 1, 0), 0) << "one connection only";
}

}  // namespace
}  // namespace spec_tests
