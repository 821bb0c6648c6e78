// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef LORI_TEST_UNIT_DRIVER_TESTMODULE_H
#define LORI_TEST_UNIT_DRIVER_TESTMODULE_H

#include "runtime/support/Error.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/IR/OwningOpRef.h"

#include <string>
#include <string_view>

namespace lori::test {

/// A parsed module with the context that it lives in.
class TestModule {
public:
  explicit TestModule(std::string_view text);
  operator mlir::ModuleOp() const { return *module; }

private:
  mlir::MLIRContext context;
  mlir::OwningOpRef<mlir::ModuleOp> module;
};

/// lori_step of TestStep.h: a parallel loop with a call of expf and an
/// allocation in each iteration.
extern const char stepText[];

/// Returns the message of the Error that `call` throws, "" if it throws none.
template <typename Call> std::string messageOf(Call call) {
  try {
    call();
  } catch (const Error &error) {
    return error.what();
  }
  return "";
}

} // namespace lori::test

#endif // LORI_TEST_UNIT_DRIVER_TESTMODULE_H
