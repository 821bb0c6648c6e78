// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/text/jinja/Objects.h"

using namespace lori;
using namespace lori::jinja;

const Value *Scope::find(std::string_view name) const {
  spend(8 * variables.size() + 8);
  for (const auto &[known, value] : variables)
    if (known == name)
      return &value;
  return nullptr;
}

void Scope::set(std::string_view name, Value value) {
  if (const Value *found = find(name)) {
    *const_cast<Value *>(found) = std::move(value);
    return;
  }
  spend(sizeof(variables[0]) + name.size());
  variables.emplace_back(std::string(name), std::move(value));
}

std::optional<Value> Namespace::attribute(std::string_view name) const {
  const Value *found = attributes.find(name);
  return found ? std::optional(*found) : std::nullopt;
}

void Namespace::set(std::string_view name, Value value) {
  if (name.starts_with('_'))
    throw TemplateError("an attribute of a namespace begins with '_'");
  attributes.set(name, std::move(value));
}

const Value *Loop::peek() const {
  while (ahead.empty() && position < items.size()) {
    const Value &item = items[position++];
    if (!accept || accept(item))
      ahead.push_back(item);
  }
  return ahead.empty() ? nullptr : &ahead.front();
}

const Value *Loop::next() {
  if (!peek())
    return nullptr;
  previous = std::move(current);
  current = std::move(ahead.front());
  ahead.pop_front();
  ++index;
  return &current;
}

void Loop::end() {
  items.clear();
  ahead.clear();
  previous = current = Value();
  accept = nullptr;
  ended = true;
}

int64_t Loop::length() const {
  if (!accept)
    return static_cast<int64_t>(items.size());
  for (; position < items.size(); ++position)
    if (accept(items[position]))
      ahead.push_back(items[position]);
  return index + 1 + static_cast<int64_t>(ahead.size());
}

// loop.cycle(a, b, …)
Value Loop::cycle() const {
  return Function::make([at = index](const Arguments &arguments) {
    const std::vector<Value> &choices = arguments.positional;
    if (choices.empty() || !arguments.named.empty())
      throw TemplateError("'cycle' takes values");
    return choices[static_cast<size_t>(at) % choices.size()];
  });
}

std::optional<Value> Loop::attribute(std::string_view name) const {
  if (ended)
    throw TemplateError("'loop' after the end of its loop is not supported");
  if (name == "index")
    return Value(index + 1);
  if (name == "index0")
    return Value(index);
  if (name == "first")
    return Value(index == 0);
  if (name == "last")
    return Value(peek() == nullptr);
  if (name == "length")
    return Value(length());
  if (name == "revindex")
    return Value(length() - index);
  if (name == "revindex0")
    return Value(length() - index - 1);
  if (name == "previtem")
    return index > 0 ? previous : Value::undefined("loop.previtem");
  if (name == "nextitem")
    return peek() ? *peek() : Value::undefined("loop.nextitem");
  if (name == "cycle")
    return cycle();
  if (name == "depth" || name == "depth0")
    return Value(int64_t(name == "depth" ? 1 : 0));
  throw TemplateError("'loop." + std::string(name.substr(0, 40)) +
                      "' is not supported");
}
