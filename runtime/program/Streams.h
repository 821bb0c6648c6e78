// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef LORI_RUNTIME_PROGRAM_STREAMS_H
#define LORI_RUNTIME_PROGRAM_STREAMS_H

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

namespace lori {

/// Writes to standard output, buffered until `flushOutput`. Both throw Error
/// when it cannot be written, so that a full disk is not taken for success.
void writeOutput(std::string_view text);
void flushOutput();

/// Writes `PROGRAM: note: TEXT` and a newline to standard error.
void writeNote(std::string_view text);
/// The name that notes and errors start with.
void setProgramName(std::string_view path);
const std::string &programName();

/// Returns all bytes of a file, or of standard input for "-". Throws Error.
std::string readInput(const std::string &path);

/// Calls `line` for each line of a file, or of standard input for "-", with its
/// number from 1 and without its end; blank lines are left out. Throws Error.
void readLines(
    const std::string &path,
    const std::function<void(size_t number, std::string_view line)> &line);

/// How messages name line `number` of `path`.
std::string linePlace(const std::string &path, size_t number);

} // namespace lori

#endif // LORI_RUNTIME_PROGRAM_STREAMS_H
