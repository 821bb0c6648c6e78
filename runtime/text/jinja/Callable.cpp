// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/text/jinja/Callable.h"
#include "runtime/text/jinja/Operators.h"

#include <algorithm>

using namespace lori;
using namespace lori::jinja;

std::vector<std::optional<Value>>
Arguments::bind(std::string_view callee,
                std::initializer_list<std::string_view> names,
                size_t required) const {
  std::string who = "'" + std::string(callee) + "'";
  if (positional.size() > names.size())
    throw TemplateError(who + " has more arguments than are supported");
  std::vector<std::optional<Value>> bound(positional.begin(), positional.end());
  bound.resize(names.size());
  for (const auto &[name, value] : named) {
    const auto *found = std::find(names.begin(), names.end(), name);
    if (found == names.end())
      throw TemplateError("the argument '" + name.substr(0, 40) + "' of " +
                          who + " is not supported");
    std::optional<Value> &slot =
        bound[static_cast<size_t>(found - names.begin())];
    if (slot)
      throw TemplateError("the argument '" + name + "' of " + who +
                          " is given twice");
    slot = value;
  }
  for (size_t i = 0; i < required; ++i)
    if (!bound[i])
      throw TemplateError(who + " lacks the argument '" +
                          std::string(names.begin()[i]) + "'");
  return bound;
}

const std::string &jinja::textArgument(const Value &value) {
  requireDefined(value);
  if (!value.text())
    throw TemplateError("an argument is of type " +
                        std::string(value.typeName()) + " instead of str");
  return *value.text();
}

int64_t jinja::integerArgument(const Value &value) {
  requireDefined(value);
  if (!value.integer())
    throw TemplateError("an argument is of type " +
                        std::string(value.typeName()) + " instead of int");
  return *value.integer();
}
