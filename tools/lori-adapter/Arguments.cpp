// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "tools/lori-adapter/Arguments.h"

#include <charconv>
#include <cmath>

using namespace lori;

CLI::Option *Arguments::add(const std::string &name, const std::string &help) {
  return app.add_option(name, [](const Values &) { return true; }, help);
}

void Arguments::option(const std::string &name, const std::string &value,
                       const std::string &help) {
  add(name, help)
      ->type_name(value)
      ->multi_option_policy(CLI::MultiOptionPolicy::Throw);
}

// A flag, since CLI11 would give an option the next positional argument.
void Arguments::optionalValue(const std::string &name, const std::string &value,
                              const std::string &help) {
  app.add_flag(name, help)
      ->option_text("[=" + value + "]")
      ->multi_option_policy(CLI::MultiOptionPolicy::Throw);
}

void Arguments::flag(const std::string &name, const std::string &help) {
  app.add_flag(name, help);
}

// CLI11 would take "[a,b]" in a list of positional arguments apart; what it
// leaves over, it leaves as it was.
void Arguments::positionals(const std::string &usage) {
  app.allow_extras();
  app.footer("usage: lori-adapter " + app.get_name() + " [OPTION]... " + usage);
}

void Arguments::refuseUnknown() const {
  for (const std::string &text : app.remaining())
    if (text.size() > 1 && text.front() == '-')
      throw UsageError("'" + text + "': unknown option, --help lists them all");
}

std::vector<std::string> Arguments::take(size_t least, size_t most,
                                         const std::string &what) const {
  std::vector<std::string> given = app.remaining();
  if (given.size() < least || given.size() > most)
    throw UsageError("takes " + what + ", " + std::to_string(given.size()) +
                     " arguments were given");
  return given;
}

const Arguments::Values *Arguments::find(const std::string &name) const {
  const CLI::Option *option = app.get_option(name);
  return option->count() == 0 ? nullptr : &option->results();
}

bool Arguments::has(const std::string &name) const {
  return find(name) != nullptr;
}

std::string Arguments::text(const std::string &name) const {
  const Values *values = find(name);
  return values ? values->front() : "";
}

// CLI11's value of a flag alone is "true".
std::string Arguments::optionalText(const std::string &name) const {
  std::string value = text(name);
  return value == "true" ? "" : value;
}

std::string Arguments::required(const std::string &name) const {
  std::string value = text(name);
  if (value.empty())
    throw UsageError(name + " is required");
  return value;
}

static double parseNumber(const std::string &name, std::string_view text) {
  double value = 0;
  const char *start = text.data(), *end = start + text.size();
  auto parsed = std::from_chars(start, end, value);
  if (parsed.ec != std::errc() || parsed.ptr != end || !std::isfinite(value))
    throw UsageError(name + " takes a number, not '" + std::string(text) + "'");
  return value;
}

template <typename Integer>
static Integer parseInteger(const std::string &name, std::string_view text,
                            Integer least, Integer most) {
  Integer value = 0;
  const char *start = text.data(), *end = start + text.size();
  auto parsed = std::from_chars(start, end, value);
  if (parsed.ec != std::errc() || parsed.ptr != end || value < least ||
      value > most)
    throw UsageError(name + " takes a whole number from " +
                     std::to_string(least) + " to " + std::to_string(most) +
                     ", not '" + std::string(text) + "'");
  return value;
}

std::optional<double> Arguments::number(const std::string &name) const {
  if (!has(name))
    return std::nullopt;
  return parseNumber(name, text(name));
}

std::vector<double> Arguments::numbers(const std::string &name) const {
  std::vector<double> numbers;
  if (!has(name))
    return numbers;
  std::string all = text(name);
  for (std::string_view rest = all;;) {
    size_t comma = rest.find(',');
    numbers.push_back(parseNumber(name, rest.substr(0, comma)));
    if (comma == rest.npos)
      return numbers;
    rest.remove_prefix(comma + 1);
  }
}

std::optional<int64_t> Arguments::integer(const std::string &name,
                                          int64_t least, int64_t most) const {
  if (!has(name))
    return std::nullopt;
  return parseInteger<int64_t>(name, text(name), least, most);
}

std::optional<uint64_t> Arguments::seed(const std::string &name) const {
  if (!has(name))
    return std::nullopt;
  return parseInteger<uint64_t>(name, text(name), 0, UINT64_MAX);
}

size_t Arguments::choice(const std::string &name,
                         const std::vector<std::string> &choices) const {
  if (!has(name))
    return 0;
  std::string all, given = text(name);
  for (size_t i = 0; i < choices.size(); ++i) {
    if (choices[i] == given)
      return i;
    all += (all.empty() ? "" : ", ") + choices[i];
  }
  throw UsageError(name + " takes one of " + all + ", not '" + given + "'");
}
