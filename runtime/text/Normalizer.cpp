// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/support/Error.h"
#include "runtime/text/TextSteps.h"
#include "runtime/text/Unicode.h"

using namespace lori;

Normalizer::Normalizer(const BlobView &blob) {
  for (const BlobNormalizer &step : blob.normalizer)
    add(static_cast<NormalizerKind>(step.kind), blob.string(step.pattern),
        blob.string(step.content));
}

Normalizer::Normalizer(const std::vector<NormalizerStep> &list) {
  for (const NormalizerStep &step : list)
    add(step.kind, step.pattern, step.content);
}

void Normalizer::add(NormalizerKind kind, std::string_view pattern,
                     std::string_view content) {
  Step step{kind, std::string(pattern), std::string(content), std::nullopt};
  if (kind == NormalizerKind::ReplaceRegex)
    step.regex.emplace(pattern);
  steps.push_back(std::move(step));
}

namespace {

// A text that grows, up to what rules that are not hostile make of a text of
// the input's size.
class Growing {
public:
  explicit Growing(size_t limit) : limit(limit) {}

  Growing &operator+=(std::string_view part) {
    if (part.size() > limit - text.size())
      throw Error("the tokenizer's normalizer makes the text too long");
    text += part;
    return *this;
  }
  std::string take() { return std::move(text); }

private:
  std::string text;
  const size_t limit;
};

} // namespace

// Compatibility forms lengthen a character by 11 at most.
static size_t longestNormalized(size_t size) { return 64 * size + 1024; }

static std::string replaceText(std::string_view text, std::string_view pattern,
                               std::string_view content, size_t limit) {
  Growing result(limit);
  size_t done = 0;
  if (!pattern.empty())
    for (size_t at; (at = text.find(pattern, done)) != std::string_view::npos;
         done = at + pattern.size()) {
      result += text.substr(done, at - done);
      result += content;
    }
  result += text.substr(done);
  return result.take();
}

static std::string replaceRegex(std::string_view text, const Regex &regex,
                                std::string_view content, size_t limit,
                                RegexScratch &scratch) {
  Growing result(limit);
  std::string standIns;
  size_t done = 0;
  bool young = replaceYoungCharacters(text, standIns);
  regex.forEachMatch(young ? standIns : text, scratch,
                     [&](size_t begin, size_t end) {
                       result += text.substr(done, begin - done);
                       result += content;
                       done = end;
                     });
  result += text.substr(done);
  return result.take();
}

static std::string prepend(const std::string &text, std::string_view content,
                           size_t limit) {
  if (text.empty())
    return text;
  Growing result(limit);
  result += content;
  result += text;
  return result.take();
}

static std::string lowercase(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  for (size_t at = 0; at < text.size();) {
    Utf8Char next = decodeUtf8(text, at);
    appendLower(result, next.codePoint);
    at += next.size;
  }
  return result;
}

static std::string_view stripLeft(std::string_view text) {
  while (!text.empty()) {
    Utf8Char next = decodeUtf8(text, 0);
    if (!isWhiteSpace(next.codePoint))
      break;
    text.remove_prefix(next.size);
  }
  return text;
}

static std::string_view stripRight(std::string_view text) {
  while (!text.empty()) {
    size_t at = text.size() - 1;
    while (at > 0 && (static_cast<uint8_t>(text[at]) & 0xC0) == 0x80)
      --at;
    if (!isWhiteSpace(decodeUtf8(text, at).codePoint))
      break;
    text = text.substr(0, at);
  }
  return text;
}

static std::string squeezeSpaces(std::string_view text) {
  std::string result;
  for (char c : text)
    if (c != ' ' || (!result.empty() && result.back() != ' '))
      result += c;
  if (!result.empty() && result.back() == ' ')
    result.pop_back();
  return result;
}

std::string Normalizer::apply(std::string_view input,
                              RegexScratch &scratch) const {
  std::string text(input);
  const size_t limit = longestNormalized(input.size());
  for (const Step &step : steps)
    switch (step.kind) {
    case NormalizerKind::Prepend:
      text = prepend(text, step.content, limit);
      break;
    case NormalizerKind::ReplaceText:
      text = replaceText(text, step.pattern, step.content, limit);
      break;
    case NormalizerKind::ReplaceRegex:
      text = replaceRegex(text, *step.regex, step.content, limit, scratch);
      break;
    case NormalizerKind::FormC:
      text = normalizeUnicode(text, NormalForm::C);
      break;
    case NormalizerKind::FormD:
      text = normalizeUnicode(text, NormalForm::D);
      break;
    case NormalizerKind::FormKC:
      text = normalizeUnicode(text, NormalForm::KC);
      break;
    case NormalizerKind::FormKD:
      text = normalizeUnicode(text, NormalForm::KD);
      break;
    case NormalizerKind::Lowercase:
      text = lowercase(text);
      break;
    case NormalizerKind::StripLeft:
      text = std::string(stripLeft(text));
      break;
    case NormalizerKind::StripRight:
      text = std::string(stripRight(text));
      break;
    case NormalizerKind::SqueezeSpaces:
      text = squeezeSpaces(text);
      break;
    }
  return text;
}
