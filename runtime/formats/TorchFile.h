// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Files of torch.save that hold a dictionary of tensors: a ZIP archive with a
// pickle (Python, pickletools) that names the storages beside it.

#ifndef LORI_RUNTIME_FORMATS_TORCHFILE_H
#define LORI_RUNTIME_FORMATS_TORCHFILE_H

#include "runtime/formats/SafetensorsWriter.h"
#include "runtime/support/MappedFile.h"

#include <map>

namespace lori {

/// Such a file, mapped. Its pickle is not run: of its instructions, those that
/// make a dictionary from names to dense tensors are understood, and everything
/// else is refused.
class TorchFile {
public:
  /// Throws Error.
  explicit TorchFile(const std::string &path);

  /// In the order of the dictionary; offsets are from the start of the file.
  const std::vector<StoredTensor> &tensors() const { return tensorList; }
  std::span<const std::byte> bytes(const StoredTensor &tensor) const {
    return file.bytes().subspan(tensor.offset, tensor.bytes);
  }

private:
  MappedFile file;
  std::vector<StoredTensor> tensorList;
};

/// What a pickle says about one tensor.
struct PickledTensor {
  std::string name, storage;
  StorageType type = StorageType::F32;
  int64_t storageEntries = 0, offset = 0; ///< in entries
  std::vector<int64_t> shape, strides;
};

/// Reads the pickle of such a file (protocols 2 to 5). `path` names the file in
/// errors. Throws Error.
std::vector<PickledTensor> readTensorPickle(std::span<const std::byte> pickle,
                                            const std::string &path);

/// Returns the pickle, byte for byte as Python writes it (protocol 2), of
/// tensors that have the storages "0", "1", ... for themselves.
std::string
writeTensorPickle(const std::vector<SafetensorsWriter::Tensor> &tensors);

/// Writes tensors with their bytes as torch.save writes a dictionary of them.
void writeTorchFile(const std::string &path,
                    const std::vector<SafetensorsWriter::Tensor> &tensors,
                    const std::vector<std::span<const std::byte>> &contents);

} // namespace lori

#endif // LORI_RUNTIME_FORMATS_TORCHFILE_H
