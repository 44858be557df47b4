// SPDX-License-Identifier: Apache-2.0
#include "support/sandbox.hpp"

#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

#include "support/files.hpp"

namespace support {

Sandbox& Sandbox::get() {
  static Sandbox sandbox;
  return sandbox;
}

Sandbox::Sandbox() : owner_(getpid()), mark_("dvt" + std::to_string(getpid())) {
  umask(022);
  if (unshare(CLONE_NEWNS) != 0 || mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
      prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0) {
    perror("these tests need root: a mount namespace of their own");
    exit(1);
  }
  // Where /tmp is a tmpfs of systemd's, neither devices nor set-user-ID programs work in it.
  mount(nullptr, "/tmp", nullptr, MS_REMOUNT | MS_BIND, nullptr);
  dir_ = "/tmp/" + mark_;
  make_dirs(dir_);
}

Sandbox::~Sandbox() {
  if (getpid() == owner_ && getenv("DAVIT_TEST_KEEP") == nullptr) remove_tree(dir_);
}

std::string Sandbox::new_id() {
  return mark_ + "-" + std::to_string(++count_);
}

}  // namespace support
