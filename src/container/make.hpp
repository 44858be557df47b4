// SPDX-License-Identifier: Apache-2.0
// What create and run share: a container from a bundle, up to "created".
#pragma once

#include "container/bundle.hpp"
#include "davit/container/lifecycle.hpp"

namespace davit::container {

struct Made {
  Entry entry;  ///< not locked any more
  Record record;
  Bundle bundle;
  launch::Launched launched;
};

/// `stays`: davit stays and serves the container (run without --detach); `by_socket`: `start` comes later.
Result<Made> make_container(Context& context, CreateCall call, bool stays, bool by_socket);

}  // namespace davit::container
