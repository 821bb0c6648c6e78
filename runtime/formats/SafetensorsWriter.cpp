// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/formats/SafetensorsWriter.h"
#include "runtime/formats/Json.h"
#include "runtime/support/Error.h"

#include <unordered_set>

using namespace lori;

// The data starts at such a multiple, so that a mapping of it can be computed
// with as it is; the format asks for 8.
static constexpr size_t dataAlignment = 64;

static std::string tensorEntry(const SafetensorsWriter::Tensor &tensor,
                               uint64_t begin, uint64_t end) {
  std::string shape;
  for (int64_t size : tensor.shape)
    shape += (shape.empty() ? "" : ",") + std::to_string(size);
  return jsonQuoted(tensor.name) + ":{\"dtype\":\"" +
         std::string(storageTypeName(tensor.type)) + "\",\"shape\":[" + shape +
         "],\"data_offsets\":[" + std::to_string(begin) + "," +
         std::to_string(end) + "]}";
}

static std::string metadataEntry(const SafetensorsWriter::Metadata &metadata) {
  std::string text;
  for (const auto &[key, value] : metadata)
    text +=
        (text.empty() ? "" : ",") + jsonQuoted(key) + ":" + jsonQuoted(value);
  return "\"__metadata__\":{" + text + "}";
}

SafetensorsWriter::SafetensorsWriter(NewFile &file,
                                     const std::vector<Tensor> &tensors,
                                     const Metadata &metadata)
    : file(file) {
  std::string header = metadata.empty() ? "" : metadataEntry(metadata);
  std::unordered_set<std::string_view> names;
  uint64_t at = 0;
  for (const Tensor &tensor : tensors) {
    auto entries = entryCount(tensor.shape);
    auto bytes = entries ? storageBytes(tensor.type, *entries) : std::nullopt;
    if (!bytes || blockEntries(tensor.type) != 1)
      throw Error(file.finalPath(),
                  "cannot hold the tensor '" + tensor.name + "' of type " +
                      std::string(storageTypeName(tensor.type)) +
                      " and shape " + shapeText(tensor.shape));
    if (!names.insert(tensor.name).second || tensor.name == "__metadata__")
      throw Error(file.finalPath(),
                  "cannot hold two tensors '" + tensor.name + "'");
    header +=
        (header.empty() ? "" : ",") + tensorEntry(tensor, at, at + *bytes);
    starts.push_back(at);
    at += *bytes;
  }
  starts.push_back(at);
  header = "{" + header + "}";
  size_t unpadded = 8 + header.size();
  size_t start = (unpadded + dataAlignment - 1) / dataAlignment * dataAlignment;
  header.append(start - unpadded, ' ');
  uint64_t length = header.size();
  file.write(std::as_bytes(std::span(&length, 1)));
  file.write(header);
  for (uint64_t &offset : starts)
    offset += start;
}

void SafetensorsWriter::append(std::span<const std::byte> bytes) {
  if (bytes.size() > size() - file.size())
    throw Error(file.finalPath(), "gets more bytes than its tensors have");
  file.write(bytes);
}

void SafetensorsWriter::finish() {
  if (file.size() != size())
    throw Error(file.finalPath(), "gets " + std::to_string(file.size()) +
                                      " bytes, its tensors make up " +
                                      std::to_string(size()));
}
