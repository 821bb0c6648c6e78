// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/text/TokenizerJson.h"
#include "runtime/support/Error.h"
#include "runtime/text/ByteAlphabet.h"
#include "runtime/text/TextSteps.h"
#include "runtime/text/Unicode.h"

#include <unordered_map>

using namespace lori;

namespace {

class ModelReader {
public:
  ModelReader(const JsonMembers &members, TokenizerSpec &spec)
      : members(members), spec(spec) {}

  void read();
  /// The tokens as the file writes them, by id.
  std::vector<std::string> content;

private:
  void readVocabulary();
  void readMerges();
  std::pair<std::string, std::string> mergeParts(const JsonValue &merge) const;
  uint32_t idOf(const std::string &token, std::string_view role) const;
  void readBytes();

  const JsonMembers &members;
  TokenizerSpec &spec;
  std::unordered_map<std::string_view, uint32_t> ids;
};

} // namespace

// Ids with holes cost memory, so that the highest must be in proportion to the
// number of tokens.
static size_t highestId(size_t count) { return count * 8 + 65536; }

static size_t checkedId(int64_t id, size_t count, const JsonMembers &members) {
  if (id < 0 || static_cast<uint64_t>(id) > highestId(count))
    members.fail("has the id " + std::to_string(id) + ", which " +
                 std::to_string(count) + " tokens do not reach");
  return static_cast<size_t>(id);
}

void ModelReader::readVocabulary() {
  const JsonValue::Object &vocabulary = members.object("vocab");
  for (const auto &[text, value] : vocabulary) {
    std::optional<int64_t> number = value.integer();
    if (!number)
      members.fail("has " + std::string(value.kindName()) + " as the id of '" +
                   text + "' instead of an integer");
    size_t id = checkedId(*number, vocabulary.size(), members);
    if (id >= content.size()) {
      content.resize(id + 1);
      spec.tokens.resize(id + 1);
    }
    if (spec.tokens[id].exists)
      members.fail("gives the id " + std::to_string(id) + " to '" + text +
                   "' and to '" + content[id] + "'");
    spec.tokens[id].exists = true;
    content[id] = text;
    ids.emplace(text, static_cast<uint32_t>(id));
  }
}

uint32_t ModelReader::idOf(const std::string &token,
                           std::string_view role) const {
  auto found = ids.find(token);
  if (found == ids.end())
    members.fail("has '" + token + "' as " + std::string(role) +
                 ", which is not in its vocabulary");
  return found->second;
}

std::pair<std::string, std::string>
ModelReader::mergeParts(const JsonValue &merge) const {
  if (const JsonValue::Array *pair = merge.array())
    if (pair->size() == 2 && (*pair)[0].text() && (*pair)[1].text())
      return {*(*pair)[0].text(), *(*pair)[1].text()};
  if (const std::string *text = merge.text()) {
    size_t space = text->find(' ');
    if (space != std::string::npos &&
        text->find(' ', space + 1) == std::string::npos)
      return {text->substr(0, space), text->substr(space + 1)};
  }
  members.fail("has the merge " + merge.excerpt() +
               " instead of two tokens, as \"a b\" or [\"a\", \"b\"]");
}

void ModelReader::readMerges() {
  const JsonValue::Array &merges = members.array("merges");
  // Of a merge that is there twice the last place counts.
  std::unordered_map<uint64_t, size_t> seen;
  for (const JsonValue &merge : merges) {
    auto [left, right] = mergeParts(merge);
    MergeSpec entry;
    entry.left = idOf(left, "part of a merge");
    entry.right = idOf(right, "part of a merge");
    entry.result = idOf(left + right, "result of a merge");
    entry.rank = static_cast<uint32_t>(&merge - merges.data());
    uint64_t key = static_cast<uint64_t>(entry.left) << 32 | entry.right;
    auto [place, isNew] = seen.try_emplace(key, spec.merges.size());
    if (isNew)
      spec.merges.push_back(entry);
    else
      spec.merges[place->second] = entry;
  }
}

// Byte-level models see the bytes themselves; the others have tokens "<0x0A>"
// for the bytes of characters that they do not know.
void ModelReader::readBytes() {
  bool fallback = members.boolean("byte_fallback", false);
  for (unsigned byte = 0; byte < 256; ++byte) {
    std::string name;
    if (spec.byteLevel)
      appendUtf8(name, alphabetCharacter(static_cast<unsigned char>(byte)));
    else if (fallback)
      name = std::string("<0x") + "0123456789ABCDEF"[byte / 16] +
             "0123456789ABCDEF"[byte % 16] + ">";
    else
      break;
    auto found = ids.find(name);
    if (found != ids.end())
      spec.byteTokens[byte] = static_cast<int32_t>(found->second);
    else if (spec.byteLevel && fallback)
      members.fail("has byte_fallback, but no token '" + name + "'");
  }
}

void ModelReader::read() {
  for (const char *key : {"continuing_subword_prefix", "end_of_word_suffix"})
    if (members.find(key) && !members.text(key).empty())
      members.fail("has the " + std::string(key) + " '" + members.text(key) +
                   "', which is not supported");
  if (const JsonValue *dropout = members.find("dropout"))
    if (dropout->number() != 0.0)
      members.fail("has a dropout, which is for training; set it to null");
  readVocabulary();
  readMerges();
  spec.ignoreMerges = members.boolean("ignore_merges", false);
  spec.fuseUnknown = members.boolean("fuse_unk", false);
  if (members.find("unk_token"))
    spec.unknown =
        static_cast<int32_t>(idOf(members.text("unk_token"), "unk_token"));
  readBytes();
  for (size_t id = 0; id < content.size(); ++id) {
    TokenSpec &token = spec.tokens[id];
    token.inModel = token.exists;
    token.text = content[id];
    if (!spec.byteLevel)
      continue;
    std::optional<std::string> bytes = bytesOfAlphabet(content[id]);
    token.inModel = token.exists && bytes.has_value();
    if (bytes)
      token.text = *bytes;
  }
}

static void readAddedToken(const JsonValue &json, size_t count,
                           const Normalizer &normalizer, RegexScratch &scratch,
                           TokenizerSpec &spec,
                           std::vector<std::string> &content) {
  JsonMembers members(json, spec.file, "added_tokens");
  AddedTokenSpec added;
  added.content = members.text("content");
  size_t id = checkedId(members.integer("id"), count, members);
  if (id >= content.size()) {
    content.resize(id + 1);
    spec.tokens.resize(id + 1);
  }
  TokenSpec &token = spec.tokens[id];
  if (token.exists && content[id] != added.content)
    members.fail("gives the id " + std::to_string(id) + " to '" +
                 added.content + "', but it is that of '" + content[id] + "'");
  added.id = static_cast<int32_t>(id);
  added.special = members.boolean("special", false);
  added.normalized = members.boolean("normalized", !added.special);
  added.singleWord = members.boolean("single_word", false);
  added.stripLeft = members.boolean("lstrip", false);
  added.stripRight = members.boolean("rstrip", false);
  if (!token.exists)
    token.text = added.content;
  token.exists = true;
  token.special = added.special;
  content[id] = added.content;
  if (added.normalized) {
    try {
      added.content = normalizer.apply(added.content, scratch);
    } catch (const Error &error) {
      members.fail("has '" + shortText(added.content) + "': " + error.what());
    }
    // The decoder takes back what the normalizer did.
    content[id] = added.content;
  }
  spec.added.push_back(std::move(added));
}

// Some files list a token twice.
static bool isRepeated(const JsonValue::Array &list, const JsonValue &entry,
                       std::unordered_map<std::string, size_t> &seen) {
  const JsonValue *content = entry.find("content"), *id = entry.find("id");
  if (!content || !content->text() || !id || !id->integer())
    return false;
  auto index = static_cast<size_t>(&entry - list.data());
  auto [first, isNew] = seen.try_emplace(*content->text(), index);
  return !isNew && list[first->second].find("id")->integer() == id->integer();
}

static void readAddedTokens(const JsonValue *json, TokenizerSpec &spec,
                            std::vector<std::string> &content) {
  if (!json || json->isNull())
    return;
  if (!json->array())
    throw Error(spec.file, "'added_tokens' is " +
                               std::string(json->kindName()) +
                               " instead of an array");
  Normalizer normalizer(spec.normalizer);
  RegexScratch scratch;
  std::unordered_map<std::string, size_t> modelIds;
  for (size_t id = 0; id < content.size(); ++id)
    if (spec.tokens[id].exists)
      modelIds.emplace(content[id], id);
  size_t count = content.size() + json->array()->size();
  std::unordered_map<std::string, size_t> seen;
  for (const JsonValue &entry : *json->array()) {
    if (isRepeated(*json->array(), entry, seen))
      continue;
    readAddedToken(entry, count, normalizer, scratch, spec, content);
    const std::string &text = *entry.find("content")->text();
    auto model = modelIds.find(text);
    auto id = static_cast<size_t>(spec.added.back().id);
    if (model != modelIds.end() && model->second != id)
      throw Error(spec.file, "the added token '" + shortText(text) +
                                 "' has the id " + std::to_string(id) +
                                 ", but the model's vocabulary gives it " +
                                 std::to_string(model->second));
  }
}

static void checkVersion(const JsonMembers &members) {
  const JsonValue *version = members.find("version");
  if (version && members.text("version") != "1.0")
    members.fail("has the version '" + members.text("version") +
                 "', supported is 1.0");
}

TokenizerSpec lori::readTokenizerJson(const JsonValue &json,
                                      const std::string &file) {
  TokenizerSpec spec;
  spec.file = file;
  JsonMembers members(json, file, "the tokenizer");
  checkVersion(members);
  JsonMembers model(members.require("model"), file, "the model");
  if (model.find("type") && model.text("type") != "BPE")
    model.fail("is of type '" + model.text("type") + "', supported is BPE");
  readNormalizer(json.find("normalizer"), spec);
  readPreTokenizer(json.find("pre_tokenizer"), spec);
  ModelReader reader(model, spec);
  reader.read();
  readAddedTokens(json.find("added_tokens"), spec, reader.content);
  readDecoder(json.find("decoder"), reader.content, spec);
  readPostProcessor(json.find("post_processor"), spec);
  return spec;
}

static void readTemplate(const JsonMembers &members, TokenizerSpec &spec) {
  bool sequenceSeen = false;
  for (const JsonValue &item : members.array("single")) {
    if (item.find("Sequence")) {
      sequenceSeen = true;
      continue;
    }
    const JsonValue *special = item.find("SpecialToken");
    if (!special)
      members.fail("has " + item.excerpt() + " in 'single'");
    JsonMembers token(*special, members.file(),
                      "post_processor's SpecialToken");
    std::string name = token.text("id");
    if (sequenceSeen)
      members.fail("puts '" + name +
                   "' behind the prompt, which is not supported");
    if (spec.addBos)
      members.fail("puts more than one token before the prompt, which is not "
                   "supported");
    JsonMembers table(members.require("special_tokens"), members.file(),
                      "post_processor's special_tokens");
    JsonMembers entry(table.require(name), members.file(),
                      "post_processor's '" + name + "'");
    const JsonValue::Array &ids = entry.array("ids");
    if (ids.size() != 1 || !ids[0].integer() ||
        *ids[0].integer() != static_cast<int32_t>(*ids[0].integer()))
      entry.fail("has other than one id");
    spec.bos = static_cast<int32_t>(*ids[0].integer());
    spec.addBos = true;
  }
}

void lori::readPostProcessor(const JsonValue *json, TokenizerSpec &spec) {
  forEachComponent(json, "post_processor", "processors", spec.file,
                   [&](const std::string &type, const JsonMembers &members) {
                     if (type == "TemplateProcessing")
                       return readTemplate(members, spec);
                     // ByteLevel only moves offsets.
                     if (type != "ByteLevel")
                       members.fail("is not supported; supported are Sequence, "
                                    "TemplateProcessing and ByteLevel");
                   });
}
