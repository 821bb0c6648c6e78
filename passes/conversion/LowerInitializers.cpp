// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Initializers become loops over the rows of their result. A row is computed
// in f32 in a scratch of one row and then stored, so that memory stays bounded
// by the longest row; a change of layout alone copies bytes.

#include "dialect/lori/LoriOps.h"
#include "passes/Passes.h"
#include "passes/conversion/BlockFormats.h"
#include "passes/conversion/ElementAccess.h"
#include "passes/conversion/ScalarBuilder.h"

#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/StringMap.h"

#include <cmath>

namespace mlir::lori {
#define GEN_PASS_DEF_LOWERINITIALIZERSPASS
#include "passes/Passes.h.inc"

namespace {

/// Emits the evaluation of one initializer.
class Evaluator {
public:
  Evaluator(OpBuilder &builder, DerivedParamOp derived)
      : b(builder), loc(derived.getLoc()), derived(derived) {}

  /// Emits the function into `module` and returns it, or null after an error.
  func::FuncOp build(SymbolTable &symbols);

private:
  ScalarBuilder scalar() { return ScalarBuilder(b, loc); }
  Value index(int64_t value) { return scalar().index(value); }
  static MemRefType toMemRef(RankedTensorType type);

  /// Allocates memory, here a row of floats, once for the whole function.
  Value allocate(int64_t size, Type element);
  Value allocateRow(int64_t columns);

  /// Emits a loop of `count` steps around `body`.
  void loop(int64_t count, function_ref<void(Value)> body);
  void loop(Value count, function_ref<void(Value)> body);

  LogicalResult checkLeaves(SymbolTable &symbols);
  LogicalResult storeResult(Value value, Value out);
  LogicalResult storeFloats(Value value, Value out);
  LogicalResult storeBlocks(Value value, Value out);
  LogicalResult storeFusedBlocks(FuseOp op, Value out);
  LogicalResult copyBlocks(Value value, Value out);
  LogicalResult storeVector(Value value, Value out);
  LogicalResult storeError(RoundingErrorOp op, Value out);

  /// Emits the evaluation of row `row` of `value` into `scratch`.
  LogicalResult fillRow(Value value, Value row, Value scratch);
  /// The same, but before `value`'s op rounds to its type.
  LogicalResult fillExactRow(Value value, Value row, Value scratch);
  LogicalResult checkEncodable(RankedTensorType type);
  void roundRow(Type element, int64_t columns, Value scratch);
  void roundBlocks(QuantType quant, int64_t columns, Value scratch);
  LogicalResult fuseRow(FuseOp op, Value row, Value scratch);
  void fillHadamardRow(int64_t size, Value row, Value scratch);
  /// Returns the row of a rearrangement's source that becomes row `row`.
  Value sourceRow(DeinterleaveRowsOp op, Value row);
  /// Emits a scalar that the initializer computes from constants and its layer.
  FailureOr<Value> evaluateScalar(Value value);
  ElementAccess access(GetParamOp get);
  void store(Value out, RankedTensorType type, Value row, Value column,
             Value value);
  void storeByte(Value out, RankedTensorType type, Value row, Value block,
                 Value byte, Value value);

  OpBuilder &b;
  Location loc;
  DerivedParamOp derived;
  func::FuncOp function;
  llvm::DenseMap<Attribute, Value> leaves;
};

} // namespace

MemRefType Evaluator::toMemRef(RankedTensorType type) {
  RankedTensorType storage = getStorageType(type);
  return MemRefType::get(storage.getShape(), storage.getElementType());
}

void Evaluator::loop(Value count, function_ref<void(Value)> body) {
  auto loop = scf::ForOp::create(b, loc, index(0), count, index(1));
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  body(loop.getInductionVar());
}

void Evaluator::loop(int64_t count, function_ref<void(Value)> body) {
  loop(index(count), body);
}

Value Evaluator::allocate(int64_t size, Type element) {
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(&function.front());
  return memref::AllocaOp::create(b, loc, MemRefType::get({size}, element));
}

Value Evaluator::allocateRow(int64_t columns) {
  return allocate(columns, b.getF32Type());
}

ElementAccess Evaluator::access(GetParamOp get) {
  return ElementAccess(cast<RankedTensorType>(get.getType()),
                       leaves.lookup(get.getParamAttr()));
}

//===----------------------------------------------------------------------===//
// Reading
//===----------------------------------------------------------------------===//

Value Evaluator::sourceRow(DeinterleaveRowsOp op, Value row) {
  int64_t group = op.getSource().getType().getDimSize(0) /
                  static_cast<int64_t>(op.getHeads());
  ScalarBuilder s = scalar();
  Value head = s.mul(s.div(row, group), group);
  Value within = s.rem(row, group);
  // Row j of the first half comes from 2 j, of the second from 2 j + 1.
  Value isFirst = s.less(within, group / 2);
  Value even = s.mul(within, 2);
  Value odd = s.sub(even, group - 1);
  return s.add(head, s.select(isFirst, even, odd));
}

FailureOr<Value> Evaluator::evaluateScalar(Value value) {
  IRMapping mapping;
  if (derived.isStacked())
    mapping.map(derived.getInitializer().getArgument(0),
                function.getArgument(0));
  // Clones the constants and the reads of tables that the scalar is made of.
  std::function<LogicalResult(Value)> clone = [&](Value part) {
    if (mapping.contains(part))
      return success();
    Operation *op = part.getDefiningOp();
    if (!op || isa<GetParamOp>(op) || op->getNumRegions() != 0)
      return failure();
    for (Value operand : op->getOperands())
      if (failed(clone(operand)))
        return failure();
    b.clone(*op, mapping);
    return success();
  };
  if (failed(clone(value)))
    return derived.emitError(
        "expected a scale made of constants and the layer");
  return mapping.lookup(value);
}

LogicalResult Evaluator::fuseRow(FuseOp op, Value row, Value scratch) {
  int64_t columns = cast<RankedTensorType>(op.getType()).getDimSize(1);
  int64_t rank = cast<RankedTensorType>(op.getShrink().getType()).getDimSize(0);
  auto shrink = op.getShrink().getDefiningOp<GetParamOp>();
  auto expand = op.getExpand().getDefiningOp<GetParamOp>();
  if (!shrink || !expand)
    return op.emitError("expected factors that are stored parameters");
  FailureOr<Value> scale = evaluateScalar(op.getScale());
  if (failed(scale) || failed(fillRow(op.getWeight(), row, scratch)))
    return failure();

  // delta = B[row, :] A, then weight + scale * delta, as PEFT does.
  Type element = cast<RankedTensorType>(op.getType()).getElementType();
  Value delta = allocateRow(columns);
  loop(columns, [&](Value k) {
    memref::StoreOp::create(b, loc, scalar().f32(0), delta, ValueRange{k});
  });
  loop(rank, [&](Value r) {
    Value factor = access(expand).load(b, loc, {row, r});
    loop(columns, [&](Value k) {
      Value entry = access(shrink).load(b, loc, {r, k});
      Value sum = memref::LoadOp::create(b, loc, delta, ValueRange{k});
      sum = scalar().fadd(sum, scalar().fmul(factor, entry));
      memref::StoreOp::create(b, loc, sum, delta, ValueRange{k});
    });
  });
  loop(columns, [&](Value k) {
    Value update = memref::LoadOp::create(b, loc, delta, ValueRange{k});
    Value weight = memref::LoadOp::create(b, loc, scratch, ValueRange{k});
    update = scalar().fmul(*scale, update);
    if (op.getRoundedUpdate() && !element.isF32())
      update = widen(b, loc, arith::TruncFOp::create(b, loc, element, update));
    Value sum = scalar().fadd(weight, update);
    memref::StoreOp::create(b, loc, sum, scratch, ValueRange{k});
  });
  return success();
}

void Evaluator::fillHadamardRow(int64_t size, Value row, Value scratch) {
  ScalarBuilder s = scalar();
  auto entry = static_cast<float>(1 / std::sqrt(static_cast<double>(size)));
  loop(size, [&](Value column) {
    Value common = arith::AndIOp::create(b, loc, row, column);
    Value bits = math::CtPopOp::create(
        b, loc, arith::IndexCastOp::create(b, loc, b.getI64Type(), common));
    Value isOdd = arith::TruncIOp::create(b, loc, b.getI1Type(), bits);
    Value sign = s.select(isOdd, s.f32(-entry), s.f32(entry));
    memref::StoreOp::create(b, loc, sign, scratch, ValueRange{column});
  });
}

LogicalResult Evaluator::fillExactRow(Value value, Value row, Value scratch) {
  int64_t columns = cast<RankedTensorType>(value.getType()).getDimSize(1);
  Operation *op = value.getDefiningOp();
  if (auto get = dyn_cast<GetParamOp>(op)) {
    loop(columns, [&](Value k) {
      Value entry = access(get).load(b, loc, {row, k});
      memref::StoreOp::create(b, loc, entry, scratch, ValueRange{k});
    });
    return success();
  }
  if (auto order = dyn_cast<DeinterleaveRowsOp>(op))
    return fillRow(order.getSource(), sourceRow(order, row), scratch);
  if (isa<HadamardOp>(op)) {
    fillHadamardRow(columns, row, scratch);
    return success();
  }
  if (auto fuse = dyn_cast<FuseOp>(op))
    return fuseRow(fuse, row, scratch);
  if (auto convert = dyn_cast<ConvertOp>(op))
    return fillRow(convert.getSource(), row, scratch);
  return op->emitError("cannot be evaluated when a model is compiled");
}

LogicalResult Evaluator::fillRow(Value value, Value row, Value scratch) {
  if (failed(fillExactRow(value, row, scratch)))
    return failure();
  // Ops that compute round to their own type.
  auto type = cast<RankedTensorType>(value.getType());
  if (!isa<FuseOp, ConvertOp>(value.getDefiningOp()))
    return success();
  if (failed(checkEncodable(type)))
    return failure();
  roundRow(type.getElementType(), type.getDimSize(1), scratch);
  return success();
}

LogicalResult Evaluator::checkEncodable(RankedTensorType type) {
  auto quant = dyn_cast<QuantType>(type.getElementType());
  if (quant && quant.getBlockEntries() != 32)
    return derived.emitError("expected f32, f16, bf16, q8_0, q4_0 or q4_1 "
                             "where entries are computed, found ")
           << type;
  return success();
}

void Evaluator::roundRow(Type element, int64_t columns, Value scratch) {
  if (element.isF32())
    return;
  if (auto quant = dyn_cast<QuantType>(element))
    return roundBlocks(quant, columns, scratch);
  loop(columns, [&](Value k) {
    Value entry = memref::LoadOp::create(b, loc, scratch, ValueRange{k});
    Value rounded = arith::TruncFOp::create(b, loc, element, entry);
    memref::StoreOp::create(b, loc, widen(b, loc, rounded), scratch,
                            ValueRange{k});
  });
}

void Evaluator::roundBlocks(QuantType quant, int64_t columns, Value scratch) {
  Value bytes = allocate(quant.getBlockBytes(), b.getI8Type());
  loop(columns / quant.getBlockEntries(), [&](Value block) {
    Value first = scalar().mul(block, quant.getBlockEntries());
    encodeBlock(
        b, loc, quant.getFormat(),
        [&](OpBuilder &inner, Value entry) -> Value {
          Value at = arith::AddIOp::create(inner, loc, first, entry);
          return memref::LoadOp::create(inner, loc, scratch, ValueRange{at});
        },
        [&](OpBuilder &inner, Value byte, Value stored) {
          memref::StoreOp::create(inner, loc, stored, bytes, ValueRange{byte});
        });
    loop(quant.getBlockEntries(), [&](Value entry) {
      Value rounded = decodeEntry(
          b, loc, quant.getFormat(), entry, [&](Value byte) -> Value {
            return memref::LoadOp::create(b, loc, bytes, ValueRange{byte});
          });
      memref::StoreOp::create(b, loc, rounded, scratch,
                              ValueRange{scalar().add(first, entry)});
    });
  });
}

//===----------------------------------------------------------------------===//
// Storing
//===----------------------------------------------------------------------===//

void Evaluator::store(Value out, RankedTensorType type, Value row, Value column,
                      Value value) {
  if (!type.getElementType().isF32())
    value = arith::TruncFOp::create(b, loc, type.getElementType(), value);
  if (PanelsAttr panels = getPanels(type)) {
    ScalarBuilder s = scalar();
    memref::StoreOp::create(b, loc, value, out,
                            ValueRange{s.div(row, panels.getRows()), column,
                                       s.rem(row, panels.getRows())});
    return;
  }
  memref::StoreOp::create(b, loc, value, out, ValueRange{row, column});
}

void Evaluator::storeByte(Value out, RankedTensorType type, Value row,
                          Value block, Value byte, Value value) {
  if (PanelsAttr panels = getPanels(type)) {
    ScalarBuilder s = scalar();
    memref::StoreOp::create(b, loc, value, out,
                            ValueRange{s.div(row, panels.getRows()), block,
                                       byte, s.rem(row, panels.getRows())});
    return;
  }
  memref::StoreOp::create(b, loc, value, out, ValueRange{row, block, byte});
}

/// Returns the panels' rows past the end of a matrix of `type`.
static int64_t getPadding(RankedTensorType type) {
  PanelsAttr panels = getPanels(type);
  if (!panels)
    return 0;
  int64_t rows = panels.getRows();
  return (rows - type.getDimSize(0) % rows) % rows;
}

LogicalResult Evaluator::storeFloats(Value value, Value out) {
  auto type = cast<RankedTensorType>(derived.getYielded().getType());
  int64_t columns = type.getDimSize(1);
  LogicalResult status = success();
  Value scratch = allocateRow(columns);
  loop(type.getDimSize(0), [&](Value row) {
    status = fillRow(value, row, scratch);
    loop(columns, [&](Value k) {
      Value entry = memref::LoadOp::create(b, loc, scratch, ValueRange{k});
      store(out, type, row, k, entry);
    });
  });
  loop(getPadding(type), [&](Value extra) {
    Value row = scalar().add(extra, type.getDimSize(0));
    loop(columns, [&](Value k) { store(out, type, row, k, scalar().f32(0)); });
  });
  return status;
}

LogicalResult Evaluator::storeBlocks(Value value, Value out) {
  auto type = cast<RankedTensorType>(derived.getYielded().getType());
  auto quant = cast<QuantType>(type.getElementType());
  if (failed(checkEncodable(type)))
    return failure();
  int64_t columns = type.getDimSize(1);
  Value scratch = allocateRow(columns);
  LogicalResult status = success();
  loop(type.getDimSize(0), [&](Value row) {
    status = fillExactRow(value, row, scratch);
    loop(columns / quant.getBlockEntries(), [&](Value block) {
      Value first = scalar().mul(block, quant.getBlockEntries());
      encodeBlock(
          b, loc, quant.getFormat(),
          [&](OpBuilder &inner, Value entry) -> Value {
            Value at = arith::AddIOp::create(inner, loc, first, entry);
            return memref::LoadOp::create(inner, loc, scratch, ValueRange{at});
          },
          [&](OpBuilder &, Value byte, Value stored) {
            storeByte(out, type, row, block, byte, stored);
          });
    });
  });
  return status;
}

/// A layer without an update keeps its blocks: encoding what they decode to
/// need not give them back.
LogicalResult Evaluator::storeFusedBlocks(FuseOp op, Value out) {
  Value weight = op, isUpdated;
  while (auto fuse = weight.getDefiningOp<FuseOp>()) {
    FailureOr<Value> scale = evaluateScalar(fuse.getScale());
    if (failed(scale))
      return failure();
    Value isOn = arith::CmpFOp::create(b, loc, arith::CmpFPredicate::UNE,
                                       *scale, scalar().f32(0));
    isUpdated = isUpdated ? scalar().bitOr(isUpdated, isOn) : isOn;
    weight = fuse.getWeight();
  }
  if (cast<RankedTensorType>(weight.getType()).getElementType() !=
      cast<RankedTensorType>(op.getType()).getElementType())
    return storeBlocks(op, out);
  auto choice = scf::IfOp::create(b, loc, isUpdated, /*withElseRegion=*/true);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(choice.thenBlock());
  if (failed(storeBlocks(op, out)))
    return failure();
  b.setInsertionPointToStart(choice.elseBlock());
  return copyBlocks(weight, out);
}

LogicalResult Evaluator::copyBlocks(Value value, Value out) {
  auto type = cast<RankedTensorType>(derived.getYielded().getType());
  auto quant = cast<QuantType>(type.getElementType());
  int64_t blocks = type.getDimSize(1) / quant.getBlockEntries();
  LogicalResult status = success();
  loop(type.getDimSize(0), [&](Value row) {
    Value from = row, source = value;
    while (auto order = source.getDefiningOp<DeinterleaveRowsOp>()) {
      from = sourceRow(order, from);
      source = order.getSource();
    }
    auto get = source.getDefiningOp<GetParamOp>();
    if (!get) {
      status = derived.emitError("expected rearranged blocks of a parameter");
      return;
    }
    loop(blocks, [&](Value block) {
      loop(quant.getBlockBytes(), [&](Value byte) {
        Value stored = access(get).loadByte(b, loc, from, block, byte);
        storeByte(out, type, row, block, byte, stored);
      });
    });
  });
  return status;
}

LogicalResult Evaluator::storeVector(Value value, Value out) {
  auto type = cast<RankedTensorType>(value.getType());
  LogicalResult status = success();
  loop(type.getDimSize(0), [&](Value row) {
    Value from = row, source = value;
    while (auto order = source.getDefiningOp<DeinterleaveRowsOp>()) {
      from = sourceRow(order, from);
      source = order.getSource();
    }
    auto get = source.getDefiningOp<GetParamOp>();
    if (!get || !isa<FloatType>(type.getElementType())) {
      status = derived.emitError("expected a rearranged vector of floats");
      return;
    }
    Value entry = access(get).load(b, loc, from);
    if (!type.getElementType().isF32())
      entry = arith::TruncFOp::create(b, loc, type.getElementType(), entry);
    memref::StoreOp::create(b, loc, entry, out, ValueRange{row});
  });
  return status;
}

LogicalResult Evaluator::storeResult(Value value, Value out) {
  auto type = cast<RankedTensorType>(value.getType());
  if (auto error = value.getDefiningOp<RoundingErrorOp>())
    return storeError(error, out);
  if (type.getRank() == 1)
    return storeVector(value, out);
  if (type.getRank() != 2)
    return derived.emitError("expected a vector or a matrix, found ") << type;
  if (auto pack = value.getDefiningOp<PackOp>())
    value = pack.getSource();
  if (!isa<QuantType>(type.getElementType()))
    return storeFloats(value, out);
  // Padded rows are blocks of zero bytes, whose entries are zero.
  if (int64_t padding = getPadding(type)) {
    auto quant = cast<QuantType>(type.getElementType());
    Value zero = arith::ConstantOp::create(b, loc, b.getI8IntegerAttr(0));
    loop(padding, [&](Value extra) {
      Value row = scalar().add(extra, type.getDimSize(0));
      loop(type.getDimSize(1) / quant.getBlockEntries(), [&](Value block) {
        loop(quant.getBlockBytes(),
             [&](Value byte) { storeByte(out, type, row, block, byte, zero); });
      });
    });
  }
  if (auto fuse = value.getDefiningOp<FuseOp>())
    return storeFusedBlocks(fuse, out);
  return value.getDefiningOp<ConvertOp>() ? storeBlocks(value, out)
                                          : copyBlocks(value, out);
}

LogicalResult Evaluator::storeError(RoundingErrorOp op, Value out) {
  auto type = cast<RankedTensorType>(op.getExact().getType());
  int64_t columns = type.getDimSize(1);
  Value rounded = allocateRow(columns), exact = allocateRow(columns);
  Type f64 = b.getF64Type();
  Value sums = allocate(2, f64),
        zero = arith::ConstantOp::create(b, loc, b.getF64FloatAttr(0));
  auto addSquare = [&](int64_t sum, Value entry) {
    Value wide = arith::ExtFOp::create(b, loc, f64, entry);
    Value at = index(sum);
    Value old = memref::LoadOp::create(b, loc, sums, ValueRange{at});
    Value square = scalar().fmul(wide, wide);
    memref::StoreOp::create(b, loc, scalar().fadd(old, square), sums,
                            ValueRange{at});
  };
  loop(2, [&](Value sum) {
    memref::StoreOp::create(b, loc, zero, sums, ValueRange{sum});
  });
  LogicalResult status = success();
  loop(type.getDimSize(0), [&](Value row) {
    if (failed(fillRow(op.getRounded(), row, rounded)) ||
        failed(fillRow(op.getExact(), row, exact)))
      status = failure();
    loop(columns, [&](Value k) {
      Value is = memref::LoadOp::create(b, loc, rounded, ValueRange{k});
      Value wanted = memref::LoadOp::create(b, loc, exact, ValueRange{k});
      addSquare(0, scalar().fsub(is, wanted));
      addSquare(1, wanted);
    });
  });
  Value difference = memref::LoadOp::create(b, loc, sums, index(0));
  Value norm = memref::LoadOp::create(b, loc, sums, index(1));
  Value quotient =
      math::SqrtOp::create(b, loc, Value(scalar().fdiv(difference, norm)));
  Value isExact = arith::CmpFOp::create(b, loc, arith::CmpFPredicate::OEQ,
                                        difference, zero);
  Value error = scalar().select(isExact, zero, quotient);
  memref::StoreOp::create(
      b, loc, arith::TruncFOp::create(b, loc, b.getF32Type(), error), out,
      ValueRange{index(0)});
  return status;
}

//===----------------------------------------------------------------------===//
// Function
//===----------------------------------------------------------------------===//

/// The driver finds a leaf's bytes by its parameter and its layer alone.
LogicalResult Evaluator::checkLeaves(SymbolTable &symbols) {
  int64_t layers =
      derived.isStacked() ? getParamType(derived).getDimSize(0) : 1;
  llvm::DenseMap<Attribute, std::optional<int64_t>> firstLayers;
  WalkResult result = derived.getInitializer().walk([&](GetParamOp get) {
    auto leaf = symbols.lookup<ParamOp>(get.getParam());
    if (!leaf) {
      get.emitError("expected a stored parameter, found the derived @")
          << get.getParam();
      return WalkResult::interrupt();
    }
    std::optional<int64_t> first = getLeafLayer(get, 0);
    std::optional<int64_t> last = getLeafLayer(get, layers - 1);
    if (leaf.isStacked() && (!first || *first < 0 || !last ||
                             *last >= getParamType(leaf).getDimSize(0))) {
      get.emitError("expected a layer of @")
          << get.getParam()
          << ", at a constant distance from the initializer's";
      return WalkResult::interrupt();
    }
    if (firstLayers.try_emplace(get.getParamAttr(), first).first->second !=
        first) {
      get.emitError("expected one layer of @") << get.getParam() << " only";
      return WalkResult::interrupt();
    }
    return WalkResult::advance();
  });
  return failure(result.wasInterrupted());
}

func::FuncOp Evaluator::build(SymbolTable &symbols) {
  if (failed(checkLeaves(symbols)))
    return {};
  SmallVector<GetParamOp> reads = getLeaves(derived);
  SmallVector<Type> arguments{b.getIndexType()};
  for (GetParamOp get : reads)
    arguments.push_back(toMemRef(cast<RankedTensorType>(get.getType())));
  auto type = cast<RankedTensorType>(derived.getYielded().getType());
  arguments.push_back(toMemRef(type));

  b.setInsertionPointToEnd(cast<ModuleOp>(symbols.getOp()).getBody());
  function =
      func::FuncOp::create(b, loc, "init", b.getFunctionType(arguments, {}));
  function->setAttr("llvm.bareptr", b.getUnitAttr());
  Block *entry = function.addEntryBlock();
  for (unsigned i = 1; i < arguments.size(); ++i)
    function.setArgAttr(i, LLVM::LLVMDialect::getNoAliasAttrName(),
                        b.getUnitAttr());
  for (auto [i, get] : llvm::enumerate(reads))
    leaves[get.getParamAttr()] = entry->getArgument(i + 1);
  b.setInsertionPointToStart(entry);
  LogicalResult status =
      storeResult(derived.getYielded(), entry->getArguments().back());
  func::ReturnOp::create(b, loc);
  if (failed(status)) {
    function.erase();
    return {};
  }
  return function;
}

namespace {

struct LowerInitializersPass final
    : impl::LowerInitializersPassBase<LowerInitializersPass> {
  using Base::Base;

  void runOnOperation() override {
    ModuleOp module = getOperation();
    SymbolTable symbols(module);
    OpBuilder builder(&getContext());
    // Functions name no parameter, so equal text is equal meaning.
    llvm::StringMap<FlatSymbolRefAttr> known;
    for (auto derived : llvm::to_vector(module.getOps<DerivedParamOp>())) {
      if (derived.getEvaluator())
        continue;
      func::FuncOp function = Evaluator(builder, derived).build(symbols);
      if (!function)
        return signalPassFailure();
      std::string text;
      llvm::raw_string_ostream(text) << function;
      auto [entry, isNew] = known.try_emplace(text);
      if (isNew) {
        function.setName("init." + std::to_string(known.size() - 1));
        symbols.insert(function);
        entry->second = FlatSymbolRefAttr::get(function);
      } else {
        function.erase();
      }
      derived.setEvaluatorAttr(entry->second);
    }
  }
};

} // namespace
} // namespace mlir::lori
