// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// tokenizer.json, the format of the `tokenizers` library (version "1.0").

#ifndef LORI_RUNTIME_TEXT_TOKENIZERJSON_H
#define LORI_RUNTIME_TEXT_TOKENIZERJSON_H

#include "runtime/formats/Json.h"
#include "runtime/text/TokenizerSpec.h"

namespace lori {

/// Reads a tokenizer whose model is BPE. Throws Error, with `file`, for damage
/// and for components that are not supported, by their name.
TokenizerSpec readTokenizerJson(const JsonValue &json, const std::string &file);

/// Typed access to the members of one component of the file.
class JsonMembers {
public:
  /// `name` says in messages which component it is: "pre_tokenizer 'Split'".
  JsonMembers(const JsonValue &json, const std::string &file, std::string name);

  const JsonValue &require(std::string_view key) const;
  /// Null where the member is missing or null.
  const JsonValue *find(std::string_view key) const;
  std::string text(std::string_view key) const;
  int64_t integer(std::string_view key) const;
  bool boolean(std::string_view key, bool otherwise) const;
  const JsonValue::Array &array(std::string_view key) const;
  const JsonValue::Object &object(std::string_view key) const;
  /// A member that is a single character.
  char32_t character(std::string_view key) const;
  /// The member "pattern", {"String": ...} or {"Regex": ...}, in PCRE2's
  /// syntax; `literal` is set to the text if it is a string.
  std::string pattern(std::optional<std::string> &literal) const;

  [[noreturn]] void fail(const std::string &message) const;
  const std::string &file() const { return filePath; }

private:
  [[noreturn]] void failKind(std::string_view key, const JsonValue &value,
                             std::string_view wanted) const;

  const JsonValue &json;
  const std::string &filePath;
  std::string name;
};

/// Refuses a component with more than `maxTokenizerSteps`.
void checkSteps(size_t count, std::string_view role, const std::string &file);

/// Calls `visit(type, members)` for a component such as the normalizer, or for
/// those of a Sequence (its member `listKey`), in order; nothing for null.
template <typename Visitor>
void forEachComponent(const JsonValue *json, std::string_view role,
                      std::string_view listKey, const std::string &file,
                      Visitor visit) {
  if (!json || json->isNull())
    return;
  JsonMembers outer(*json, file, std::string(role));
  std::string type = outer.text("type");
  JsonMembers members(*json, file, std::string(role) + " '" + type + "'");
  if (type != "Sequence")
    return visit(type, members);
  for (const JsonValue &inner : members.array(listKey))
    forEachComponent(&inner, role, listKey, file, visit);
}

/// The parts of `readTokenizerJson`; each fills in its part of `spec`.
void readNormalizer(const JsonValue *json, TokenizerSpec &spec);
/// Sets `byteLevel` too.
void readPreTokenizer(const JsonValue *json, TokenizerSpec &spec);
/// Sets the `shown` form of all tokens, from their `content`s by id.
void readDecoder(const JsonValue *json, const std::vector<std::string> &content,
                 TokenizerSpec &spec);
void readPostProcessor(const JsonValue *json, TokenizerSpec &spec);

} // namespace lori

#endif // LORI_RUNTIME_TEXT_TOKENIZERJSON_H
