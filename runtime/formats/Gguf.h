// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The GGUF format, versions 2 and 3 (ggml, docs/gguf.md).

#ifndef LORI_RUNTIME_FORMATS_GGUF_H
#define LORI_RUNTIME_FORMATS_GGUF_H

#include "runtime/formats/StorageType.h"

#include <cstddef>
#include <unordered_map>
#include <variant>

namespace lori {

/// The value types of the format, by their number in the file.
enum class GgufType : uint32_t {
  U8,
  I8,
  U16,
  I16,
  U32,
  I32,
  F32,
  Bool,
  String,
  Array,
  U64,
  I64,
  F64,
};

/// A metadata array of numbers or booleans, left as it is in the file.
struct GgufNumbers {
  GgufType type = GgufType::U8;
  size_t count = 0;
  std::span<const std::byte> bytes; ///< little-endian, maybe unaligned

  /// Returns entry `index` converted; exact for integers below 2^53.
  double asNumber(size_t index) const;
  /// Returns entry `index`; the fraction of a float type is cut off, what does
  /// not fit is clamped.
  int64_t asInteger(size_t index) const;
};

using GgufStrings = std::vector<std::string_view>;

/// A metadata value. Strings point into the file.
struct GgufValue {
  GgufType type = GgufType::U8; ///< Array for both kinds of array
  std::variant<bool, uint64_t, int64_t, double, std::string_view, GgufStrings,
               GgufNumbers>
      value;
};

/// A GGUF file: a view of its bytes, which must outlive it.
class Gguf {
public:
  /// Reads the header of a file whose whole content is `bytes`; `file` becomes
  /// the file index of the tensors. Throws Error, with `path`, for files that
  /// are damaged, big-endian, of version 1, or one of several parts.
  Gguf(std::span<const std::byte> bytes, std::string path, uint32_t file = 0);
  Gguf(Gguf &&) = default;
  Gguf &operator=(Gguf &&) = default;

  const std::string &path() const { return filePath; }
  uint32_t version() const { return fileVersion; }
  uint64_t alignment() const { return dataAlignment; }

  /// True if the file is a LoRA adapter (general.type is "adapter").
  bool isAdapter() const { return getText("general.type") == "adapter"; }
  /// Returns general.architecture; throws Error if it is missing.
  std::string_view architecture() const;

  /// Returns the metadata value `key`, or null.
  const GgufValue *find(std::string_view key) const;
  /// Typed access to a metadata value: nothing (null) if `key` is missing, an
  /// Error that names both types if it is of another type. Any integer type
  /// does for integers (booleans do not), any number for numbers.
  std::optional<int64_t> getInteger(std::string_view key) const;
  std::optional<double> getNumber(std::string_view key) const;
  std::optional<bool> getBool(std::string_view key) const;
  std::optional<std::string_view> getText(std::string_view key) const;
  const GgufStrings *getStrings(std::string_view key) const;
  const GgufNumbers *getNumbers(std::string_view key) const;

  /// The tensors of supported types, in the order of the file. Dimensions are
  /// turned round: outermost first.
  const std::vector<StoredTensor> &tensors() const { return tensorList; }
  /// The type names of the tensors of other types, by tensor.
  const std::unordered_map<std::string, std::string> &others() const {
    return otherTypes;
  }
  /// Returns the tensor called `name`, or null. Throws Error that lists the
  /// supported types if it is there in another one.
  const StoredTensor *findTensor(std::string_view name) const;
  /// True if there is a tensor called `name`, of whatever type.
  bool hasTensor(std::string_view name) const;
  std::span<const std::byte> bytes(const StoredTensor &tensor) const {
    return content.subspan(tensor.offset, tensor.bytes);
  }

private:
  friend class GgufReader;

  std::string filePath;
  std::span<const std::byte> content;
  uint32_t fileVersion = 0;
  uint64_t dataAlignment = 32;
  std::unordered_map<std::string_view, GgufValue> metadata;
  std::vector<StoredTensor> tensorList;
  std::unordered_map<std::string, std::string> otherTypes;
  std::unordered_map<std::string_view, size_t> tensorIndex;
};

} // namespace lori

#endif // LORI_RUNTIME_FORMATS_GGUF_H
