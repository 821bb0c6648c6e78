// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef LORI_RUNTIME_TEXT_JINJA_GLOBALS_H
#define LORI_RUNTIME_TEXT_JINJA_GLOBALS_H

#include "runtime/text/jinja/Objects.h"

namespace lori::jinja {

/// The namespaces of one run. They may hold each other, so what they hold is
/// let go only at the end.
class Namespaces {
public:
  Namespaces() = default;
  ~Namespaces();
  Namespaces(const Namespaces &) = delete;
  Namespaces &operator=(const Namespaces &) = delete;
  Value make(const Arguments &arguments);

private:
  std::vector<std::shared_ptr<Namespace>> all;
};

/// Sets the functions of Jinja and of `transformers`: range, dict, namespace,
/// raise_exception, strftime_now.
void setGlobals(Scope &scope, Namespaces &namespaces);

} // namespace lori::jinja

#endif // LORI_RUNTIME_TEXT_JINJA_GLOBALS_H
