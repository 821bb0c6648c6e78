// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef LORI_RUNTIME_ENGINE_ENGINEERROR_H
#define LORI_RUNTIME_ENGINE_ENGINEERROR_H

#include "runtime/lori.h"
#include "runtime/support/Error.h"

namespace lori {

/// An Error with the code that the C interface gives for it.
class EngineError : public Error {
public:
  EngineError(lori_status status, const std::string &message)
      : Error(message), code(status) {}
  lori_status status() const { return code; }

private:
  lori_status code;
};

} // namespace lori

#endif // LORI_RUNTIME_ENGINE_ENGINEERROR_H
