// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef LORI_RUNTIME_FORMATS_STORAGETYPE_H
#define LORI_RUNTIME_FORMATS_STORAGETYPE_H

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace lori {

/// How the entries of a stored tensor are encoded. The block types are ggml's:
/// 32 or 256 neighbouring entries of the innermost dimension share scales.
enum class StorageType : uint8_t {
  F32,
  F16,
  BF16,
  F64,
  I64,
  I32,
  I16,
  I8,
  U8,
  Bool,
  Q8_0,
  Q4_0,
  Q4_1,
  Q4_K,
  Q5_K,
  Q6_K,
};

/// Returns the name as ggml and safetensors spell it ("F32", "Q4_K").
std::string_view storageTypeName(StorageType type);

/// Returns the type called `name`, in upper case.
std::optional<StorageType> storageTypeByName(std::string_view name);

/// Entries per block: 1, 32 or 256.
int64_t blockEntries(StorageType type);

/// Bytes per block; per entry for the types without blocks.
int64_t blockBytes(StorageType type);

/// Returns the bytes of `entries` entries, or nothing if they are negative, no
/// whole number of blocks, or overflow.
std::optional<uint64_t> storageBytes(StorageType type, int64_t entries);

/// Returns the product of `shape`, or nothing on a negative dimension or
/// overflow. The product of no dimensions is 1.
std::optional<int64_t> entryCount(std::span<const int64_t> shape);

/// A tensor inside a mapped file. Its reader has checked that type and shape
/// make up `bytes`, and that the bytes lie inside the file; the offset may be
/// unaligned.
struct StoredTensor {
  std::string name;
  StorageType type = StorageType::F32;
  std::vector<int64_t> shape; ///< outermost dimension first
  uint32_t file = 0;          ///< index into the owner's list of mapped files
  uint64_t offset = 0;        ///< from the start of that file
  uint64_t bytes = 0;

  int64_t entries() const { return *entryCount(shape); }
};

/// Formats a shape as messages show it: `[32, 576]`.
std::string shapeText(std::span<const int64_t> shape);

/// Joins the names of the types that weights can have, for messages.
std::string supportedWeightTypes();

} // namespace lori

#endif // LORI_RUNTIME_FORMATS_STORAGETYPE_H
