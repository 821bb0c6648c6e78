// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "passes/Passes.h"
#include "passes/pipelines/Registration.h"
#include "runtime/formats/SeededProjection.h"
#include "tools/driver/ParameterSection.h"
#include "tools/driver/PassRunner.h"

#include "mlir/Parser/Parser.h"
#include <gtest/gtest.h>

using namespace lori;

namespace {

/// Evaluates layer `layer` of the derived parameters of a module in turn.
std::vector<std::vector<float>> evaluate(std::string_view text, int64_t layer,
                                         size_t entries) {
  mlir::DialectRegistry registry;
  mlir::lori::registerCompilerDialects(registry);
  mlir::MLIRContext context(registry);
  auto owned = mlir::parseSourceString<mlir::ModuleOp>(text, &context);
  mlir::ModuleOp module = *owned;
  PassRunner passes(context, "test", /*remarks=*/false);
  passes.run(module, [](mlir::OpPassManager &pm) {
    pm.addPass(mlir::lori::createLowerInitializersPass());
  });
  Jit jit = compileInitializers(module, passes);
  std::vector<std::vector<float>> results;
  for (auto derived : module.getOps<mlir::lori::DerivedParamOp>()) {
    std::vector<float> &out = results.emplace_back(entries);
    evaluateInitializer(derived, layer, module, ParameterFiles(), jit,
                        reinterpret_cast<std::byte *>(out.data()));
  }
  return results;
}

TEST(InitializerTest, DrawsTheEntriesOfASeed) {
  // Nine columns: rows begin within a block of four draws.
  auto drawn = evaluate(R"(
lori.derived_param @uniform : tensor<2x7x9xf32> {
^bb0(%layer: index):
  %streams = arith.constant dense<[3, -81985529216486896]> : tensor<2xi64>
  %stream = tensor.extract %streams[%layer] : tensor<2xi64>
  %a = lori.frozen_projection seed(42) stream(%stream) init(kaiming_uniform) : tensor<7x9xf32>
  lori.yield %a : tensor<7x9xf32>
}
lori.derived_param @normal : tensor<2x7x9xf32> {
^bb0(%layer: index):
  %streams = arith.constant dense<[3, -81985529216486896]> : tensor<2xi64>
  %stream = tensor.extract %streams[%layer] : tensor<2xi64>
  %a = lori.frozen_projection seed(-1) stream(%stream) init(normal) : tensor<7x9xf32>
  lori.yield %a : tensor<7x9xf32>
})",
                        1, 63);
  auto stream = static_cast<uint64_t>(-81985529216486896);
  std::vector<float> expected(63);
  SeededProjection{42, stream, ProjectionInit::KaimingUniform, 9}.fill(
      expected);
  EXPECT_EQ(drawn.at(0), expected);
  SeededProjection{~uint64_t(0), stream, ProjectionInit::Normal, 9}.fill(
      expected);
  EXPECT_EQ(drawn.at(1), expected);
}

TEST(InitializerTest, ManyNormalDrawsAreTheSameBits) {
  auto drawn = evaluate(R"(
lori.derived_param @normal : tensor<64x1024xf32> {
  %a = lori.frozen_projection seed(5) init(normal) : tensor<64x1024xf32>
  lori.yield %a : tensor<64x1024xf32>
})",
                        0, 65536);
  std::vector<float> expected(65536);
  SeededProjection{5, 0, ProjectionInit::Normal, 1024}.fill(expected);
  EXPECT_EQ(drawn.at(0), expected);
}

} // namespace
