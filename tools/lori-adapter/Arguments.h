// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef LORI_TOOLS_LORI_ADAPTER_ARGUMENTS_H
#define LORI_TOOLS_LORI_ADAPTER_ARGUMENTS_H

#include <CLI/App.hpp>
#include <CLI/Option.hpp>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

namespace lori {

/// An unknown option or a malformed value: exit code 2, unlike bad input.
class UsageError : public std::runtime_error {
public:
  using std::runtime_error::runtime_error;
};

/// The arguments of one command. CLI11 finds options and their texts; values
/// are read here as they were typed, since its own conversions give "[a]" and
/// "{}" a meaning. Readers throw UsageError that names the option.
class Arguments {
public:
  explicit Arguments(CLI::App &app) : app(app) {}

  /// Declares an option with a value, `--type`, shown as `--type NAME`.
  void option(const std::string &name, const std::string &value,
              const std::string &help);
  /// The same, but the value may be missing: `--json`, or `--json=FILE`. What
  /// follows after a blank is not the value.
  void optionalValue(const std::string &name, const std::string &value,
                     const std::string &help);
  void flag(const std::string &name, const std::string &help);
  /// Declares that there are positional arguments, with a text for --help.
  void positionals(const std::string &usage);

  /// Throws UsageError if an option was given that is not declared.
  void refuseUnknown() const;
  /// Returns the positional arguments, which must be `least` to `most`; `what`
  /// says in messages what belongs there.
  std::vector<std::string> take(size_t least, size_t most,
                                const std::string &what) const;
  bool has(const std::string &name) const;
  /// Returns the text of an option, or "" if it was not given.
  std::string text(const std::string &name) const;
  /// The same of an option whose value may be missing: "" then, too.
  std::string optionalText(const std::string &name) const;
  std::string required(const std::string &name) const;

  std::optional<double> number(const std::string &name) const;
  /// "0.5,-1,2e-1"; none if the option was not given.
  std::vector<double> numbers(const std::string &name) const;
  std::optional<int64_t> integer(const std::string &name, int64_t least,
                                 int64_t most) const;
  std::optional<uint64_t> seed(const std::string &name) const;
  /// Returns the index of the text among `choices`, 0 if it was not given.
  size_t choice(const std::string &name,
                const std::vector<std::string> &choices) const;

  /// The texts that the command line has; filled by CLI11.
  using Values = std::vector<std::string>;

private:
  CLI::Option *add(const std::string &name, const std::string &help);
  const Values *find(const std::string &name) const;

  CLI::App &app;
};

} // namespace lori

#endif // LORI_TOOLS_LORI_ADAPTER_ARGUMENTS_H
