// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef LORI_RUNTIME_FORMATS_JSONWRITER_H
#define LORI_RUNTIME_FORMATS_JSONWRITER_H

#include "runtime/formats/Json.h"

namespace lori {

/// Returns `value` as JSON text that parseJson() reads back as the same value.
/// `indent` blanks a level, 0 for one line.
std::string jsonText(const JsonValue &value, int indent = 0);

/// Returns the shortest text that reads back as `number`, with a point or an
/// exponent ("1.0").
std::string jsonNumber(double number);

/// Sets the member `key` in its place, or appends it.
void setMember(JsonValue::Object &object, std::string_view key,
               JsonValue value);

} // namespace lori

#endif // LORI_RUNTIME_FORMATS_JSONWRITER_H
