// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Lists of floats in assembly formats, `[1.0, 0.316227764]`. The own syntax of
// dense float arrays keeps seven digits, which do not give every float back.

#ifndef LORI_DIALECT_LORI_FLOATSYNTAX_H
#define LORI_DIALECT_LORI_FLOATSYNTAX_H

#include "mlir/IR/Builders.h"
#include "mlir/IR/OpImplementation.h"

namespace mlir::lori {

template <typename T>
void printFloats(AsmPrinter &printer, ArrayRef<T> values) {
  printer << '[';
  llvm::interleaveComma(values, printer.getStream(),
                        [&](T value) { printer.printFloat(APFloat(value)); });
  printer << ']';
}

template <typename T>
ParseResult parseFloats(AsmParser &parser, SmallVectorImpl<T> &values) {
  return parser.parseCommaSeparatedList(
      AsmParser::Delimiter::Square, [&]() -> ParseResult {
        T zero = 0;
        APFloat value(zero);
        if (parser.parseFloat(value.getSemantics(), value))
          return failure();
        if constexpr (std::is_same_v<T, float>)
          values.push_back(value.convertToFloat());
        else
          values.push_back(value.convertToDouble());
        return success();
      });
}

/// `custom<Floats>` of an op's attribute.
inline void printFloats(OpAsmPrinter &printer, Operation *,
                        DenseF32ArrayAttr values) {
  printFloats(printer, values.asArrayRef());
}
inline ParseResult parseFloats(OpAsmParser &parser, DenseF32ArrayAttr &values) {
  SmallVector<float> list;
  if (parseFloats(parser, list))
    return failure();
  values = parser.getBuilder().getDenseF32ArrayAttr(list);
  return success();
}

/// `custom<Floats>` of an attribute's parameter.
inline void printFloats(AsmPrinter &printer, DenseF64ArrayAttr values) {
  printFloats(printer, values.asArrayRef());
}
inline ParseResult parseFloats(AsmParser &parser, DenseF64ArrayAttr &values) {
  SmallVector<double> list;
  if (parseFloats(parser, list))
    return failure();
  values = parser.getBuilder().getDenseF64ArrayAttr(list);
  return success();
}

} // namespace mlir::lori

#endif // LORI_DIALECT_LORI_FLOATSYNTAX_H
