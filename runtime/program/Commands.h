// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a compiled program does, one function an action of the command line.
// They write to standard output and throw Error.

#ifndef LORI_RUNTIME_PROGRAM_COMMANDS_H
#define LORI_RUNTIME_PROGRAM_COMMANDS_H

#include "runtime/engine/Model.h"
#include "runtime/program/Options.h"

namespace lori {

/// -p, -f, --tokens, and --chat with one turn: one prompt, streamed.
void runPrompt(Model &model, const Options &options);
/// --chat: turns from standard input.
void runChat(Model &model, const Options &options);
/// --requests
void runRequests(Model &model, const Options &options);
/// --perplexity
void runPerplexity(Model &model, const Options &options);
/// --bench
void runBench(Model &model, const Options &options);
/// --tokenize, --detokenize, --render-chat
void runTokenize(const Model &model, const std::string &path);
void runDetokenize(const Model &model, const std::string &path);
void runRenderChat(const Model &model, const std::string &path);
/// --info
void runInfo(const Model &model);

} // namespace lori

#endif // LORI_RUNTIME_PROGRAM_COMMANDS_H
