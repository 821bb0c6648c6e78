// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef LORI_TOOLS_LORI_ADAPTER_COMMAND_H
#define LORI_TOOLS_LORI_ADAPTER_COMMAND_H

#include "runtime/formats/SeededProjection.h"
#include "tools/lori-adapter/Arguments.h"

#include <memory>
#include <string>
#include <vector>

namespace lori {

/// One of the tool's commands.
struct Command {
  const char *name, *summary;
  void (*declare)(Arguments &);
  /// Throws UsageError, and Error for bad input.
  void (*run)(const Arguments &);
};

extern const Command inspectCommand, verifyCommand, initCommand, packCommand,
    unpackCommand, mergeCommand, maskCommand, fuseCommand, reportCommand;

/// Declares --seed and --init, which say what A's are drawn from; reads them.
void declareSeed(Arguments &arguments, const std::string &help);
std::optional<ProjectionSeed> projectionSeed(const Arguments &arguments);

/// Prints `lori-adapter: warning: TEXT` for each.
void warn(const std::vector<std::string> &warnings);

/// The threads that the machine offers, at least 1.
unsigned availableThreads();

} // namespace lori

#endif // LORI_TOOLS_LORI_ADAPTER_COMMAND_H
