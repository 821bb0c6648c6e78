// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "tools/adapter/PeftVersion.h"

#include <charconv>

using namespace lori;

std::optional<PeftVersion> PeftVersion::parse(std::string_view text) {
  int parts[3] = {0, 0, 0};
  const char *at = text.data(), *end = text.data() + text.size();
  for (int i = 0; i < 3; ++i) {
    auto parsed = std::from_chars(at, end, parts[i]);
    if (parsed.ec != std::errc() || parts[i] < 0 || parts[i] > 9999)
      return std::nullopt;
    at = parsed.ptr;
    if (at == end) {
      PeftVersion version(parts[0], parts[1]);
      return i == 0 || version.isBefore(7) ? std::nullopt
                                           : std::optional(version);
    }
    if (*at++ != '.')
      return std::nullopt;
  }
  return std::nullopt;
}

std::string PeftVersion::text() const {
  return std::to_string(major) + "." + std::to_string(minor);
}
