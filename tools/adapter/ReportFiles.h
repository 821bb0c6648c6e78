// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef LORI_TOOLS_ADAPTER_REPORTFILES_H
#define LORI_TOOLS_ADAPTER_REPORTFILES_H

#include "tools/adapter/Report.h"

namespace lori {

/// All figures; docs/adapters.md names the fields.
JsonValue reportJson(const Report &report);

/// One file without external resources, for light and dark screens: tables of
/// all figures, and heat maps of them. A script only makes tables sortable.
std::string reportHtml(const Report &report);

} // namespace lori

#endif // LORI_TOOLS_ADAPTER_REPORTFILES_H
