// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Reads the header of a GGUF file: magic, version, counts, metadata, tensor
// table; then alignment and data.

#include "runtime/formats/ByteReader.h"
#include "runtime/formats/Gguf.h"

#include <algorithm>
#include <array>
#include <unordered_set>

using namespace lori;

// ggml's own limits.
static constexpr uint32_t maxDimensions = 4;
static constexpr uint64_t maxKeyBytes = 65535;

namespace {

struct GgmlType {
  std::string_view name;
  std::optional<StorageType> type;
};

} // namespace

/// ggml's tensor types by number (ggml.h, enum ggml_type).
static GgmlType ggmlType(uint32_t number) {
  using enum StorageType;
  constexpr std::array<GgmlType, 40> table = {{
      {"F32", F32},       {"F16", F16},       {"Q4_0", Q4_0},
      {"Q4_1", Q4_1},     {"Q4_2", {}},       {"Q4_3", {}},
      {"Q5_0", {}},       {"Q5_1", {}},       {"Q8_0", Q8_0},
      {"Q8_1", {}},       {"Q2_K", {}},       {"Q3_K", {}},
      {"Q4_K", Q4_K},     {"Q5_K", Q5_K},     {"Q6_K", Q6_K},
      {"Q8_K", {}},       {"IQ2_XXS", {}},    {"IQ2_XS", {}},
      {"IQ3_XXS", {}},    {"IQ1_S", {}},      {"IQ4_NL", {}},
      {"IQ3_S", {}},      {"IQ2_S", {}},      {"IQ4_XS", {}},
      {"I8", I8},         {"I16", I16},       {"I32", I32},
      {"I64", I64},       {"F64", F64},       {"IQ1_M", {}},
      {"BF16", BF16},     {"Q4_0_4_4", {}},   {"Q4_0_4_8", {}},
      {"Q4_0_8_8", {}},   {"TQ1_0", {}},      {"TQ2_0", {}},
      {"IQ4_NL_4_4", {}}, {"IQ4_NL_4_8", {}}, {"IQ4_NL_8_8", {}},
      {"MXFP4", {}},
  }};
  return number < table.size() ? table[number] : GgmlType{"", {}};
}

/// Bytes of a fixed-size value type; 0 for strings and arrays.
static size_t valueBytes(GgufType type) {
  constexpr uint8_t sizes[] = {1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8};
  return sizes[static_cast<size_t>(type)];
}

namespace lori {

class GgufReader {
public:
  GgufReader(Gguf &gguf, std::span<const std::byte> bytes, uint32_t file)
      : gguf(gguf), bytes(bytes), path(gguf.filePath), file(file),
        reader(bytes, path) {}

  void read() {
    readVersion();
    auto tensorCount = reader.read<uint64_t>();
    auto metadataCount = reader.read<uint64_t>();
    // The counts are not trusted: each turn consumes bytes or throws.
    for (uint64_t i = 0; i < metadataCount; ++i)
      readMetadata();
    checkMetadata();
    for (uint64_t i = 0; i < tensorCount; ++i)
      readTensor();
    placeTensors();
    for (size_t i = 0; i < gguf.tensorList.size(); ++i)
      gguf.tensorIndex.emplace(gguf.tensorList[i].name, i);
  }

private:
  void readVersion() {
    if (bytes.size() < 24 || reader.readText(4) != "GGUF")
      throw Error(path, "does not start with GGUF, it is no GGUF file");
    gguf.fileVersion = reader.read<uint32_t>();
    if (gguf.fileVersion == 2 || gguf.fileVersion == 3)
      return;
    if ((gguf.fileVersion & 0xFFFF) == 0)
      throw Error(path, "is a big-endian GGUF file, only little-endian ones "
                        "are supported, convert the model again");
    throw Error(path, "is of GGUF version " + std::to_string(gguf.fileVersion) +
                          ", supported are 2 and 3, convert the model again");
  }

  std::string_view readString() {
    auto size = reader.read<uint64_t>();
    return reader.readText(size);
  }

  GgufType readType(std::string_view key) {
    auto number = reader.read<uint32_t>();
    if (number > static_cast<uint32_t>(GgufType::F64))
      throw damaged("metadata '" + std::string(key) +
                    "' has the unknown type " + std::to_string(number));
    return static_cast<GgufType>(number);
  }

  void readMetadata() {
    std::string_view key = readString();
    if (key.empty() || key.size() > maxKeyBytes)
      throw damaged("a metadata key has " + std::to_string(key.size()) +
                    " bytes");
    GgufValue value;
    value.type = readType(key);
    readValue(key, value);
    if (!gguf.metadata.emplace(key, std::move(value)).second)
      throw damaged("the metadata key '" + std::string(key) + "' occurs twice");
  }

  void readValue(std::string_view key, GgufValue &result) {
    auto &value = result.value;
    switch (result.type) {
    case GgufType::U8:
      value = uint64_t(reader.read<uint8_t>());
      break;
    case GgufType::I8:
      value = int64_t(reader.read<int8_t>());
      break;
    case GgufType::U16:
      value = uint64_t(reader.read<uint16_t>());
      break;
    case GgufType::I16:
      value = int64_t(reader.read<int16_t>());
      break;
    case GgufType::U32:
      value = uint64_t(reader.read<uint32_t>());
      break;
    case GgufType::I32:
      value = int64_t(reader.read<int32_t>());
      break;
    case GgufType::F32:
      value = double(reader.read<float>());
      break;
    case GgufType::Bool:
      value = reader.read<uint8_t>() != 0;
      break;
    case GgufType::String:
      value = readString();
      break;
    case GgufType::Array:
      readArray(key, result);
      break;
    case GgufType::U64:
      value = reader.read<uint64_t>();
      break;
    case GgufType::I64:
      value = reader.read<int64_t>();
      break;
    case GgufType::F64:
      value = reader.read<double>();
      break;
    }
  }

  void readArray(std::string_view key, GgufValue &result) {
    GgufType type = readType(key);
    auto count = reader.read<uint64_t>();
    if (type == GgufType::Array)
      throw damaged("metadata '" + std::string(key) +
                    "' is an array of arrays, which is not supported");
    // A string takes at least its length, 8 bytes.
    size_t least = type == GgufType::String ? 8 : valueBytes(type);
    if (count > reader.remaining() / least)
      throw damaged("metadata '" + std::string(key) + "' announces " +
                    std::to_string(count) +
                    " entries, more than the file holds");
    if (type != GgufType::String) {
      result.value = GgufNumbers{type, count, reader.take(count * least)};
      return;
    }
    GgufStrings strings;
    strings.reserve(count);
    for (uint64_t i = 0; i < count; ++i)
      strings.push_back(readString());
    result.value = std::move(strings);
  }

  void checkMetadata() {
    if (auto parts = gguf.getInteger("split.count"); parts && *parts > 1)
      throw Error(path, "is one of " + std::to_string(*parts) +
                            " parts of a split model, join them with "
                            "llama-gguf-split --merge");
    auto alignment = gguf.getInteger("general.alignment").value_or(32);
    if (alignment <= 0 || alignment > (int64_t(1) << 30) ||
        (alignment & (alignment - 1)) != 0)
      throw damaged("general.alignment is " + std::to_string(alignment) +
                    ", no power of two");
    gguf.dataAlignment = static_cast<uint64_t>(alignment);
  }

  void readTensor() {
    StoredTensor tensor;
    tensor.name = readString();
    tensor.file = file;
    if (tensor.name.empty() || tensor.name.size() > maxKeyBytes)
      throw damaged("a tensor name has " + std::to_string(tensor.name.size()) +
                    " bytes");
    if (!names.insert(tensor.name).second)
      throw damaged("the tensor '" + tensor.name + "' occurs twice");
    auto rank = reader.read<uint32_t>();
    if (rank > maxDimensions)
      throw damaged("the tensor '" + tensor.name + "' has " +
                    std::to_string(rank) +
                    " dimensions, at most 4 are allowed");
    for (uint32_t i = 0; i < rank; ++i) {
      auto size = reader.read<uint64_t>();
      if (size > static_cast<uint64_t>(INT64_MAX))
        throw damaged("the tensor '" + tensor.name + "' has a dimension of " +
                      std::to_string(size));
      tensor.shape.push_back(static_cast<int64_t>(size));
    }
    std::reverse(tensor.shape.begin(), tensor.shape.end());
    auto number = reader.read<uint32_t>();
    tensor.offset = reader.read<uint64_t>();
    auto [typeName, type] = ggmlType(number);
    if (!type) {
      gguf.otherTypes.emplace(tensor.name,
                              typeName.empty()
                                  ? "the unknown type " + std::to_string(number)
                                  : std::string(typeName));
      return;
    }
    tensor.type = *type;
    setSize(tensor);
    gguf.tensorList.push_back(std::move(tensor));
  }

  void setSize(StoredTensor &tensor) const {
    auto entries = entryCount(tensor.shape);
    int64_t row = tensor.shape.empty() ? 1 : tensor.shape.back();
    auto size = entries && row % blockEntries(tensor.type) == 0
                    ? storageBytes(tensor.type, *entries)
                    : std::nullopt;
    if (!size)
      throw damaged("the tensor '" + tensor.name + "' of type " +
                    std::string(storageTypeName(tensor.type)) +
                    " cannot have the shape " + shapeText(tensor.shape));
    tensor.bytes = *size;
  }

  // Offsets count from the end of the table, rounded up to the alignment.
  void placeTensors() {
    uint64_t aligned = (reader.position() + gguf.dataAlignment - 1) /
                       gguf.dataAlignment * gguf.dataAlignment;
    // The padding may be missing where there is no data.
    uint64_t start = std::min<uint64_t>(aligned, bytes.size());
    uint64_t available = bytes.size() - start;
    std::vector<const StoredTensor *> byOffset;
    for (StoredTensor &tensor : gguf.tensorList) {
      if (tensor.offset % gguf.dataAlignment != 0)
        throw damaged("the tensor '" + tensor.name + "' starts at data byte " +
                      std::to_string(tensor.offset) +
                      ", no multiple of the alignment " +
                      std::to_string(gguf.dataAlignment));
      if (tensor.offset > available || tensor.bytes > available - tensor.offset)
        throw damaged("the tensor '" + tensor.name + "' has " +
                      std::to_string(tensor.bytes) + " bytes at data byte " +
                      std::to_string(tensor.offset) + ", the file has " +
                      std::to_string(available) + " bytes of data");
      tensor.offset += start;
      byOffset.push_back(&tensor);
    }
    refuseOverlap(byOffset);
  }

  void refuseOverlap(std::vector<const StoredTensor *> &byOffset) const {
    std::sort(byOffset.begin(), byOffset.end(),
              [](const StoredTensor *a, const StoredTensor *b) {
                return std::pair(a->offset, a->bytes) <
                       std::pair(b->offset, b->bytes);
              });
    for (size_t i = 1; i < byOffset.size(); ++i)
      if (byOffset[i - 1]->offset + byOffset[i - 1]->bytes >
          byOffset[i]->offset)
        throw damaged("the tensors '" + byOffset[i - 1]->name + "' and '" +
                      byOffset[i]->name + "' overlap");
  }

  Error damaged(const std::string &what) const {
    return Error(path, what + ", the file is damaged, fetch or convert it "
                              "again");
  }

  Gguf &gguf;
  std::span<const std::byte> bytes;
  const std::string &path;
  uint32_t file;
  ByteReader reader;
  std::unordered_set<std::string> names;
};

} // namespace lori

Gguf::Gguf(std::span<const std::byte> bytes, std::string path, uint32_t file)
    : filePath(std::move(path)), content(bytes) {
  GgufReader(*this, bytes, file).read();
}
