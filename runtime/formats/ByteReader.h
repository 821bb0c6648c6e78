// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef LORI_RUNTIME_FORMATS_BYTEREADER_H
#define LORI_RUNTIME_FORMATS_BYTEREADER_H

#include "runtime/support/Error.h"

#include <bit>
#include <cstddef>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>

namespace lori {

static_assert(std::endian::native == std::endian::little,
              "the file formats are read in place");

/// Reads little-endian values one after the other; going past the end is an
/// Error that names the file.
class ByteReader {
public:
  ByteReader(std::span<const std::byte> bytes, std::string_view path)
      : bytes(bytes), path(path) {}

  size_t position() const { return at; }
  size_t remaining() const { return bytes.size() - at; }

  std::span<const std::byte> take(uint64_t size) {
    if (size > remaining())
      throw Error(path, "ends at byte " + std::to_string(bytes.size()) +
                            " in the middle of its header, the file is "
                            "truncated or damaged, fetch it again");
    auto taken = bytes.subspan(at, size);
    at += size;
    return taken;
  }

  template <typename T> T read() {
    static_assert(std::is_arithmetic_v<T>);
    T value;
    std::memcpy(&value, take(sizeof(T)).data(), sizeof(T));
    return value;
  }

  std::string_view readText(uint64_t size) {
    auto text = take(size);
    return {reinterpret_cast<const char *>(text.data()), text.size()};
  }

private:
  std::span<const std::byte> bytes;
  std::string_view path;
  size_t at = 0;
};

} // namespace lori

#endif // LORI_RUNTIME_FORMATS_BYTEREADER_H
