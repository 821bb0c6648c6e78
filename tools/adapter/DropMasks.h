// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef LORI_TOOLS_ADAPTER_DROPMASKS_H
#define LORI_TOOLS_ADAPTER_DROPMASKS_H

#include "runtime/formats/Safetensors.h"

namespace lori {

/// The Bernoulli draws of a dare merge that was made elsewhere: tensors
/// `bernoulli.0000`, `bernoulli.0001`, ... (U8 or BOOL, entries 0 and 1) in the
/// order in which PEFT draws them.
class DropMasks {
public:
  /// Opens `path`, which must hold exactly `count` draws. Throws Error.
  DropMasks(const std::string &path, size_t count);

  /// Returns draw `index`; throws Error if it is not [rows, columns].
  std::vector<uint8_t> get(size_t index, int64_t rows, int64_t columns) const;

private:
  SafetensorsFile file;
};

} // namespace lori

#endif // LORI_TOOLS_ADAPTER_DROPMASKS_H
