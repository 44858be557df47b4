// SPDX-License-Identifier: Apache-2.0
// What create, run and restore share: a container from a bundle.
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

/// What is on record of a container before anything of it is made.
Record first_record(const std::string& id, const Bundle& bundle);

/// `stays`: davit stays and serves the container (run without --detach); `by_socket`: `start` comes later.
Result<Made> make_container(Context& context, CreateCall call, bool stays, bool by_socket);

}  // namespace davit::container
