// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "tools/driver/ObjectEmitter.h"
#include "runtime/support/Error.h"
#include "tools/driver/GeneratedCalls.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Bitcode/BitcodeWriter.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/Support/raw_ostream.h"
#include "llvm/Transforms/Utils/Cloning.h"

using namespace lori;

std::string ObjectEmitter::object() const {
  llvm::SmallVector<char, 0> bytes;
  llvm::raw_svector_ostream stream(bytes);
  llvm::legacy::PassManager passes;
  if (code.machine->addPassesToEmitFile(passes, stream, nullptr,
                                        llvm::CodeGenFileType::ObjectFile))
    throw Error("this LLVM writes no object files for x86-64");
  // Code generation changes the IR, which text() may still be asked for.
  passes.run(*llvm::CloneModule(*code.module));
  std::string result(bytes.begin(), bytes.end());
  auto forbidden = forbiddenCalls(result, "generated code");
  if (!forbidden.empty())
    throw Error("generated code",
                "calls " + llvm::join(forbidden, ", ") +
                    ", which programs do not have; a lowering "
                    "left these to a library");
  return result;
}

std::string ObjectEmitter::text() const {
  std::string result;
  llvm::raw_string_ostream stream(result);
  code.module->print(stream, nullptr);
  return result;
}

std::string ObjectEmitter::bitcode() const {
  std::string result;
  llvm::raw_string_ostream stream(result);
  llvm::WriteBitcodeToFile(*code.module, stream);
  return result;
}
