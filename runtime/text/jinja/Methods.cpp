// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Methods of Python's str, dict, list and tuple.

#include "runtime/text/jinja/Methods.h"
#include "runtime/text/Unicode.h"
#include "runtime/text/jinja/Text.h"

#include <algorithm>

using namespace lori;
using namespace lori::jinja;

// Those of which only the name is known are refused by name.
static constexpr std::string_view textMethods[] = {
    "capitalize",   "casefold",     "center",    "count",     "encode",
    "endswith",     "expandtabs",   "find",      "format",    "format_map",
    "index",        "isalnum",      "isalpha",   "isascii",   "isdecimal",
    "isdigit",      "isidentifier", "islower",   "isnumeric", "isprintable",
    "isspace",      "istitle",      "isupper",   "join",      "ljust",
    "lower",        "lstrip",       "maketrans", "partition", "removeprefix",
    "removesuffix", "replace",      "rfind",     "rindex",    "rjust",
    "rpartition",   "rsplit",       "rstrip",    "split",     "splitlines",
    "startswith",   "strip",        "swapcase",  "title",     "translate",
    "upper",        "zfill"};
static constexpr std::string_view dictMethods[] = {
    "clear", "copy",    "fromkeys",   "get",    "items", "keys",
    "pop",   "popitem", "setdefault", "update", "values"};
static constexpr std::string_view listMethods[] = {
    "append", "clear", "copy",   "count",   "extend", "index",
    "insert", "pop",   "remove", "reverse", "sort"};

bool jinja::hasMethod(const Value &object, std::string_view name) {
  auto isIn = [&](const auto &names) {
    return std::find(std::begin(names), std::end(names), name) !=
           std::end(names);
  };
  if (object.text())
    return isIn(textMethods);
  if (object.dict())
    return isIn(dictMethods);
  if (const List *list = object.list()) {
    if (list->kind == ListKind::Tuple || list->kind == ListKind::Range)
      return name == "count" || name == "index";
    return list->kind == ListKind::List && isIn(listMethods);
  }
  return false;
}

using Bound = std::vector<std::optional<Value>>;

static std::optional<std::string_view>
optionalText(const std::optional<Value> &value) {
  if (!value || value->isNone())
    return std::nullopt;
  return textArgument(*value);
}

static int64_t integerOr(const std::optional<Value> &value, int64_t otherwise) {
  return value ? integerArgument(*value) : otherwise;
}

static Value listOfTexts(std::vector<std::string> pieces,
                         ListKind kind = ListKind::List) {
  std::vector<Value> items;
  for (std::string &piece : pieces)
    items.emplace_back(std::move(piece));
  return Value::list(std::move(items), kind);
}

static Value stripMethod(const std::string &text, std::string_view name,
                         const Arguments &arguments) {
  Bound bound = arguments.bind(name, {"chars"});
  Side side = name == "strip"    ? Side::Both
              : name == "lstrip" ? Side::Left
                                 : Side::Right;
  return strip(text, optionalText(bound[0]), side);
}

static Value splitMethod(const std::string &text, std::string_view name,
                         const Arguments &arguments) {
  Bound bound = arguments.bind(name, {"sep", "maxsplit"});
  std::optional<std::string_view> separator = optionalText(bound[0]);
  int64_t limit = integerOr(bound[1], -1);
  if (name == "split")
    return listOfTexts(split(text, separator, limit));
  if (!separator && limit < 0)
    return listOfTexts(split(text, separator, limit));
  if (!separator)
    throw TemplateError("rsplit at white space is not supported");
  return listOfTexts(splitFromEnd(text, *separator, limit));
}

static bool hasAffix(const std::string &text, const Value &affix, bool atEnd) {
  if (affix.list() && affix.list()->kind == ListKind::Tuple) {
    const std::vector<Value> &items = affix.list()->items;
    return std::any_of(items.begin(), items.end(), [&](const Value &item) {
      const std::string &one = textArgument(item);
      spend(one.size() + 16);
      return atEnd ? text.ends_with(one) : text.starts_with(one);
    });
  }
  const std::string &one = textArgument(affix);
  spend(one.size());
  return atEnd ? text.ends_with(one) : text.starts_with(one);
}

static Value find(const std::string &text, std::string_view name,
                  const Arguments &arguments) {
  const std::string part = textArgument(*arguments.bind(name, {"sub"}, 1)[0]);
  bool fromEnd = name[0] == 'r';
  std::optional<size_t> at =
      fromEnd ? findLast(text, part, text.size()) : findText(text, part, 0);
  if (!at && name.ends_with("index"))
    throw TemplateError("a text that is looked for is not there");
  return at ? Value(text.substr(0, *at)).length() : int64_t(-1);
}

static int64_t countParts(const std::string &text, const std::string &part) {
  if (part.empty())
    return Value(text).length() + 1;
  int64_t count = 0;
  for (std::optional<size_t> at = findText(text, part, 0); at;
       at = findText(text, part, *at + part.size()))
    ++count;
  return count;
}

static Value partition(const std::string &text, bool fromEnd,
                       const std::string &separator) {
  if (separator.empty())
    throw TemplateError("a text is split at an empty separator");
  std::optional<size_t> at = fromEnd ? findLast(text, separator, text.size())
                                     : findText(text, separator, 0);
  std::vector<std::string> parts = {text, "", ""};
  if (at)
    parts = {text.substr(0, *at), separator,
             text.substr(*at + separator.size())};
  else if (fromEnd)
    std::swap(parts[0], parts[2]);
  return listOfTexts(std::move(parts), ListKind::Tuple);
}

static Value joinMethod(const std::string &separator,
                        const Arguments &arguments) {
  std::string result;
  bool first = true;
  for (const Value &item :
       arguments.bind("join", {"iterable"}, 1)[0]->elements()) {
    if (!std::exchange(first, false))
      appendText(result, separator);
    appendText(result, textArgument(item));
  }
  return Value(std::move(result));
}

static bool isSpace(const std::string &text) {
  return !text.empty() && strip(text, std::nullopt, Side::Both).empty();
}

static bool isAsciiDigits(const std::string &text) {
  for (char c : text)
    if (static_cast<uint8_t>(c) >= 0x80)
      throw TemplateError("isdigit on characters other than ASCII is not "
                          "supported");
  return !text.empty() &&
         text.find_first_not_of("0123456789") == std::string::npos;
}

static std::optional<Value> plainText(const std::string &text,
                                      std::string_view name) {
  if (name == "upper")
    return Value(toUpper(text));
  if (name == "lower")
    return Value(toLower(text));
  if (name == "title")
    return Value(toTitle(text));
  if (name == "capitalize")
    return Value(capitalize(text));
  if (name == "isspace")
    return Value(isSpace(text));
  if (name == "isdigit")
    return Value(isAsciiDigits(text));
  if (name == "isupper")
    return Value(isUpper(text));
  if (name == "islower")
    return Value(isLower(text));
  return std::nullopt;
}

static std::optional<Value> textMethod(const std::string &text,
                                       std::string_view name,
                                       const Arguments &arguments) {
  if (std::optional<Value> result = plainText(text, name)) {
    arguments.bind(name, {});
    return result;
  }
  auto only = [&](std::string_view parameter) {
    return *arguments.bind(name, {parameter}, 1)[0];
  };
  if (name == "strip" || name == "lstrip" || name == "rstrip")
    return stripMethod(text, name, arguments);
  if (name == "split" || name == "rsplit")
    return splitMethod(text, name, arguments);
  if (name == "startswith" || name == "endswith")
    return Value(hasAffix(text, only("affix"), name == "endswith"));
  if (name == "find" || name == "rfind" || name == "index" || name == "rindex")
    return find(text, name, arguments);
  if (name == "join")
    return joinMethod(text, arguments);
  if (name == "count")
    return Value(countParts(text, textArgument(only("sub"))));
  if (name == "partition" || name == "rpartition")
    return partition(text, name[0] == 'r', textArgument(only("sep")));
  if (name == "replace") {
    Bound bound = arguments.bind(name, {"old", "new", "count"}, 2);
    return Value(replaceText(text, textArgument(*bound[0]),
                             textArgument(*bound[1]), integerOr(bound[2], -1)));
  }
  if (name == "splitlines") {
    Bound bound = arguments.bind(name, {"keepends"});
    return listOfTexts(splitLines(text, bound[0] && bound[0]->isTrue()));
  }
  if (name == "removeprefix" || name == "removesuffix") {
    Value affix = only("affix");
    bool atEnd = name == "removesuffix";
    size_t size = textArgument(affix).size();
    if (!hasAffix(text, affix, atEnd))
      size = 0;
    return Value(text.substr(atEnd ? 0 : size, text.size() - size));
  }
  return std::nullopt;
}

static std::optional<Value> dictMethod(const Dict &dict, std::string_view name,
                                       const Arguments &arguments) {
  if (name == "get") {
    Bound bound = arguments.bind(name, {"key", "default"}, 1);
    if (const Value *found = dict.find(*bound[0]))
      return *found;
    return bound[1] ? *bound[1] : Value();
  }
  if (name != "items" && name != "keys" && name != "values")
    return std::nullopt;
  arguments.bind(name, {});
  std::vector<Value> items;
  for (const auto &[key, value] : dict.entries)
    items.push_back(name == "items" ? Value::list({key, value}, ListKind::Tuple)
                    : name == "keys" ? key
                                     : value);
  return Value::list(std::move(items), ListKind::View);
}

static std::optional<Value> listMethod(const List &list, std::string_view name,
                                       const Arguments &arguments) {
  if (name != "count" && name != "index")
    return std::nullopt;
  Value wanted = *arguments.bind(name, {"value"}, 1)[0];
  int64_t count = 0;
  for (size_t i = 0; i < list.items.size(); ++i) {
    if (!list.items[i].equals(wanted))
      continue;
    if (name == "index")
      return Value(static_cast<int64_t>(i));
    ++count;
  }
  if (name == "index")
    throw TemplateError("a value that is looked for is not in the list");
  return Value(count);
}

Value jinja::callMethod(const Value &object, std::string_view name,
                        const Arguments &arguments) {
  std::optional<Value> result;
  if (hasMethod(object, name)) {
    if (object.text())
      result = textMethod(*object.text(), name, arguments);
    else if (object.dict())
      result = dictMethod(*object.dict(), name, arguments);
    else
      result = listMethod(*object.list(), name, arguments);
  }
  if (!result)
    throw TemplateError("the method '" + std::string(name.substr(0, 40)) +
                        "' of values of type " +
                        std::string(object.typeName()) + " is not supported");
  return *result;
}
