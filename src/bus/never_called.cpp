// SPDX-License-Identifier: Apache-2.0
// The static libdbus refers to functions that only its servers, its TCP and its lookups of users call; davit
// gives it a connection that is open, to a socket of the host. libc's would bring the name service switch,
// whose modules are loaded from wherever root happens to be (as in CVE-2019-14271).
#include <grp.h>
#include <netdb.h>
#include <pwd.h>

#include <cerrno>

extern "C" {

// NOLINTNEXTLINE(bugprone-reserved-identifier)
int sd_listen_fds(int /*unset_environment*/) {
  return 0;
}

int sd_is_socket(int /*number*/, int /*family*/, int /*type*/, int /*listening*/) {
  return 0;
}

int getpwnam_r(const char* /*name*/, passwd* /*entry*/, char* /*buffer*/, size_t /*size*/,
               passwd** /*found*/) {
  return ENOENT;
}

int getpwuid_r(uid_t /*uid*/, passwd* /*entry*/, char* /*buffer*/, size_t /*size*/, passwd** /*found*/) {
  return ENOENT;
}

int getgrouplist(const char* /*user*/, gid_t /*group*/, gid_t* /*groups*/, int* /*count*/) {
  return -1;
}

int getaddrinfo(const char* /*name*/, const char* /*service*/, const addrinfo* /*hints*/,
                addrinfo** /*found*/) {
  return EAI_FAIL;
}

void freeaddrinfo(addrinfo* /*list*/) noexcept {}

int getnameinfo(const sockaddr* /*address*/, socklen_t /*length*/, char* /*host*/, socklen_t /*host_size*/,
                char* /*service*/, socklen_t /*service_size*/, int /*flags*/) {
  return EAI_FAIL;
}

const char* gai_strerror(int /*code*/) noexcept {
  return "davit resolves no names";
}

}  // extern "C"
