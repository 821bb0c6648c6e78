// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/formats/StorageType.h"

#include <array>

using namespace lori;

namespace {
struct TypeInfo {
  std::string_view name;
  int64_t entries, bytes;
};
} // namespace

// In the order of the enum. Block sizes: ggml-common.h.
static constexpr std::array<TypeInfo, 16> typeTable = {{{"F32", 1, 4},
                                                        {"F16", 1, 2},
                                                        {"BF16", 1, 2},
                                                        {"F64", 1, 8},
                                                        {"I64", 1, 8},
                                                        {"I32", 1, 4},
                                                        {"I16", 1, 2},
                                                        {"I8", 1, 1},
                                                        {"U8", 1, 1},
                                                        {"BOOL", 1, 1},
                                                        {"Q8_0", 32, 34},
                                                        {"Q4_0", 32, 18},
                                                        {"Q4_1", 32, 20},
                                                        {"Q4_K", 256, 144},
                                                        {"Q5_K", 256, 176},
                                                        {"Q6_K", 256, 210}}};

static const TypeInfo &info(StorageType type) {
  return typeTable[static_cast<size_t>(type)];
}

std::string_view lori::storageTypeName(StorageType type) {
  return info(type).name;
}

std::optional<StorageType> lori::storageTypeByName(std::string_view name) {
  for (size_t i = 0; i < typeTable.size(); ++i)
    if (typeTable[i].name == name)
      return static_cast<StorageType>(i);
  return std::nullopt;
}

int64_t lori::blockEntries(StorageType type) { return info(type).entries; }

int64_t lori::blockBytes(StorageType type) { return info(type).bytes; }

std::optional<uint64_t> lori::storageBytes(StorageType type, int64_t entries) {
  auto [name, perBlock, bytes] = info(type);
  int64_t total;
  if (entries < 0 || entries % perBlock != 0 ||
      __builtin_mul_overflow(entries / perBlock, bytes, &total))
    return std::nullopt;
  return static_cast<uint64_t>(total);
}

std::optional<int64_t> lori::entryCount(std::span<const int64_t> shape) {
  // A zero must not hide an overflow of the others.
  int64_t product = 1;
  bool empty = false;
  for (int64_t size : shape) {
    if (size < 0)
      return std::nullopt;
    empty |= size == 0;
    if (size != 0 && __builtin_mul_overflow(product, size, &product))
      return std::nullopt;
  }
  return empty ? 0 : product;
}

std::string lori::shapeText(std::span<const int64_t> shape) {
  std::string text = "[";
  for (int64_t size : shape)
    text += (text.size() > 1 ? ", " : "") + std::to_string(size);
  return text + "]";
}

std::string lori::supportedWeightTypes() {
  return "F32, F16, BF16, Q8_0, Q4_0, Q4_1, Q4_K, Q5_K, Q6_K";
}
