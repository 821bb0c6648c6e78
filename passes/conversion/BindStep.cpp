// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dialect/lori/LoriOps.h"
#include "passes/Passes.h"
#include "passes/conversion/BindBank.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "llvm/Support/MathExtras.h"

namespace mlir::lori {
#define GEN_PASS_DEF_BINDSTEPPASS
#include "passes/Passes.h.inc"

namespace {

/// Alignment of each parameter in its section, in bytes: a cache line, and the
/// widest vector.
constexpr int64_t alignment = 64;

/// Bound of the leading dimension of arrays whose length the caller chooses;
/// takes part in no address.
constexpr int64_t capacity = int64_t(1) << 24;

/// Bound of the bytes of the bank; takes part in no address either.
constexpr int64_t bankCapacity = int64_t(1) << 46;

/// The arguments of the C function, in the order of StepAbi.h.
enum Argument : unsigned {
  Rows,
  Outputs,
  Tokens,
  Positions,
  Sequences,
  OutputRows,
  AdapterScales,
  Pages,
  Params,
  BankUses,
  Uses,
  UseScales,
  Bank,
  Keys,
  Values,
  Logits,
};

/// Rewrites one step function.
class Binder {
public:
  Binder(func::FuncOp step)
      : step(step), module(step->getParentOfType<ModuleOp>()), symbols(module),
        b(step.getContext()), loc(step.getLoc()) {}

  void run();

private:
  void placeParams();
  void createFunction();
  void replaceArguments();
  void replaceParam(GetParamOp get);
  void replaceWeights(AdapterWeightsOp op);
  void replaceReturn();
  void erase(Operation *op);

  Value argument(Argument which) { return entry->getArgument(which); }
  /// Emits the tensor of an argument, cut to `rows` if it is not null.
  Value readOnly(Value memref, Value rows);
  Value paramTensor(Operation *symbol);

  func::FuncOp step;
  ModuleOp module;
  SymbolTable symbols;
  OpBuilder b;
  Location loc;
  func::FuncOp function;
  Block *entry = nullptr;
  int64_t paramBytes = 0;
  SmallVector<AdapterOp> adapters;
  AdapterBankOp bank;
  llvm::DenseMap<Operation *, Value> paramTensors;
  Value scales;
};

} // namespace

void Binder::placeParams() {
  for (Operation &op : *module.getBody())
    if (isa<ParamOp, DerivedParamOp>(op))
      op.removeAttr("offset");
  step.walk([&](GetParamOp get) {
    Operation *symbol = symbols.lookup(get.getParam());
    if (symbol->hasAttr("offset"))
      return;
    symbol->setAttr("offset", b.getI64IntegerAttr(paramBytes));
    paramBytes = llvm::alignTo(
        paramBytes + getStorageBytes(getParamType(symbol)), alignment);
  });
}

void Binder::createFunction() {
  Type index = b.getIndexType(), i32 = b.getI32Type(), f32 = b.getF32Type();
  auto toMemRef = [](Type tensor) -> Type {
    auto type = cast<RankedTensorType>(tensor);
    return MemRefType::get(type.getShape(), type.getElementType());
  };
  FunctionType old = step.getFunctionType();
  auto ids = MemRefType::get({capacity}, i32);
  int64_t columns = std::max<size_t>(adapters.size(), 1);
  int64_t sites = bank ? static_cast<int64_t>(bank.getSites().size()) : 0;
  int64_t vocabulary = cast<RankedTensorType>(old.getResult(0)).getDimSize(1);
  SmallVector<Type> types{
      index,
      index,
      ids,
      ids,
      ids,
      ids,
      MemRefType::get({capacity, columns}, f32),
      toMemRef(old.getInput(4)),
      MemRefType::get({std::max<int64_t>(paramBytes, 1)}, b.getI8Type()),
      index,
      MemRefType::get({capacity, getUseFields(sites)}, b.getI64Type()),
      ids.clone(ArrayRef<int64_t>(capacity), f32),
      MemRefType::get({bankCapacity}, b.getI8Type()),
      toMemRef(old.getInput(5)),
      toMemRef(old.getInput(6)),
      MemRefType::get({capacity, vocabulary}, f32)};
  b.setInsertionPoint(step);
  function =
      func::FuncOp::create(b, loc, "lori_step", b.getFunctionType(types, {}));
  function->setAttr("llvm.bareptr", b.getUnitAttr());
  for (unsigned i = 0; i <= Logits; ++i)
    if (isa<MemRefType>(types[i]))
      function.setArgAttr(i, LLVM::LLVMDialect::getNoAliasAttrName(),
                          b.getUnitAttr());
  // The body moves over as it is; its old arguments are replaced one by one.
  function.getBody().takeBody(step.getBody());
  entry = &function.front();
  for (unsigned i = 0; i < types.size(); ++i)
    entry->insertArgument(i, types[i], loc);
  b.setInsertionPointToStart(entry);
}

Value Binder::readOnly(Value memref, Value rows) {
  if (rows) {
    auto type = cast<MemRefType>(memref.getType());
    SmallVector<OpFoldResult> offsets(type.getRank(), b.getIndexAttr(0));
    SmallVector<OpFoldResult> strides(type.getRank(), b.getIndexAttr(1));
    SmallVector<OpFoldResult> sizes;
    for (int64_t size : type.getShape())
      sizes.push_back(b.getIndexAttr(size));
    sizes[0] = rows;
    memref = memref::SubViewOp::create(b, loc, memref, offsets, sizes, strides);
  }
  auto type = cast<MemRefType>(memref.getType());
  return bufferization::ToTensorOp::create(
      b, loc, RankedTensorType::get(type.getShape(), type.getElementType()),
      memref, /*restrict=*/true, /*writable=*/false);
}

void Binder::replaceArguments() {
  // step(tokens, positions, sequences, output rows, pages, keys, values)
  auto old = [&](unsigned i) { return entry->getArgument(Logits + 1 + i); };
  old(0).replaceAllUsesWith(readOnly(argument(Tokens), argument(Rows)));
  old(1).replaceAllUsesWith(readOnly(argument(Positions), argument(Rows)));
  old(2).replaceAllUsesWith(readOnly(argument(Sequences), argument(Rows)));
  old(3).replaceAllUsesWith(readOnly(argument(OutputRows), argument(Outputs)));
  old(4).replaceAllUsesWith(readOnly(argument(Pages), Value()));
  for (auto [i, cache] : {std::pair(5u, Keys), {6u, Values}})
    old(i).replaceAllUsesWith(bufferization::ToTensorOp::create(
        b, loc, old(i).getType(), argument(cache), /*restrict=*/true,
        /*writable=*/true));
  entry->eraseArguments(Logits + 1, 7);
  if (!adapters.empty())
    scales = readOnly(argument(AdapterScales), argument(Rows));
}

/// Views are emitted at the start of the function, ahead of its first op, which
/// may be the one to go.
void Binder::erase(Operation *op) {
  if (b.getInsertionBlock() == op->getBlock() &&
      b.getInsertionPoint() == op->getIterator())
    b.setInsertionPointAfter(op);
  op->erase();
}

Value Binder::paramTensor(Operation *symbol) {
  Value &tensor = paramTensors[symbol];
  if (tensor)
    return tensor;
  OpBuilder::InsertionGuard guard(b);
  RankedTensorType storage = getStorageType(getParamType(symbol));
  Value offset = arith::ConstantIndexOp::create(
      b, loc, symbol->getAttrOfType<IntegerAttr>("offset").getInt());
  auto type = MemRefType::get(storage.getShape(), storage.getElementType());
  Value view = memref::ViewOp::create(b, symbol->getLoc(), type,
                                      argument(Params), offset, ValueRange{});
  tensor = bufferization::ToTensorOp::create(b, symbol->getLoc(), storage, view,
                                             /*restrict=*/true,
                                             /*writable=*/false);
  return tensor;
}

void Binder::replaceParam(GetParamOp get) {
  Value tensor = paramTensor(symbols.lookup(get.getParam()));
  if (get.getLayer()) {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPoint(get);
    auto type = cast<RankedTensorType>(tensor.getType());
    SmallVector<OpFoldResult> offsets(type.getRank(), b.getIndexAttr(0));
    SmallVector<OpFoldResult> strides(type.getRank(), b.getIndexAttr(1));
    SmallVector<OpFoldResult> sizes;
    for (int64_t size : type.getShape())
      sizes.push_back(b.getIndexAttr(size));
    offsets[0] = get.getLayer();
    sizes[0] = b.getIndexAttr(1);
    tensor = tensor::ExtractSliceOp::create(b, get.getLoc(), getLayerType(type),
                                            tensor, offsets, sizes, strides);
  }
  replaceStorage(get, tensor);
  if (!get->use_empty())
    get.replaceAllUsesWith(tensor);
  erase(get);
}

void Binder::replaceWeights(AdapterWeightsOp op) {
  auto *position = llvm::find_if(adapters, [&](AdapterOp adapter) {
    return adapter.getSymName() == op.getAdapter();
  });
  OpFoldResult zero = b.getIndexAttr(0), one = b.getIndexAttr(1);
  Value column = tensor::ExtractSliceOp::create(
      b, op.getLoc(), cast<RankedTensorType>(op.getType()), scales,
      ArrayRef<OpFoldResult>{
          zero, b.getIndexAttr(std::distance(adapters.begin(), position))},
      ArrayRef<OpFoldResult>{argument(Rows), one},
      ArrayRef<OpFoldResult>{one, one});
  op.replaceAllUsesWith(column);
  erase(op);
}

void Binder::replaceReturn() {
  auto end = cast<func::ReturnOp>(entry->getTerminator());
  b.setInsertionPoint(end);
  auto type = cast<MemRefType>(argument(Logits).getType());
  OpFoldResult zero = b.getIndexAttr(0), one = b.getIndexAttr(1);
  Value logits = memref::SubViewOp::create(
      b, loc, argument(Logits), ArrayRef<OpFoldResult>{zero, zero},
      ArrayRef<OpFoldResult>{argument(Outputs),
                             b.getIndexAttr(type.getDimSize(1))},
      ArrayRef<OpFoldResult>{one, one});
  Value targets[] = {logits, argument(Keys), argument(Values)};
  for (auto [value, target] : llvm::zip_equal(end.getOperands(), targets))
    bufferization::MaterializeInDestinationOp::create(
        b, loc, /*result=*/Type(), value, target, /*restrict=*/true,
        /*writable=*/true);
  func::ReturnOp::create(b, loc);
  end.erase();
}

void Binder::run() {
  llvm::append_range(adapters, module.getOps<AdapterOp>());
  for (auto declared : module.getOps<AdapterBankOp>())
    bank = declared;
  placeParams();
  createFunction();
  replaceArguments();
  SmallVector<AdapterWeightsOp> weights;
  function.walk([&](AdapterWeightsOp op) { weights.push_back(op); });
  for (AdapterWeightsOp op : weights)
    replaceWeights(op);
  function.walk([&](BankSizeOp op) {
    op.replaceAllUsesWith(argument(BankUses));
    op.erase();
  });
  BankArguments bankArguments{argument(Uses), argument(UseScales),
                              argument(Bank)};
  function.walk([&](BankUseOp op) { bindBankUse(op, bankArguments); });
  SmallVector<GetParamOp> gets;
  function.walk([&](GetParamOp get) { gets.push_back(get); });
  for (GetParamOp get : gets)
    replaceParam(get);
  replaceReturn();
  step.erase();
}

namespace {

/// Returns whether `step` has the types that ModelBuilder gives it.
bool hasStepType(func::FuncOp step) {
  Builder b(step.getContext());
  FunctionType type = step.getFunctionType();
  if (type.getNumInputs() != 7 || type.getNumResults() != 3)
    return false;
  Type ids = RankedTensorType::get({ShapedType::kDynamic}, b.getI32Type());
  auto isArray = [](Type value, int64_t rank) {
    auto tensor = dyn_cast<RankedTensorType>(value);
    return tensor && tensor.hasStaticShape() && tensor.getRank() == rank;
  };
  auto isCache = [&](Type value) {
    return isArray(value, 5) || isArray(value, 6);
  };
  auto logits = dyn_cast<RankedTensorType>(type.getResult(0));
  return llvm::all_equal({type.getInput(0), type.getInput(1), type.getInput(2),
                          type.getInput(3), ids}) &&
         isArray(type.getInput(4), 2) && isCache(type.getInput(5)) &&
         isCache(type.getInput(6)) && logits && logits.getRank() == 2 &&
         logits.isDynamicDim(0) && !logits.isDynamicDim(1) &&
         logits.getElementType().isF32() &&
         type.getResults().drop_front() == type.getInputs().drop_front(5);
}

struct BindStepPass final : impl::BindStepPassBase<BindStepPass> {
  using Base::Base;

  /// Refuses parameters that are read as anything but what is stored.
  static LogicalResult checkReads(func::FuncOp step) {
    WalkResult result = step.walk([](GetParamOp get) {
      auto type = cast<RankedTensorType>(get.getType());
      bool isPlain = getStorageType(type) == type;
      if (isPlain || llvm::all_of(get->getUsers(), llvm::IsaPred<StorageOp>))
        return WalkResult::advance();
      get.emitError("expected its users to read the storage of ")
          << type << "; lower them to linalg first";
      return WalkResult::interrupt();
    });
    return failure(result.wasInterrupted());
  }

  void runOnOperation() override {
    auto step = getOperation().lookupSymbol<func::FuncOp>("step");
    if (!step || !hasStepType(step) ||
        !llvm::hasSingleElement(step.getBody())) {
      getOperation().emitError(
          "expected a function @step as ModelBuilder makes it: (tokens, "
          "positions, sequences, output rows, pages, keys, values) -> (logits, "
          "keys, values)");
      return signalPassFailure();
    }
    if (failed(checkReads(step)))
      return signalPassFailure();
    Binder(step).run();
  }
};

} // namespace
} // namespace mlir::lori
