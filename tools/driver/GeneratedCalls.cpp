// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "tools/driver/GeneratedCalls.h"
#include "runtime/support/Error.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Object/ObjectFile.h"

using namespace lori;

// Only their addresses count: the true types are those of compiled code.
#define LORI_SYSTEM_CALL(name)
#define LORI_RUNTIME_CALL(name) extern "C" void name();
#include "runtime/program/link/GeneratedCalls.def"
#undef LORI_SYSTEM_CALL
#undef LORI_RUNTIME_CALL

std::span<const GeneratedCall> lori::generatedCalls() {
  static const GeneratedCall calls[] = {
#define LORI_SYSTEM_CALL(name) {#name, nullptr},
#define LORI_RUNTIME_CALL(name) {#name, reinterpret_cast<void *>(&name)},
#include "runtime/program/link/GeneratedCalls.def"
#undef LORI_SYSTEM_CALL
#undef LORI_RUNTIME_CALL
  };
  return calls;
}

[[noreturn]] static void refuse(std::string_view name, llvm::Error error) {
  throw Error(name,
              llvm::toString(std::move(error)) + ", expected an object file");
}

std::vector<std::string> lori::forbiddenCalls(std::string_view object,
                                              std::string_view name) {
  auto file = llvm::object::ObjectFile::createObjectFile(
      llvm::MemoryBufferRef(llvm::StringRef(object), llvm::StringRef(name)));
  if (!file)
    refuse(name, file.takeError());
  std::vector<std::string> forbidden;
  for (const llvm::object::SymbolRef &symbol : (*file)->symbols()) {
    auto flags = symbol.getFlags();
    if (!flags)
      refuse(name, flags.takeError());
    if (!(*flags & llvm::object::SymbolRef::SF_Undefined))
      continue;
    auto called = symbol.getName();
    if (!called)
      refuse(name, called.takeError());
    if (called->empty() || *called == "_GLOBAL_OFFSET_TABLE_")
      continue;
    if (llvm::none_of(generatedCalls(), [&](const GeneratedCall &call) {
          return llvm::StringRef(call.name) == *called;
        }))
      forbidden.push_back(called->str());
  }
  return forbidden;
}
