// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/program/Options.h"
#include "test/unit/engine/TempFolder.h"

#include <regex>
#include <set>

using namespace lori;

namespace {

Options parse(std::vector<const char *> arguments) {
  arguments.insert(arguments.begin(), "prog");
  return parseOptions(static_cast<int>(arguments.size()), arguments.data());
}

/// "usage: MESSAGE" or "error: MESSAGE", as the exit code would be 2 or 1.
std::string failure(const std::vector<const char *> &arguments) {
  try {
    parse(arguments);
  } catch (const UsageError &error) {
    return std::string("usage: ") + error.what();
  } catch (const Error &error) {
    return std::string("error: ") + error.what();
  }
  return "";
}

TEST(OptionsTest, DefaultsAreGreedyAnd256Tokens) {
  Options options = parse({"-p", "x"});
  EXPECT_EQ(options.prompt, "x");
  EXPECT_EQ(options.newTokens, 256);
  EXPECT_EQ(options.sampling.temperature, 0);
  EXPECT_FALSE(options.threads.has_value());
}

TEST(OptionsTest, EveryOptionIsRead) {
  Options options = parse({"--chat",
                           "-f",
                           "file",
                           "-n",
                           "7",
                           "--temperature",
                           "0.5",
                           "--top-k",
                           "40",
                           "--top-p",
                           "0.9",
                           "--seed",
                           "18446744073709551615",
                           "--stop",
                           "a",
                           "--stop",
                           "b",
                           "--ignore-eos",
                           "--adapter",
                           "x",
                           "--adapter",
                           "y=-0.25",
                           "--threads",
                           "3",
                           "--print-tokens"});
  EXPECT_TRUE(options.chat && options.ignoreEos && options.printTokens);
  EXPECT_EQ(options.promptFile, "file");
  EXPECT_EQ(options.newTokens, 7);
  EXPECT_EQ(options.sampling.temperature, 0.5);
  EXPECT_EQ(options.sampling.topK, 40);
  EXPECT_EQ(options.sampling.topP, 0.9);
  EXPECT_EQ(options.sampling.seed, UINT64_MAX);
  EXPECT_EQ(options.stops, (std::vector<std::string>{"a", "b"}));
  ASSERT_EQ(options.adapters.size(), 2u);
  EXPECT_EQ(options.adapters[0].name, "x");
  EXPECT_FALSE(options.adapters[0].scale.has_value());
  EXPECT_EQ(options.adapters[1].name, "y");
  EXPECT_EQ(options.adapters[1].scale, -0.25f);
  EXPECT_EQ(options.threads, 3);
  options = parse({"--tokens=1, 2,3", "--logits=l.npy"});
  EXPECT_EQ(options.tokens, (std::vector<int32_t>{1, 2, 3}));
  EXPECT_EQ(options.logits, "l.npy");
  EXPECT_EQ(parse({"--requests", "-"}).requests, "-");
  EXPECT_EQ(parse({"--perplexity", "t"}).perplexity, "t");
  EXPECT_EQ(parse({"--tokenize", "t"}).tokenize, "t");
  EXPECT_EQ(parse({"--detokenize", "t"}).detokenize, "t");
  EXPECT_EQ(parse({"--render-chat", "t"}).renderChat, "t");
  EXPECT_TRUE(parse({"--info"}).info);
  EXPECT_TRUE(parse({"-h"}).help);
  EXPECT_TRUE(parse({"--help"}).help);
}

TEST(OptionsTest, TextsAreTakenAsTheyAre) {
  for (const char *text :
       {"", "[a,b]", "{}", "%%", "-x", "--chat", "a=b", "\"q\"", "'", " ",
        "true", "\xff", "a\nb", "[]", "[INST]"}) {
    EXPECT_EQ(parse({"-p", text}).prompt, text) << text;
    if (*text)
      EXPECT_EQ(parse({"-p", "x", "--stop", text}).stops,
                std::vector<std::string>{text});
  }
  EXPECT_EQ(parse({"-p", "x", "--stop", "a", "--chat"}).stops,
            std::vector<std::string>{"a"});
}

TEST(OptionsTest, AnAdaptersWeightIsBehindTheLastEqualsSign) {
  Options options = parse({"-p", "x", "--adapter=a=b=2"});
  EXPECT_EQ(options.adapters[0].name, "a=b");
  EXPECT_EQ(options.adapters[0].scale, 2.0f);
}

TEST(OptionsTest, BenchHasDefaultsForWhatIsLeftOut) {
  BenchOptions bench = *parse({"--bench"}).bench;
  EXPECT_EQ(bench.prefill, 512);
  EXPECT_EQ(bench.decode, 128);
  EXPECT_EQ(bench.batch, 1);
  bench = *parse({"--bench", "batch=4,prefill=16"}).bench;
  EXPECT_EQ(bench.prefill, 16);
  EXPECT_EQ(bench.decode, 128);
  EXPECT_EQ(bench.batch, 4);
  EXPECT_EQ(parse({"--bench", "--threads", "2"}).threads, 2);
}

TEST(OptionsTest, RestrictingTheChoiceAsksForOne) {
  EXPECT_EQ(parse({"-p", "x", "--top-k", "5"}).sampling.temperature, 1);
  EXPECT_EQ(parse({"-p", "x", "--top-p", "0.5"}).sampling.temperature, 1);
  EXPECT_EQ(parse({"-p", "x", "--seed", "5"}).sampling.temperature, 0);
  EXPECT_EQ(parse({"-p", "x", "--top-k", "5", "--temperature", "0"})
                .sampling.temperature,
            0);
}

TEST(OptionsTest, MalformedValuesAreUsageErrorsThatNameTheOption) {
  const std::vector<std::vector<const char *>> cases = {
      {"-n", "-1"},
      {"-n", "x"},
      {"-n", "1.5"},
      {"-n", "99999999999"},
      {"-n", ""},
      {"-n"},
      {"--tokens", "1,x"},
      {"--tokens", "1,,2"},
      {"--tokens", "1,"},
      {"--tokens", "-1"},
      {"--tokens", "4294967296"},
      {"--temperature", "-0.5"},
      {"--temperature", "nan"},
      {"--temperature", "inf"},
      {"--temperature", "1,5"},
      {"--top-k", "-3"},
      {"--top-p", "1.5"},
      {"--seed", "-1"},
      {"--stop", ""},
      {"--threads", "0"},
      {"--threads", "2000"},
      {"--adapter", "=1"},
      {"--adapter", ""},
      {"--adapter", "a="},
      {"--adapter", "a=x"},
      {"--adapter", "a=nan"},
      {"--adapter", "a=1x"},
      {"--bench", "decode"},
      {"--bench", "prefill=0"},
      {"--bench", "prefil=3"},
      {"--bench", "batch=-1"},
      {"-p"},
  };
  for (std::vector<const char *> arguments : cases) {
    std::string option = arguments[0];
    std::string message = failure(arguments);
    EXPECT_EQ(message.find("usage: " + option), 0u)
        << option << " " << (arguments.size() > 1 ? arguments[1] : "") << ": "
        << message;
  }
}

TEST(OptionsTest, UnknownOptionsAndWordsAreUsageErrors) {
  EXPECT_EQ(failure({"--nope"}),
            "usage: '--nope': unknown option, --help lists them all");
  EXPECT_EQ(failure({"-p", "x", "more"}),
            "usage: 'more': unknown option, --help lists them all");
  EXPECT_EQ(failure({"-p", "x", "-p", "y"}).find("usage: -p"), 0u);
  EXPECT_EQ(failure({"-p", "x", "--chat=maybe"}).find("usage: "), 0u);
  EXPECT_EQ(failure({}).find("usage: nothing to do"), 0u);
}

TEST(OptionsTest, WhatDoesNotGoTogetherIsAnError) {
  EXPECT_EQ(failure({"-p", "x", "-f", "y"}),
            "error: -p and -f do not go together, give one of them");
  EXPECT_EQ(failure({"--tokens", "1", "--chat"}).find("error: --tokens and"),
            0u);
  EXPECT_EQ(failure({"--info", "--bench"}).find("error: --bench and --info"),
            0u);
  EXPECT_EQ(failure({"--requests", "r", "--logits", "l"}).find("error: --log"),
            0u);
  EXPECT_EQ(failure({"--info", "--print-tokens"}).find("error: --print-"), 0u);
  for (const char *load : {"a", "a=", "=b", ""})
    EXPECT_NE(failure({"-p", "x", "--load", load}).find("expected NAME=PATH"),
              std::string::npos)
        << load;
}

TEST(OptionsTest, HelpTellsOfEveryOptionAndOfNoOther) {
  std::string help = helpText("smol");
  std::set<std::string> told;
  std::regex option("(^|[ \\n(])(--?[a-z][a-z-]*)");
  for (std::sregex_iterator i(help.begin(), help.end(), option), end; i != end;
       ++i)
    told.insert((*i)[2]);
  std::set<std::string> known = {"-p",
                                 "-f",
                                 "--chat",
                                 "--tokens",
                                 "--requests",
                                 "-n",
                                 "--stop",
                                 "--ignore-eos",
                                 "--load",
                                 "--temperature",
                                 "--top-k",
                                 "--top-p",
                                 "--seed",
                                 "--adapter",
                                 "--print-tokens",
                                 "--logits",
                                 "--perplexity",
                                 "--bench",
                                 "--tokenize",
                                 "--detokenize",
                                 "--render-chat",
                                 "--info",
                                 "--threads",
                                 "-h",
                                 "--help"};
  EXPECT_EQ(told, known);
  // Each of them is known to the parser: whatever it complains about, it is
  // not that.
  for (const std::string &name : known)
    EXPECT_EQ(failure({name.c_str()}).find("unknown option"),
              std::string::npos);
  EXPECT_EQ(help.find("usage: smol [OPTION]"), 0u);
  EXPECT_EQ(help.find('@'), std::string::npos);
  size_t width = 0;
  for (size_t start = 0; start < help.size();) {
    size_t end = help.find('\n', start);
    width = std::max(width, end - start);
    start = end + 1;
  }
  EXPECT_LE(width, 80u);
}

} // namespace
