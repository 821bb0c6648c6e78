// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What Python's str does, on UTF-8. Functions throw TemplateError for results
// that become too long.

#ifndef LORI_RUNTIME_TEXT_JINJA_TEXT_H
#define LORI_RUNTIME_TEXT_JINJA_TEXT_H

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lori::jinja {

/// Returns the byte from `from` on where `part` begins, in time linear in both.
std::optional<size_t> findText(std::string_view text, std::string_view part,
                               size_t from);
/// Returns the byte where the last `part` in text[0, end) begins.
std::optional<size_t> findLast(std::string_view text, std::string_view part,
                               size_t end);

/// Appends, up to the longest text there may be.
void appendText(std::string &out, std::string_view part);

enum class Side { Left, Right, Both };

/// Returns `text` without the characters of `chars` at its ends, white space if
/// there are none given.
std::string_view strip(std::string_view text,
                       std::optional<std::string_view> chars, Side side);

/// Pieces of a text between `separator`, or between white space if there is
/// none given; at most `limit` cuts if that is not negative.
std::vector<std::string> split(std::string_view text,
                               std::optional<std::string_view> separator,
                               int64_t limit);
/// The same, with the cuts counted from the end; `separator` is not empty.
std::vector<std::string>
splitFromEnd(std::string_view text, std::string_view separator, int64_t limit);
std::vector<std::string> splitLines(std::string_view text, bool keepEnds);

/// Replaces `from` by `to`, at most `limit` times if that is not negative.
std::string replaceText(std::string_view text, std::string_view from,
                        std::string_view to, int64_t limit);
std::string repeatText(std::string_view text, int64_t count);

std::string toUpper(std::string_view text);
std::string toLower(std::string_view text);
/// str.title(): every run of letters begins with a capital.
std::string toTitle(std::string_view text);
std::string capitalize(std::string_view text);
/// Jinja's filter `title`: what follows white space or an opening bracket.
std::string titleWords(std::string_view text);
/// str.isupper() and str.islower().
bool isUpper(std::string_view text);
bool isLower(std::string_view text);

} // namespace lori::jinja

#endif // LORI_RUNTIME_TEXT_JINJA_TEXT_H
