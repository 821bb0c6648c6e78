// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef LORI_RUNTIME_ENGINE_MODELCODE_H
#define LORI_RUNTIME_ENGINE_MODELCODE_H

#include "runtime/engine/Engine.h"

namespace lori {

/// Opens the model whose code is linked with this runtime: the payload of the
/// program, or of the shared library, that this function is in. Throws Error.
std::unique_ptr<Engine> openOwnModel();

/// Opens the payload of `path` with the code that belongs to it: a shared
/// library's own, which is loaded, or for a file that holds no code the one
/// linked with this runtime. Throws Error; a program's code cannot be loaded
/// by another program.
std::unique_ptr<Engine> openModel(const std::string &path);

} // namespace lori

#endif // LORI_RUNTIME_ENGINE_MODELCODE_H
