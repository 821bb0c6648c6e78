// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The payload's trailer and metadata. Checksums would stop nearly every random
// input at the door, so the first byte says how much of it is made right.

#include "runtime/engine/Artefact.h"
#include "runtime/engine/ModelInfo.h"
#include "runtime/support/Error.h"

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>

using namespace lori;

static void read(const std::string &file) {
  ArtefactView artefact(std::as_bytes(std::span(file)), "fuzz");
  volatile uint64_t sum = 0;
  for (std::byte byte : artefact.parameters())
    sum = sum + static_cast<uint64_t>(byte);
  parseModelInfo(artefact.metadata(), artefact.name());
  artefact.tokenizer();
}

/// Takes the end of `file` as a trailer and completes it; the sections stay as
/// wild as they are.
static void repairTrailer(std::string &file) {
  ArtefactTrailer trailer;
  if (file.size() < sizeof(trailer))
    return;
  char *place = file.data() + file.size() - sizeof(trailer);
  std::memcpy(&trailer, place, sizeof(trailer));
  trailer.version = artefactVersion;
  trailer.magic = artefactMagic;
  uint64_t size = file.size() - sizeof(trailer);
  if (trailer.metadata.offset <= size &&
      trailer.metadata.size <= size - trailer.metadata.offset)
    trailer.metadataChecksum = artefactChecksum(std::as_bytes(std::span(
        file.data() + trailer.metadata.offset, trailer.metadata.size)));
  trailer.trailerChecksum = artefactTrailerChecksum(trailer);
  std::memcpy(place, &trailer, sizeof(trailer));
}

/// What was accepted must be written and read again without a change.
static void readMetadata(const std::string &json) {
  ModelInfo info = parseModelInfo(json, "fuzz");
  std::string text = toJson(info);
  if (toJson(parseModelInfo(text, "fuzz")) != text)
    std::abort();
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size == 0)
    return 0;
  std::string file(reinterpret_cast<const char *>(data) + 1, size - 1);
  try {
    if (data[0] % 3 == 2) {
      readMetadata(file);
      return 0;
    }
    if (data[0] % 3 == 1)
      repairTrailer(file);
    read(file);
  } catch (const Error &) {
    return 0; // refusing is what it should do
  }
  return 0;
}
