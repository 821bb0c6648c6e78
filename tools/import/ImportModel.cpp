// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dialect/lm/ModelBuilder.h"
#include "tools/import/Import.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/raw_ostream.h"

namespace lm = mlir::lm;

using llvm::StringRef;
using mlir::MLIRContext;
using mlir::RankedTensorType;
using mlir::Type;

Type lori::toElementType(MLIRContext *context, StorageType type) {
  mlir::Builder builder(context);
  auto quant = [&](mlir::lori::QuantFormat format) -> Type {
    return mlir::lori::QuantType::get(context, format);
  };
  using mlir::lori::QuantFormat;
  switch (type) {
  case StorageType::F32:
    return builder.getF32Type();
  case StorageType::F16:
    return builder.getF16Type();
  case StorageType::BF16:
    return builder.getBF16Type();
  case StorageType::Q8_0:
    return quant(QuantFormat::Q8_0);
  case StorageType::Q4_0:
    return quant(QuantFormat::Q4_0);
  case StorageType::Q4_1:
    return quant(QuantFormat::Q4_1);
  case StorageType::Q4_K:
    return quant(QuantFormat::Q4_K);
  case StorageType::Q5_K:
    return quant(QuantFormat::Q5_K);
  case StorageType::Q6_K:
    return quant(QuantFormat::Q6_K);
  default:
    return {};
  }
}

namespace {

/// The tensors of a checkpoint, as a model builder asks for them.
class CheckpointTensors final : public lm::TensorSource {
public:
  CheckpointTensors(MLIRContext &context, const lori::Checkpoint &checkpoint)
      : context(context), checkpoint(checkpoint) {}

  RankedTensorType lookup(StringRef name) override {
    const lori::StoredTensor *tensor = checkpoint.find(std::string_view(name));
    return tensor ? toType(*tensor) : RankedTensorType();
  }

  std::string signature(StringRef prefix) override {
    std::string text;
    llvm::raw_string_ostream stream(text);
    for (const lori::StoredTensor &tensor : checkpoint.tensors())
      if (StringRef name(tensor.name); name.consume_front(prefix))
        stream << name << ' ' << toType(tensor) << '\n';
    return text;
  }

private:
  RankedTensorType toType(const lori::StoredTensor &tensor) {
    return RankedTensorType::get(tensor.shape,
                                 lori::toElementType(&context, tensor.type));
  }

  MLIRContext &context;
  const lori::Checkpoint &checkpoint;
};

} // namespace

mlir::OwningOpRef<mlir::ModuleOp>
lori::importModel(MLIRContext &context, const Checkpoint &checkpoint,
                  const ImportOptions &options) {
  context.loadDialect<lm::LmDialect>();
  const ModelConfig &config = checkpoint.config();
  mlir::OwningOpRef<mlir::ModuleOp> module =
      mlir::ModuleOp::create(mlir::UnknownLoc::get(&context));
  CheckpointTensors tensors(context, checkpoint);
  lm::StepShape shape;
  shape.layers = config.layers;
  shape.kvHeads = config.kvHeads;
  shape.headDim = config.headDim;
  shape.context = options.context;
  shape.sequences = options.sequences;
  shape.cacheType = toElementType(&context, options.cacheType);
  lm::ModelBuilder builder(*module, shape, tensors);
  buildDecoder(builder, config);
  return module;
}
