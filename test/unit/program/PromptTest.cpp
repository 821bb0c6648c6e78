// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// One prompt and its answer, by whole programs run as processes.

#include "test/unit/program/ProgramFixture.h"

#include <cstring>

using namespace lori;
using namespace lori::fake;

namespace {

using PromptTest = ProgramFixture;

TEST_F(PromptTest, TokensGoInAndComeOutAsGiven) {
  Outcome outcome = plain->run(
      {"--tokens", "5,6,7", "-n", "12", "--ignore-eos", "--print-tokens"});
  expectOk(outcome);
  EXPECT_EQ(outcome.out, join(fake::greedy({5, 6, 7}, 12)) + "\n");
  // Without a tokenizer there is nothing else to print.
  EXPECT_EQ(plain->run({"--tokens", "5,6,7", "-n", "12", "--ignore-eos"}).out,
            outcome.out);
}

TEST_F(PromptTest, ATextIsContinuedAfterItsBos) {
  Ids ids = {1, 259};
  for (int32_t id : bytesOf("llo"))
    ids.push_back(id);
  Ids want = fake::greedy(ids, 20);
  Outcome outcome = program->run(
      {"-p", "hello", "-n", "20", "--ignore-eos", "--print-tokens"});
  expectOk(outcome);
  EXPECT_EQ(outcome.out, join(want) + "\n");
  outcome = program->run({"-p", "hello", "-n", "20", "--ignore-eos"});
  EXPECT_EQ(outcome.out, fake::tokenizer().decode(want, true) + "\n");
  // A BOS that is spelled out is not doubled.
  EXPECT_EQ(program->run({"-p", "<s>hello", "-n", "20", "--ignore-eos"}).out,
            outcome.out);
  writeFile(program->path("prompt"), "hello");
  EXPECT_EQ(
      program->run({"-f", program->path("prompt"), "-n", "20", "--ignore-eos"})
          .out,
      outcome.out);
  EXPECT_EQ(program->run({"-f", "-", "-n", "20", "--ignore-eos"}, "hello").out,
            outcome.out);
}

TEST_F(PromptTest, AdaptersAreOnByNameWithTheirWeight) {
  auto run = [&](std::vector<std::string> arguments) {
    arguments.insert(arguments.end(), {"--tokens", "5,6,7", "-n", "9",
                                       "--ignore-eos", "--print-tokens"});
    Outcome outcome = plain->run(arguments);
    EXPECT_EQ(outcome.err, "");
    return outcome.out;
  };
  auto want = [](const std::vector<float> &scales) {
    return join(fake::greedy({5, 6, 7}, 9, scales)) + "\n";
  };
  EXPECT_EQ(run({}), want({0, 0, 0}));
  EXPECT_EQ(run({"--adapter", "plus"}), want({1, 0, 0}));
  EXPECT_EQ(run({"--adapter", "minus"}), want({0, 0.5f, 0}));
  EXPECT_EQ(run({"--adapter", "minus=2", "--adapter", "third=-0.5"}),
            want({0, 2, -0.5f}));
  EXPECT_EQ(run({"--adapter", "plus=0"}), want({0, 0, 0}));
}

TEST_F(PromptTest, UnknownAdaptersAreErrorsThatListTheKnown) {
  expectError(plain->run({"--tokens", "1", "--adapter", "x"}), 1,
              "no adapter 'x' in this program, it has plus, minus, third");
  ModelInfo info = fake::info();
  info.adapters.clear();
  info.fused = {"x"};
  // The fake writes 3 weights a row; nothing runs here.
  Program fused(info, false);
  expectError(fused.run({"--tokens", "1", "--adapter", "x"}), 1,
              "adapter 'x' is fused into the weights");
  expectError(fused.run({"--tokens", "1", "--adapter", "y"}), 1,
              "no adapter 'y': this program was compiled without adapters");
}

TEST_F(PromptTest, LogitsOfThePromptAreWrittenAsNpy) {
  std::string file = plain->path("logits.npy");
  Ids prompt;
  for (int32_t i = 0; i < 40; ++i)
    prompt.push_back(i * 11 % 299);
  expectOk(plain->run({"--tokens", join(prompt), "-n", "0", "--logits", file}));
  std::string bytes = readFile(file);
  ASSERT_GT(bytes.size(), 128u);
  EXPECT_NE(bytes.find("'shape': (40, 300)"), std::string::npos);
  constexpr size_t rowBytes = fake::vocabulary * sizeof(float);
  size_t start = bytes.size() - prompt.size() * rowBytes;
  std::vector<fake::Token> tokens;
  for (size_t i = 0; i < prompt.size(); ++i) {
    tokens.push_back({prompt[i]});
    std::vector<float> row(300);
    std::memcpy(row.data(), bytes.data() + start + i * rowBytes, rowBytes);
    EXPECT_EQ(row, fake::logitsAfter(tokens)) << i;
  }
  // Together with an answer.
  Outcome outcome = plain->run(
      {"--tokens", join(prompt), "-n", "3", "--ignore-eos", "--logits", file});
  EXPECT_EQ(outcome.out, join(fake::greedy(prompt, 3)) + "\n");
  EXPECT_EQ(readFile(file), bytes);
}

TEST_F(PromptTest, AFailedRunLeavesNoLogits) {
  std::string file = plain->path("none.npy");
  expectError(plain->run({"--tokens", "1,299", "-n", "0", "--logits", file}), 1,
              "the model gives NaN or infinite logits");
  EXPECT_FALSE(std::filesystem::exists(file));
  expectError(plain->run({"--tokens", "1", "--logits", "/no/such/x.npy"}), 1,
              "/no/such/x.npy: cannot be written");
}

TEST_F(PromptTest, AnAnswerEndsAtEosUnlessToldNotTo) {
  // A prompt whose greedy continuation holds some token early on.
  Ids prompt = {9, 10, 11};
  Ids want = fake::greedy(prompt, 30);
  ModelInfo info = fake::info();
  info.eos = {298, want[4]};
  size_t first = std::find(want.begin(), want.end(), want[4]) - want.begin();
  Program ending(info, false);
  std::vector<std::string> arguments = {"--tokens", join(prompt), "-n", "30"};
  EXPECT_EQ(ending.run(arguments).out,
            join({want.begin(), want.begin() + first + 1}) + "\n");
  arguments.emplace_back("--ignore-eos");
  EXPECT_EQ(ending.run(arguments).out, join(want) + "\n");
}

TEST_F(PromptTest, AFullContextIsANoteAndNotAFailure) {
  ModelInfo info = fake::info();
  info.context = 10;
  Program small(info, false);
  Outcome outcome =
      small.run({"--tokens", "1,2,3,4,5,6", "-n", "99", "--ignore-eos"});
  EXPECT_EQ(outcome.code, 0);
  EXPECT_EQ(outcome.out, join(fake::greedy({1, 2, 3, 4, 5, 6}, 5)) + "\n");
  EXPECT_EQ(outcome.err, "prog: note: the context of 10 tokens is full, the "
                         "answer ends after 5 tokens\n");
  expectError(small.run({"--tokens", "1,2,3,4,5,6,7,8,9,10,11"}), 1,
              "the prompt has 11 tokens, the context is 10, shorten it");
}

TEST_F(PromptTest, StopTextsEndTheAnswerAndAreNotShown) {
  Ids prompt = {1};
  for (int32_t id : bytesOf("abc"))
    prompt.push_back(id);
  std::string whole = fake::tokenizer().decode(fake::greedy(prompt, 40), true);
  // A stop text from the middle of the answer, of printable characters.
  size_t at = 4;
  while (at < whole.size() &&
         !std::isalnum(static_cast<unsigned char>(whole[at])))
    ++at;
  ASSERT_LT(at, whole.size());
  std::string stop = whole.substr(at, 1);
  Outcome outcome = program->run({"-p", "abc", "-n", "40", "--ignore-eos",
                                  "--stop", "never", "--stop", stop});
  expectOk(outcome);
  EXPECT_EQ(outcome.out, whole.substr(0, whole.find(stop)) + "\n");
}

TEST_F(PromptTest, SamplingDependsOnTheSeedOnly) {
  auto run = [&](const std::string &seed) {
    return plain
        ->run({"--tokens", "5,6", "-n", "30", "--ignore-eos", "--temperature",
               "1", "--seed", seed})
        .out;
  };
  EXPECT_EQ(run("1"), run("1"));
  EXPECT_NE(run("1"), run("2"));
  EXPECT_EQ(plain
                ->run({"--tokens", "5,6", "-n", "9", "--ignore-eos", "--top-k",
                       "1", "--seed", "3"})
                .out,
            join(fake::greedy({5, 6}, 9)) + "\n");
}

} // namespace
