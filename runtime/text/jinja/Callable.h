// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What can be called, and the arguments of calls.

#ifndef LORI_RUNTIME_TEXT_JINJA_CALLABLE_H
#define LORI_RUNTIME_TEXT_JINJA_CALLABLE_H

#include "runtime/text/jinja/Value.h"

#include <functional>
#include <initializer_list>

namespace lori::jinja {

struct Arguments {
  std::vector<Value> positional;
  std::vector<std::pair<std::string, Value>> named;

  /// Returns the arguments of the parameters `names`, nothing for those not
  /// given. Throws TemplateError where an argument has no parameter or one of
  /// the first `required` is missing.
  std::vector<std::optional<Value>>
  bind(std::string_view callee, std::initializer_list<std::string_view> names,
       size_t required = 0) const;
};

class Callable : public Object {
public:
  virtual Value call(const Arguments &arguments) = 0;
  std::string_view typeName() const override { return "function"; }
  std::optional<Value> attribute(std::string_view) const override {
    return std::nullopt;
  }
};

/// A function of the interpreter.
class Function : public Callable {
public:
  using Body = std::function<Value(const Arguments &)>;
  explicit Function(Body body) : body(std::move(body)) {}
  Value call(const Arguments &arguments) override { return body(arguments); }
  static Value make(Body body) {
    return Value(
        std::shared_ptr<Object>(std::make_shared<Function>(std::move(body))));
  }

private:
  Body body;
};

/// Returns arguments as Python converts them, or throws TemplateError.
const std::string &textArgument(const Value &value);
int64_t integerArgument(const Value &value);

} // namespace lori::jinja

#endif // LORI_RUNTIME_TEXT_JINJA_CALLABLE_H
