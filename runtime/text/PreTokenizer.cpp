// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/text/TextSteps.h"

#include <algorithm>

using namespace lori;

PreTokenizer::PreTokenizer(const BlobView &blob) {
  for (const BlobSplitter &entry : blob.splitters) {
    Step step{static_cast<SplitterKind>(entry.kind),
              static_cast<SplitBehavior>(entry.behavior),
              static_cast<PrependScheme>(entry.prepend),
              entry.invert != 0,
              std::string(blob.string(entry.pattern)),
              std::nullopt};
    if (step.kind == SplitterKind::Split)
      step.regex.emplace(step.pattern);
    steps.push_back(std::move(step));
  }
}

struct PreTokenizer::State {
  std::string &text;
  std::vector<Piece> &pieces;
  /// Whether the text's first byte is the first of all.
  bool atStart;
  /// What patterns are matched against: `text`, or `standIns` of the same size
  /// if it holds characters that PCRE2 does not know.
  std::string standIns;
  bool young = false;

  void textChanged() { young = replaceYoungCharacters(text, standIns); }
};

// Metaspace and AddPrefixSpace: pieces change, so that the text is built anew.
void PreTokenizer::rewrite(const Step &step, State &state) {
  std::string text;
  bool first =
      state.atStart && !state.pieces.empty() && state.pieces.front().begin == 0;
  bool stillAtStart = first;
  std::string_view space = " ";
  if (step.kind == SplitterKind::Metaspace)
    space = step.pattern;
  for (Piece &piece : state.pieces) {
    std::string part = state.text.substr(piece.begin, piece.end - piece.begin);
    if (step.kind == SplitterKind::Metaspace) {
      std::string replaced;
      for (char c : part)
        c == ' ' ? replaced += space : replaced += c;
      part = std::move(replaced);
    }
    bool wanted = step.prepend == PrependScheme::Always ||
                  (step.prepend == PrependScheme::First && first);
    size_t begin = text.size();
    if (wanted && !part.starts_with(space))
      text += space;
    text += part;
    piece = {begin, text.size()};
    first = false;
  }
  state.text = std::move(text);
  state.atStart = stillAtStart;
  state.textChanged();
}

namespace {

struct Part {
  size_t begin, end;
  bool match;
};

} // namespace

// Appends the pieces that `behavior` makes of adjacent parts.
static void join(const std::vector<Part> &parts, SplitBehavior behavior,
                 std::vector<PreTokenizer::Piece> &pieces) {
  // MergedWithNext works like MergedWithPrevious from the end.
  bool backwards = behavior == SplitBehavior::MergedWithNext;
  size_t firstNew = pieces.size();
  bool previous = false;
  for (size_t i = 0; i < parts.size(); ++i) {
    const Part &part = parts[backwards ? parts.size() - 1 - i : i];
    bool merges = false;
    switch (behavior) {
    case SplitBehavior::Isolated:
      break;
    case SplitBehavior::Removed:
      if (part.match)
        continue;
      break;
    case SplitBehavior::Contiguous:
      merges = part.match == previous;
      break;
    case SplitBehavior::MergedWithPrevious:
    case SplitBehavior::MergedWithNext:
      merges = part.match && !previous;
      break;
    }
    previous = part.match;
    if (!merges || pieces.size() == firstNew)
      pieces.push_back({part.begin, part.end});
    else if (backwards)
      pieces.back().begin = part.begin;
    else
      pieces.back().end = part.end;
  }
  if (backwards)
    std::reverse(pieces.begin() + static_cast<ptrdiff_t>(firstNew),
                 pieces.end());
}

void PreTokenizer::split(const Step &step, State &state,
                         RegexScratch &scratch) {
  std::vector<Piece> result;
  result.reserve(state.pieces.size() * 2);
  std::vector<Part> parts;
  const std::string &subject = state.young ? state.standIns : state.text;
  for (const Piece &piece : state.pieces) {
    auto text =
        std::string_view(subject).substr(piece.begin, piece.end - piece.begin);
    parts.clear();
    size_t done = 0;
    auto add = [&](size_t begin, size_t end, bool match) {
      parts.push_back(
          {piece.begin + begin, piece.begin + end, match != step.invert});
    };
    step.regex->forEachMatch(text, scratch, [&](size_t begin, size_t end) {
      if (done < begin)
        add(done, begin, false);
      add(begin, end, true);
      done = end;
    });
    if (done < text.size())
      add(done, text.size(), false);
    join(parts, step.behavior, result);
  }
  std::erase_if(result,
                [](const Piece &piece) { return piece.begin == piece.end; });
  state.pieces = std::move(result);
}

void PreTokenizer::apply(std::string &text, std::vector<Piece> &pieces,
                         bool atStart, RegexScratch &scratch) const {
  pieces.assign(1, {0, text.size()});
  if (steps.empty())
    return;
  State state{text, pieces, atStart, {}};
  state.textChanged();
  for (const Step &step : steps)
    if (step.kind == SplitterKind::Split)
      split(step, state, scratch);
    else
      rewrite(step, state);
}
