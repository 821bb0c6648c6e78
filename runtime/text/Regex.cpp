// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/text/Regex.h"
#include "runtime/support/Error.h"
#include "runtime/text/Unicode.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <utility>

using namespace lori;

// A pattern that backtracks more than this per call is hostile: the known ones
// need a few steps a character.
static constexpr uint32_t matchLimit = 20'000'000;
static constexpr uint32_t heapLimitKilobytes = 256 * 1024;
static constexpr size_t maxPatternSize = 64 * 1024;

RegexScratch::RegexScratch()
    : data(pcre2_match_data_create(1, nullptr)),
      context(pcre2_match_context_create(nullptr)) {
  if (!data || !context)
    throw std::bad_alloc();
  pcre2_set_match_limit(context, matchLimit);
  pcre2_set_heap_limit(context, heapLimitKilobytes);
}

RegexScratch::RegexScratch(RegexScratch &&other) noexcept
    : data(std::exchange(other.data, nullptr)),
      context(std::exchange(other.context, nullptr)) {}

RegexScratch::~RegexScratch() {
  pcre2_match_data_free(data);
  pcre2_match_context_free(context);
}

static std::string messageOf(int error) {
  PCRE2_UCHAR text[256] = {};
  pcre2_get_error_message(error, text, sizeof(text));
  return reinterpret_cast<const char *>(text);
}

static std::string shortened(std::string_view pattern) {
  return repairUtf8(pattern.substr(0, 200)) +
         (pattern.size() > 200 ? "..." : "");
}

Regex::Regex(std::string_view pattern) {
  if (pattern.size() > maxPatternSize)
    throw Error("the pattern '" + shortened(pattern) + "' is longer than " +
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
    throw Error("the pattern '" + shortened(pattern) +
                "' is not valid at byte " + std::to_string(at) + ": " +
                messageOf(error));
}

Regex::Regex(Regex &&other) noexcept
    : code(std::exchange(other.code, nullptr)) {}

Regex::~Regex() { pcre2_code_free(code); }

bool Regex::find(std::string_view text, size_t from, RegexScratch &scratch,
                 Match &match) const {
  int result =
      pcre2_match(code, reinterpret_cast<PCRE2_SPTR>(text.data()), text.size(),
                  from, PCRE2_NO_UTF_CHECK, scratch.data, scratch.context);
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
