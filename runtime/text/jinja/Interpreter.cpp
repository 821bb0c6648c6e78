// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/text/jinja/Interpreter.h"
#include "runtime/text/jinja/Evaluator.h"
#include "runtime/text/jinja/Globals.h"
#include "runtime/text/jinja/Lexer.h"
#include "runtime/text/jinja/Operators.h"
#include "runtime/text/jinja/Text.h"

#include <algorithm>

using namespace lori;
using namespace lori::jinja;

namespace {

enum class Flow { Normal, Break, Continue };

class Interpreter {
public:
  Interpreter() : evaluator(std::make_shared<Scope>(nullptr)) {
    setGlobals(*evaluator.scope, namespaces);
  }

  std::string run(const Body &body, Variables variables);
  Value callMacro(const Statement &macro, std::shared_ptr<Scope> outer,
                  const Arguments &arguments);

private:
  /// A scope for as long as it lives.
  class Inner {
  public:
    Inner(Interpreter &self, std::shared_ptr<Scope> outer)
        : self(self), before(self.evaluator.scope) {
      spend(sizeof(Scope));
      self.evaluator.scope = std::make_shared<Scope>(std::move(outer));
    }
    explicit Inner(Interpreter &self) : Inner(self, self.evaluator.scope) {}
    ~Inner() { self.evaluator.scope = before; }
    Inner(const Inner &) = delete;
    Inner &operator=(const Inner &) = delete;

  private:
    Interpreter &self;
    std::shared_ptr<Scope> before;
  };

  Flow execute(const Body &body);
  Flow execute(const Statement &statement);
  Flow executeIf(const Statement &statement);
  Flow executeFor(const Statement &statement);
  bool accepts(const Statement &statement, const Value &item);
  void defineMacro(const Statement &statement);
  void assign(const Expr &target, const Value &value);
  void assignAttribute(const Expr &target, const Value &value);
  /// What `body` prints.
  std::string capture(const Body &body);

  Namespaces namespaces;
  Evaluator evaluator;
  /// Those that macros may still ask for.
  std::vector<std::shared_ptr<Scope>> kept;
  std::string *out = nullptr;
};

class Macro : public Callable {
public:
  Macro(Interpreter &interpreter, const Statement &macro, Scope *scope)
      : interpreter(interpreter), macro(macro), scope(scope) {}
  std::string_view typeName() const override { return "macro"; }
  Value call(const Arguments &arguments) override {
    // The interpreter keeps the scope; owning it would close a circle.
    return interpreter.callMacro(
        macro, std::shared_ptr<Scope>(std::shared_ptr<Scope>(), scope),
        arguments);
  }

private:
  Interpreter &interpreter;
  const Statement &macro;
  Scope *scope;
};

} // namespace

std::string Interpreter::run(const Body &body, Variables variables) {
  std::string text;
  out = &text;
  Inner scope(*this);
  for (auto &[name, value] : variables)
    evaluator.scope->set(name, std::move(value));
  try {
    execute(body);
  } catch (const TemplateError &error) {
    failAtLine(evaluator.line, error.what());
  }
  return text;
}

std::string Interpreter::capture(const Body &body) {
  std::string text;
  struct Restore {
    std::string *&out, *before;
    ~Restore() { out = before; }
  } restore{out, out};
  out = &text;
  execute(body);
  return text;
}

Value Interpreter::callMacro(const Statement &macro,
                             std::shared_ptr<Scope> outer,
                             const Arguments &arguments) {
  Evaluator::Step step(evaluator, evaluator.line);
  Inner scope(*this, std::move(outer));
  size_t count = macro.parameters.size();
  if (arguments.positional.size() > count)
    throw TemplateError("the macro '" + macro.text.substr(0, 40) +
                        "' has too many arguments");
  std::vector<std::optional<Value>> given(arguments.positional.begin(),
                                          arguments.positional.end());
  given.resize(count);
  for (const auto &[name, value] : arguments.named) {
    auto found =
        std::find(macro.parameters.begin(), macro.parameters.end(), name);
    auto at = static_cast<size_t>(found - macro.parameters.begin());
    if (at == count || given[at])
      throw TemplateError("the macro '" + macro.text.substr(0, 40) +
                          "' has no argument '" + name.substr(0, 40) +
                          "', or has it twice");
    given[at] = value;
  }
  size_t firstDefault = count - macro.defaults.size();
  for (size_t i = 0; i < count; ++i) {
    if (!given[i])
      given[i] = i < firstDefault
                     ? Value::undefined(macro.parameters[i])
                     : evaluator.evaluate(*macro.defaults[i - firstDefault]);
    evaluator.scope->set(macro.parameters[i], *given[i]);
  }
  return Value(capture(macro.body));
}

void Interpreter::defineMacro(const Statement &statement) {
  if (kept.empty() || kept.back() != evaluator.scope)
    kept.push_back(evaluator.scope);
  spend(sizeof(Macro));
  evaluator.scope->set(statement.text,
                       Value(std::shared_ptr<Object>(std::make_shared<Macro>(
                           *this, statement, evaluator.scope.get()))));
}

void Interpreter::assignAttribute(const Expr &target, const Value &value) {
  Value object = evaluator.evaluate(*target.children[0]);
  auto *attributes = dynamic_cast<Namespace *>(object.object());
  if (!attributes)
    throw TemplateError("'" + target.children[0]->text.substr(0, 40) +
                        "' is no namespace; its attributes cannot be set");
  attributes->set(target.text, value);
}

void Interpreter::assign(const Expr &target, const Value &value) {
  if (target.kind == ExprKind::Name) {
    evaluator.scope->set(target.text, value);
    return;
  }
  if (target.kind == ExprKind::Attribute)
    return assignAttribute(target, value);
  requireDefined(value);
  std::vector<Value> parts = value.elements();
  if (parts.size() != target.children.size())
    throw TemplateError(std::to_string(parts.size()) + " values are set to " +
                        std::to_string(target.children.size()) + " names");
  for (size_t i = 0; i < parts.size(); ++i)
    assign(*target.children[i], parts[i]);
}

bool Interpreter::accepts(const Statement &statement, const Value &item) {
  Inner scope(*this);
  assign(*statement.target, item);
  return evaluator.evaluate(*statement.condition).isTrue();
}

Flow Interpreter::executeIf(const Statement &statement) {
  for (const Branch &branch : statement.branches)
    if (!branch.condition || evaluator.evaluate(*branch.condition).isTrue())
      return execute(branch.body);
  return Flow::Normal;
}

Flow Interpreter::executeFor(const Statement &statement) {
  Value sequence = evaluator.evaluate(*statement.expression);
  std::shared_ptr<Scope> around = evaluator.scope;
  Loop::Accept accept;
  if (statement.condition)
    accept = [&, around](const Value &item) {
      // Asked from within the body, whose variables it does not see.
      Inner outside(*this, around);
      return accepts(statement, item);
    };
  auto loop = std::make_shared<Loop>(sequence.elements(), std::move(accept));
  struct End {
    Loop &loop;
    ~End() { loop.end(); }
  } end{*loop};
  // As Jinja compiles it: the `else` is for loops none of whose rounds came to
  // the end of the body, those left by `continue` too.
  bool ran = false;
  while (const Value *item = loop->next()) {
    Evaluator::Step step(evaluator, statement.line);
    Inner scope(*this);
    evaluator.scope->set("loop", Value(std::shared_ptr<Object>(loop)));
    assign(*statement.target, *item);
    Flow flow = execute(statement.body);
    if (flow == Flow::Break)
      break;
    ran = ran || flow == Flow::Normal;
  }
  if (!ran) {
    Inner scope(*this);
    return execute(statement.otherwise);
  }
  return Flow::Normal;
}

Flow Interpreter::execute(const Body &body) {
  for (const Statement &statement : body) {
    Flow flow = execute(statement);
    if (flow != Flow::Normal)
      return flow;
  }
  return Flow::Normal;
}

Flow Interpreter::execute(const Statement &statement) {
  Evaluator::Step step(evaluator, statement.line);
  switch (statement.kind) {
  case StatementKind::Text:
    appendText(*out, statement.text);
    break;
  case StatementKind::Print:
    appendText(*out,
               toText(evaluator.evaluate(*statement.expression), maxText));
    break;
  case StatementKind::If:
    return executeIf(statement);
  case StatementKind::For:
    return executeFor(statement);
  case StatementKind::Set:
    assign(*statement.target, evaluator.evaluate(*statement.expression));
    break;
  case StatementKind::SetBlock: {
    std::string text;
    {
      Inner scope(*this);
      text = capture(statement.body);
    }
    assign(*statement.target, Value(std::move(text)));
    break;
  }
  case StatementKind::Macro:
    defineMacro(statement);
    break;
  case StatementKind::Generation: {
    Inner scope(*this);
    execute(statement.body);
    break;
  }
  case StatementKind::Break:
    return Flow::Break;
  case StatementKind::Continue:
    return Flow::Continue;
  }
  return Flow::Normal;
}

std::string jinja::render(const Body &body, Variables variables) {
  return Interpreter().run(body, std::move(variables));
}
