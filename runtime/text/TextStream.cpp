// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/text/TextStream.h"
#include "runtime/text/Unicode.h"

#include <algorithm>

using namespace lori;

TextStream::TextStream(const Tokenizer &tokenizer,
                       std::vector<std::string> stopStrings, bool skipSpecial)
    : detokenizer(tokenizer, skipSpecial), stops(std::move(stopStrings)) {
  std::erase(stops, "");
  for (std::string &stop : stops)
    stop = repairUtf8(stop);
}

std::string TextStream::add(int32_t id) {
  if (isStopped)
    return {};
  detokenizer.push(id, pending);
  return release(/*atEnd=*/false);
}

std::string TextStream::finish() {
  if (isStopped)
    return {};
  detokenizer.finish(pending);
  return release(/*atEnd=*/true);
}

// The length of the longest end of `text` that begins `stop`.
static size_t overlap(std::string_view text, std::string_view stop) {
  for (size_t size = std::min(text.size(), stop.size() - 1); size > 0; --size)
    if (text.ends_with(stop.substr(0, size)))
      return size;
  return 0;
}

std::string TextStream::release(bool atEnd) {
  size_t keep = pending.size(), held = 0;
  for (const std::string &stop : stops) {
    size_t at = pending.find(stop);
    if (at != std::string::npos) {
      isStopped = true;
      keep = std::min(keep, at);
    }
    held = std::max(held, overlap(pending, stop));
  }
  if (!isStopped && !atEnd)
    keep = pending.size() - held;
  std::string piece = pending.substr(0, keep);
  pending.erase(0, isStopped ? pending.size() : keep);
  return piece;
}
