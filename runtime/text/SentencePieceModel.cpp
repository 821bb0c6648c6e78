// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The fields of sentencepiece_model.proto that matter for encoding, in the
// protocol buffers wire format (protobuf.dev/programming-guides/encoding).

#include "runtime/support/Error.h"
#include "runtime/text/SentencePiece.h"

#include <cstring>

using namespace lori;

namespace {

// Walks over the fields of one message.
class ProtoReader {
public:
  ProtoReader(std::string_view bytes, const std::string &file)
      : rest(bytes), file(file) {}

  /// Goes to the next field; false at the end.
  bool next() {
    if (rest.empty())
      return false;
    uint64_t key = varint();
    number = key >> 3;
    check(number != 0 && number < (1u << 29), "a field's number");
    kind = static_cast<Kind>(key & 7);
    switch (kind) {
    case Kind::Varint:
      value = varint();
      break;
    case Kind::Fixed64:
      content = take(8);
      break;
    case Kind::Bytes:
      content = take(varint());
      break;
    case Kind::Fixed32:
      content = take(4);
      break;
    default:
      check(false, "a field's kind");
    }
    return true;
  }

  uint64_t field() const { return number; }
  std::string_view bytes() const {
    check(kind == Kind::Bytes, "a field's kind");
    return content;
  }
  uint64_t integer() const {
    check(kind == Kind::Varint, "a field's kind");
    return value;
  }
  float real() const {
    check(kind == Kind::Fixed32, "a field's kind");
    float result;
    std::memcpy(&result, content.data(), sizeof(result));
    return result;
  }
  void check(bool right, std::string_view what) const {
    if (!right)
      throw Error(file, "is not a SentencePiece model, or is damaged (" +
                            std::string(what) + " is wrong)");
  }

private:
  enum class Kind { Varint, Fixed64, Bytes, GroupStart, GroupEnd, Fixed32 };

  uint64_t varint() {
    uint64_t result = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      auto byte = static_cast<uint8_t>(take(1)[0]);
      result |= static_cast<uint64_t>(byte & 0x7F) << shift;
      if (!(byte & 0x80))
        return result;
    }
    check(false, "a number");
    return 0;
  }
  std::string_view take(uint64_t size) {
    check(size <= rest.size(), "its length");
    std::string_view taken = rest.substr(0, size);
    rest.remove_prefix(size);
    return taken;
  }

  std::string_view rest, content;
  const std::string &file;
  uint64_t number = 0, value = 0;
  Kind kind = Kind::Varint;
};

class ModelReader {
public:
  explicit ModelReader(const std::string &file) { spec.file = file; }

  TokenizerSpec run(std::string_view bytes);

private:
  void readPiece(std::string_view bytes);
  void readTrainer(std::string_view bytes);
  void readNormalizer(std::string_view bytes);
  void setEnds();

  TokenizerSpec spec;
  SentencePieceOptions options;
  std::vector<SentencePiece> pieces;
  uint64_t modelType = 1; // unigram
  int32_t bosId = 1, eosId = 2;
};

} // namespace

void ModelReader::readPiece(std::string_view bytes) {
  SentencePiece piece;
  for (ProtoReader fields(bytes, spec.file); fields.next();)
    switch (fields.field()) {
    case 1:
      piece.text = fields.bytes();
      break;
    case 2:
      piece.score = fields.real();
      break;
    case 3:
      fields.check(fields.integer() <= INT32_MAX, "a piece's type");
      piece.type = static_cast<PieceType>(fields.integer());
      break;
    }
  pieces.push_back(std::move(piece));
}

void ModelReader::readTrainer(std::string_view bytes) {
  for (ProtoReader fields(bytes, spec.file); fields.next();)
    switch (fields.field()) {
    case 3:
      modelType = fields.integer();
      break;
    case 24:
      if (fields.integer() != 0)
        throw Error(spec.file, "has treat_whitespace_as_suffix, which is not "
                               "supported");
      break;
    case 41:
      bosId = static_cast<int32_t>(fields.integer());
      break;
    case 42:
      eosId = static_cast<int32_t>(fields.integer());
      break;
    }
}

void ModelReader::readNormalizer(std::string_view bytes) {
  std::string name = "?";
  bool hasRules = false;
  for (ProtoReader fields(bytes, spec.file); fields.next();)
    switch (fields.field()) {
    case 1:
      name = fields.bytes();
      break;
    case 2:
      hasRules = !fields.bytes().empty();
      break;
    case 3:
      options.addDummyPrefix = fields.integer() != 0;
      break;
    case 4:
      options.removeExtraWhitespaces = fields.integer() != 0;
      break;
    case 5:
      options.escapeWhitespaces = fields.integer() != 0;
      break;
    }
  if (hasRules)
    throw Error(spec.file, "normalizes by '" + name +
                               "', supported is only 'identity'; add the "
                               "model's tokenizer.json");
}

// Ids below zero mean that there is no such token.
void ModelReader::setEnds() {
  auto isControl = [&](int32_t id) {
    return id >= 0 && static_cast<size_t>(id) < pieces.size() &&
           pieces[static_cast<size_t>(id)].type == PieceType::Control;
  };
  if (isControl(bosId))
    spec.bos = bosId;
  if (isControl(eosId))
    spec.eos.push_back(eosId);
}

TokenizerSpec ModelReader::run(std::string_view bytes) {
  options.removeExtraWhitespaces = true; // the format's default
  for (ProtoReader fields(bytes, spec.file); fields.next();)
    switch (fields.field()) {
    case 1:
      readPiece(fields.bytes());
      break;
    case 2:
      readTrainer(fields.bytes());
      break;
    case 3:
      readNormalizer(fields.bytes());
      break;
    }
  if (pieces.empty())
    throw Error(spec.file, "is not a SentencePiece model: it has no pieces");
  constexpr std::string_view names[] = {"?", "unigram", "BPE", "word", "char"};
  if (modelType != 2)
    throw Error(spec.file,
                "is a SentencePiece model of type " +
                    std::string(names[modelType < 5 ? modelType : 0]) +
                    ", supported is BPE; add the model's "
                    "tokenizer.json");
  fillSentencePiece(pieces, options, spec);
  setEnds();
  return std::move(spec);
}

TokenizerSpec lori::readSentencePieceModel(std::span<const std::byte> bytes,
                                           const std::string &file) {
  return ModelReader(file).run(
      {reinterpret_cast<const char *>(bytes.data()), bytes.size()});
}
