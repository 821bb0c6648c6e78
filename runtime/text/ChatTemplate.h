// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef LORI_RUNTIME_TEXT_CHATTEMPLATE_H
#define LORI_RUNTIME_TEXT_CHATTEMPLATE_H

#include <span>
#include <string>
#include <string_view>

namespace lori {

struct ChatMessage {
  std::string role; ///< "system", "user", "assistant"
  std::string content;
};

/// Renders a conversation by the Jinja template that a checkpoint carries, as
/// transformers' apply_chat_template does. Throws Error for a template that is
/// malformed, uses what is not supported, does not end, or refuses the messages
/// (raise_exception); the message says to use -p.
std::string renderChat(std::string_view chatTemplate,
                       std::span<const ChatMessage> messages,
                       bool addGenerationPrompt, std::string_view bosToken,
                       std::string_view eosToken);

} // namespace lori

#endif // LORI_RUNTIME_TEXT_CHATTEMPLATE_H
