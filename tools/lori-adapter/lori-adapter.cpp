// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/support/Error.h"
#include "tools/lori-adapter/Command.h"

#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <cstdio>
#include <new>
#include <sched.h>

using namespace lori;

static const Command *const commands[] = {
    &inspectCommand, &verifyCommand, &initCommand,
    &packCommand,    &unpackCommand, &mergeCommand,
    &maskCommand,    &fuseCommand,   &reportCommand};

static int fail(const std::string &message, int code) {
  std::fprintf(stderr, "lori-adapter: error: %s\n", message.c_str());
  return code;
}

void lori::warn(const std::vector<std::string> &warnings) {
  for (const std::string &warning : warnings)
    std::fprintf(stderr, "lori-adapter: warning: %s\n", warning.c_str());
}

unsigned lori::availableThreads() {
  cpu_set_t cpus;
  if (sched_getaffinity(0, sizeof(cpus), &cpus) != 0)
    return 1;
  return static_cast<unsigned>(CPU_COUNT(&cpus));
}

static int run(int argc, char **argv) {
  CLI::App app("Adapters on disk: look at them, compare, convert, mask, merge, "
               "fuse.",
               "lori-adapter");
  app.require_subcommand(1);
  app.set_version_flag("--version", "lori-adapter " LORI_VERSION);
  for (const Command *command : commands) {
    CLI::App *sub = app.add_subcommand(command->name, command->summary);
    Arguments arguments(*sub);
    command->declare(arguments);
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success &asked) {
    return app.exit(asked);
  } catch (const CLI::ExtrasError &) {
    return fail("'" + app.remaining(true).front() +
                    "': unknown argument, --help lists them all",
                2);
  } catch (const CLI::ParseError &error) {
    return fail(error.what(), 2);
  }
  for (const Command *command : commands)
    if (CLI::App *sub = app.get_subcommand(command->name); sub->parsed()) {
      Arguments arguments(*sub);
      arguments.refuseUnknown();
      command->run(arguments);
    }
  return 0;
}

int main(int argc, char **argv) {
  try {
    return run(argc, argv);
  } catch (const UsageError &error) {
    return fail(error.what(), 2);
  } catch (const Error &error) {
    return fail(error.what(), 1);
  } catch (const std::bad_alloc &) {
    return fail("not enough memory", 1);
  } catch (const std::exception &error) {
    return fail(error.what(), 1);
  }
}
