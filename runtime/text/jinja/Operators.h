// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Operators and indexing. All throw TemplateError for operands of wrong types.

#ifndef LORI_RUNTIME_TEXT_JINJA_OPERATORS_H
#define LORI_RUNTIME_TEXT_JINJA_OPERATORS_H

#include "runtime/text/jinja/Value.h"

namespace lori::jinja {

/// + - * / // % ** ~
Value applyBinary(std::string_view name, const Value &left, const Value &right);
/// == != < <= > >= in, not in
bool applyComparison(std::string_view name, const Value &left,
                     const Value &right);
Value negated(const Value &operand);
Value withPlus(const Value &operand);

/// `object.name`; undefined where there is none.
Value attributeOf(const Value &object, std::string_view name);
/// `object[index]`; undefined where there is none.
Value itemOf(const Value &object, const Value &index);
/// `object[start:stop:step]`, with None where left out.
Value sliceOf(const Value &object, const Value &start, const Value &stop,
              const Value &step);

/// Throws for undefined values.
void requireDefined(const Value &value);

} // namespace lori::jinja

#endif // LORI_RUNTIME_TEXT_JINJA_OPERATORS_H
