// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The members "normalizer" and "pre_tokenizer" of tokenizer.json.

#include "runtime/text/Regex.h"
#include "runtime/text/TokenizerJson.h"
#include "runtime/text/Unicode.h"

#include <array>

using namespace lori;

// The words of a message that lists what there is.
static constexpr const char *knownNormalizers =
    "Sequence, Prepend, Replace, NFC, NFD, NFKC, NFKD, Lowercase and Strip";
static constexpr const char *knownPreTokenizers =
    "Sequence, Split, ByteLevel, Metaspace, Digits, Punctuation, Whitespace, "
    "WhitespaceSplit and CharDelimiterSplit";

static void readNormalizerStep(const std::string &type,
                               const JsonMembers &members,
                               std::vector<NormalizerStep> &steps) {
  auto add = [&](NormalizerKind kind, std::string pattern = "",
                 std::string content = "") {
    steps.push_back({kind, std::move(pattern), std::move(content)});
  };
  if (type == "Prepend")
    return add(NormalizerKind::Prepend, "", members.text("prepend"));
  if (type == "Replace") {
    std::optional<std::string> literal;
    std::string pattern = members.pattern(literal);
    std::string content = members.text("content");
    if (literal)
      return add(NormalizerKind::ReplaceText, *literal, content);
    return add(NormalizerKind::ReplaceRegex, pattern, content);
  }
  if (type == "NFC")
    return add(NormalizerKind::FormC);
  if (type == "NFD")
    return add(NormalizerKind::FormD);
  if (type == "NFKC")
    return add(NormalizerKind::FormKC);
  if (type == "NFKD")
    return add(NormalizerKind::FormKD);
  if (type == "Lowercase")
    return add(NormalizerKind::Lowercase);
  if (type == "Strip") {
    if (members.boolean("strip_left", true))
      add(NormalizerKind::StripLeft);
    if (members.boolean("strip_right", true))
      add(NormalizerKind::StripRight);
    return;
  }
  members.fail(std::string("is not supported; supported are ") +
               knownNormalizers);
}

void lori::readNormalizer(const JsonValue *json, TokenizerSpec &spec) {
  forEachComponent(json, "normalizer", "normalizers", spec.file,
                   [&](const std::string &type, const JsonMembers &members) {
                     readNormalizerStep(type, members, spec.normalizer);
                   });
  checkSteps(spec.normalizer.size(), "normalizer", spec.file);
}

static SplitBehavior readBehavior(const JsonMembers &members) {
  constexpr std::array<std::pair<std::string_view, SplitBehavior>, 5> names = {{
      {"Isolated", SplitBehavior::Isolated},
      {"Removed", SplitBehavior::Removed},
      {"Contiguous", SplitBehavior::Contiguous},
      {"MergedWithPrevious", SplitBehavior::MergedWithPrevious},
      {"MergedWithNext", SplitBehavior::MergedWithNext},
  }};
  std::string name = members.text("behavior");
  for (const auto &[known, behavior] : names)
    if (known == name)
      return behavior;
  members.fail("has an unknown behavior '" + name + "'");
}

static void addSplit(std::string pattern, SplitBehavior behavior, bool invert,
                     std::vector<SplitterStep> &steps) {
  SplitterStep step;
  step.behavior = behavior;
  step.invert = invert;
  step.pattern = std::move(pattern);
  steps.push_back(std::move(step));
}

static void readMetaspace(const JsonMembers &members,
                          std::vector<SplitterStep> &steps) {
  SplitterStep step;
  step.kind = SplitterKind::Metaspace;
  appendUtf8(step.pattern, members.character("replacement"));
  std::string scheme = members.find("prepend_scheme")
                           ? members.text("prepend_scheme")
                           : "always";
  if (scheme == "always")
    step.prepend = PrependScheme::Always;
  else if (scheme == "first")
    step.prepend = PrependScheme::First;
  else if (scheme != "never")
    members.fail("has an unknown prepend_scheme '" + scheme + "'");
  if (!members.boolean("add_prefix_space", true))
    step.prepend = PrependScheme::Never;
  steps.push_back(step);
  if (members.boolean("split", true))
    addSplit(quotedPattern(step.pattern), SplitBehavior::MergedWithNext, false,
             steps);
}

static void readByteLevel(const JsonMembers &members,
                          std::vector<SplitterStep> &steps) {
  if (members.boolean("add_prefix_space", true)) {
    SplitterStep step;
    step.kind = SplitterKind::AddPrefixSpace;
    step.prepend = PrependScheme::Always;
    steps.push_back(step);
  }
  if (members.boolean("use_regex", true))
    addSplit(translatePattern(gpt2Pattern), SplitBehavior::Isolated, false,
             steps);
}

static void readSplitterStep(const std::string &type,
                             const JsonMembers &members, TokenizerSpec &spec) {
  std::vector<SplitterStep> &steps = spec.splitters;
  if (spec.byteLevel)
    members.fail("comes after ByteLevel, which must be the last");
  if (type == "Split") {
    std::optional<std::string> literal;
    std::string pattern = members.pattern(literal);
    return addSplit(std::move(pattern), readBehavior(members),
                    members.boolean("invert", false), steps);
  }
  if (type == "ByteLevel") {
    spec.byteLevel = true;
    return readByteLevel(members, steps);
  }
  if (type == "Metaspace")
    return readMetaspace(members, steps);
  if (type == "Digits")
    return addSplit("\\p{N}",
                    members.boolean("individual_digits", false)
                        ? SplitBehavior::Isolated
                        : SplitBehavior::Contiguous,
                    false, steps);
  if (type == "Punctuation")
    return addSplit("[\\p{P}!-\\/:-@\\[-`{-~]",
                    members.find("behavior") ? readBehavior(members)
                                             : SplitBehavior::Isolated,
                    false, steps);
  if (type == "Whitespace")
    return addSplit(wordsAndSignsPattern(), SplitBehavior::Removed, true,
                    steps);
  if (type == "WhitespaceSplit")
    return addSplit(translatePattern("\\s"), SplitBehavior::Removed, false,
                    steps);
  if (type == "CharDelimiterSplit") {
    std::string delimiter;
    appendUtf8(delimiter, members.character("delimiter"));
    return addSplit(quotedPattern(delimiter), SplitBehavior::Removed, false,
                    steps);
  }
  members.fail(std::string("is not supported; supported are ") +
               knownPreTokenizers);
}

void lori::readPreTokenizer(const JsonValue *json, TokenizerSpec &spec) {
  forEachComponent(json, "pre_tokenizer", "pretokenizers", spec.file,
                   [&](const std::string &type, const JsonMembers &members) {
                     readSplitterStep(type, members, spec);
                   });
  checkSteps(spec.splitters.size(), "pre_tokenizer", spec.file);
}
