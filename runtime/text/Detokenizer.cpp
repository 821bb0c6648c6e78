// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/text/Detokenizer.h"
#include "runtime/text/TokenizerData.h"
#include "runtime/text/Unicode.h"

using namespace lori;

Detokenizer::Detokenizer(const Tokenizer &tokenizer, bool skipSpecial)
    : data(tokenizer.data), skipSpecial(skipSpecial),
      leftToStrip(data->blob.header->stripStart) {
  appendUtf8(character, data->blob.header->stripCharacter);
}

static ByteDecoding decodingOf(const BlobView &blob) {
  return static_cast<ByteDecoding>(blob.header->byteDecoding);
}

// The bytes a token stands for at this place.
std::string_view Detokenizer::bytesOf(uint32_t symbol,
                                      std::string &buffer) const {
  const BlobView &blob = data->blob;
  char32_t dropped = blob.header->firstTokenDrops;
  if (!first || dropped == 0)
    return blob.shown(symbol);
  std::string_view text = blob.text(symbol);
  for (size_t at = 0; at < text.size();) {
    Utf8Char next = decodeUtf8(text, at);
    if (next.codePoint != dropped)
      buffer += text.substr(at, next.size);
    at += next.size;
  }
  return buffer;
}

void Detokenizer::push(int32_t id, std::string &out) {
  const BlobView &blob = data->blob;
  if (!data->isToken(id))
    return;
  auto symbol = static_cast<uint32_t>(id);
  uint16_t flags = blob.symbols[symbol].flags;
  if (!(flags & SymbolExists))
    return;
  if (skipSpecial && (flags & SymbolSpecial)) {
    // Left out, it still ends a run of bytes for SentencePiece.
    if (decodingOf(blob) == ByteDecoding::Characters)
      flushRun(out);
    return;
  }
  std::string buffer;
  std::string_view bytes = bytesOf(symbol, buffer);
  if (blob.has(BlobJoinWithSpaces) && !first)
    strip(" ", out);
  first = false;
  if (decodingOf(blob) == ByteDecoding::Whole) {
    pending += bytes;
    flushWhole(false, out);
  } else if (flags & SymbolIsByte) {
    pending += bytes;
  } else {
    flushRun(out);
    strip(repairUtf8(bytes), out);
  }
}

void Detokenizer::finish(std::string &out) {
  if (decodingOf(data->blob) == ByteDecoding::Whole)
    flushWhole(true, out);
  else
    flushRun(out);
}

void Detokenizer::flushWhole(bool atEnd, std::string &out) {
  size_t size = atEnd ? pending.size() : completePrefix(pending);
  strip(repairUtf8(std::string_view(pending).substr(0, size)), out);
  pending.erase(0, size);
}

void Detokenizer::flushRun(std::string &out) {
  if (pending.empty())
    return;
  std::string text;
  // SentencePiece takes no space off that is written as a byte.
  if (decodingOf(data->blob) == ByteDecoding::Characters)
    leftToStrip = 0;
  if (isUtf8(pending)) {
    text = pending;
  } else if (decodingOf(data->blob) == ByteDecoding::Runs) {
    for (size_t i = 0; i < pending.size(); ++i)
      text += replacementUtf8;
  } else {
    for (size_t at = 0; at < pending.size();) {
      Utf8Char next = decodeUtf8(pending, at);
      size_t size = next.valid ? next.size : 1;
      text += next.valid ? std::string_view(pending).substr(at, size)
                         : replacementUtf8;
      at += size;
    }
  }
  pending.clear();
  strip(text, out);
}

// Takes the strip character off both ends of the whole text.
void Detokenizer::strip(std::string_view text, std::string &out) {
  const BlobHeader &header = *data->blob.header;
  for (; leftToStrip > 0 && !text.empty(); --leftToStrip) {
    if (!text.starts_with(character)) {
      leftToStrip = 0;
      break;
    }
    text.remove_prefix(character.size());
  }
  if (header.stripStop == 0) {
    out += text;
    return;
  }
  uint32_t atEnd = 0;
  std::string_view body = text;
  while (body.ends_with(character)) {
    body.remove_suffix(character.size());
    ++atEnd;
  }
  uint64_t run = body.empty() ? uint64_t(held) + atEnd : atEnd;
  uint64_t keep = std::min<uint64_t>(run, header.stripStop);
  uint64_t before = body.empty() ? run - keep : held;
  for (uint64_t i = 0; i < before; ++i)
    out += character;
  out += body;
  for (uint64_t i = 0; !body.empty() && i < run - keep; ++i)
    out += character;
  held = static_cast<uint32_t>(keep);
}
