// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef LORI_RUNTIME_PROGRAM_PROGRAM_H
#define LORI_RUNTIME_PROGRAM_PROGRAM_H

namespace lori {

/// The whole of a compiled program; returns its exit code: 0 done, 1 bad input
/// or an impossible combination, 2 an unknown option or a malformed value.
/// Failures are one line on standard error.
int runProgram(int argc, const char *const *argv);

} // namespace lori

#endif // LORI_RUNTIME_PROGRAM_PROGRAM_H
