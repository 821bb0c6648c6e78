// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/program/Request.h"
#include "runtime/program/Adapters.h"

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

using namespace lori;
using Json = nlohmann::json;

static constexpr int64_t int32Max = std::numeric_limits<int32_t>::max();

/// Refuses keys that are not in `known`, which is also how they are listed.
static void checkKeys(const Json &object, const char *what,
                      std::initializer_list<const char *> known) {
  for (const auto &[key, value] : object.items()) {
    bool found = false;
    std::string names;
    for (const char *name : known) {
      found |= key == name;
      names += std::string(names.empty() ? "" : ", ") + name;
    }
    if (!found)
      throw Error(std::string("'") + key + "' is not a key of " + what +
                  ", these are " + names);
  }
}

/// A value as messages quote it.
static std::string shown(const Json &value) {
  std::string text = value.dump(-1, ' ', false, Json::error_handler_t::replace);
  return text.size() > 40 ? text.substr(0, 40) + "..." : text;
}

std::string lori::jsonLine(const Json &json) {
  std::string text = json.dump(-1, ' ', false, Json::error_handler_t::replace);
  constexpr std::pair<std::string_view, std::string_view> escapes[] = {
      {"\xC2\x85", "\\u0085"},
      {"\xE2\x80\xA8", "\\u2028"},
      {"\xE2\x80\xA9", "\\u2029"}};
  for (auto [character, escape] : escapes)
    for (size_t at = 0; (at = text.find(character, at)) != text.npos;)
      text.replace(at, character.size(), escape);
  return text + "\n";
}

static const std::string &stringOf(const Json &object, const char *key,
                                   const char *what) {
  auto found = object.find(key);
  if (found == object.end() || !found->is_string())
    throw Error(std::string(what) + " needs a string \"" + key + "\"");
  return found->get_ref<const std::string &>();
}

std::vector<ChatMessage> lori::parseMessages(const Json &messages) {
  if (!messages.is_array() || messages.empty())
    throw Error("\"messages\" must be an array of {\"role\", \"content\"}, "
                "with at least one");
  std::vector<ChatMessage> result;
  for (const Json &message : messages) {
    if (!message.is_object())
      throw Error("\"messages\" must hold objects {\"role\", \"content\"}");
    checkKeys(message, "a message", {"role", "content"});
    result.push_back({stringOf(message, "role", "a message"),
                      stringOf(message, "content", "a message")});
  }
  return result;
}

std::vector<int32_t> lori::parseIds(const Json &tokens) {
  if (!tokens.is_array())
    throw Error("expected an array of token ids");
  std::vector<int32_t> ids;
  for (const Json &token : tokens) {
    if (!token.is_number_integer() || token < 0 || token > int32Max)
      throw Error("expected token ids, not " + shown(token));
    ids.push_back(token.get<int32_t>());
  }
  return ids;
}

std::string lori::renderLine(const Json &line, const Text &text) {
  if (!line.is_object() || !line.contains("messages"))
    throw Error("expected {\"messages\": [...], \"add_generation_prompt\": "
                "true}");
  checkKeys(line, "a line", {"messages", "add_generation_prompt"});
  bool add = false;
  if (auto found = line.find("add_generation_prompt"); found != line.end()) {
    if (!found->is_boolean())
      throw Error("\"add_generation_prompt\" must be true or false");
    add = found->get<bool>();
  }
  return text.render(parseMessages(line["messages"]), add, "--render-chat");
}

static std::vector<int32_t> parsePrompt(const Json &request, const Text &text) {
  bool hasPrompt = request.contains("prompt");
  bool hasTokens = request.contains("tokens");
  bool hasMessages = request.contains("messages");
  if (hasPrompt + hasTokens + hasMessages != 1)
    throw Error("a request has one of \"prompt\", \"tokens\" and \"messages\"");
  if (hasTokens)
    return parseIds(request["tokens"]);
  if (hasPrompt)
    return text.prompt(stringOf(request, "prompt", "a request"), "\"prompt\"");
  return text.conversation(parseMessages(request["messages"]), "\"messages\"");
}

static AdapterChoice parseWeighted(const Json &entry) {
  if (!entry.is_object())
    throw Error("\"adapter\" must be a name, an array of {\"name\", "
                "\"scale\"}, or null");
  checkKeys(entry, "an adapter", {"name", "scale"});
  AdapterChoice choice = {stringOf(entry, "name", "an adapter"), std::nullopt};
  if (auto scale = entry.find("scale"); scale != entry.end()) {
    if (!scale->is_number() || !std::isfinite(scale->get<float>()))
      throw Error("\"scale\" must be a finite number");
    choice.scale = scale->get<float>();
  }
  return choice;
}

static std::vector<AdapterChoice> parseAdapters(const Json &request,
                                                const Options &options) {
  auto found = request.find("adapter");
  if (found == request.end())
    return options.adapters;
  if (found->is_null())
    return {};
  if (found->is_string())
    return {{found->get<std::string>(), std::nullopt}};
  std::vector<AdapterChoice> choices;
  if (!found->is_array())
    parseWeighted(nullptr);
  for (const Json &entry : *found)
    choices.push_back(parseWeighted(entry));
  return choices;
}

static int64_t parseCount(const Json &request, const Options &options) {
  auto found = request.find("n");
  if (found == request.end())
    return options.newTokens;
  if (!found->is_number_integer() || *found < 0 || *found > int32Max)
    throw Error("\"n\" must be a whole number of at least 0");
  return found->get<int64_t>();
}

Request lori::parseRequest(std::string_view line, const std::string &place,
                           const Model &model, const Text &text,
                           const Options &options) {
  Json json = Json::parse(line, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object())
    throw Error(place, "not a JSON object, expected {\"prompt\": TEXT, ...}");
  try {
    checkKeys(json, "a request",
              {"prompt", "tokens", "messages", "adapter", "n"});
    Request request;
    request.prompt = parsePrompt(json, text);
    request.adapters = resolveAdapters(model, parseAdapters(json, options));
    request.newTokens = parseCount(json, options);
    checkPrompt(model.info(), request.prompt);
    return request;
  } catch (const Error &error) {
    throw Error(place, error.what());
  }
}
