// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/text/jinja/Globals.h"
#include "runtime/text/jinja/Text.h"

#include <algorithm>
#include <ctime>

using namespace lori;
using namespace lori::jinja;

// Arguments of dict(): a dictionary or pairs, then names.
static std::shared_ptr<Dict> makeDict(const Arguments &arguments) {
  auto result = std::make_shared<Dict>();
  if (arguments.positional.size() > 1)
    throw TemplateError("'dict' has too many arguments");
  for (const Value &from : arguments.positional) {
    if (const Dict *dict = from.dict()) {
      for (const auto &[key, value] : dict->entries)
        result->set(key, value);
      continue;
    }
    for (const Value &item : from.elements()) {
      std::vector<Value> pair = item.elements();
      if (pair.size() != 2)
        throw TemplateError("'dict' takes pairs");
      result->set(pair[0], pair[1]);
    }
  }
  for (const auto &[name, value] : arguments.named)
    result->set(Value(name), value);
  return result;
}

Value Namespaces::make(const Arguments &arguments) {
  auto result = std::make_shared<Namespace>();
  spend(sizeof(Namespace));
  all.push_back(result);
  std::shared_ptr<Dict> attributes = makeDict(arguments);
  for (const auto &[key, value] : attributes->entries)
    result->set(textArgument(key), value);
  return Value(std::shared_ptr<Object>(result));
}

Namespaces::~Namespaces() {
  for (const auto &one : all)
    one->attributes.variables.clear();
}

static Value range(const Arguments &arguments) {
  const std::vector<Value> &given = arguments.positional;
  if (given.empty() || given.size() > 3 || !arguments.named.empty())
    throw TemplateError("'range' takes 1 to 3 integers");
  int64_t start = given.size() == 1 ? 0 : integerArgument(given[0]);
  int64_t stop = integerArgument(given[given.size() == 1 ? 0 : 1]);
  int64_t step = given.size() == 3 ? integerArgument(given[2]) : 1;
  if (step == 0)
    throw TemplateError("the step of 'range' is 0");
  static constexpr size_t maxRange = 100000; // Jinja's
  std::vector<Value> items;
  bool overflow = false;
  for (int64_t i = start; !overflow && (step > 0 ? i < stop : i > stop);
       overflow = __builtin_add_overflow(i, step, &i)) {
    if (items.size() == maxRange)
      throw TemplateError("a range has more than 100000 numbers");
    items.emplace_back(i);
  }
  return Value::list(std::move(items), ListKind::Range);
}

static Value raiseException(const Arguments &arguments) {
  Value message = *arguments.bind("raise_exception", {"message"}, 1)[0];
  throw TemplateError("the template refuses the messages: " +
                      toText(message, maxText));
}

// The present time, by strftime(3).
static Value strftimeNow(const Arguments &arguments) {
  const std::string format =
      textArgument(*arguments.bind("strftime_now", {"format"}, 1)[0]);
  static constexpr std::string_view known = "aAbBcdDeFGHIjmMpRSTuUVwWxXyY%nt-";
  for (size_t at = format.find('%'); at != format.npos;
       at = format.find('%', at + 2))
    if (at + 1 == format.size() || known.find(format[at + 1]) == known.npos)
      throw TemplateError("strftime_now knows no '" + format.substr(at, 2) +
                          "'");
  if (format.empty())
    return format;
  std::time_t now = std::time(nullptr);
  std::tm parts = {};
  char buffer[4096];
  size_t size =
      localtime_r(&now, &parts) && format.size() < 512
          ? std::strftime(buffer, sizeof buffer, format.c_str(), &parts)
          : 0;
  if (size == 0)
    throw TemplateError("strftime_now cannot write the date");
  return std::string(buffer, size);
}

void jinja::setGlobals(Scope &scope, Namespaces &namespaces) {
  scope.set("range", Function::make(range));
  scope.set("dict", Function::make([](const Arguments &arguments) {
              return Value(makeDict(arguments));
            }));
  scope.set("namespace",
            Function::make([&namespaces](const Arguments &arguments) {
              return namespaces.make(arguments);
            }));
  scope.set("raise_exception", Function::make(raiseException));
  scope.set("strftime_now", Function::make(strftimeNow));
}
