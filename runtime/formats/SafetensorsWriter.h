// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef LORI_RUNTIME_FORMATS_SAFETENSORSWRITER_H
#define LORI_RUNTIME_FORMATS_SAFETENSORSWRITER_H

#include "runtime/formats/StorageType.h"
#include "runtime/support/NewFile.h"

#include <utility>

namespace lori {

/// Writes a safetensors file as a stream: the whole header first, then the
/// tensors one after the other, so that no tensor need be in memory.
///
///     NewFile file(path);
///     SafetensorsWriter writer(file, {{"a", StorageType::F32, {2, 3}}}, {});
///     writer.append(bytes);   // as many pieces as convenient
///     writer.finish();
///     file.commit();
class SafetensorsWriter {
public:
  struct Tensor {
    std::string name;
    StorageType type; ///< none of the block types
    std::vector<int64_t> shape;
  };
  using Metadata = std::vector<std::pair<std::string, std::string>>;

  /// Writes the header. Throws Error, with the file's name, on a duplicate name
  /// or on a type or shape that the format cannot express.
  SafetensorsWriter(NewFile &file, const std::vector<Tensor> &tensors,
                    const Metadata &metadata);

  /// Appends bytes of the tensors in their order. Throws Error past the end of
  /// the last tensor.
  void append(std::span<const std::byte> bytes);
  /// Throws Error if bytes are missing.
  void finish();

  /// Position in the file at which tensor `index` starts, for writing tensors
  /// out of order after `NewFile::resize(size())`.
  uint64_t offset(size_t index) const { return starts[index]; }
  /// Bytes of the complete file.
  uint64_t size() const { return starts.back(); }

private:
  NewFile &file;
  std::vector<uint64_t> starts; ///< one a tensor, then the end of the file
};

} // namespace lori

#endif // LORI_RUNTIME_FORMATS_SAFETENSORSWRITER_H
