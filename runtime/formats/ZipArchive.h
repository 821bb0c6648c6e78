// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// ZIP archives whose files are stored without compression, as torch.save makes
// them (PKWARE APPNOTE 6.3.3, without ZIP64).

#ifndef LORI_RUNTIME_FORMATS_ZIPARCHIVE_H
#define LORI_RUNTIME_FORMATS_ZIPARCHIVE_H

#include "runtime/support/NewFile.h"

#include <map>
#include <string>
#include <string_view>

namespace lori {

/// Returns the CRC-32 of ZIP (polynomial 0xEDB88320).
uint32_t crc32(std::span<const std::byte> bytes);

/// Where the files of an archive lie in it, by name. Throws Error on anything
/// malformed: extents outside of the archive or overlapping, two files of one
/// name, compression, encryption, checksums that do not fit. `path` names the
/// archive.
std::map<std::string, std::span<const std::byte>>
readZipArchive(std::span<const std::byte> archive, const std::string &path);

/// Writes an archive as a stream; contents begin at multiples of 64.
class ZipWriter {
public:
  explicit ZipWriter(NewFile &file) : file(file) {}

  /// Throws Error where the archive would pass 4 GB.
  void add(const std::string &name, std::span<const std::byte> content);
  void finish();

private:
  NewFile &file;
  std::string directory;
  uint16_t count = 0;
};

} // namespace lori

#endif // LORI_RUNTIME_FORMATS_ZIPARCHIVE_H
