// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef LORI_RUNTIME_FORMATS_ADAPTERTABLES_H
#define LORI_RUNTIME_FORMATS_ADAPTERTABLES_H

#include "runtime/formats/Checkpoint.h"
#include "runtime/formats/Safetensors.h"

namespace lori {

/// Checks a whole tensor of the base (`name`, as the base calls it) that an
/// adapter carries as `stored`: modules_to_save, embeddings with added tokens,
/// trained biases. Returns if its rows are the base's, with a note in `notes`
/// if there are rows beyond them (added tokens); throws Error if a row is
/// another one, or if that cannot be told as the base is quantised.
void checkWholeTensor(const Checkpoint &base, const std::string &name,
                      const SafetensorsFile &adapter,
                      const StoredTensor &stored,
                      std::vector<std::string> &notes);

} // namespace lori

#endif // LORI_RUNTIME_FORMATS_ADAPTERTABLES_H
