// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Templates come with checkpoints and may be hostile: what they may take.

#ifndef LORI_RUNTIME_TEXT_JINJA_LIMITS_H
#define LORI_RUNTIME_TEXT_JINJA_LIMITS_H

#include <cstddef>

namespace lori::jinja {

/// Bytes of one text, the output too.
inline constexpr size_t maxText = size_t(64) << 20;
/// Nodes of the template that are evaluated.
inline constexpr size_t maxSteps = 1000000;
/// Bytes that all steps together may make or look at: bounds memory, and the
/// time of single steps over large values.
inline constexpr size_t maxWork = size_t(1) << 30;
/// Lists in lists.
inline constexpr unsigned maxValueNesting = 100;
/// Brackets in brackets, and statements in statements.
inline constexpr unsigned maxSourceNesting = 100;
/// Height of the tree of an expression: `a + a + a` is as high as it is long.
inline constexpr unsigned maxHeight = 200;
/// Evaluations in evaluations, through macros too.
inline constexpr unsigned maxDepth = 400;

/// While one lives, `spend` counts against its work on this thread.
class WorkLimit {
public:
  explicit WorkLimit(size_t work);
  ~WorkLimit();
  WorkLimit(const WorkLimit &) = delete;
  WorkLimit &operator=(const WorkLimit &) = delete;

private:
  friend void spend(size_t work);
  size_t left;
  WorkLimit *outer;
};

/// Throws TemplateError when the work is used up.
void spend(size_t work);

} // namespace lori::jinja

#endif // LORI_RUNTIME_TEXT_JINJA_LIMITS_H
