// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/text/Regex.h"
#include "runtime/support/Error.h"
#include "runtime/text/Unicode.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <utility>

using namespace lori;

// PCRE2 counts the steps of one search, not of all: a search gets few steps at
// first, then more and more, which all searches together pay. The known
// patterns need a few steps a character.
static constexpr uint32_t shortSearch = 256, longestSearch = 1u << 28;
static constexpr uint64_t basicBudget = 1u << 26, stepsPerByte = 256;
static constexpr uint32_t heapLimitKilobytes = 256 * 1024;
static constexpr size_t maxPatternSize = size_t(64) * 1024;

RegexScratch::RegexScratch()
    : data(pcre2_match_data_create(1, nullptr)),
      context(pcre2_match_context_create(nullptr)) {
  if (!data || !context)
    throw std::bad_alloc();
  pcre2_set_heap_limit(context, heapLimitKilobytes);
  allow(0);
}

void RegexScratch::allow(size_t bytes) {
  budget = basicBudget + stepsPerByte * bytes;
}

RegexScratch::RegexScratch(RegexScratch &&other) noexcept
    : data(std::exchange(other.data, nullptr)),
      context(std::exchange(other.context, nullptr)), budget(other.budget) {}

RegexScratch::~RegexScratch() {
  pcre2_match_data_free(data);
  pcre2_match_context_free(context);
}

static std::string messageOf(int error) {
  PCRE2_UCHAR text[256] = {};
  pcre2_get_error_message(error, text, sizeof(text));
  return reinterpret_cast<const char *>(text);
}

Regex::Regex(std::string_view pattern) {
  if (pattern.size() > maxPatternSize)
    throw Error("the pattern '" + shortText(pattern) + "' is longer than " +
                std::to_string(maxPatternSize) + " bytes");
  int error = 0;
  PCRE2_SIZE at = 0;
  std::unique_ptr<pcre2_compile_context, decltype(&pcre2_compile_context_free)>
      context(pcre2_compile_context_create(nullptr),
              &pcre2_compile_context_free);
  pcre2_set_newline(context.get(), PCRE2_NEWLINE_LF);
  code = pcre2_compile(reinterpret_cast<PCRE2_SPTR>(pattern.data()),
                       pattern.size(),
                       PCRE2_UTF | PCRE2_UCP | PCRE2_MULTILINE |
                           PCRE2_NEVER_BACKSLASH_C | PCRE2_NO_AUTO_CAPTURE,
                       &error, &at, context.get());
  if (!code)
    throw Error("the pattern '" + shortText(pattern) +
                "' is not valid at byte " + std::to_string(at) + ": " +
                messageOf(error));
}

Regex::Regex(Regex &&other) noexcept
    : code(std::exchange(other.code, nullptr)) {}

Regex::~Regex() { pcre2_code_free(code); }

int Regex::search(std::string_view text, size_t from,
                  RegexScratch &scratch) const {
  for (uint32_t steps = shortSearch;; steps *= 16) {
    if (steps > shortSearch) {
      if (steps > scratch.budget || steps > longestSearch)
        return PCRE2_ERROR_MATCHLIMIT;
      scratch.budget -= steps;
    }
    pcre2_set_match_limit(scratch.context, steps);
    int result = pcre2_match(code, reinterpret_cast<PCRE2_SPTR>(text.data()),
                             text.size(), from, PCRE2_NO_UTF_CHECK,
                             scratch.data, scratch.context);
    if (result != PCRE2_ERROR_MATCHLIMIT)
      return result;
  }
}

bool Regex::find(std::string_view text, size_t from, RegexScratch &scratch,
                 Match &match) const {
  int result = search(text, from, scratch);
  if (result == PCRE2_ERROR_NOMATCH)
    return false;
  if (result < 0)
    throw Error("a pattern of the tokenizer cannot be matched: " +
                messageOf(result));
  const PCRE2_SIZE *offsets = pcre2_get_ovector_pointer(scratch.data);
  match = {offsets[0], offsets[1]};
  // \K in a lookahead can set the start behind the end.
  if (match.begin < from || match.end < match.begin)
    throw Error("a pattern of the tokenizer matches backwards");
  return true;
}

size_t Regex::characterSize(std::string_view text, size_t at) {
  return at < text.size() ? decodeUtf8(text, at).size : 1;
}

std::string lori::quotedPattern(std::string_view text) {
  std::string pattern;
  for (char c : text) {
    bool plain = static_cast<uint8_t>(c) >= 0x80 || (c >= '0' && c <= '9') ||
                 (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
    if (c == '\0')
      pattern += "\\x{0}";
    else if (plain || static_cast<uint8_t>(c) < 0x20)
      pattern += c;
    else
      (pattern += '\\') += c;
  }
  return pattern;
}
