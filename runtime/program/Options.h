// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef LORI_RUNTIME_PROGRAM_OPTIONS_H
#define LORI_RUNTIME_PROGRAM_OPTIONS_H

#include "runtime/support/Error.h"

#include <cstdint>
#include <optional>
#include <vector>

namespace lori {

/// An unknown option or a malformed value: exit code 2, where every other
/// Error is 1.
class UsageError : public Error {
public:
  using Error::Error;
};

/// `--load NAME=PATH`
struct AdapterSource {
  std::string name, path;
};

/// `--adapter NAME[=SCALE]`
struct AdapterChoice {
  std::string name;
  std::optional<float> scale; ///< none: the one given at compile time
};

/// How the next token is chosen. Greedy where `temperature` is 0.
struct SamplingOptions {
  double temperature = 0;
  int64_t topK = 0; ///< 0: all
  double topP = 1;
  std::optional<uint64_t> seed; ///< none: another one each time
};

/// `--bench prefill=512,decode=128,batch=1`
struct BenchOptions {
  int64_t prefill = 512; ///< tokens of each sequence's prompt
  int64_t decode = 128;  ///< tokens generated after it
  int64_t batch = 1;     ///< sequences
};

/// The command line of a compiled program. Files may be "-", standard input.
struct Options {
  // What to do: one of these, but --chat may have a prompt.
  std::optional<std::string> prompt, promptFile, requests, perplexity;
  std::optional<std::string> tokenize, detokenize, renderChat;
  std::optional<std::vector<int32_t>> tokens;
  std::optional<BenchOptions> bench;
  bool chat = false, info = false, help = false;

  // How.
  int64_t newTokens = 256;
  bool ignoreEos = false;
  std::vector<std::string> stops;
  SamplingOptions sampling;
  std::vector<AdapterChoice> adapters;
  std::vector<AdapterSource> loads;
  std::optional<int> threads;

  // What comes out.
  bool printTokens = false;
  std::optional<std::string> logits;
};

/// Reads the command line and checks what can be checked without the model.
/// Throws UsageError for unknown options and malformed values, Error for
/// options that do not go together.
Options parseOptions(int argc, const char *const *argv);

/// The text of --help; `program` is the name it was called by.
std::string helpText(const std::string &program);

} // namespace lori

#endif // LORI_RUNTIME_PROGRAM_OPTIONS_H
