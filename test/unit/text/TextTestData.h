// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Where the tests find their data, and the form of expected results.

#ifndef LORI_TEST_UNIT_TEXT_TEXTTESTDATA_H
#define LORI_TEST_UNIT_TEXT_TEXTTESTDATA_H

#include "runtime/formats/Json.h"
#include "runtime/text/TokenizerJson.h"
#include "test/unit/formats/SampleFiles.h"

#include <filesystem>
#include <gtest/gtest.h>

namespace lori::test {

inline std::string ownFile(const std::string &name) {
  return std::string(LORI_SOURCE_DIR) + "/test/data/text/" + name;
}

/// A file of the reference data, which is not part of the project.
inline std::string sharedFile(const std::string &name) {
  return sharedFolder() + "/data/" + name;
}

/// A row of a file of expected results; what the file leaves out is nothing.
struct TokenizerCase {
  std::optional<std::string> text;
  std::vector<int32_t> ids;   ///< special tokens parsed
  std::vector<int32_t> plain; ///< not parsed
  bool hasIds = false, hasPlain = false;
  std::optional<std::string> decoded, skipped;
};

inline std::vector<int32_t> idsOf(const JsonValue &json) {
  std::vector<int32_t> ids;
  for (const JsonValue &id : *json.array())
    ids.push_back(static_cast<int32_t>(id.integer().value()));
  return ids;
}

inline std::vector<TokenizerCase> readCases(const std::string &file) {
  std::vector<TokenizerCase> cases;
  JsonValue json = parseJsonFile(file);
  for (const JsonValue &row : *json.array()) {
    TokenizerCase entry;
    auto text = [&](std::string_view key) -> std::optional<std::string> {
      const JsonValue *value = row.find(key);
      return value ? std::optional(*value->text()) : std::nullopt;
    };
    entry.text = text("text");
    entry.decoded = text("decoded");
    entry.skipped = text("skipped");
    if (!entry.skipped)
      entry.skipped = text("decoded_skip_special");
    if (const JsonValue *ids = row.find("ids"))
      entry.ids = idsOf(*ids), entry.hasIds = true;
    if (const JsonValue *ids = row.find("plain"))
      entry.plain = idsOf(*ids), entry.hasPlain = true;
    cases.push_back(std::move(entry));
  }
  return cases;
}

inline Tokenizer readTokenizer(const std::string &path) {
  return buildTokenizer(readTokenizerJson(parseJsonFile(path), path));
}

} // namespace lori::test

#endif // LORI_TEST_UNIT_TEXT_TEXTTESTDATA_H
