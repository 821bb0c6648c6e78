// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/formats/ZipArchive.h"
#include "runtime/support/Error.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <vector>

using namespace lori;

static constexpr uint32_t localMark = 0x04034B50, entryMark = 0x02014B50,
                          endMark = 0x06054B50;
static constexpr size_t localSize = 30, entrySize = 46, endSize = 22;
static constexpr size_t contentAlignment = 64;

static constexpr std::array<uint32_t, 256> makeCrcTable() {
  std::array<uint32_t, 256> table{};
  for (uint32_t i = 0; i < 256; ++i) {
    uint32_t value = i;
    for (int bit = 0; bit < 8; ++bit)
      value = (value >> 1) ^ (value & 1 ? 0xEDB88320 : 0);
    table[i] = value;
  }
  return table;
}

uint32_t lori::crc32(std::span<const std::byte> bytes) {
  static constexpr std::array<uint32_t, 256> table = makeCrcTable();
  uint32_t value = 0xFFFFFFFF;
  for (std::byte byte : bytes)
    value = (value >> 8) ^ table[(value ^ static_cast<uint32_t>(byte)) & 0xFF];
  return ~value;
}

namespace {

class ZipReader {
public:
  ZipReader(std::span<const std::byte> archive, const std::string &path)
      : archive(archive), path(path) {}

  std::map<std::string, std::span<const std::byte>> read() {
    size_t end = findEnd();
    auto entries = number<uint16_t>(end + 10);
    size_t at = number<uint32_t>(end + 16);
    if (entries == 0xFFFF || at == 0xFFFFFFFF)
      throw damaged("is a ZIP64 archive, which is not read");
    for (uint16_t i = 0; i < entries; ++i)
      at = readEntry(at);
    checkOverlaps();
    return std::move(files);
  }

private:
  // The end record may be followed by a comment; torch writes none.
  size_t findEnd() const {
    if (archive.size() >= endSize)
      for (size_t back = endSize;
           back <= std::min(archive.size(), endSize + 0xFFFF); ++back)
        if (size_t at = archive.size() - back;
            number<uint32_t>(at) == endMark &&
            number<uint16_t>(at + 20) == back - endSize)
          return at;
    throw damaged("is no ZIP archive, as torch.save writes");
  }

  size_t readEntry(size_t at) {
    need(at, entrySize);
    if (number<uint32_t>(at) != entryMark)
      throw damaged("has a directory entry without its mark");
    auto flags = number<uint16_t>(at + 8), method = number<uint16_t>(at + 10);
    auto crc = number<uint32_t>(at + 16);
    size_t stored = number<uint32_t>(at + 20), size = number<uint32_t>(at + 24);
    size_t nameSize = number<uint16_t>(at + 28);
    size_t next = at + entrySize + nameSize + number<uint16_t>(at + 30) +
                  number<uint16_t>(at + 32);
    need(at + entrySize, nameSize);
    std::string name(
        reinterpret_cast<const char *>(archive.data() + at + entrySize),
        nameSize);
    if (method != 0 || (flags & 1) != 0 || stored != size)
      throw damaged("holds the file '" + name +
                    "' compressed or encrypted, torch.save stores them as "
                    "they are");
    auto content = contentOf(number<uint32_t>(at + 42), size);
    if (crc32(content) != crc)
      throw damaged("holds the file '" + name +
                    "' with other bytes than its checksum says");
    if (!files.emplace(name, content).second)
      throw damaged("holds two files '" + name + "'");
    return next;
  }

  std::span<const std::byte> contentOf(size_t local, size_t size) const {
    need(local, localSize);
    if (number<uint32_t>(local) != localMark)
      throw damaged("has a file without its mark");
    size_t start = local + localSize + number<uint16_t>(local + 26) +
                   number<uint16_t>(local + 28);
    need(start, size);
    return archive.subspan(start, size);
  }

  /// Files that share bytes would make a small archive large.
  void checkOverlaps() const {
    std::vector<std::span<const std::byte>> spans;
    for (const auto &[name, content] : files)
      if (!content.empty())
        spans.push_back(content);
    std::ranges::sort(spans, {}, [](auto span) { return span.data(); });
    for (size_t i = 1; i < spans.size(); ++i)
      if (spans[i - 1].data() + spans[i - 1].size() > spans[i].data())
        throw damaged("holds files that overlap");
  }

  void need(size_t at, size_t size) const {
    if (at > archive.size() || size > archive.size() - at)
      throw damaged("ends inside one of its files");
  }

  template <typename T> T number(size_t at) const {
    need(at, sizeof(T));
    T value;
    std::memcpy(&value, archive.data() + at, sizeof(T));
    return value;
  }

  Error damaged(const std::string &what) const {
    return Error(path, what + ", fetch or save the file again");
  }

  std::span<const std::byte> archive;
  const std::string &path;
  std::map<std::string, std::span<const std::byte>> files;
};

} // namespace

std::map<std::string, std::span<const std::byte>>
lori::readZipArchive(std::span<const std::byte> archive,
                     const std::string &path) {
  return ZipReader(archive, path).read();
}

template <typename... Ts> static void put(std::string &out, Ts... values) {
  (out.append(reinterpret_cast<const char *>(&values), sizeof(values)), ...);
}

void ZipWriter::add(const std::string &name,
                    std::span<const std::byte> content) {
  size_t at = file.size();
  if (at + content.size() > 0xFFFFFFF0 - (1 << 20) || count == 0xFFFE)
    throw Error(file.finalPath(), "would be larger than the 4 GB of a ZIP "
                                  "archive, write .safetensors instead");
  uint16_t nothing = 0, version = 20;
  auto size = static_cast<uint32_t>(content.size());
  uint32_t crc = crc32(content);
  size_t start = at + localSize + name.size() + 4;
  auto padding =
      static_cast<uint16_t>((contentAlignment - start) % contentAlignment);
  std::string local;
  put(local, localMark, version, nothing, nothing, uint32_t(0), crc, size, size,
      static_cast<uint16_t>(name.size()), static_cast<uint16_t>(padding + 4));
  local += name;
  local += "FB"; // torch's padding field
  put(local, padding);
  local.append(padding, 'Z');
  file.write(local);
  file.write(content);
  put(directory, entryMark, version, version, nothing, nothing, uint32_t(0),
      crc, size, size, static_cast<uint16_t>(name.size()), nothing, nothing,
      nothing, nothing, uint32_t(0), static_cast<uint32_t>(at));
  directory += name;
  ++count;
}

void ZipWriter::finish() {
  auto at = static_cast<uint32_t>(file.size());
  file.write(directory);
  std::string end;
  put(end, endMark, uint16_t(0), uint16_t(0), count, count,
      static_cast<uint32_t>(directory.size()), at, uint16_t(0));
  file.write(end);
}
