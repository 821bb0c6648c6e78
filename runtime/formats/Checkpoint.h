// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef LORI_RUNTIME_FORMATS_CHECKPOINT_H
#define LORI_RUNTIME_FORMATS_CHECKPOINT_H

#include "runtime/formats/Gguf.h"
#include "runtime/formats/ModelConfig.h"
#include "runtime/support/MappedFile.h"

namespace lori {

/// A base model on disk: its configuration and its tensors, which stay in
/// mapped files.
class Checkpoint {
public:
  /// Opens a Hugging Face directory (config.json with model.safetensors or
  /// model.safetensors.index.json and its shards) or a GGUF file. Checks that
  /// each tensor that the configuration asks for is there in the right shape
  /// and in a supported type, and that there is none which would change the
  /// results if it were used. Throws Error.
  static Checkpoint open(const std::string &path);

  Checkpoint(Checkpoint &&) = default;
  Checkpoint &operator=(Checkpoint &&) = default;

  /// The path as it was given.
  const std::string &path() const { return givenPath; }
  const ModelConfig &config() const { return modelConfig; }
  const std::vector<MappedFile> &files() const { return mappedFiles; }
  /// The GGUF file, or null for a directory. Carries the tokenizer.
  const Gguf *gguf() const { return ggufFile ? &*ggufFile : nullptr; }

  /// The tensors of the model in the order of modelTensors(), under their
  /// Hugging Face names.
  const std::vector<StoredTensor> &tensors() const { return tensorList; }
  /// Returns the tensor called `name`, or null.
  const StoredTensor *find(std::string_view name) const;
  std::span<const std::byte> bytes(const StoredTensor &tensor) const {
    return mappedFiles[tensor.file].bytes().subspan(tensor.offset,
                                                    tensor.bytes);
  }

  /// Returns 32 hexadecimal digits that tell this base from others: a hash
  /// (XXH3, 128 bits) of the configuration, of names, types and shapes of the
  /// tensors, and of samples of their bytes (all of small ones, else 8 pieces
  /// of 64 bytes). It does not depend on how the tensors are spread over
  /// files. Reads some 2000 pages of an 8B model.
  std::string fingerprint() const;

private:
  friend class CheckpointReader;
  Checkpoint() = default;

  std::string givenPath;
  ModelConfig modelConfig;
  std::vector<MappedFile> mappedFiles;
  std::optional<Gguf> ggufFile;
  std::vector<StoredTensor> tensorList;
  std::unordered_map<std::string_view, size_t> tensorIndex;
};

} // namespace lori

#endif // LORI_RUNTIME_FORMATS_CHECKPOINT_H
