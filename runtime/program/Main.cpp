// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/program/Program.h"

int main(int argc, char **argv) { return lori::runProgram(argc, argv); }
