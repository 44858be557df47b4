// SPDX-License-Identifier: Apache-2.0
// Old versions of crun (1.8) raise RLIMIT_MEMLOCK before it loads a device program, and fail where root lacks
// CAP_SYS_RESOURCE, although kernels since 5.11 do not count such programs against it. Preloaded into such a crun, and
// only there: that one call succeeds without being made.
#define _GNU_SOURCE
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

int setrlimit(__rlimit_resource_t resource, const struct rlimit* limit) {
  return resource == RLIMIT_MEMLOCK ? 0 : (int)syscall(SYS_prlimit64, 0, resource, limit, 0);
}

int setrlimit64(__rlimit_resource_t resource, const struct rlimit64* limit) {
  return setrlimit(resource, (const struct rlimit*)limit);
}
