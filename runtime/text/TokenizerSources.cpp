// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/text/TokenizerSources.h"
#include "runtime/formats/Json.h"
#include "runtime/support/MappedFile.h"
#include "runtime/text/GgufTokenizer.h"
#include "runtime/text/SentencePiece.h"
#include "runtime/text/TokenizerJson.h"

#include <filesystem>

using namespace lori;
namespace fs = std::filesystem;

/// A special token of tokenizer_config.json: a text, or an object with one.
static std::string readTokenText(const JsonValue &config,
                                 std::string_view key) {
  const JsonValue *token = config.find(key);
  if (token && token->object())
    token = token->find("content");
  const std::string *text = token ? token->text() : nullptr;
  return text ? *text : std::string();
}

/// The template, or of several named ones the one called `default`.
static std::optional<std::string> readChatTemplate(const JsonValue &config) {
  const JsonValue *found = config.find("chat_template");
  if (!found)
    return std::nullopt;
  if (const std::string *text = found->text())
    return *text;
  if (const JsonValue::Array *named = found->array())
    for (const JsonValue &entry : *named) {
      const JsonValue *name = entry.find("name");
      const JsonValue *text = entry.find("template");
      if (name && text && name->text() && text->text() &&
          *name->text() == "default")
        return *text->text();
    }
  return std::nullopt;
}

static TextSources readDirectory(const fs::path &folder) {
  TextSources sources;
  std::string json = folder / "tokenizer.json";
  std::string model = folder / "tokenizer.model";
  if (fs::exists(json)) {
    sources.tokenizer =
        buildTokenizer(readTokenizerJson(parseJsonFile(json), json));
  } else if (fs::exists(model)) {
    MappedFile file(model);
    sources.tokenizer =
        buildTokenizer(readSentencePieceModel(file.bytes(), model));
  }
  std::string config = folder / "tokenizer_config.json";
  if (fs::exists(config)) {
    JsonValue values = parseJsonFile(config);
    sources.chatTemplate = readChatTemplate(values);
    sources.bosToken = readTokenText(values, "bos_token");
    sources.eosToken = readTokenText(values, "eos_token");
  }
  std::string jinja = folder / "chat_template.jinja";
  if (fs::exists(jinja)) {
    MappedFile file(jinja);
    sources.chatTemplate =
        std::string(reinterpret_cast<const char *>(file.bytes().data()),
                    file.bytes().size());
  }
  return sources;
}

static TextSources readGguf(const Gguf &gguf) {
  TextSources sources;
  if (std::optional<TokenizerSpec> spec = readGgufTokenizer(gguf))
    sources.tokenizer = buildTokenizer(*spec);
  if (auto text = gguf.getText("tokenizer.chat_template"))
    sources.chatTemplate = std::string(*text);
  auto tokenText = [&](std::string_view key) -> std::string {
    const GgufStrings *tokens = gguf.getStrings("tokenizer.ggml.tokens");
    std::optional<int64_t> id = gguf.getInteger(key);
    if (!tokens || !id || *id < 0 || static_cast<size_t>(*id) >= tokens->size())
      return {};
    return std::string((*tokens)[static_cast<size_t>(*id)]);
  };
  sources.bosToken = tokenText("tokenizer.ggml.bos_token_id");
  sources.eosToken = tokenText("tokenizer.ggml.eos_token_id");
  return sources;
}

TextSources lori::readTextSources(const Checkpoint &checkpoint) {
  return checkpoint.gguf() ? readGguf(*checkpoint.gguf())
                           : readDirectory(checkpoint.path());
}
