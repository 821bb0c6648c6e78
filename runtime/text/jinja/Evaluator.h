// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The part of the interpreter that computes values.

#ifndef LORI_RUNTIME_TEXT_JINJA_EVALUATOR_H
#define LORI_RUNTIME_TEXT_JINJA_EVALUATOR_H

#include "runtime/text/jinja/Ast.h"
#include "runtime/text/jinja/Objects.h"

namespace lori::jinja {

class Evaluator {
public:
  explicit Evaluator(std::shared_ptr<Scope> scope) : scope(std::move(scope)) {}

  Value evaluate(const Expr &expr);

  /// Counts what runs in what, and all that runs.
  class Step {
  public:
    Step(Evaluator &evaluator, uint32_t line);
    ~Step() { --evaluator.depth; }

  private:
    Evaluator &evaluator;
  };

  std::shared_ptr<Scope> scope; ///< the innermost
  uint32_t line = 1;            ///< of what runs

private:
  Value name(const Expr &expr) const;
  Value list(const Expr &expr, ListKind kind);
  Value dict(const Expr &expr);
  Value slice(const Expr &expr);
  Value call(const Expr &expr);
  Value compare(const Expr &expr);
  Value conditional(const Expr &expr);
  /// The children after the first.
  Arguments arguments(const Expr &expr);

  unsigned depth = 0;
  size_t steps = 0;
};

} // namespace lori::jinja

#endif // LORI_RUNTIME_TEXT_JINJA_EVALUATOR_H
