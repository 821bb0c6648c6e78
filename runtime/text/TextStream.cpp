// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/text/TextStream.h"

#include <algorithm>

using namespace lori;

/// Returns how many bytes at the end of `text` may be the start of a character.
static size_t openCharacter(std::string_view text) {
  for (size_t back = 1; back <= 3 && back <= text.size(); ++back) {
    auto byte = static_cast<unsigned char>(text[text.size() - back]);
    if ((byte & 0xC0) == 0x80)
      continue;
    size_t length = byte >= 0xF0 ? 4 : byte >= 0xE0 ? 3 : byte >= 0xC0 ? 2 : 1;
    return length > back ? back : 0;
  }
  return 0;
}

/// Whether the last bytes that `id` stands for leave a character open.
static bool endsWithin(const Tokenizer &tokenizer,
                       std::span<const int32_t> ids) {
  std::string tail;
  for (size_t i = ids.size(); i-- > 0 && tail.size() < 4;)
    tail.insert(0, tokenizer.tokenBytes(ids[i]));
  return openCharacter(tail) != 0;
}

std::string TextStream::release(size_t held) {
  // A stop string ends the text where it begins.
  size_t stop = std::string::npos;
  for (const std::string &candidate : stops)
    if (!candidate.empty())
      stop = std::min(stop, pending.find(candidate));
  if (stop != std::string::npos) {
    isStopped = true;
    std::string piece = pending.substr(0, stop);
    pending.clear();
    return piece;
  }
  size_t certain = pending.size() - std::min(held, pending.size());
  std::string piece = pending.substr(0, certain);
  pending.erase(0, certain);
  return piece;
}

std::string TextStream::add(int32_t id) {
  if (isStopped)
    return {};
  ids.push_back(id);
  // The decoder sees all ids, since the text of one may depend on its
  // neighbours; a window of them, once the text is out, keeps this linear.
  if (endsWithin(tokenizer, ids))
    return {};
  std::string text = tokenizer.decode(ids, /*skipSpecial=*/true);
  if (text.size() > emitted)
    pending.append(text, emitted);
  emitted = text.size();
  if (ids.size() > 64) {
    ids.erase(ids.begin(), ids.end() - 16);
    emitted = tokenizer.decode(ids, /*skipSpecial=*/true).size();
  }
  // Hold back the longest end that a stop string may continue.
  size_t held = 0;
  for (const std::string &stop : stops)
    for (size_t length = std::min(stop.size(), pending.size()); length > held;
         --length)
      if (std::string_view(pending).ends_with(
              std::string_view(stop).substr(0, length)))
        held = length;
  return release(held);
}

std::string TextStream::finish() {
  if (isStopped)
    return {};
  std::string text = tokenizer.decode(ids, /*skipSpecial=*/true);
  if (text.size() > emitted)
    pending.append(text, emitted);
  emitted = text.size();
  return release(0);
}
