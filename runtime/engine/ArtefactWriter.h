// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef LORI_RUNTIME_ENGINE_ARTEFACTWRITER_H
#define LORI_RUNTIME_ENGINE_ARTEFACTWRITER_H

#include "runtime/engine/Artefact.h"
#include "runtime/support/NewFile.h"

#include <optional>

namespace lori {

/// Appends a payload to a file that holds the program (or nothing) so far.
///
///     NewFile file("out", /*executable=*/true);
///     file.write(elfImage);
///     ArtefactWriter writer(file);
///     size_t start = writer.reserveParameters(bytes);
///     …  pwrite or mmap file.descriptor() within [start, start + bytes)
///     writer.finish(metadata, tokenizer);
///     file.commit();
class ArtefactWriter {
public:
  explicit ArtefactWriter(NewFile &file) : file(file) {}

  /// Makes room for the parameters, zero-filled, and returns where in the file
  /// they start (a multiple of artefactPage). Called once, before `finish`.
  /// Throws Error when the disk is full.
  size_t reserveParameters(size_t bytes);

  /// Appends metadata, tokenizer (empty: none) and trailer.
  void finish(std::string_view metadata, std::span<const std::byte> tokenizer);

private:
  ArtefactSection append(std::span<const std::byte> bytes);

  NewFile &file;
  std::optional<ArtefactSection> parameters;
};

} // namespace lori

#endif // LORI_RUNTIME_ENGINE_ARTEFACTWRITER_H
