// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a running template makes: scopes, namespaces and loops.

#ifndef LORI_RUNTIME_TEXT_JINJA_OBJECTS_H
#define LORI_RUNTIME_TEXT_JINJA_OBJECTS_H

#include "runtime/text/jinja/Callable.h"

#include <deque>

namespace lori::jinja {

/// Variables, and those around them.
struct Scope {
  explicit Scope(std::shared_ptr<Scope> outer) : outer(std::move(outer)) {}

  const Value *find(std::string_view name) const;
  void set(std::string_view name, Value value);

  std::shared_ptr<Scope> outer;
  std::vector<std::pair<std::string, Value>> variables;
};

/// namespace(): the one thing that a template can change.
class Namespace : public Object {
public:
  std::string_view typeName() const override { return "namespace"; }
  std::optional<Value> attribute(std::string_view name) const override;
  /// Throws TemplateError for names that `transformers` refuses.
  void set(std::string_view name, Value value);

  Scope attributes{nullptr};
};

/// The variable `loop`. Goes through the elements as they are asked for: what
/// the body does may decide whether later ones are accepted.
class Loop : public Object {
public:
  using Accept = std::function<bool(const Value &)>;
  Loop(std::vector<Value> items, Accept accept)
      : items(std::move(items)), accept(std::move(accept)) {}

  std::string_view typeName() const override { return "loop"; }
  std::optional<Value> attribute(std::string_view name) const override;
  /// Goes on to the next element; null at the end.
  const Value *next();
  /// Lets go of the elements: nothing may be asked any more.
  void end();

private:
  const Value *peek() const;
  int64_t length() const;
  Value cycle() const;

  std::vector<Value> items;
  Accept accept; ///< null where all are
  /// Those looked at before their turn, of those before `position`.
  mutable std::deque<Value> ahead;
  mutable size_t position = 0;
  int64_t index = -1;
  Value previous, current;
  bool ended = false;
};

} // namespace lori::jinja

#endif // LORI_RUNTIME_TEXT_JINJA_OBJECTS_H
