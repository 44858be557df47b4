#include "cli/handlers.hpp"
#include "cli/invocation.hpp"
#include "davit/spec/features.hpp"

namespace davit::cli {

Result<int> command_features(Invocation& /*invocation*/) {
  const spec::Features features = spec::reader_features();
  TRY(print(spec::features_json(features)));
  return 0;
}

}  // namespace davit::cli
