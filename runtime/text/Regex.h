// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Regular expressions over valid UTF-8, run by PCRE2's interpreter: no writable
// and executable memory, so static and hardened programs run them too.

#ifndef LORI_RUNTIME_TEXT_REGEX_H
#define LORI_RUNTIME_TEXT_REGEX_H

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

struct pcre2_real_code_8;
struct pcre2_real_match_data_8;
struct pcre2_real_match_context_8;

namespace lori {

/// The memory of searches; one for each thread of work, used again and again.
class RegexScratch {
public:
  RegexScratch();
  /// Allows searches that are linear in so many bytes of text altogether.
  void allow(size_t bytes);
  RegexScratch(RegexScratch &&) noexcept;
  ~RegexScratch();

private:
  friend class Regex;
  pcre2_real_match_data_8 *data = nullptr;
  pcre2_real_match_context_8 *context = nullptr;
  uint64_t budget = 0; ///< steps left for searches that are not short
};

class Regex {
public:
  /// Compiles a pattern in PCRE2's syntax, with full Unicode classes. Throws
  /// Error that quotes the pattern if it is not valid.
  explicit Regex(std::string_view pattern);
  Regex(Regex &&) noexcept;
  ~Regex();

  struct Match {
    size_t begin = 0, end = 0;
  };

  /// Finds the first match that begins at or after `from`. `text` is valid
  /// UTF-8. Throws Error where a hostile pattern would take too long.
  bool find(std::string_view text, size_t from, RegexScratch &scratch,
            Match &match) const;

  /// Calls `visit(begin, end)` for each match, from left to right, without
  /// overlap; an empty match right after another match is skipped.
  template <typename Visitor>
  void forEachMatch(std::string_view text, RegexScratch &scratch,
                    Visitor visit) const {
    constexpr size_t none = static_cast<size_t>(-1);
    size_t from = 0, previousEnd = none;
    for (Match match; from <= text.size() && find(text, from, scratch, match);
         from = match.end) {
      if (match.begin == match.end && match.end == previousEnd) {
        match.end += characterSize(text, match.end);
        continue;
      }
      visit(match.begin, match.end);
      previousEnd = match.end;
    }
  }

private:
  int search(std::string_view text, size_t from, RegexScratch &scratch) const;
  static size_t characterSize(std::string_view text, size_t at);
  pcre2_real_code_8 *code = nullptr;
};

/// Returns a pattern that matches exactly `text`.
std::string quotedPattern(std::string_view text);

/// Returns `pattern`, as the `tokenizers` library writes it (Oniguruma's Ruby
/// syntax), in PCRE2's syntax with the same meaning. Throws Error, without a
/// file name, for constructs that have none.
std::string translatePattern(std::string_view pattern);

/// The pattern of GPT-2's pre-tokenizer, in the syntax of `translatePattern`.
inline constexpr std::string_view gpt2Pattern =
    R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+)"
    R"(|\s+(?!\S)|\s+)";

/// Runs of word characters, and runs of what is neither these nor white space
/// (the pre-tokenizer Whitespace).
std::string wordsAndSignsPattern();

/// PCRE2 knows the characters of Unicode 14. Returns whether `text` holds
/// letters, digits or other characters younger than that; `standIns` then is
/// `text` with each of them replaced by an older character of the same category
/// and the same size, for patterns to be matched against.
bool replaceYoungCharacters(std::string_view text, std::string &standIns);

} // namespace lori

#endif // LORI_RUNTIME_TEXT_REGEX_H
