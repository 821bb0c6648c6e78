// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dialect/lori/LoriOps.h"
#include "passes/Passes.h"
#include "passes/conversion/ElementAccess.h"
#include "passes/conversion/ScalarBuilder.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

namespace mlir::lori {
#define GEN_PASS_DEF_EMITBANKWRITERSPASS
#include "passes/Passes.h.inc"

namespace {

/// Bound of the entries of a matrix; takes part in no address.
constexpr int64_t capacity = int64_t(1) << 40;

/// Emits `@lori_write_T(rows, columns, paddedRows, paddedColumns, from, to)`:
/// copies a row-major matrix of T into f32 panels, with zeros around it.
class WriterBuilder {
public:
  WriterBuilder(ModuleOp module, int64_t panelRows)
      : module(module), b(module.getContext()), loc(module.getLoc()),
        panelRows(panelRows) {}

  void build(StringRef name, FloatType type);

private:
  enum Argument : unsigned {
    Rows,
    Columns,
    PaddedRows,
    PaddedColumns,
    From,
    To
  };

  Value argument(Argument which) { return function.getArgument(which); }
  void loop(Value count, function_ref<void(Value)> body);
  Value entry(Value row, Value column);
  /// Returns where an entry lies in the panels.
  Value place(Value row, Value column);

  ModuleOp module;
  OpBuilder b;
  Location loc;
  int64_t panelRows;
  func::FuncOp function;
};

} // namespace

void WriterBuilder::loop(Value count, function_ref<void(Value)> body) {
  ScalarBuilder s(b, loc);
  auto loop = scf::ForOp::create(b, loc, s.index(0), count, s.index(1));
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  body(loop.getInductionVar());
}

Value WriterBuilder::entry(Value row, Value column) {
  ScalarBuilder s(b, loc);
  auto isBelow = [&](Value x, Value end) -> Value {
    return arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ult, x, end);
  };
  Value isStored = arith::AndIOp::create(b, loc, isBelow(row, argument(Rows)),
                                         isBelow(column, argument(Columns)));
  // Entries around the matrix read its first one, which is then dropped.
  Value at = s.add(s.mul(row, argument(Columns)), column);
  Value stored = memref::LoadOp::create(
      b, loc, argument(From), ValueRange{s.select(isStored, at, s.index(0))});
  return s.select(isStored, widen(b, loc, stored), s.f32(0));
}

Value WriterBuilder::place(Value row, Value column) {
  ScalarBuilder s(b, loc);
  Value line = s.mul(s.div(row, panelRows), argument(PaddedColumns));
  return s.add(s.mul(s.add(line, column), panelRows), s.rem(row, panelRows));
}

void WriterBuilder::build(StringRef name, FloatType type) {
  Type index = b.getIndexType();
  auto toMemRef = [](Type element) {
    return MemRefType::get({capacity}, element);
  };
  b.setInsertionPointToEnd(module.getBody());
  function = func::FuncOp::create(
      b, loc, name,
      b.getFunctionType({index, index, index, index, toMemRef(type),
                         toMemRef(b.getF32Type())},
                        {}));
  function->setAttr("llvm.bareptr", b.getUnitAttr());
  for (Argument pointer : {From, To})
    function.setArgAttr(pointer, LLVM::LLVMDialect::getNoAliasAttrName(),
                        b.getUnitAttr());
  b.setInsertionPointToStart(function.addEntryBlock());
  loop(argument(PaddedRows), [&](Value row) {
    loop(argument(PaddedColumns), [&](Value column) {
      memref::StoreOp::create(b, loc, entry(row, column), argument(To),
                              ValueRange{place(row, column)});
    });
  });
  func::ReturnOp::create(b, loc);
}

namespace {

struct EmitBankWritersPass final
    : impl::EmitBankWritersPassBase<EmitBankWritersPass> {
  using Base::Base;

  void runOnOperation() override {
    for (auto bank : llvm::to_vector(getOperation().getOps<AdapterBankOp>())) {
      WriterBuilder writer(getOperation(), bank.getPanels().value_or(1));
      writer.build("lori_write_f32", Float32Type::get(&getContext()));
      writer.build("lori_write_f16", Float16Type::get(&getContext()));
      writer.build("lori_write_bf16", BFloat16Type::get(&getContext()));
    }
  }
};

} // namespace
} // namespace mlir::lori
