// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef LORI_RUNTIME_PROGRAM_REQUEST_H
#define LORI_RUNTIME_PROGRAM_REQUEST_H

#include "runtime/program/Options.h"
#include "runtime/program/Text.h"

#include <nlohmann/json_fwd.hpp>

namespace lori {

/// A line of --requests, ready to run.
struct Request {
  std::vector<int32_t> prompt;
  std::vector<lori_adapter_use> adapters;
  int64_t newTokens = 0;
};

/// Reads an array of token ids. Throws Error.
std::vector<int32_t> parseIds(const nlohmann::json &tokens);

/// Reads an array of `{"role", "content"}` objects. Throws Error.
std::vector<ChatMessage> parseMessages(const nlohmann::json &messages);

/// Renders `{"messages", "add_generation_prompt"}` (false if left out). Throws
/// Error.
std::string renderLine(const nlohmann::json &line, const Text &text);

/// Returns `json` and a newline. Characters at which some readers of lines end
/// one (Python's splitlines: U+0085, U+2028, U+2029) are escaped as well.
std::string jsonLine(const nlohmann::json &json);

/// Reads a request; what it leaves out is as on the command line. `place` is
/// for messages (FILE: line N). Throws Error for what is not JSON, not a
/// request, or cannot run; unknown keys are errors, not ignored.
Request parseRequest(std::string_view line, const std::string &place,
                     const Model &model, const Text &text,
                     const Options &options);

} // namespace lori

#endif // LORI_RUNTIME_PROGRAM_REQUEST_H
