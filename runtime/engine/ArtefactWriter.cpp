// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/engine/ArtefactWriter.h"

#include <cassert>

using namespace lori;

size_t ArtefactWriter::reserveParameters(size_t bytes) {
  assert(!parameters && "the parameters are one section");
  file.align(artefactPage);
  size_t start = file.size();
  file.resize(start + bytes);
  parameters = {start, bytes};
  return start;
}

ArtefactSection ArtefactWriter::append(std::span<const std::byte> bytes) {
  file.align(8);
  ArtefactSection section = {file.size(), bytes.size()};
  file.write(bytes);
  return section;
}

void ArtefactWriter::finish(std::string_view metadata,
                            std::span<const std::byte> tokenizer) {
  if (!parameters)
    reserveParameters(0);
  auto metadataBytes = std::as_bytes(std::span(metadata));
  ArtefactTrailer trailer;
  trailer.parameters = *parameters;
  trailer.metadata = append(metadataBytes);
  trailer.tokenizer = append(tokenizer);
  trailer.metadataChecksum = artefactChecksum(metadataBytes);
  trailer.tokenizerChecksum = artefactChecksum(tokenizer);
  trailer.version = artefactVersion;
  trailer.magic = artefactMagic;
  trailer.trailerChecksum = artefactTrailerChecksum(trailer);
  file.align(8);
  file.write(std::as_bytes(std::span(&trailer, 1)));
}
