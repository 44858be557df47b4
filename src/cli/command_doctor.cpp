// SPDX-License-Identifier: Apache-2.0
#include "cli/handlers.hpp"
#include "cli/invocation.hpp"
#include "cli/output_style.hpp"
#include "davit/doctor/doctor.hpp"

namespace davit::cli {

Result<int> command_doctor(Invocation& invocation) {
  const std::vector<doctor::Diagnosis> diagnoses = doctor::examine();
  TRY(print(invocation.options().flag("json") ? doctor::json_of(diagnoses)
                                              : doctor::text_of(diagnoses, output_style())));
  return doctor::worst_of(diagnoses) == doctor::Health::bad ? 1 : 0;
}

}  // namespace davit::cli
