// SPDX-License-Identifier: Apache-2.0
// The static libdbus refers to two functions of libsystemd, which only its servers call, to learn of sockets
// that they were started with. davit serves nobody.

extern "C" {

// NOLINTNEXTLINE(bugprone-reserved-identifier)
int sd_listen_fds(int /*unset_environment*/) {
  return 0;
}

int sd_is_socket(int /*number*/, int /*family*/, int /*type*/, int /*listening*/) {
  return 0;
}

}  // extern "C"
