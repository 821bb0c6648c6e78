// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Chat templates against what Jinja renders (test/data/text/make.py).

#include "TextTestData.h"
#include "runtime/support/Error.h"
#include "runtime/text/ChatTemplate.h"

using namespace lori;
using namespace lori::test;

namespace {

std::vector<ChatMessage> messagesOf(const JsonValue &json) {
  std::vector<ChatMessage> messages;
  for (const JsonValue &message : *json.array())
    messages.push_back(
        {*message.find("role")->text(), *message.find("content")->text()});
  return messages;
}

// Where Jinja has no text, neither have we.
void checkRow(const JsonValue &row, const std::string &source,
              const std::vector<ChatMessage> &messages, bool prompt) {
  SCOPED_TRACE(source);
  const std::string *expected = row.find("rendered")->text();
  try {
    std::string text = renderChat(source, messages, prompt, "<s>", "</s>");
    ASSERT_TRUE(expected) << "rendered as " << text;
    EXPECT_EQ(text, *expected);
  } catch (const Error &error) {
    EXPECT_FALSE(expected) << error.what();
  }
}

TEST(ChatGoldensTest, StylesOfTheKnownFamiliesRenderAsInJinja) {
  JsonValue rows = parseJsonFile(ownFile("chat/styles.cases.json"));
  ASSERT_GE(rows.array()->size(), 200u);
  for (const JsonValue &row : *rows.array())
    checkRow(row, readWhole(ownFile("chat/" + *row.find("template")->text())),
             messagesOf(*row.find("messages")),
             *row.find("add_generation_prompt")->boolean());
}

TEST(ChatGoldensTest, ExpressionsAndStatementsMeanWhatTheyDoInJinja) {
  const std::vector<ChatMessage> conversation = {
      {"system", "S é"}, {"user", " U\n"}, {"assistant", "A"}};
  JsonValue rows = parseJsonFile(ownFile("chat/snippets.cases.json"));
  ASSERT_GE(rows.array()->size(), 400u);
  for (const JsonValue &row : *rows.array())
    checkRow(row, *row.find("template")->text(), conversation, true);
}

} // namespace
