// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/program/Program.h"
#include "runtime/program/Adapters.h"
#include "runtime/program/Commands.h"
#include "runtime/program/Streams.h"
#include "runtime/threads/Threads.h"

#include <cstdio>
#include <new>

using namespace lori;

static void runAction(Model &model, const Options &options) {
  if (options.info)
    return runInfo(model);
  if (options.tokenize)
    return runTokenize(model, *options.tokenize);
  if (options.detokenize)
    return runDetokenize(model, *options.detokenize);
  if (options.renderChat)
    return runRenderChat(model, *options.renderChat);
  if (options.perplexity)
    return runPerplexity(model, options);
  if (options.bench)
    return runBench(model, options);
  if (options.requests)
    return runRequests(model, options);
  if (options.chat && !options.prompt && !options.promptFile)
    return runChat(model, options);
  runPrompt(model, options);
}

static void run(int argc, const char *const *argv) {
  Options options = parseOptions(argc, argv);
  if (options.help) {
    writeOutput(helpText(programName()));
  } else {
    if (options.threads)
      lori_set_threads(*options.threads);
    Model model;
    loadAdapters(model, options.loads);
    runAction(model, options);
  }
  flushOutput();
}

static int fail(int code, std::string message) {
  // One line, whatever it quotes.
  for (char &c : message)
    if (static_cast<unsigned char>(c) < 0x20)
      c = ' ';
  std::fflush(stdout);
  std::fprintf(stderr, "%s: error: %s\n", programName().c_str(),
               message.c_str());
  return code;
}

int lori::runProgram(int argc, const char *const *argv) {
  if (argc > 0)
    setProgramName(argv[0]);
  try {
    run(argc, argv);
    return 0;
  } catch (const UsageError &error) {
    return fail(2, error.what());
  } catch (const std::bad_alloc &) {
    return fail(1, "out of memory");
  } catch (const std::exception &error) {
    return fail(1, error.what());
  }
}
