// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef LORI_RUNTIME_FORMATS_TORCHSTORAGES_H
#define LORI_RUNTIME_FORMATS_TORCHSTORAGES_H

#include "runtime/formats/StorageType.h"

#include <utility>

namespace lori {

/// The classes in the module `torch` that stand for the storages of a type.
inline constexpr std::pair<std::string_view, StorageType> torchStorages[] = {
    {"BoolStorage", StorageType::Bool},     {"ByteStorage", StorageType::U8},
    {"FloatStorage", StorageType::F32},     {"HalfStorage", StorageType::F16},
    {"BFloat16Storage", StorageType::BF16},
};

} // namespace lori

#endif // LORI_RUNTIME_FORMATS_TORCHSTORAGES_H
