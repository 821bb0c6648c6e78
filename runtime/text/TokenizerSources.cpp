// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/text/TokenizerSources.h"
#include "runtime/support/Error.h"
#include "runtime/support/MappedFile.h"
#include "runtime/text/GgufTokenizer.h"
#include "runtime/text/ListedTokens.h"
#include "runtime/text/SentencePiece.h"
#include "runtime/text/TokenizerJson.h"

#include <algorithm>
#include <filesystem>

using namespace lori;

namespace {

class FolderReader {
public:
  explicit FolderReader(const std::string &folder) : folder(folder) {}

  TextSources run();

private:
  std::string path(std::string_view name) const {
    return (std::filesystem::path(folder) / name).string();
  }
  bool has(std::string_view name) const {
    return std::filesystem::exists(path(name));
  }
  std::optional<std::string> readToken(std::string_view key) const;
  void readSpec();
  void readModel();
  std::optional<int32_t> idOf(const std::optional<std::string> &token) const;
  void setEnds();
  void readTemplate();

  const std::string &folder;
  JsonValue config, specials;
  std::optional<TokenizerSpec> spec;
  std::optional<std::string> bosToken, eosToken;
  TextSources sources;
};

} // namespace

// A token is written as "<s>" or as {"content": "<s>", ...}.
static std::optional<std::string> tokenText(const JsonValue *value) {
  if (value && value->object())
    value = value->find("content");
  if (!value || !value->text())
    return std::nullopt;
  return *value->text();
}

std::optional<std::string> FolderReader::readToken(std::string_view key) const {
  std::optional<std::string> token = tokenText(config.find(key));
  return token ? token : tokenText(specials.find(key));
}

void FolderReader::readSpec() {
  if (has("tokenizer.json")) {
    std::string file = path("tokenizer.json");
    spec = readTokenizerJson(parseJsonFile(file), file);
  } else if (has("tokenizer.model")) {
    readModel();
  }
}

void FolderReader::readModel() {
  std::string file = path("tokenizer.model");
  MappedFile model(file);
  spec = readSentencePieceModel(model.bytes(), file);
  // Llama's tokenizers add it, unless the configuration says otherwise.
  spec->addBos = spec->bos.has_value();
  if (const JsonValue *list = config.find("added_tokens_decoder")) {
    addDecoderTokens(*list, path("tokenizer_config.json"), *spec);
  } else if (has("added_tokens.json")) {
    std::string added = path("added_tokens.json");
    addListedTokens(parseJsonFile(added), added, *spec);
  }
}

std::optional<int32_t>
FolderReader::idOf(const std::optional<std::string> &token) const {
  if (!token)
    return std::nullopt;
  for (const AddedTokenSpec &added : spec->added)
    if (spec->tokens[static_cast<size_t>(added.id)].text == *token)
      return added.id;
  for (size_t id = 0; id < spec->tokens.size(); ++id)
    if (spec->tokens[id].exists && spec->tokens[id].text == *token)
      return static_cast<int32_t>(id);
  return std::nullopt;
}

void FolderReader::setEnds() {
  std::optional<int32_t> bos = idOf(bosToken), eos = idOf(eosToken);
  if (bos && !spec->addBos) // what a post-processor adds is as it names it
    spec->bos = bos;
  const JsonValue *add = config.find("add_bos_token");
  if (add && add->boolean())
    spec->addBos = *add->boolean() && spec->bos;
  if (eos &&
      std::find(spec->eos.begin(), spec->eos.end(), *eos) == spec->eos.end())
    spec->eos.push_back(*eos);
}

// One template, or a list of named ones of which `default` counts.
static std::optional<std::string> chatTemplateOf(const JsonValue &value,
                                                 const std::string &file) {
  if (value.isNull())
    return std::nullopt;
  if (value.text())
    return *value.text();
  if (!value.array())
    throw Error(file, "has " + std::string(value.kindName()) +
                          " as 'chat_template' instead of a string");
  for (const JsonValue &entry : *value.array()) {
    const JsonValue *name = entry.find("name");
    const JsonValue *text = entry.find("template");
    if (name && text && name->text() && text->text() &&
        *name->text() == "default")
      return *text->text();
  }
  return std::nullopt;
}

void FolderReader::readTemplate() {
  if (has("chat_template.jinja")) {
    MappedFile file(path("chat_template.jinja"));
    sources.chatTemplate =
        std::string(reinterpret_cast<const char *>(file.bytes().data()),
                    file.bytes().size());
  } else if (const JsonValue *value = config.find("chat_template")) {
    sources.chatTemplate =
        chatTemplateOf(*value, path("tokenizer_config.json"));
  }
}

TextSources FolderReader::run() {
  if (has("tokenizer_config.json"))
    config = parseJsonFile(path("tokenizer_config.json"));
  if (has("special_tokens_map.json"))
    specials = parseJsonFile(path("special_tokens_map.json"));
  bosToken = readToken("bos_token");
  eosToken = readToken("eos_token");
  readSpec();
  if (spec) {
    setEnds();
    sources.tokenizer = buildTokenizer(*spec);
  }
  readTemplate();
  sources.bosToken = bosToken.value_or("");
  sources.eosToken = eosToken.value_or("");
  return std::move(sources);
}

TextSources lori::readTextFolder(const std::string &folder) {
  return FolderReader(folder).run();
}

TextSources lori::readTextMetadata(const Gguf &gguf) {
  TextSources sources;
  if (auto text = gguf.getText("tokenizer.chat_template"))
    sources.chatTemplate = std::string(*text);
  std::optional<TokenizerSpec> spec = readGgufTokenizer(gguf);
  if (!spec)
    return sources;
  auto textOf = [&](std::optional<int32_t> id) {
    return id ? spec->tokens[static_cast<size_t>(*id)].text : std::string();
  };
  sources.tokenizer = buildTokenizer(*spec);
  sources.bosToken = textOf(spec->bos);
  if (!spec->eos.empty())
    sources.eosToken = textOf(spec->eos.front());
  return sources;
}

TextSources lori::readTextSources(const Checkpoint &checkpoint) {
  return checkpoint.gguf() ? readTextMetadata(*checkpoint.gguf())
                           : readTextFolder(checkpoint.path());
}
