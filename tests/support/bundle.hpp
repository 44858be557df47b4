// SPDX-License-Identifier: Apache-2.0
// Bundles: a busybox rootfs that costs next to nothing, and a config to change.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "support/files.hpp"
#include "support/json.hpp"

namespace support {

/// A usual configuration: pid, network, ipc, uts and mount namespaces, the usual mounts, an engine's default
/// capabilities, `true` as its process. Without a cgroup path.
Json default_config();
/// The same with nothing in it that is not required: a mount namespace, proc, and every capability.
Json minimal_config();

class Bundle {
 public:
  explicit Bundle(Json config = default_config());
  [[nodiscard]] const std::string& path() const { return dir_.path(); }
  [[nodiscard]] std::string rootfs() const { return dir_ / "rootfs"; }
  /// Written out by write(); the runtime sees no change before.
  Json config;
  void write() const;
  void write_text(std::string_view text) const;

  /// process.args = {"/bin/sh", "-c", script}
  Bundle& sh(std::string_view script);
  Bundle& args(const std::vector<std::string>& arguments);

 private:
  TempDir dir_;
};

/// Makes /bin with busybox and probe, and the usual empty directories, below `rootfs`.
void make_rootfs(const std::string& rootfs);

/// {"destination": …, "type": …, "source": …, "options": […]}
Json mount_entry(const std::string& destination, const std::string& type, const std::string& source,
                 const std::vector<std::string>& options = {});
/// Finds a mount by its destination; null pointer if there is none.
Json* find_mount(Json& config, const std::string& destination);
void remove_namespace(Json& config, const std::string& type);
/// Adds a user namespace in which ids 0..65535 are 100000.. of the host.
void add_user_namespace(Json& config);
/// All capabilities of this kernel in all sets but ambient.
Json all_capabilities();

}  // namespace support
