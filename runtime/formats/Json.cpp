// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/formats/Json.h"
#include "runtime/support/Error.h"
#include "runtime/support/MappedFile.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

using namespace lori;

static constexpr size_t maxDepth = 64;
static constexpr size_t maxFileBytes = size_t(64) << 20;

namespace {

/// Builds a JsonValue from the events of nlohmann's parser, which does not
/// recurse; the library's own tree would be quadratic or lose the order.
class Builder : public nlohmann::json::json_sax_t {
public:
  Builder(std::string_view path, std::string_view part)
      : path(path), part(part) {}
  JsonValue root;

  bool null() override { return add(JsonValue()); }
  bool boolean(bool value) override { return add(JsonValue(value)); }
  bool number_integer(int64_t value) override { return add(JsonValue(value)); }
  bool number_unsigned(uint64_t value) override {
    if (value > static_cast<uint64_t>(INT64_MAX))
      return add(JsonValue(static_cast<double>(value)));
    return add(JsonValue(static_cast<int64_t>(value)));
  }
  bool number_float(double value, const std::string &) override {
    return add(JsonValue(value));
  }
  bool string(std::string &value) override {
    return add(JsonValue(std::move(value)));
  }
  bool binary(nlohmann::json::binary_t &) override { return false; }

  bool start_object(size_t) override { return open(JsonValue::Object()); }
  bool key(std::string &name) override {
    keys.back() = std::move(name);
    return true;
  }
  bool end_object() override {
    refuseDuplicates(*close().object());
    return true;
  }
  bool start_array(size_t) override { return open(JsonValue::Array()); }
  bool end_array() override {
    close();
    return true;
  }

  bool parse_error(size_t position, const std::string &,
                   const nlohmann::json::exception &) override {
    throw invalid(position);
  }
  /// What is wrong at byte `position`.
  Error invalid(size_t position) const {
    return Error(path, "the " + std::string(part) +
                           " is not valid JSON (byte " +
                           std::to_string(position) +
                           "), fetch the file again or repair it");
  }

private:
  template <typename Container> bool open(Container container) {
    if (stack.size() == maxDepth)
      throw Error(path, "the " + std::string(part) +
                            " nests JSON deeper than 64 levels, no such file "
                            "is known, give the right one");
    stack.emplace_back(std::move(container));
    keys.emplace_back();
    return true;
  }

  // The finished container leaves the stack for its parent.
  JsonValue &close() {
    JsonValue done = std::move(stack.back());
    stack.pop_back();
    keys.pop_back();
    return place(std::move(done));
  }

  bool add(JsonValue value) {
    place(std::move(value));
    return true;
  }

  JsonValue &place(JsonValue value) {
    if (stack.empty())
      return root = std::move(value);
    if (auto *items = stack.back().array())
      return items->emplace_back(std::move(value));
    return stack.back()
        .object()
        ->emplace_back(std::move(keys.back()), std::move(value))
        .second;
  }

  void refuseDuplicates(const JsonValue::Object &members) const {
    std::vector<std::string_view> names;
    names.reserve(members.size());
    for (const auto &member : members)
      names.push_back(member.first);
    std::sort(names.begin(), names.end());
    auto twin = std::adjacent_find(names.begin(), names.end());
    if (twin != names.end())
      throw Error(path, "the " + std::string(part) + " has the JSON key '" +
                            std::string(*twin) + "' twice, keep one of them");
  }

  std::string_view path, part;
  std::vector<JsonValue> stack;
  std::vector<std::string> keys;
};

} // namespace

std::optional<int64_t> JsonValue::integer() const {
  if (const auto *whole = std::get_if<int64_t>(&value))
    return *whole;
  const auto *real = std::get_if<double>(&value);
  // 2^63 is the first double above the range.
  if (real && *real >= -0x1p63 && *real < 0x1p63 && std::trunc(*real) == *real)
    return static_cast<int64_t>(*real);
  return std::nullopt;
}

std::optional<double> JsonValue::number() const {
  if (const auto *whole = std::get_if<int64_t>(&value))
    return static_cast<double>(*whole);
  const auto *real = std::get_if<double>(&value);
  if (real && std::isfinite(*real))
    return *real;
  return std::nullopt;
}

const JsonValue *JsonValue::find(std::string_view key) const {
  if (const Object *members = object())
    for (const auto &[name, member] : *members)
      if (name == key)
        return &member;
  return nullptr;
}

std::string_view JsonValue::kindName() const {
  constexpr std::string_view names[] = {"null",     "a boolean", "an integer",
                                        "a number", "a string",  "an array",
                                        "an object"};
  return names[value.index()];
}

std::string JsonValue::excerpt() const {
  std::string all;
  if (const bool *flag = boolean())
    all = *flag ? "true" : "false";
  else if (const std::string *string = text())
    all = jsonQuoted(*string);
  else if (const auto *whole = std::get_if<int64_t>(&value))
    all = std::to_string(*whole);
  else if (const auto *real = std::get_if<double>(&value))
    all = nlohmann::json(*real).dump();
  else
    return std::string(kindName());
  if (all.size() <= 40)
    return all;
  // Not in the middle of a UTF-8 character.
  size_t end = 40;
  while (end > 0 && (static_cast<unsigned char>(all[end]) & 0xC0) == 0x80)
    --end;
  return all.substr(0, end) + "…";
}

JsonValue lori::parseJson(std::string_view text, std::string_view path,
                          std::string_view part) {
  Builder builder(path, part);
  // nlohmann's lexer would take a NUL for the end of the text.
  if (size_t nul = text.find('\0'); nul != text.npos)
    throw builder.invalid(nul);
  nlohmann::json::sax_parse(text.begin(), text.end(), &builder);
  return std::move(builder.root);
}

JsonValue lori::parseJsonFile(const std::string &path) {
  MappedFile file(path);
  auto bytes = file.bytes();
  if (bytes.size() > maxFileBytes)
    throw Error(path, "is larger than 64 MB, which no configuration is, give "
                      "the right file");
  return parseJson({reinterpret_cast<const char *>(bytes.data()), bytes.size()},
                   path);
}

std::string lori::jsonQuoted(std::string_view text) {
  return nlohmann::json(text).dump(-1, ' ', false,
                                   nlohmann::json::error_handler_t::replace);
}
