// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/engine/Artefact.h"
#include "runtime/support/Error.h"

#define XXH_INLINE_ALL
#include <bit>
#include <cstddef>
#include <cstring>
#include <xxhash.h>

using namespace lori;

static_assert(std::endian::native == std::endian::little,
              "the trailer is read as it lies");

uint64_t lori::artefactChecksum(std::span<const std::byte> bytes) {
  return XXH3_64bits(bytes.data(), bytes.size());
}

uint64_t lori::artefactTrailerChecksum(const ArtefactTrailer &trailer) {
  return artefactChecksum(
      std::as_bytes(std::span(&trailer, 1))
          .first(offsetof(ArtefactTrailer, trailerChecksum)));
}

static bool isElf(std::span<const std::byte> file) {
  return file.size() >= 4 && std::memcmp(file.data(),
                                         "\x7f"
                                         "ELF",
                                         4) == 0;
}

[[noreturn]] static void failMissing(std::span<const std::byte> file,
                                     const std::string &name) {
  if (isElf(file))
    throw Error(name, "no model in this program: it was stripped or cut, an "
                      "artefact of lori-compile carries one at its end, "
                      "compile it again");
  throw Error(name, "no model in this file: expected an artefact of "
                    "lori-compile, whole");
}

static bool fits(const ArtefactSection &section, uint64_t size) {
  return section.offset <= size && section.size <= size - section.offset;
}

ArtefactView::ArtefactView(std::span<const std::byte> bytes, std::string name)
    : file(bytes), fileName(std::move(name)) {
  if (file.size() < sizeof(trailer))
    failMissing(file, fileName);
  size_t payload = file.size() - sizeof(trailer);
  std::memcpy(&trailer, file.data() + payload, sizeof(trailer));
  if (trailer.magic != artefactMagic)
    failMissing(file, fileName);
  if (trailer.trailerChecksum != artefactTrailerChecksum(trailer))
    throw Error(fileName, "the model's trailer is damaged (wrong checksum), "
                          "compile it again");
  if (trailer.version != artefactVersion)
    throw Error(fileName,
                "the model has format " + std::to_string(trailer.version) +
                    ", this runtime reads format " +
                    std::to_string(artefactVersion) + ", compile it again");
  if (!fits(trailer.metadata, payload) || !fits(trailer.tokenizer, payload) ||
      !fits(trailer.parameters, payload) ||
      trailer.parameters.offset % artefactPage != 0)
    throw Error(fileName, "the model's sections lie outside of the file, it "
                          "was cut or changed, compile it again");
  if (artefactChecksum(section(trailer.metadata)) != trailer.metadataChecksum)
    throw Error(fileName, "the model's metadata is damaged (wrong checksum), "
                          "compile it again");
}

std::span<const std::byte>
ArtefactView::section(const ArtefactSection &place) const {
  return file.subspan(place.offset, place.size);
}

std::string_view ArtefactView::metadata() const {
  auto bytes = section(trailer.metadata);
  return {reinterpret_cast<const char *>(bytes.data()), bytes.size()};
}

std::span<const std::byte> ArtefactView::tokenizer() const {
  auto bytes = section(trailer.tokenizer);
  if (artefactChecksum(bytes) != trailer.tokenizerChecksum)
    throw Error(fileName, "the model's tokenizer is damaged (wrong checksum), "
                          "compile it again");
  return bytes;
}

std::span<const std::byte> ArtefactView::parameters() const {
  return section(trailer.parameters);
}
