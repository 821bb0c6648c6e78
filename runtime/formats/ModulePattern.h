// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef LORI_RUNTIME_FORMATS_MODULEPATTERN_H
#define LORI_RUNTIME_FORMATS_MODULEPATTERN_H

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace lori {

/// The time that all patterns of one file may take together, so that a hostile
/// file cannot hold up its reader: some ten thousand times what real ones need.
struct PatternBudget {
  std::atomic<int64_t> nanoseconds = int64_t(10) * 1000 * 1000 * 1000;
};

/// A regular expression out of an adapter's configuration, matched against
/// module paths as Python's `re` does for PEFT. Untrusted: backtracking is
/// bounded, and time by the budget. May be used by several threads at once.
class ModulePattern {
public:
  /// Compiles `text`. `path` and `field` say where it stands in the Error that
  /// a malformed one throws, and that matching throws when it takes too long.
  ModulePattern(const std::string &text, std::string_view path,
                std::string_view field, std::shared_ptr<PatternBudget> budget);

  /// re.match: whether the pattern matches at the start of `module`.
  bool matchesStart(std::string_view module) const;
  /// re.fullmatch: whether it matches all of it.
  bool matchesAll(std::string_view module) const;
  /// re.match, returning what the group `idx` matched, as a number.
  std::optional<int64_t> index(std::string_view module) const;

private:
  struct Compiled;
  struct Match;

  Match match(std::string_view module, uint32_t options) const;
  [[noreturn]] void fail(const std::string &what) const;

  std::shared_ptr<const Compiled> compiled;
};

} // namespace lori

#endif // LORI_RUNTIME_FORMATS_MODULEPATTERN_H
