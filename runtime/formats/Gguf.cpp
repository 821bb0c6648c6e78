// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Access to what GgufReader has read.

#include "runtime/formats/Gguf.h"
#include "runtime/support/Error.h"

#include <cmath>
#include <cstring>

using namespace lori;

template <typename Result, typename T>
static Result convert(const std::byte *at) {
  T value;
  std::memcpy(&value, at, sizeof(T));
  if constexpr (std::is_floating_point_v<T> && std::is_integral_v<Result>) {
    if (std::isnan(value))
      return 0;
    if (value >= 0x1p63)
      return INT64_MAX;
    return value < -0x1p63 ? INT64_MIN : static_cast<Result>(value);
  } else if constexpr (std::is_same_v<T, uint64_t> &&
                       std::is_integral_v<Result>) {
    return value > INT64_MAX ? INT64_MAX : static_cast<Result>(value);
  } else {
    return static_cast<Result>(value);
  }
}

template <typename Result>
static Result entry(const GgufNumbers &numbers, size_t index) {
  const std::byte *data = numbers.bytes.data();
  switch (numbers.type) {
  case GgufType::U8:
  case GgufType::Bool:
    return convert<Result, uint8_t>(data + index);
  case GgufType::I8:
    return convert<Result, int8_t>(data + index);
  case GgufType::U16:
    return convert<Result, uint16_t>(data + index * 2);
  case GgufType::I16:
    return convert<Result, int16_t>(data + index * 2);
  case GgufType::U32:
    return convert<Result, uint32_t>(data + index * 4);
  case GgufType::I32:
    return convert<Result, int32_t>(data + index * 4);
  case GgufType::F32:
    return convert<Result, float>(data + index * 4);
  case GgufType::U64:
    return convert<Result, uint64_t>(data + index * 8);
  case GgufType::I64:
    return convert<Result, int64_t>(data + index * 8);
  case GgufType::F64:
    return convert<Result, double>(data + index * 8);
  case GgufType::String:
  case GgufType::Array:
    break; // GgufReader makes no such numbers
  }
  return Result();
}

double GgufNumbers::asNumber(size_t index) const {
  return entry<double>(*this, index);
}

int64_t GgufNumbers::asInteger(size_t index) const {
  return entry<int64_t>(*this, index);
}

static std::string_view typeName(const GgufValue &value) {
  constexpr std::string_view names[] = {"u8",  "i8",  "u16",  "i16",    "u32",
                                        "i32", "f32", "bool", "string", "array",
                                        "u64", "i64", "f64"};
  if (std::holds_alternative<GgufStrings>(value.value))
    return "array of strings";
  return names[static_cast<size_t>(value.type)];
}

[[noreturn]] static void wrongType(const Gguf &gguf, std::string_view key,
                                   const GgufValue &value,
                                   std::string_view wanted) {
  throw Error(gguf.path(), "metadata '" + std::string(key) + "' is of type " +
                               std::string(typeName(value)) + ", expected " +
                               std::string(wanted) +
                               ", convert the model again");
}

const GgufValue *Gguf::find(std::string_view key) const {
  auto found = metadata.find(key);
  return found == metadata.end() ? nullptr : &found->second;
}

std::optional<int64_t> Gguf::getInteger(std::string_view key) const {
  const GgufValue *value = find(key);
  if (!value)
    return std::nullopt;
  if (const auto *whole = std::get_if<int64_t>(&value->value))
    return *whole;
  const auto *natural = std::get_if<uint64_t>(&value->value);
  if (!natural || *natural > static_cast<uint64_t>(INT64_MAX))
    wrongType(*this, key, *value, "an integer below 2^63");
  return static_cast<int64_t>(*natural);
}

std::optional<double> Gguf::getNumber(std::string_view key) const {
  const GgufValue *value = find(key);
  if (!value)
    return std::nullopt;
  if (const auto *real = std::get_if<double>(&value->value))
    return *real;
  if (const auto *whole = std::get_if<int64_t>(&value->value))
    return static_cast<double>(*whole);
  if (const auto *natural = std::get_if<uint64_t>(&value->value))
    return static_cast<double>(*natural);
  wrongType(*this, key, *value, "a number");
}

std::optional<bool> Gguf::getBool(std::string_view key) const {
  const GgufValue *value = find(key);
  if (!value)
    return std::nullopt;
  if (const auto *flag = std::get_if<bool>(&value->value))
    return *flag;
  wrongType(*this, key, *value, "bool");
}

std::optional<std::string_view> Gguf::getText(std::string_view key) const {
  const GgufValue *value = find(key);
  if (!value)
    return std::nullopt;
  if (const auto *text = std::get_if<std::string_view>(&value->value))
    return *text;
  wrongType(*this, key, *value, "string");
}

const GgufStrings *Gguf::getStrings(std::string_view key) const {
  const GgufValue *value = find(key);
  if (!value)
    return nullptr;
  if (const auto *strings = std::get_if<GgufStrings>(&value->value))
    return strings;
  wrongType(*this, key, *value, "array of strings");
}

const GgufNumbers *Gguf::getNumbers(std::string_view key) const {
  const GgufValue *value = find(key);
  if (!value)
    return nullptr;
  if (const auto *numbers = std::get_if<GgufNumbers>(&value->value))
    return numbers;
  wrongType(*this, key, *value, "array of numbers");
}

std::string_view Gguf::architecture() const {
  if (auto name = getText("general.architecture"))
    return *name;
  throw Error(filePath, "lacks the metadata 'general.architecture', convert "
                        "the model again");
}

bool Gguf::hasTensor(std::string_view name) const {
  return tensorIndex.contains(name) || otherTypes.contains(std::string(name));
}

const StoredTensor *Gguf::findTensor(std::string_view name) const {
  auto found = tensorIndex.find(name);
  if (found != tensorIndex.end())
    return &tensorList[found->second];
  auto other = otherTypes.find(std::string(name));
  if (other != otherTypes.end())
    throw Error(filePath, "tensor '" + other->first + "' is stored as " +
                              other->second + ", supported are " +
                              supportedWeightTypes() +
                              ", quantise the model to one of these");
  return nullptr;
}
