// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Many prompts at once, and conversations.

#include "test/unit/program/ProgramFixture.h"

#include <nlohmann/json.hpp>

using namespace lori;
using namespace lori::fake;
using Json = nlohmann::json;

namespace {

using RequestsTest = ProgramFixture;

std::vector<Json> lines(const std::string &text) {
  std::vector<Json> result;
  for (size_t start = 0; start < text.size();) {
    size_t end = text.find('\n', start);
    result.push_back(Json::parse(text.substr(start, end - start)));
    start = end + 1;
  }
  return result;
}

TEST_F(RequestsTest, RequestsAreAnsweredInOrderAsEachWouldBeAlone) {
  std::string input;
  std::vector<Ids> want;
  for (int32_t i = 0; i < 11; ++i) {
    Ids prompt(1 + i * 7 % 30, 20 + i);
    int n = 1 + i * 5 % 17;
    Json line = {{"tokens", prompt}, {"n", n}};
    std::vector<float> scales = {0, 0, 0};
    if (i % 4 == 1) {
      line["adapter"] = "minus";
      scales = {0, 0.5f, 0};
    } else if (i % 4 == 2) {
      line["adapter"] = {{{"name", "plus"}, {"scale", 2}}, {{"name", "minus"}}};
      scales = {2, 0.5f, 0};
    } else if (i % 4 == 3) {
      line["adapter"] = nullptr;
    }
    input += line.dump() + "\n" + (i == 3 ? "\n" : "");
    want.push_back(fake::greedy(prompt, n, scales));
  }
  Outcome outcome = program->run({"--requests", "-", "--ignore-eos"}, input);
  expectOk(outcome);
  std::vector<Json> answers = lines(outcome.out);
  ASSERT_EQ(answers.size(), want.size());
  for (size_t i = 0; i < want.size(); ++i) {
    EXPECT_EQ(answers[i]["tokens"].get<Ids>(), want[i]) << i;
    EXPECT_EQ(answers[i]["text"].get<std::string>(),
              fake::tokenizer().decode(want[i], true));
  }
}

TEST_F(RequestsTest, RequestsTakeWhatTheyLeaveOutFromTheCommandLine) {
  Outcome outcome = program->run(
      {"--requests", "-", "--ignore-eos", "-n", "6", "--adapter", "plus"},
      "{\"prompt\":\"abc\"}\n{\"prompt\":\"abc\",\"adapter\":null}\n"
      "{\"tokens\":[7],\"n\":0}\n");
  expectOk(outcome);
  Ids prompt = {1};
  for (int32_t id : bytesOf("abc"))
    prompt.push_back(id);
  std::vector<Json> answers = lines(outcome.out);
  ASSERT_EQ(answers.size(), 3u);
  EXPECT_EQ(answers[0]["tokens"].get<Ids>(),
            fake::greedy(prompt, 6, {1, 0, 0}));
  EXPECT_EQ(answers[1]["tokens"].get<Ids>(), fake::greedy(prompt, 6));
  EXPECT_EQ(answers[2], Json::parse("{\"text\":\"\",\"tokens\":[]}"));
}

TEST_F(RequestsTest, BadRequestsAreErrorsThatNameTheirLine) {
  const std::pair<const char *, const char *> cases[] = {
      {"nonsense", "not a JSON object"},
      {"[1]", "not a JSON object"},
      {"{}", "a request has one of"},
      {"{\"prompt\":\"a\",\"tokens\":[1]}", "a request has one of"},
      {"{\"prompt\":1}", "a request needs a string \"prompt\""},
      {"{\"tokens\":[-1]}", "expected token ids, not -1"},
      {"{\"tokens\":[1.5]}", "expected token ids, not 1.5"},
      {"{\"tokens\":[300]}", "token 300 is not in the vocabulary"},
      {"{\"tokens\":[]}", "the prompt is empty"},
      {"{\"tokens\":\"1\"}", "expected an array of token ids"},
      {"{\"tokens\":[1],\"n\":-1}", "\"n\" must be"},
      {"{\"tokens\":[1],\"m\":1}", "'m' is not a key of a request"},
      {"{\"tokens\":[1],\"adapter\":\"x\"}", "no adapter 'x'"},
      {"{\"tokens\":[1],\"adapter\":7}", "\"adapter\" must be"},
      {"{\"tokens\":[1],\"adapter\":[7]}", "\"adapter\" must be"},
      {"{\"tokens\":[1],\"adapter\":[{\"name\":\"plus\",\"scale\":\"x\"}]}",
       "\"scale\" must be a finite number"},
      {"{\"tokens\":[1],\"adapter\":[{\"nam\":\"plus\"}]}",
       "'nam' is not a key of an adapter"},
      {"{\"messages\":[]}", "\"messages\" must be"},
      {"{\"messages\":[{\"role\":\"user\"}]}",
       "a message needs a string \"content\""},
  };
  for (const auto &[line, message] : cases) {
    Outcome outcome = program->run({"--requests", "-"},
                                   "{\"tokens\":[1]}\n" + std::string(line));
    expectError(outcome, 1, std::string("standard input: line 2: ") + message);
  }
  expectError(program->run({"--requests", "/no/file"}), 1,
              "/no/file: cannot be read");
}

TEST_F(RequestsTest, ChatRendersItsTurns) {
  std::string rendered =
      "<|im_start|>user\nhi<|im_end|>\n<|im_start|>assistant\n";
  Ids ids = fake::tokenizer().encode(rendered, true);
  Ids first = fake::greedy(ids, 5);
  Outcome outcome = program->run(
      {"--chat", "-p", "hi", "-n", "5", "--ignore-eos", "--print-tokens"});
  expectOk(outcome);
  EXPECT_EQ(outcome.out, join(first) + "\n");
  EXPECT_EQ(
      program
          ->run({"--chat", "-n", "5", "--ignore-eos", "--print-tokens"}, "hi\n")
          .out,
      outcome.out);
}

TEST_F(RequestsTest, ChatGoesOnWithTheWholeConversation) {
  Tokenizer tokenizer = fake::tokenizer();
  std::string turn = "<|im_start|>user\na<|im_end|>\n<|im_start|>assistant\n";
  Ids first = fake::greedy(tokenizer.encode(turn, true), 2);
  std::string second = turn + tokenizer.decode(first, true) +
                       "<|im_end|>\n<|im_start|>user\nb<|im_end|>\n"
                       "<|im_start|>assistant\n";
  Ids ids = tokenizer.encode(second, true);
  ASSERT_LE(ids.size() + 2, 128u + 1);
  Outcome outcome = program->run(
      {"--chat", "-n", "2", "--ignore-eos", "--print-tokens"}, "a\nb\n");
  expectOk(outcome);
  EXPECT_EQ(outcome.out,
            join(first) + "\n" + join(fake::greedy(ids, 2)) + "\n");
}

} // namespace
