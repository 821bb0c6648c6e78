// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/program/Options.h"
#include "runtime/program/OptionValues.h"

#include <CLI/CLI.hpp>
#include <limits>

using namespace lori;

static constexpr int64_t int32Max = std::numeric_limits<int32_t>::max();
static constexpr double doubleMax = std::numeric_limits<double>::max();

namespace {

/// CLI11 finds the options and their values; the values are read here, as they
/// were typed: CLI11's own conversions give "[a]" and "{}" a meaning.
class Parser {
public:
  explicit Parser(Options &options) : options(options) {
    app.set_help_flag();
    addActions();
    addGeneration();
    addOutputs();
  }

  void parse(int argc, const char *const *argv) {
    try {
      app.parse(argc, argv);
    } catch (const CLI::ExtrasError &) {
      throw UsageError("'" + app.remaining().front() +
                       "': unknown option, --help lists them all");
    } catch (const CLI::ParseError &error) {
      throw UsageError(error.what());
    }
    // To restrict the choice of tokens is to ask for one.
    SamplingOptions &sampling = options.sampling;
    bool restricted = sampling.topK > 0 || sampling.topP < 1;
    sampling.temperature = temperature.value_or(restricted ? 1 : 0);
  }

private:
  using Values = std::vector<std::string>;

  /// An option with one value; given twice, it is an error.
  template <typename Set> void value(const std::string &name, Set &&set) {
    app.add_option(name,
                   [=](const Values &values) {
                     set(name, values.front());
                     return true;
                   })
        ->multi_option_policy(CLI::MultiOptionPolicy::Throw);
  }

  /// An option that may be given several times.
  template <typename Add> void list(const std::string &name, Add &&add) {
    app.add_option(name,
                   [=](const Values &values) {
                     for (const std::string &text : values)
                       add(name, text);
                     return true;
                   })
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  }

  void text(const std::string &name, std::optional<std::string> &place) {
    value(name, [&place](const std::string &, const std::string &given) {
      place = given;
    });
  }

  void flag(const std::string &name, bool &place) { app.add_flag(name, place); }

  void addActions();
  void addGeneration();
  void addOutputs();

  Options &options;
  std::optional<double> temperature;
  CLI::App app;
};

} // namespace

void Parser::addActions() {
  text("-p", options.prompt);
  text("-f", options.promptFile);
  flag("--chat", options.chat);
  value("--tokens", [this](const std::string &name, const std::string &given) {
    options.tokens = parseTokens(name, given);
  });
  text("--requests", options.requests);
  text("--perplexity", options.perplexity);
  text("--tokenize", options.tokenize);
  text("--detokenize", options.detokenize);
  text("--render-chat", options.renderChat);
  app.add_option("--bench",
                 [this](const Values &values) {
                   options.bench = parseBench("--bench", values.front());
                   return true;
                 })
      ->expected(0, 1);
  flag("--info", options.info);
  flag("-h,--help", options.help);
}

void Parser::addGeneration() {
  SamplingOptions &sampling = options.sampling;
  value("-n", [this](const std::string &name, const std::string &given) {
    options.newTokens = parseInteger(name, given, 0, int32Max);
  });
  value("--temperature",
        [this](const std::string &name, const std::string &given) {
          temperature = parseNumber(name, given, 0, doubleMax);
        });
  value("--top-k",
        [&sampling](const std::string &name, const std::string &given) {
          sampling.topK = parseInteger(name, given, 0, int32Max);
        });
  value("--top-p",
        [&sampling](const std::string &name, const std::string &given) {
          sampling.topP = parseNumber(name, given, 0, 1);
        });
  value("--seed",
        [&sampling](const std::string &name, const std::string &given) {
          sampling.seed = parseSeed(name, given);
        });
  list("--stop", [this](const std::string &name, const std::string &given) {
    if (given.empty())
      throw UsageError(name, "'' is not a text to stop at");
    options.stops.push_back(given);
  });
  flag("--ignore-eos", options.ignoreEos);
  list("--adapter", [this](const std::string &name, const std::string &given) {
    options.adapters.push_back(parseAdapter(name, given));
  });
  list("--load", [this](const std::string &name, const std::string &given) {
    options.loads.push_back(parseLoad(name, given));
  });
  value("--threads", [this](const std::string &name, const std::string &given) {
    options.threads = static_cast<int>(parseInteger(name, given, 1, 1024));
  });
}

void Parser::addOutputs() {
  flag("--print-tokens", options.printTokens);
  text("--logits", options.logits);
}

//===----------------------------------------------------------------------===//
// What goes together
//===----------------------------------------------------------------------===//

/// The names of the actions that were asked for, in the order of --help.
static std::vector<std::string> actionsOf(const Options &options) {
  const std::pair<const char *, bool> all[] = {
      {"-p", options.prompt.has_value()},
      {"-f", options.promptFile.has_value()},
      {"--tokens", options.tokens.has_value()},
      {"--chat", options.chat},
      {"--requests", options.requests.has_value()},
      {"--perplexity", options.perplexity.has_value()},
      {"--tokenize", options.tokenize.has_value()},
      {"--detokenize", options.detokenize.has_value()},
      {"--render-chat", options.renderChat.has_value()},
      {"--bench", options.bench.has_value()},
      {"--info", options.info}};
  std::vector<std::string> names;
  for (const auto &[name, given] : all)
    if (given)
      names.emplace_back(name);
  return names;
}

static void checkActions(const Options &options) {
  std::vector<std::string> actions = actionsOf(options);
  if (actions.empty())
    throw UsageError("nothing to do: give a prompt with -p, -f, --tokens or "
                     "--chat, --help lists all options");
  if (actions == std::vector<std::string>{"-p", "--chat"} ||
      actions == std::vector<std::string>{"-f", "--chat"})
    return;
  if (actions.size() > 1)
    throw Error(actions[0] + " and " + actions[1] +
                " do not go together, give one of them");
}

static void checkOutputs(const Options &options) {
  bool onePrompt = options.prompt || options.promptFile || options.tokens;
  if (options.logits && !onePrompt)
    throw Error("--logits needs one prompt, given with -p, -f or --tokens");
  if (options.printTokens && !onePrompt && !options.chat)
    throw Error("--print-tokens needs a prompt, given with -p, -f, --tokens "
                "or --chat");
}

Options lori::parseOptions(int argc, const char *const *argv) {
  Options options;
  Parser(options).parse(argc, argv);
  if (options.help)
    return options;
  checkActions(options);
  checkOutputs(options);
  return options;
}
