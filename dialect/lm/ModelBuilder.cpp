// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dialect/lm/ModelBuilder.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include <cmath>

using namespace mlir;
using namespace mlir::lm;

// Pages are the leading dimension of the caches, so their number takes no part
// in any address; this only bounds the type.
static constexpr int64_t pageCapacity = int64_t(1) << 24;

ModelBuilder::ModelBuilder(ModuleOp module, StepShape shape,
                           TensorSource &tensors)
    : module(module), shape(shape), tensors(tensors),
      builder(module.getBodyRegion()), symbols(module) {
  Type i32 = builder.getI32Type();
  auto ids = RankedTensorType::get({ShapedType::kDynamic}, i32);
  int64_t tokens = pageTokens;
  auto table = RankedTensorType::get(
      {shape.sequences, llvm::divideCeilSigned(shape.context, tokens)}, i32);
  CacheShape cache(pageCapacity, shape.layers, shape.kvHeads, shape.headDim);
  RankedTensorType keyType = cache.getKeyType(shape.cacheType);
  RankedTensorType valueType = cache.getValueType(shape.cacheType);
  builder.setInsertionPointToEnd(module.getBody());
  step = func::FuncOp::create(
      builder, loc("step"), "step",
      builder.getFunctionType({ids, ids, ids, ids, table, keyType, valueType},
                              {}));
  Block *entry = step.addEntryBlock();
  this->tokens = entry->getArgument(0);
  positions = entry->getArgument(1);
  sequences = entry->getArgument(2);
  outputRows = entry->getArgument(3);
  pages = entry->getArgument(4);
  keys = entry->getArgument(5);
  values = entry->getArgument(6);
  builder.setInsertionPointToEnd(entry);
}

Location ModelBuilder::loc(StringRef name) {
  return NameLoc::get(builder.getStringAttr(name));
}

RankedTensorType ModelBuilder::rowsType(int64_t columns) {
  return RankedTensorType::get({ShapedType::kDynamic, columns},
                               builder.getF32Type());
}

static int64_t columns(Value rows) {
  return cast<RankedTensorType>(rows.getType()).getDimSize(1);
}

//===----------------------------------------------------------------------===//
// Parameters
//===----------------------------------------------------------------------===//

Value ModelBuilder::param(StringRef name) {
  std::string pattern = run ? run->prefix + ".*." + name.str() : name.str();
  std::string first = pattern;
  ArrayRef<int64_t> stack;
  if (run) {
    stack = run->layers;
    first.replace(first.find('*'), 1, std::to_string(stack.front()));
  }
  RankedTensorType type = tensors.lookup(first);
  if (!type)
    return {};
  // Runs of one stack need parameters of their own.
  std::string symbol = pattern;
  if (run && static_cast<int64_t>(stack.size()) != shape.layers)
    symbol += ":" + std::to_string(stack.front());
  auto param = symbols.lookup<lori::ParamOp>(symbol);
  if (!param) {
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPoint(step);
    auto source = lori::SourceAttr::get(
        builder.getContext(), builder.getStringAttr("base"),
        builder.getStringAttr(pattern), builder.getDenseI64ArrayAttr(stack));
    param = lori::ParamOp::create(
        builder, loc(pattern), symbol,
        run ? lori::getStackedType(type, stack.size()) : type, source);
    symbols.insert(param);
  }
  return lori::GetParamOp::create(builder, loc(pattern), type,
                                  FlatSymbolRefAttr::get(param),
                                  run ? run->index : Value());
}

//===----------------------------------------------------------------------===//
// Layers
//===----------------------------------------------------------------------===//

Value ModelBuilder::layers(StringRef prefix, Value x,
                           function_ref<Value(Value)> body) {
  auto signature = [&](int64_t layer) {
    return tensors.signature((prefix + "." + Twine(layer) + ".").str());
  };
  for (int64_t first = 0, next; first < shape.layers; first = next) {
    std::string kind = signature(first);
    SmallVector<int64_t> run{first};
    for (next = first + 1; next < shape.layers && signature(next) == kind;
         ++next)
      run.push_back(next);
    x = runLayers({prefix.str(), run, Value()}, x, body);
  }
  return x;
}

Value ModelBuilder::runLayers(Run layers, Value x,
                              function_ref<Value(Value)> body) {
  Location where = loc(layers.prefix);
  Value zero = arith::ConstantIndexOp::create(builder, where, 0);
  Value one = arith::ConstantIndexOp::create(builder, where, 1);
  Value count =
      arith::ConstantIndexOp::create(builder, where, layers.layers.size());
  auto loop = scf::ForOp::create(builder, where, zero, count, one,
                                 ValueRange{x, keys, values});
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToStart(loop.getBody());
  layers.index = loop.getInductionVar();
  run = layers;
  keys = loop.getRegionIterArg(1);
  values = loop.getRegionIterArg(2);
  Value result = body(loop.getRegionIterArg(0));
  scf::YieldOp::create(builder, where, ValueRange{result, keys, values});
  run.reset();
  keys = loop.getResult(1);
  values = loop.getResult(2);
  return loop.getResult(0);
}

//===----------------------------------------------------------------------===//
// Ops
//===----------------------------------------------------------------------===//

Value ModelBuilder::embedding(StringRef name) {
  Value table = param((name + ".weight").str());
  return EmbeddingOp::create(builder, loc(name), rowsType(columns(table)),
                             table, tokens);
}

Value ModelBuilder::rmsNorm(Value x, StringRef name, double epsilon) {
  Value weight = param((name + ".weight").str());
  return RmsNormOp::create(builder, loc(name), x.getType(), x, weight,
                           llvm::APFloat(epsilon));
}

Value ModelBuilder::linear(Value x, StringRef name, int64_t interleavedHeads) {
  auto ordered = [&](Value value) -> Value {
    if (!value || interleavedHeads == 0)
      return value;
    return lori::DeinterleaveRowsOp::create(builder, loc(name), value,
                                            interleavedHeads);
  };
  Value weight = ordered(param((name + ".weight").str()));
  Value bias = ordered(param((name + ".bias").str()));
  return LinearOp::create(builder, loc(name), x, weight, bias);
}

void ModelBuilder::rotaryFrequencies(ArrayRef<float> frequencies) {
  auto type = RankedTensorType::get(
      {ShapedType::kDynamic, 2, static_cast<int64_t>(frequencies.size())},
      builder.getF32Type());
  rotaryTable = RotaryTableOp::create(builder, loc("rotary"), type, positions,
                                      frequencies);
}

Value ModelBuilder::rope(Value x) {
  return RopeOp::create(builder, loc("rope"), x.getType(), x, rotaryTable);
}

Value ModelBuilder::cacheLayer() {
  // The loop's index counts within the run, the cache over all layers.
  Value first = arith::ConstantIndexOp::create(builder, loc("cache"),
                                               run->layers.front());
  return builder.createOrFold<arith::AddIOp>(loc("cache"), run->index, first);
}

Value ModelBuilder::window(ArrayRef<int64_t> windows) {
  Location where = loc("window");
  if (windows.empty() || llvm::all_equal(windows))
    return arith::ConstantIndexOp::create(builder, where,
                                          windows.empty() ? 0 : windows[0]);
  auto type = RankedTensorType::get({static_cast<int64_t>(windows.size())},
                                    builder.getIndexType());
  Value table = arith::ConstantOp::create(
      builder, where, DenseIntElementsAttr::get(type, windows));
  return tensor::ExtractOp::create(builder, where, table,
                                   ValueRange{cacheLayer()});
}

Value ModelBuilder::attention(Value q, Value k, Value v,
                              ArrayRef<int64_t> windows) {
  Value layer = cacheLayer();
  auto append = CacheAppendOp::create(builder, loc("cache"), keys.getType(),
                                      values.getType(), keys, values, layer, k,
                                      v, positions, sequences, pages);
  keys = append.getNewKeys();
  values = append.getNewValues();
  double scale = 1.0 / std::sqrt(static_cast<double>(shape.headDim));
  return AttentionOp::create(builder, loc("attention"), q.getType(), q, keys,
                             values, layer, positions, sequences, pages,
                             window(windows), llvm::APFloat(scale));
}

Value ModelBuilder::gatedActivation(Value gate, Value up) {
  return GatedActivationOp::create(builder, loc("activation"), gate.getType(),
                                   gate, up);
}

Value ModelBuilder::add(Value a, Value b) {
  return arith::AddFOp::create(builder, loc("residual"), a, b);
}

Value ModelBuilder::selectRows(Value x) {
  return SelectRowsOp::create(builder, loc("outputs"), rowsType(columns(x)), x,
                              outputRows);
}

void ModelBuilder::finish(Value logits) {
  func::ReturnOp::create(builder, loc("step"),
                         ValueRange{logits, keys, values});
  step.setType(builder.getFunctionType(
      step.getArgumentTypes(),
      {logits.getType(), keys.getType(), values.getType()}));
}
