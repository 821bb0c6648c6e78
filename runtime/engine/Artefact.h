// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a compiled program carries behind its ELF image, and how it is read.
//
//     [ELF image] … [parameters] … [metadata] [tokenizer] … [trailer]
//
// The parameters start on a page, so that they are used where they are mapped;
// the trailer is the end of the file. All numbers are little-endian. `strip`
// and tools like it drop everything behind the ELF image; the trailer's magic
// is how that is noticed. A file that is no ELF image (a payload beside an
// object file) has the same form.

#ifndef LORI_RUNTIME_ENGINE_ARTEFACT_H
#define LORI_RUNTIME_ENGINE_ARTEFACT_H

#include "runtime/support/MappedFile.h"

#include <array>
#include <cstdint>
#include <string_view>

namespace lori {

/// Position of a section, in bytes from the start of the file.
struct ArtefactSection {
  uint64_t offset = 0;
  uint64_t size = 0;
};

/// The last bytes of an artefact.
struct ArtefactTrailer {
  ArtefactSection metadata;   ///< JSON, see ModelInfo.h
  ArtefactSection tokenizer;  ///< runtime/text's own form; size 0: none
  ArtefactSection parameters; ///< starts at a multiple of artefactPage
  uint64_t metadataChecksum = 0;
  uint64_t tokenizerChecksum = 0;
  uint32_t version = 0;
  uint32_t reserved = 0; ///< 0
  /// Of all bytes of the trailer before this field.
  uint64_t trailerChecksum = 0;
  std::array<char, 8> magic = {};
};
static_assert(sizeof(ArtefactTrailer) == 88, "part of the file format");

inline constexpr std::array<char, 8> artefactMagic = {'L', 'o', 'R', 'I',
                                                      'm', 'o', 'd', 'l'};
inline constexpr uint32_t artefactVersion = 1;
inline constexpr uint64_t artefactPage = 4096;

/// XXH3-64 with seed 0, the checksum of every part.
uint64_t artefactChecksum(std::span<const std::byte> bytes);
/// The value that `trailer.trailerChecksum` must have.
uint64_t artefactTrailerChecksum(const ArtefactTrailer &trailer);

/// The payload within `file`; owns nothing.
class ArtefactView {
public:
  /// Finds and checks the trailer and the metadata. `name` is for messages.
  /// Throws Error that says whether the payload is missing (a stripped or cut
  /// program), of another version, or damaged.
  ArtefactView(std::span<const std::byte> file, std::string name);

  std::string_view metadata() const;
  /// The tokenizer's blob, empty if the model has none. Throws Error if it is
  /// damaged; it is checked here and not on opening, since only text needs it.
  std::span<const std::byte> tokenizer() const;
  /// The packed parameters; 64-byte aligned if `file` is mapped.
  std::span<const std::byte> parameters() const;
  const std::string &name() const { return fileName; }

private:
  std::span<const std::byte> section(const ArtefactSection &place) const;

  std::span<const std::byte> file;
  std::string fileName;
  ArtefactTrailer trailer;
};

/// A payload mapped read-only and shared between all processes that run it.
class Artefact {
public:
  /// Opens the payload of `path`; `name` stands for it in messages.
  explicit Artefact(const std::string &path)
      : Artefact(path, std::string(path)) {}
  Artefact(const std::string &path, std::string name)
      : file(path), view(file.bytes(), std::move(name)) {}

  const ArtefactView *operator->() const { return &view; }

private:
  MappedFile file;
  ArtefactView view;
};

} // namespace lori

#endif // LORI_RUNTIME_ENGINE_ARTEFACT_H
