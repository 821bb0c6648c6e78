// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef LORI_RUNTIME_FORMATS_CONTENTHASH_H
#define LORI_RUNTIME_FORMATS_CONTENTHASH_H

#include <cstddef>
#include <memory>
#include <span>
#include <string>

namespace lori {

/// XXH3, 128 bits, of bytes that come in pieces. Finds damage and equal
/// contents; not meant against an attacker.
class ContentHash {
public:
  ContentHash();
  ~ContentHash();

  ContentHash &add(std::span<const std::byte> bytes);
  /// 32 hexadecimal digits.
  std::string digits() const;

  static std::string of(std::span<const std::byte> bytes) {
    return ContentHash().add(bytes).digits();
  }

private:
  struct State;
  std::unique_ptr<State> state;
};

} // namespace lori

#endif // LORI_RUNTIME_FORMATS_CONTENTHASH_H
