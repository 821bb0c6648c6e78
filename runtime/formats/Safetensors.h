// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The safetensors format: 8 bytes of header length, a JSON header, the data
// (https://github.com/huggingface/safetensors, "Format").

#ifndef LORI_RUNTIME_FORMATS_SAFETENSORS_H
#define LORI_RUNTIME_FORMATS_SAFETENSORS_H

#include "runtime/formats/StorageType.h"
#include "runtime/support/MappedFile.h"

#include <unordered_map>
#include <utility>

namespace lori {

/// What the header of a safetensors file says, checked as the upstream
/// validator does: the tensors cover the data without overlap or gap.
struct SafetensorsHeader {
  std::vector<std::pair<std::string, std::string>> metadata;
  std::vector<StoredTensor> tensors; ///< by offset
  /// The types of tensors that this project has no use for ("F8_E4M3"), by
  /// tensor.
  std::unordered_map<std::string, std::string> others;

  /// Returns the metadata entry `key`, or null.
  const std::string *findMetadata(std::string_view key) const;
};

/// Reads the header of a file whose whole content is `bytes`. `file` becomes
/// the file index of the tensors. Throws Error, with `path`, on anything that
/// the format forbids; duplicate names are refused. Unaligned data is allowed.
SafetensorsHeader readSafetensorsHeader(std::span<const std::byte> bytes,
                                        std::string_view path,
                                        uint32_t file = 0);

/// A mapped safetensors file with its tensors by name.
class SafetensorsFile {
public:
  /// Maps and checks `path`; throws Error.
  explicit SafetensorsFile(const std::string &path);

  const std::string &path() const { return mapped.path(); }
  const MappedFile &file() const { return mapped; }
  const SafetensorsHeader &header() const { return content; }
  const std::vector<StoredTensor> &tensors() const { return content.tensors; }

  /// Returns the tensor called `name`, or null. Throws Error if it is there in
  /// an unsupported type.
  const StoredTensor *find(std::string_view name) const;
  /// Returns the tensor called `name`; throws Error if there is none.
  const StoredTensor &get(std::string_view name) const;
  std::span<const std::byte> bytes(const StoredTensor &tensor) const {
    return mapped.bytes().subspan(tensor.offset, tensor.bytes);
  }

private:
  MappedFile mapped;
  SafetensorsHeader content;
  std::unordered_map<std::string_view, const StoredTensor *> byName;
};

} // namespace lori

#endif // LORI_RUNTIME_FORMATS_SAFETENSORS_H
