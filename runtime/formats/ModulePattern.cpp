// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/formats/ModulePattern.h"
#include "runtime/support/Error.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <charconv>
#include <chrono>
#include <new>

using namespace lori;

// A pattern that people write takes some hundred steps on a module path.
static constexpr uint32_t maxSteps = 1'000'000;
static constexpr size_t maxPatternBytes = 65536;

struct ModulePattern::Compiled {
  std::string text, path, field;
  std::shared_ptr<PatternBudget> budget;
  pcre2_code *code = nullptr;
  pcre2_match_context *context = nullptr;

  ~Compiled() {
    pcre2_match_context_free(context);
    pcre2_code_free(code);
  }
};

/// The offsets of groups, if there is a match.
struct ModulePattern::Match {
  std::unique_ptr<pcre2_match_data, decltype(&pcre2_match_data_free)> data;
  bool found = false;
};

static PCRE2_SPTR bytesOf(std::string_view text) {
  return reinterpret_cast<PCRE2_SPTR>(text.data());
}

ModulePattern::ModulePattern(const std::string &text, std::string_view path,
                             std::string_view field,
                             std::shared_ptr<PatternBudget> budget) {
  auto fresh = std::make_shared<Compiled>();
  fresh->text = text;
  fresh->path = path;
  fresh->field = field;
  fresh->budget = std::move(budget);
  compiled = fresh;
  if (text.size() > maxPatternBytes)
    fail("is longer than 65536 bytes");
  int error = 0;
  PCRE2_SIZE where = 0;
  fresh->code = pcre2_compile(bytesOf(text), text.size(),
                              PCRE2_UTF | PCRE2_NEVER_BACKSLASH_C, &error,
                              &where, nullptr);
  if (!fresh->code) {
    PCRE2_UCHAR reason[128];
    pcre2_get_error_message(error, reason, sizeof(reason));
    fail("is no regular expression (" +
         std::string(reinterpret_cast<const char *>(reason)) + " at byte " +
         std::to_string(where) + ")");
  }
  fresh->context = pcre2_match_context_create(nullptr);
  if (!fresh->context)
    throw std::bad_alloc();
  pcre2_set_match_limit(fresh->context, maxSteps);
}

void ModulePattern::fail(const std::string &what) const {
  throw Error(compiled->path, compiled->field + " '" +
                                  compiled->text.substr(0, 80) + "' " + what +
                                  ", correct the file");
}

ModulePattern::Match ModulePattern::match(std::string_view module,
                                          uint32_t options) const {
  Match result{{pcre2_match_data_create_from_pattern(compiled->code, nullptr),
                &pcre2_match_data_free}};
  if (!result.data)
    throw std::bad_alloc();
  auto begin = std::chrono::steady_clock::now();
  int count = pcre2_match(compiled->code, bytesOf(module), module.size(), 0,
                          PCRE2_ANCHORED | options, result.data.get(),
                          compiled->context);
  std::chrono::nanoseconds elapsed = std::chrono::steady_clock::now() - begin;
  if (compiled->budget->nanoseconds.fetch_sub(elapsed.count()) <
      elapsed.count())
    fail("takes too long to match, or the patterns before it do");
  if (count < 0 && count != PCRE2_ERROR_NOMATCH)
    fail("takes too many steps to match");
  result.found = count >= 0;
  return result;
}

bool ModulePattern::matchesStart(std::string_view module) const {
  return match(module, 0).found;
}

bool ModulePattern::matchesAll(std::string_view module) const {
  return match(module, PCRE2_ENDANCHORED).found;
}

std::optional<int64_t> ModulePattern::index(std::string_view module) const {
  Match result = match(module, 0);
  auto group = static_cast<ptrdiff_t>(
      pcre2_substring_number_from_name(compiled->code, bytesOf("idx")));
  if (!result.found || group < 0)
    return std::nullopt;
  const PCRE2_SIZE *offsets = pcre2_get_ovector_pointer(result.data.get());
  PCRE2_SIZE begin = offsets[2 * group], end = offsets[2 * group + 1];
  if (begin == PCRE2_UNSET || begin > end)
    return std::nullopt;
  int64_t number = 0;
  const char *last = module.data() + end;
  auto parsed = std::from_chars(module.data() + begin, last, number);
  bool whole = parsed.ec == std::errc() && parsed.ptr == last;
  return whole ? std::optional(number) : std::nullopt;
}
