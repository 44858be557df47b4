// SPDX-License-Identifier: Apache-2.0
// From a bundle on disk to a config in memory, and the rules that tie a config to the command line.
#pragma once

#include <string>

#include "davit/container/lifecycle.hpp"

namespace davit::container {

struct Bundle {
  std::string path;  ///< absolute, without symlinks
  std::string text;  ///< of config.json
  spec::Config config;
};

/// Reads the bundle of a call; several errors of the config go to `context`.
Result<Bundle> load_bundle(Context& context, const CreateCall& call);

/// create does without `process`, but nothing can be started then.
Result<void> check_process(const spec::Config& config);

/// Adds the descriptors of $LISTEN_FDS to those of --preserve-fds, checks that all are open and lets them
/// survive an exec. Before davit opens anything of its own: that would pass for what the caller left out.
/// Returns the variables that tell the program about $LISTEN_FDS.
Result<std::vector<std::string>> preserve_descriptors(launch::Options& options);
/// What /proc calls davit's own stdin, stdout, stderr and those that are preserved; with a terminal, the
/// first three are nobody's business.
std::vector<std::string> descriptor_names(const launch::Options& options, bool terminal);

/// In the foreground the container's terminal has the size of the caller's from the beginning.
void copy_terminal_size(spec::Process& process);

/// Writes a pid file: nobody ever sees a part of it.
Result<void> write_pid_file(const std::string& path, pid_t pid);

}  // namespace davit::container
