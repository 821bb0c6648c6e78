// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/text/ListedTokens.h"
#include "runtime/support/Error.h"
#include "runtime/text/Unicode.h"

#include <charconv>
#include <unordered_set>

using namespace lori;

namespace {

class TokenAdder {
public:
  TokenAdder(const std::string &file, TokenizerSpec &spec)
      : file(file), spec(spec), modelSize(spec.tokens.size()) {
    for (const AddedTokenSpec &added : spec.added)
      known.insert(added.content);
  }

  void add(int64_t id, const std::string &content, const JsonValue *flags);
  void finish();

private:
  [[noreturn]] void fail(const std::string &message) const {
    throw Error(file, shortText(message));
  }

  const std::string &file;
  TokenizerSpec &spec;
  const size_t modelSize;
  std::unordered_set<std::string> known;
};

} // namespace

// Ids with holes cost memory.
static constexpr size_t maxAdded = 65536;

void TokenAdder::add(int64_t id, const std::string &content,
                     const JsonValue *flags) {
  auto index = static_cast<size_t>(id);
  if (id < 0 || index >= modelSize + maxAdded)
    fail("'" + content + "' has the id " + std::to_string(id) +
         ", but the model has " + std::to_string(modelSize) + " tokens");
  if (index >= spec.tokens.size())
    spec.tokens.resize(index + 1);
  TokenSpec &token = spec.tokens[index];
  if (token.exists && token.text == content)
    return; // the model knows it
  if (token.exists)
    fail("gives the id " + std::to_string(id) + " to '" + content +
         "', but it is that of '" + token.text + "'");
  if (!known.insert(content).second)
    fail("gives the id " + std::to_string(id) + " to '" + content +
         "', which has another one");
  auto flag = [&](std::string_view key, bool otherwise) {
    const JsonValue *value = flags ? flags->find(key) : nullptr;
    return value && value->boolean() ? *value->boolean() : otherwise;
  };
  token.exists = true;
  token.text = token.shown = content;
  token.special = flag("special", true);
  AddedTokenSpec added;
  added.id = static_cast<int32_t>(id);
  added.content = content;
  added.special = token.special;
  added.singleWord = flag("single_word", false);
  added.stripLeft = flag("lstrip", false);
  added.stripRight = flag("rstrip", false);
  spec.added.push_back(std::move(added));
}

// Characters that are no token are numbered behind all tokens: they move.
void TokenAdder::finish() {
  auto growth = static_cast<uint32_t>(spec.tokens.size() - modelSize);
  for (MergeSpec &merge : spec.merges)
    for (uint32_t *symbol : {&merge.left, &merge.right, &merge.result})
      if (*symbol >= modelSize)
        *symbol += growth;
}

void lori::addDecoderTokens(const JsonValue &list, const std::string &file,
                            TokenizerSpec &spec) {
  if (!list.object())
    throw Error(file, "has " + std::string(list.kindName()) +
                          " as 'added_tokens_decoder' instead of an object");
  TokenAdder adder(file, spec);
  for (const auto &[key, token] : *list.object()) {
    int32_t id = -1;
    const char *end = key.data() + key.size();
    auto parsed = std::from_chars(key.data(), end, id);
    const JsonValue *content = token.find("content");
    if (parsed.ec != std::errc() || parsed.ptr != end || !content ||
        !content->text())
      throw Error(file, "'added_tokens_decoder' has the entry '" +
                            shortText(key) +
                            "' instead of an id with a content");
    adder.add(id, *content->text(), &token);
  }
  adder.finish();
}

void lori::addListedTokens(const JsonValue &list, const std::string &file,
                           TokenizerSpec &spec) {
  if (!list.object())
    throw Error(file, "is " + std::string(list.kindName()) +
                          " instead of an object of tokens and their ids");
  TokenAdder adder(file, spec);
  for (const auto &[content, id] : *list.object())
    adder.add(id.integer().value_or(-1), content, nullptr);
  adder.finish();
}
