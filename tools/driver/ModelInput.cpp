// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "tools/driver/ModelInput.h"
#include "tools/driver/CheckpointInput.h"
#include "tools/driver/ModuleInput.h"

#include "llvm/Support/raw_ostream.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <cstdio>

using namespace lori;

std::unique_ptr<ModelInput> ModelInput::open(const CompileOptions &options,
                                             mlir::MLIRContext &context) {
  if (isModulePath(options.model))
    return std::make_unique<ModuleInput>(options, context);
  return std::make_unique<CheckpointInput>(options, context);
}

std::string lori::fingerprintFile(const MappedFile &file) {
  XXH128_hash_t hash = XXH3_128bits(file.bytes().data(), file.bytes().size());
  char text[33];
  std::snprintf(text, sizeof(text), "%016llx%016llx",
                static_cast<unsigned long long>(hash.high64),
                static_cast<unsigned long long>(hash.low64));
  return text;
}

void lori::printNotes(const Adapter &adapter, bool quiet) {
  if (quiet)
    return;
  for (const std::string &warning : adapter.warnings())
    llvm::errs() << "lori-compile: warning: " << warning << '\n';
  for (const std::string &note : adapter.notes())
    llvm::errs() << "lori-compile: note: " << note << '\n';
}
