// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/program/OptionValues.h"

#include <charconv>
#include <cmath>
#include <limits>

using namespace lori;

static constexpr int64_t int32Max = std::numeric_limits<int32_t>::max();

[[noreturn]] static void fail(const std::string &option, std::string_view text,
                              const std::string &wanted) {
  throw UsageError(option, "'" + std::string(text) + "' is not " + wanted);
}

/// The whole of `text` as a number, if it is one.
template <typename Number>
static std::optional<Number> number(std::string_view text) {
  Number value = {};
  const char *start = text.data(), *end = start + text.size();
  auto [rest, error] = std::from_chars(start, end, value);
  if (error != std::errc() || rest != end || text.empty())
    return std::nullopt;
  return value;
}

int64_t lori::parseInteger(const std::string &option, std::string_view text,
                           int64_t low, int64_t high) {
  if (auto value = number<int64_t>(text);
      value && *value >= low && *value <= high)
    return *value;
  fail(option, text,
       "a whole number from " + std::to_string(low) + " to " +
           std::to_string(high));
}

uint64_t lori::parseSeed(const std::string &option, std::string_view text) {
  if (auto value = number<uint64_t>(text))
    return *value;
  fail(option, text, "a whole number from 0 to 18446744073709551615");
}

/// Bounds in messages: 0 and not 0.000000.
static std::string shortest(double value) {
  char text[32];
  auto result = std::to_chars(text, text + sizeof(text), value);
  return {text, result.ptr};
}

double lori::parseNumber(const std::string &option, std::string_view text,
                         double low, double high) {
  if (auto value = number<double>(text);
      value && std::isfinite(*value) && *value >= low && *value <= high)
    return *value;
  fail(option, text,
       high == std::numeric_limits<double>::max()
           ? "a number of at least " + shortest(low)
           : "a number from " + shortest(low) + " to " + shortest(high));
}

static std::string_view trim(std::string_view text) {
  size_t first = text.find_first_not_of(' ');
  if (first == text.npos)
    return {};
  return text.substr(first, text.find_last_not_of(' ') - first + 1);
}

/// Calls `each` with the parts between commas; none if `text` is blank.
template <typename Each>
static void forEachPart(std::string_view text, Each &&each) {
  if (trim(text).empty())
    return;
  for (size_t start = 0; start <= text.size();) {
    size_t comma = std::min(text.find(',', start), text.size());
    each(trim(text.substr(start, comma - start)));
    start = comma + 1;
  }
}

std::vector<int32_t> lori::parseTokens(const std::string &option,
                                       std::string_view text) {
  std::vector<int32_t> tokens;
  forEachPart(text, [&](std::string_view part) {
    auto value = number<int32_t>(part);
    if (!value || *value < 0)
      fail(option, part, "a token id, expected whole numbers as in 1,2,3");
    tokens.push_back(*value);
  });
  return tokens;
}

AdapterChoice lori::parseAdapter(const std::string &option,
                                 std::string_view text) {
  // The last '=': names may hold one.
  size_t equals = text.rfind('=');
  AdapterChoice choice = {std::string(text.substr(0, equals)), std::nullopt};
  if (choice.name.empty())
    fail(option, text, "an adapter, expected NAME or NAME=SCALE");
  if (equals == text.npos)
    return choice;
  auto scale = number<float>(text.substr(equals + 1));
  if (!scale || !std::isfinite(*scale))
    fail(option, text,
         "an adapter and its weight, expected NAME=SCALE as in "
         "tiny=0.8");
  choice.scale = scale;
  return choice;
}

AdapterSource lori::parseLoad(const std::string &option,
                              std::string_view text) {
  // The first '=': paths may hold one.
  size_t equals = text.find('=');
  if (equals == 0 || equals == text.npos || equals + 1 == text.size())
    fail(option, text, "an adapter and its folder, expected NAME=PATH");
  return {std::string(text.substr(0, equals)),
          std::string(text.substr(equals + 1))};
}

BenchOptions lori::parseBench(const std::string &option,
                              std::string_view text) {
  BenchOptions bench;
  forEachPart(text, [&](std::string_view part) {
    size_t equals = part.find('=');
    std::string_view key = part.substr(0, equals);
    int64_t *place = key == "prefill"  ? &bench.prefill
                     : key == "decode" ? &bench.decode
                     : key == "batch"  ? &bench.batch
                                       : nullptr;
    if (!place || equals == part.npos)
      fail(option, part, "a setting, expected prefill=512,decode=128,batch=1");
    int64_t low = key == "decode" ? 0 : 1;
    *place = parseInteger(option, part.substr(equals + 1), low, int32Max);
  });
  return bench;
}
