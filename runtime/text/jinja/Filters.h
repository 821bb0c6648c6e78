// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef LORI_RUNTIME_TEXT_JINJA_FILTERS_H
#define LORI_RUNTIME_TEXT_JINJA_FILTERS_H

#include "runtime/text/jinja/Callable.h"

namespace lori::jinja {

using Filter = Value (*)(const Value &input, const Arguments &arguments);

/// `input | name(arguments)`. Throws TemplateError for filters that are not
/// supported.
Value applyFilter(std::string_view name, const Value &input,
                  const Arguments &arguments);
/// `input is name(arguments)`, likewise.
bool applyTest(std::string_view name, const Value &input,
               const Arguments &arguments);

/// The filters of lists, null for other names.
Filter findSequenceFilter(std::string_view name);

/// Whether a filter or test of this name is supported.
bool isFilter(std::string_view name);
bool isTest(std::string_view name);

} // namespace lori::jinja

#endif // LORI_RUNTIME_TEXT_JINJA_FILTERS_H
