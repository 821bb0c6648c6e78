// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/formats/Safetensors.h"
#include "runtime/formats/ByteReader.h"
#include "runtime/formats/Json.h"

#include <algorithm>

using namespace lori;

// The upstream limit, too.
static constexpr uint64_t maxHeaderBytes = 100'000'000;

/// Bits per entry of the types that StorageType lacks; their extents are
/// checked like those of the others.
static std::optional<int64_t> bitsOfOtherType(std::string_view name) {
  constexpr std::pair<std::string_view, int64_t> table[] = {
      {"U16", 16},    {"U32", 32},    {"U64", 64},    {"C64", 64},
      {"F8_E5M2", 8}, {"F8_E4M3", 8}, {"F8_E8M0", 8}, {"F8_E4M3FNUZ", 8},
      {"F4", 4},      {"F6_E2M3", 6}, {"F6_E3M2", 6}, {"F8_E5M2FNUZ", 8},
      {"I4", 4},      {"U4", 4},
  };
  for (auto [known, bits] : table)
    if (known == name)
      return bits;
  return std::nullopt;
}

namespace {

/// Where a tensor of any type lies, for the check of the whole.
struct Extent {
  uint64_t begin, end;
  const std::string *name;
};

class HeaderReader {
public:
  HeaderReader(std::span<const std::byte> bytes, std::string_view path,
               uint32_t file)
      : bytes(bytes), path(path), file(file) {}

  SafetensorsHeader read() {
    parseText();
    const JsonValue::Object *members = root.object();
    if (!members)
      throw Error(path, "has a header that is not a JSON object, it is no "
                        "safetensors file");
    for (const auto &[name, value] : *members)
      name == "__metadata__" ? readMetadata(value) : readTensor(name, value);
    checkCoverage();
    std::sort(header.tensors.begin(), header.tensors.end(),
              [](const StoredTensor &a, const StoredTensor &b) {
                return std::pair(a.offset, a.bytes) <
                       std::pair(b.offset, b.bytes);
              });
    return std::move(header);
  }

private:
  void parseText() {
    if (bytes.size() < 8)
      throw Error(path, "has " + std::to_string(bytes.size()) +
                            " bytes, too few for a safetensors file, fetch it "
                            "again");
    ByteReader reader(bytes, path);
    auto length = reader.read<uint64_t>();
    if (length > maxHeaderBytes)
      throw Error(path, "announces a header of " + std::to_string(length) +
                            " bytes (at most 100000000 are allowed), it is no "
                            "safetensors file or damaged");
    root = parseJson(reader.readText(length), path, "header");
    dataStart = reader.position();
  }

  void readMetadata(const JsonValue &value) {
    const JsonValue::Object *entries = value.object();
    if (!entries)
      throw Error(path, "has a __metadata__ that is no JSON object, the file "
                        "is damaged");
    for (const auto &[key, entry] : *entries) {
      if (!entry.text())
        throw Error(path, "has a __metadata__ entry '" + key +
                              "' that is no string, the file is damaged");
      header.metadata.emplace_back(key, *entry.text());
    }
  }

  void readTensor(const std::string &name, const JsonValue &value) {
    const JsonValue *type = value.find("dtype");
    const JsonValue *shape = value.find("shape");
    const JsonValue *offsets = value.find("data_offsets");
    if (!type || !type->text() || !shape || !shape->array() || !offsets ||
        !offsets->array() || offsets->array()->size() != 2)
      throw damaged(name, "lacks dtype, shape or data_offsets");
    StoredTensor tensor;
    tensor.name = name;
    for (const JsonValue &size : *shape->array())
      tensor.shape.push_back(natural(name, size));
    uint64_t begin = natural(name, offsets->array()->front());
    uint64_t end = natural(name, offsets->array()->back());
    uint64_t available = bytes.size() - dataStart;
    if (begin > end || end > available)
      throw damaged(name, "lies at data bytes " + std::to_string(begin) +
                              " to " + std::to_string(end) + ", the file has " +
                              std::to_string(available));
    checkSize(tensor, *type->text(), end - begin);
    tensor.file = file;
    tensor.offset = dataStart + begin;
    tensor.bytes = end - begin;
    extents.push_back({begin, end, &name});
    if (auto known = storageTypeByName(*type->text())) {
      tensor.type = *known;
      header.tensors.push_back(std::move(tensor));
    } else {
      header.others.emplace(name, *type->text());
    }
  }

  void checkSize(const StoredTensor &tensor, const std::string &typeName,
                 uint64_t found) const {
    auto type = storageTypeByName(typeName);
    if (type && blockEntries(*type) != 1)
      type.reset(); // ggml's block types have no place in this format
    std::optional<int64_t> bits =
        type ? blockBytes(*type) * 8 : bitsOfOtherType(typeName);
    if (!bits)
      throw damaged(tensor.name, "has the unknown dtype " + typeName);
    auto entries = entryCount(tensor.shape);
    int64_t total;
    if (!entries || __builtin_mul_overflow(*entries, *bits, &total) ||
        total % 8 != 0 || static_cast<uint64_t>(total / 8) != found)
      throw damaged(tensor.name, "of type " + typeName + " and shape " +
                                     shapeText(tensor.shape) + " has " +
                                     std::to_string(found) + " bytes");
  }

  // As upstream: by offset, each tensor begins where the last one ended, and
  // the last one ends with the file.
  void checkCoverage() {
    std::sort(extents.begin(), extents.end(),
              [](const Extent &a, const Extent &b) {
                return std::pair(a.begin, a.end) < std::pair(b.begin, b.end);
              });
    uint64_t at = 0;
    for (const Extent &extent : extents) {
      if (extent.begin != at)
        throw damaged(
            *extent.name,
            std::string(extent.begin < at ? "overlaps the tensor "
                                            "before it"
                                          : "leaves a gap before it") +
                " (starts at data byte " + std::to_string(extent.begin) +
                ", expected " + std::to_string(at) + ")");
      at = extent.end;
    }
    if (at != bytes.size() - dataStart)
      throw Error(path, "has " + std::to_string(bytes.size() - dataStart) +
                            " bytes of data, its tensors make up " +
                            std::to_string(at) +
                            ", the file is damaged, fetch it again");
  }

  uint64_t natural(const std::string &name, const JsonValue &value) const {
    auto number = value.integer();
    if (!number || *number < 0)
      throw damaged(name, "has " + value.excerpt() +
                              " where a natural number belongs");
    return static_cast<uint64_t>(*number);
  }

  Error damaged(const std::string &name, const std::string &what) const {
    return Error(path, "tensor '" + name + "' " + what +
                           ", the file is damaged, fetch it again");
  }

  std::span<const std::byte> bytes;
  std::string_view path;
  uint32_t file;
  uint64_t dataStart = 0;
  JsonValue root;
  SafetensorsHeader header;
  std::vector<Extent> extents;
};

} // namespace

const std::string *SafetensorsHeader::findMetadata(std::string_view key) const {
  for (const auto &[name, value] : metadata)
    if (name == key)
      return &value;
  return nullptr;
}

SafetensorsHeader lori::readSafetensorsHeader(std::span<const std::byte> bytes,
                                              std::string_view path,
                                              uint32_t file) {
  return HeaderReader(bytes, path, file).read();
}

SafetensorsFile::SafetensorsFile(const std::string &path)
    : mapped(path), content(readSafetensorsHeader(mapped.bytes(), path)) {
  for (const StoredTensor &tensor : content.tensors)
    byName.emplace(tensor.name, &tensor);
}

const StoredTensor *SafetensorsFile::find(std::string_view name) const {
  auto found = byName.find(name);
  if (found != byName.end())
    return found->second;
  auto other = content.others.find(std::string(name));
  if (other != content.others.end())
    throw Error(path(), "tensor '" + other->first +
                            "' has the unsupported type " + other->second +
                            ", convert it to F32, F16 or BF16");
  return nullptr;
}

const StoredTensor &SafetensorsFile::get(std::string_view name) const {
  if (const StoredTensor *tensor = find(name))
    return *tensor;
  throw Error(path(), "lacks the tensor '" + std::string(name) + "'");
}
