// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The other uses of a program, and how it ends.

#include "test/unit/program/ProgramFixture.h"

#include <cmath>
#include <nlohmann/json.hpp>
#include <regex>

using namespace lori;
using namespace lori::fake;
using Json = nlohmann::json;

namespace {

using ProgramTest = ProgramFixture;

std::vector<Json> lines(const std::string &text) {
  std::vector<Json> result;
  for (size_t start = 0; start < text.size();) {
    size_t end = text.find('\n', start);
    result.push_back(Json::parse(text.substr(start, end - start)));
    start = end + 1;
  }
  return result;
}

TEST_F(ProgramTest, RenderChatGivesTheTextOfMessages) {
  Outcome outcome =
      program->run({"--render-chat", "-"},
                   "{\"messages\":[{\"role\":\"user\",\"content\":\"Hé\"}],"
                   "\"add_generation_prompt\":true}\n"
                   "{\"messages\":[{\"role\":\"user\",\"content\":\"b\"}]}\n");
  expectOk(outcome);
  EXPECT_EQ(lines(outcome.out),
            (std::vector<Json>{
                "<|im_start|>user\nHé<|im_end|>\n<|im_start|>assistant\n",
                "<|im_start|>user\nb<|im_end|>\n"}));
  expectError(program->run({"--render-chat", "-"}, "{\"message\":[]}"), 1,
              "standard input: line 1: expected {\"messages\"");
}

TEST_F(ProgramTest, TokenizeAndDetokenizeAnswerLineByLine) {
  Outcome outcome =
      program->run({"--tokenize", "-"}, "\"hello\"\r\n\"\\u00e9</s>\"\n\"\"");
  expectOk(outcome);
  EXPECT_EQ(outcome.out, "[259,111,111,114]\n[198,172,2]\n[]\n");
  outcome = program->run({"--detokenize", "-"},
                         "[259,111,111,114]\n[198,172,2]\n[]\n[198]\n");
  expectOk(outcome);
  EXPECT_EQ(lines(outcome.out),
            (std::vector<Json>{"hello", "é</s>", "", "\uFFFD"}));
  // What some readers take for the end of a line is escaped.
  std::vector<int> ids;
  for (char c : std::string("a\u0085\u2028\u2029é"))
    ids.push_back(static_cast<uint8_t>(c) + 3);
  outcome = program->run({"--detokenize", "-"}, Json(ids).dump());
  expectOk(outcome);
  EXPECT_EQ(outcome.out, "\"a\\u0085\\u2028\\u2029é\"\n");
  expectError(program->run({"--tokenize", "-"}, "hello\n"), 1,
              "standard input: line 1: not JSON");
  expectError(program->run({"--tokenize", "-"}, "[1]\n"), 1,
              "standard input: line 1: expected a JSON string");
  expectError(program->run({"--detokenize", "-"}, "[\"a\"]\n"), 1,
              "standard input: line 1: expected token ids, not \"a\"");
}

TEST_F(ProgramTest, WithoutATokenizerTextIsAnErrorThatSaysWhatToDo) {
  for (std::vector<std::string> arguments :
       {std::vector<std::string>{"-p", "x"},
        {"--chat"},
        {"--tokenize", "-"},
        {"--detokenize", "-"},
        {"--render-chat", "-"},
        {"--perplexity", "-"},
        {"--tokens", "1", "--stop", "x"}})
    expectError(plain->run(arguments, "{\"messages\":[{\"role\":\"user\","
                                      "\"content\":\"x\"}]}"),
                1,
                (arguments[0] == "--tokens"        ? "--stop"
                 : arguments[0] == "--render-chat" ? "standard input: line 1"
                                                   : arguments[0]) +
                    std::string(": "));
  Outcome outcome = plain->run({"-p", "x"});
  EXPECT_NE(outcome.err.find("--tokens"), std::string::npos);
}

double surprise(const Ids &window, size_t scored) {
  std::vector<fake::Token> tokens;
  double sum = 0;
  for (size_t i = 0; i < scored; ++i) {
    tokens.push_back({window[i]});
    std::vector<float> logits = fake::logitsAfter(tokens);
    double total = 0;
    for (float logit : logits)
      total += std::exp(double(logit));
    sum += std::log(total) - logits[window[i + 1]];
  }
  return sum;
}

TEST_F(ProgramTest, PerplexityIsTheMeanSurpriseOverWindows) {
  ModelInfo info = fake::textInfo();
  info.context = 20;
  Program small(info);
  std::string text = "the quick brown fox jumps over it";
  Ids ids = fake::tokenizer().encode(text, true);
  double sum = 0;
  size_t count = 0, windows = 0;
  for (size_t start = 0; start < ids.size(); start += 19, ++windows) {
    Ids window = {1};
    window.insert(window.end(), ids.begin() + start,
                  ids.begin() + std::min(start + 19, ids.size()));
    sum += surprise(window, window.size() - 1);
    count += window.size() - 1;
  }
  Outcome outcome = small.run({"--perplexity", "-"}, text);
  expectOk(outcome);
  std::smatch numbers;
  ASSERT_TRUE(std::regex_match(
      outcome.out, numbers,
      std::regex("perplexity ([0-9.]+) \\+/- ([0-9.]+) \\(([0-9.]+) \\+/- "
                 "([0-9.]+) nats a token; ([0-9]+) tokens in ([0-9]+) windows "
                 "of 20\\)\n")))
      << outcome.out;
  auto number = [&](size_t index) { return std::stod(numbers[index]); };
  double perplexity = number(1), error = number(2);
  EXPECT_EQ(number(5), count);
  EXPECT_EQ(number(6), windows);
  EXPECT_NEAR(number(3), sum / count, 1e-4);
  EXPECT_NEAR(perplexity, std::exp(sum / count), 1e-2 * perplexity);
  EXPECT_GT(error, 0);
  EXPECT_NEAR(error, perplexity * number(4), 1e-2 * error);
  expectError(small.run({"--perplexity", "-"}, ""), 1,
              "-: the text is too short");
}

TEST_F(ProgramTest, BenchIsALineOfJson) {
  Outcome outcome =
      plain->run({"--bench", "prefill=20,decode=5,batch=2", "--threads", "1"});
  expectOk(outcome);
  std::vector<Json> reports = lines(outcome.out);
  ASSERT_EQ(reports.size(), 1u);
  EXPECT_EQ(reports[0]["threads"], 1);
  EXPECT_EQ(reports[0]["prefill"]["tokens"], 40);
  EXPECT_EQ(reports[0]["decode"]["tokens"], 10);
  for (const char *phase : {"prefill", "decode"}) {
    EXPECT_GT(reports[0][phase]["median"], 0);
    EXPECT_GE(reports[0][phase]["best"], reports[0][phase]["median"]);
  }
  expectError(plain->run({"--bench"}), 1, "--bench: prefill and decode make");
  expectError(plain->run({"--bench", "prefill=1,decode=1,batch=5"}), 1,
              "--bench: this program runs at most 4 sequences at once");
}

TEST_F(ProgramTest, InfoIsTheMetadataAndTheMachine) {
  Outcome outcome = program->run({"--info"});
  expectOk(outcome);
  Json info = Json::parse(outcome.out);
  EXPECT_EQ(info["name"], "fake");
  EXPECT_EQ(info["adapters"][1]["scale"], 0.5);
  EXPECT_EQ(info["sizes"]["weights"], 4800);
  EXPECT_GT(info["tokenizer_bytes"], 0);
  EXPECT_GE(info["machine"]["threads"], 1);
}

TEST_F(ProgramTest, AStrippedProgramSaysSo) {
  Program bare;
  expectError(bare.run({"-p", "x"}), 1,
              bare.path("prog") +
                  ": no model in this program: it was stripped or cut");
}

TEST_F(ProgramTest, AMissingCpuFeatureIsOneLine) {
  ModelInfo info = fake::info();
  info.cpuFeatures = {"avx9000"};
  expectError(Program(info, false).run({"--tokens", "1"}), 1,
              "this CPU lacks avx9000");
}

TEST_F(ProgramTest, ExitCodesTellUsageFromInput) {
  expectError(plain->run({"--nope"}), 2, "'--nope': unknown option");
  expectError(plain->run({"--tokens", "x"}), 2, "--tokens: 'x' is not");
  expectError(plain->run({}), 2, "nothing to do");
  expectError(plain->run({"--tokens", "1", "--info"}), 1, "--tokens and");
  expectError(plain->run({"--tokens", "300"}), 1, "token 300 is not in");
  expectError(plain->run({"--tokens", ""}), 1, "the prompt is empty");
  Outcome help = plain->run({"--help"});
  EXPECT_EQ(help.code, 0);
  EXPECT_EQ(help.out.find("usage: prog [OPTION]"), 0u);
}

TEST_F(ProgramTest, OutputThatCannotBeWrittenIsAFailure) {
  Outcome outcome = plain->run({"--tokens", "1,2", "-n", "3"}, "", "/dev/full");
  expectError(outcome, 1, "standard output cannot be written: ");
}

} // namespace
