// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "passes/conversion/BindBank.h"
#include "passes/conversion/ScalarBuilder.h"

#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

using namespace mlir;
using namespace mlir::lori;

/// Fields of a use ahead of those of its sites.
static constexpr int64_t useHeader = 4;

/// Bytes ahead of the factors that a bank holds for a layer: their scale.
static constexpr int64_t bankHeader = 64;

int64_t mlir::lori::getUseFields(int64_t sites) {
  return useHeader + 2 * sites;
}

void mlir::lori::replaceStorage(Value tensor, Value storage) {
  for (Operation *user : llvm::make_early_inc_range(tensor.getUsers()))
    if (auto view = dyn_cast<StorageOp>(user)) {
      view.replaceAllUsesWith(storage);
      view.erase();
    }
}

/// A use is a row of `uses`: its first row and number of rows, the same among
/// the rows whose logits are wanted, then for each site the rank and the offset
/// of its factors in the bank. There lie, layer after layer, the header, A and
/// B.
void mlir::lori::bindBankUse(BankUseOp op, const BankArguments &arguments) {
  OpBuilder b(op);
  ScalarBuilder s(b, op.getLoc());
  auto field = [&](uint64_t column) -> Value {
    Value loaded = memref::LoadOp::create(
        b, op.getLoc(), arguments.uses,
        ValueRange{op.getUse(), s.index(static_cast<int64_t>(column))});
    return arith::IndexCastOp::create(b, op.getLoc(), b.getIndexType(), loaded);
  };
  Value rank = field(useHeader + 2 * op.getSite());
  Value offset = field(useHeader + 1 + 2 * op.getSite());

  auto shrinkType = cast<RankedTensorType>(op.getShrink().getType());
  auto expandType = cast<RankedTensorType>(op.getExpand().getType());
  RankedTensorType shrinkStorage = getStorageType(shrinkType);
  RankedTensorType expandStorage = getStorageType(expandType);
  // The rank is a multiple of the panels' rows.
  int64_t panel = getPanels(shrinkType) ? getPanels(shrinkType).getRows() : 1;
  auto toBytes = [&](RankedTensorType storage, Value free) {
    int64_t bytes = 4;
    for (int64_t size : storage.getShape())
      bytes *= ShapedType::isDynamic(size) ? 1 : size;
    return s.mul(free, bytes);
  };
  Value panels = s.div(rank, panel);
  Value shrinkBytes = toBytes(shrinkStorage, panels);
  if (op.getLayer()) {
    Value bytes = s.add(shrinkBytes, toBytes(expandStorage, rank));
    offset = s.add(offset, s.mul(op.getLayer(), s.add(bytes, bankHeader)));
  }
  auto view = [&](RankedTensorType type, Value at, ValueRange sizes) -> Value {
    auto memref = MemRefType::get(type.getShape(), type.getElementType());
    return memref::ViewOp::create(b, op.getLoc(), memref, arguments.bank, at,
                                  sizes);
  };
  auto toTensor = [&](RankedTensorType type, Value at, Value free) -> Value {
    return bufferization::ToTensorOp::create(b, op.getLoc(), type,
                                             view(type, at, free),
                                             /*restrict=*/true,
                                             /*writable=*/false);
  };
  auto one = RankedTensorType::get({1}, b.getF32Type());
  Value scaling = memref::LoadOp::create(
      b, op.getLoc(), view(one, offset, ValueRange{}), ValueRange{s.index(0)});
  Value weight = memref::LoadOp::create(b, op.getLoc(), arguments.useScales,
                                        ValueRange{op.getUse()});
  Value factors = s.add(offset, bankHeader);
  replaceStorage(op.getShrink(), toTensor(shrinkStorage, factors, panels));
  replaceStorage(op.getExpand(),
                 toTensor(expandStorage, s.add(factors, shrinkBytes), rank));
  op.getScale().replaceAllUsesWith(s.fmul(scaling, weight));
  uint64_t rows = op.getSelected() ? 2 : 0;
  op.getFirst().replaceAllUsesWith(field(rows));
  op.getRows().replaceAllUsesWith(field(rows + 1));
  if (!getPanels(shrinkType)) {
    op.getShrink().replaceAllUsesWith(toTensor(shrinkStorage, factors, panels));
    op.getExpand().replaceAllUsesWith(
        toTensor(expandStorage, s.add(factors, shrinkBytes), rank));
  }
  op.erase();
}
