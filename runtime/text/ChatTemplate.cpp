// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/text/ChatTemplate.h"
#include "runtime/support/Error.h"
#include "runtime/text/Unicode.h"
#include "runtime/text/jinja/Interpreter.h"
#include "runtime/text/jinja/Parser.h"

#include <algorithm>

using namespace lori;
using namespace lori::jinja;

static Value messageValue(const ChatMessage &message) {
  auto entries = std::make_shared<Dict>();
  entries->set("role", message.role);
  entries->set("content", message.content);
  return Value(std::move(entries));
}

// One line, however the template words its refusal.
static std::string oneLine(std::string_view message) {
  static constexpr size_t most = 300;
  std::string line =
      repairUtf8(message.substr(0, completePrefix(message.substr(0, most))));
  for (char &c : line)
    if (static_cast<uint8_t>(c) < 0x20 || c == 0x7F)
      c = ' ';
  return message.size() > most ? line + "..." : line;
}

std::string lori::renderChat(std::string_view chatTemplate,
                             std::span<const ChatMessage> messages,
                             bool addGenerationPrompt,
                             std::string_view bosToken,
                             std::string_view eosToken) {
  try {
    if (!isUtf8(chatTemplate))
      throw TemplateError("the text is not UTF-8");
    std::vector<Value> conversation;
    for (const ChatMessage &message : messages)
      conversation.push_back(messageValue(message));
    // Without tools and documents `transformers` passes None.
    Variables variables = {
        {"messages", Value::list(std::move(conversation))},
        {"tools", Value()},
        {"documents", Value()},
        {"add_generation_prompt", addGenerationPrompt},
        {"bos_token", bosToken},
        {"eos_token", eosToken},
    };
    WorkLimit limit(maxWork);
    Body body = parseTemplate(chatTemplate);
    return render(body, std::move(variables));
  } catch (const TemplateError &error) {
    throw Error("chat template",
                oneLine(error.what()) + "; give the whole text with -p");
  }
}
