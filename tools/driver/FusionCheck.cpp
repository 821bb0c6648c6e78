// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "tools/driver/FusionCheck.h"
#include "passes/transforms/ParameterUtils.h"
#include "tools/driver/ParameterSection.h"

#include <atomic>
#include <exception>
#include <mutex>
#include <thread>

using namespace lori;
using mlir::lori::DerivedParamOp;

namespace {

/// One error to compute.
struct Measurement {
  DerivedParamOp derived;
  int64_t layer;
  FusionError *result;
};

} // namespace

/// Returns the names of the weights that `derived` is the error of.
static llvm::SmallVector<std::string> weightNames(DerivedParamOp derived,
                                                  mlir::ModuleOp module) {
  mlir::SymbolTable symbols(module);
  auto error =
      derived.getYielded().getDefiningOp<mlir::lori::RoundingErrorOp>();
  return mlir::lori::getSourceNames(
      error.getRounded(),
      mlir::lori::getOriginalParam(error.getRounded(), symbols));
}

static void measureAll(const std::vector<Measurement> &measurements,
                       mlir::ModuleOp module, const ParameterFiles &files,
                       const Jit &jit, unsigned threads) {
  std::atomic<size_t> next = 0;
  std::mutex mutex;
  std::exception_ptr failure;
  auto work = [&] {
    for (size_t i; (i = next++) < measurements.size();) {
      const Measurement &one = measurements[i];
      try {
        evaluateInitializer(one.derived, one.layer, module, files, jit,
                            reinterpret_cast<std::byte *>(&one.result->error));
      } catch (...) {
        std::lock_guard lock(mutex);
        failure = std::current_exception();
        next = measurements.size();
      }
    }
  };
  std::vector<std::thread> helpers;
  for (unsigned i = 1; i < threads; ++i)
    helpers.emplace_back(work);
  work();
  for (std::thread &helper : helpers)
    helper.join();
  if (failure)
    std::rethrow_exception(failure);
}

std::vector<FusionError> lori::measureFusion(
    mlir::ModuleOp module, const mlir::lori::ModelPipelineOptions &options,
    const ParameterFiles &files, const PassRunner &passes, unsigned threads) {
  mlir::OwningOpRef<mlir::ModuleOp> copy(module.clone());
  passes.run(
      *copy,
      [&](mlir::OpPassManager &pm) {
        mlir::lori::buildFusionMeasurePipeline(pm, options);
      },
      /*isSilent=*/true);
  std::vector<FusionError> errors;
  std::vector<std::pair<DerivedParamOp, int64_t>> pieces;
  for (auto derived : copy->getOps<DerivedParamOp>())
    for (auto [layer, name] : llvm::enumerate(weightNames(derived, *copy))) {
      errors.push_back({name});
      pieces.emplace_back(derived, layer);
    }
  if (errors.empty())
    return errors;
  std::vector<Measurement> measurements;
  for (auto [piece, error] : llvm::zip_equal(pieces, errors))
    measurements.push_back({piece.first, piece.second, &error});
  measureAll(measurements, *copy, files, compileInitializers(*copy, passes),
             threads);
  return errors;
}
