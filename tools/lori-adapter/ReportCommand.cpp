// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/formats/AdapterPath.h"
#include "runtime/formats/JsonWriter.h"
#include "runtime/support/Error.h"
#include "runtime/support/NewFile.h"
#include "tools/adapter/ReportFiles.h"
#include "tools/adapter/ReportTables.h"
#include "tools/lori-adapter/Command.h"

#include <cstdio>

using namespace lori;

static void declare(Arguments &arguments) {
  arguments.positionals("PATH[=WEIGHT]...");
  arguments.option("-o", "FILE.html", "write a page with tables and heat maps");
  arguments.optionalValue("--json", "FILE",
                          "write all figures as JSON; --json alone to stdout");
  arguments.option(
      "--density", "D",
      "predict the merges that prune with this fraction of entries "
      "to keep (ties, dare, magnitude_prune)");
  arguments.option("--seed", "S", "of the draws of dare (0)");
}

static void write(const std::string &path, const std::string &text) {
  NewFile file(path);
  file.write(text);
  file.commit();
}

static std::vector<AdapterInput> openAll(const std::vector<std::string> &given,
                                         ReportOptions &options) {
  std::vector<AdapterInput> inputs;
  for (const std::string &text : given) {
    AdapterPath path = parseAdapterPath(text, '=');
    if (path.path.ends_with(".json"))
      throw UsageError("'" + path.path +
                       "' is no adapter, --json=FILE names a file to write");
    inputs.push_back(AdapterInput::open(path.path));
    warn(inputs.back().warnings());
    options.merge.weights.push_back(path.scale.value_or(1));
  }
  return inputs;
}

static void run(const Arguments &arguments) {
  std::vector<std::string> given =
      arguments.take(1, SIZE_MAX, "one adapter or more");
  ReportOptions options;
  std::optional<double> density = arguments.number("--density");
  if (density && (*density <= 0 || *density > 1))
    throw UsageError("--density takes a number above 0 and up to 1, not '" +
                     arguments.text("--density") + "'");
  options.merge.density = density;
  options.merge.seed = arguments.seed("--seed").value_or(0);
  options.threads = availableThreads();
  std::string page = arguments.text("-o"),
              json = arguments.optionalText("--json");
  if (arguments.has("-o") && !page.ends_with(".html"))
    throw UsageError("-o takes a name that ends in .html, not '" + page + "'");

  std::vector<AdapterInput> inputs = openAll(given, options);
  Report report = makeReport(inputs, options);
  if (!page.empty())
    write(page, reportHtml(report));
  std::string figures;
  if (arguments.has("--json"))
    figures = jsonText(reportJson(report), 1) + "\n";
  if (!json.empty())
    write(json, figures);
  else if (arguments.has("--json"))
    std::fputs(figures.c_str(), stdout);
  else if (page.empty())
    std::fputs(reportText(report).c_str(), stdout);
}

const Command lori::reportCommand = {
    "report", "say how adapters would disturb each other, and each merge",
    declare, run};
