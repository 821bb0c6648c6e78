// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Whole programs, run as processes: what they write and how they end.

#include "test/unit/program/FakeProgram.h"

#include <cmath>
#include <cstring>
#include <nlohmann/json.hpp>

using namespace lori;
using fake::Outcome;
using fake::Program;
using Json = nlohmann::json;

namespace {

using Ids = std::vector<int32_t>;

std::string join(const Ids &ids) {
  std::string text;
  for (int32_t id : ids)
    text += (text.empty() ? "" : ",") + std::to_string(id);
  return text;
}

Ids bytesOf(std::string_view text) {
  Ids ids;
  for (char c : text)
    ids.push_back(3 + static_cast<unsigned char>(c));
  return ids;
}

std::vector<Json> lines(const std::string &text) {
  std::vector<Json> result;
  for (size_t start = 0; start < text.size();) {
    size_t end = text.find('\n', start);
    result.push_back(Json::parse(text.substr(start, end - start)));
    start = end + 1;
  }
  return result;
}

class ProgramTest : public testing::Test {
protected:
  static void SetUpTestSuite() {
    program = new Program(fake::textInfo());
    plain = new Program(fake::info(), /*withTokenizer=*/false);
  }
  static void TearDownTestSuite() {
    delete program;
    delete plain;
  }
  static void expectOk(const Outcome &outcome) {
    EXPECT_EQ(outcome.code, 0);
    EXPECT_EQ(outcome.err, "");
  }
  /// One line on standard error that begins so, and nothing else.
  static void expectError(const Outcome &outcome, int code,
                          const std::string &message) {
    EXPECT_EQ(outcome.code, code);
    EXPECT_EQ(outcome.err.find("prog: error: " + message), 0u) << outcome.err;
    EXPECT_EQ(outcome.err.find('\n'), outcome.err.size() - 1);
    EXPECT_EQ(outcome.out, "");
  }

  static Program *program, *plain;
};
Program *ProgramTest::program, *ProgramTest::plain;

TEST_F(ProgramTest, TokensGoInAndComeOutAsGiven) {
  Outcome outcome = plain->run(
      {"--tokens", "5,6,7", "-n", "12", "--ignore-eos", "--print-tokens"});
  expectOk(outcome);
  EXPECT_EQ(outcome.out, join(fake::greedy({5, 6, 7}, 12)) + "\n");
  // Without a tokenizer there is nothing else to print.
  EXPECT_EQ(plain->run({"--tokens", "5,6,7", "-n", "12", "--ignore-eos"}).out,
            outcome.out);
}

TEST_F(ProgramTest, ATextIsContinuedAfterItsBos) {
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

TEST_F(ProgramTest, AdaptersAreOnByNameWithTheirWeight) {
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

TEST_F(ProgramTest, UnknownAdaptersAreErrorsThatListTheKnown) {
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

TEST_F(ProgramTest, LogitsOfThePromptAreWrittenAsNpy) {
  std::string file = plain->path("logits.npy");
  Ids prompt;
  for (int32_t i = 0; i < 40; ++i)
    prompt.push_back(i * 11 % 299);
  expectOk(plain->run({"--tokens", join(prompt), "-n", "0", "--logits", file}));
  std::string bytes = readFile(file);
  ASSERT_GT(bytes.size(), 128u);
  EXPECT_NE(bytes.find("'shape': (40, 300)"), std::string::npos);
  size_t start = bytes.size() - 40 * 300 * sizeof(float);
  std::vector<fake::Token> tokens;
  for (size_t i = 0; i < prompt.size(); ++i) {
    tokens.push_back({prompt[i]});
    std::vector<float> row(300);
    std::memcpy(row.data(), bytes.data() + start + i * 1200, 1200);
    EXPECT_EQ(row, fake::logitsAfter(tokens)) << i;
  }
  // Together with an answer.
  Outcome outcome = plain->run(
      {"--tokens", join(prompt), "-n", "3", "--ignore-eos", "--logits", file});
  EXPECT_EQ(outcome.out, join(fake::greedy(prompt, 3)) + "\n");
  EXPECT_EQ(readFile(file), bytes);
}

TEST_F(ProgramTest, AFailedRunLeavesNoLogits) {
  std::string file = plain->path("none.npy");
  expectError(plain->run({"--tokens", "1,299", "-n", "0", "--logits", file}), 1,
              "the model gives NaN or infinite logits");
  EXPECT_FALSE(std::filesystem::exists(file));
  expectError(plain->run({"--tokens", "1", "--logits", "/no/such/x.npy"}), 1,
              "/no/such/x.npy: cannot be written");
}

TEST_F(ProgramTest, AnAnswerEndsAtEosUnlessToldNotTo) {
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
  arguments.push_back("--ignore-eos");
  EXPECT_EQ(ending.run(arguments).out, join(want) + "\n");
}

TEST_F(ProgramTest, AFullContextIsANoteAndNotAFailure) {
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

TEST_F(ProgramTest, StopTextsEndTheAnswerAndAreNotShown) {
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

TEST_F(ProgramTest, SamplingDependsOnTheSeedOnly) {
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

TEST_F(ProgramTest, RequestsAreAnsweredInOrderAsEachWouldBeAlone) {
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

TEST_F(ProgramTest, RequestsTakeWhatTheyLeaveOutFromTheCommandLine) {
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

TEST_F(ProgramTest, BadRequestsAreErrorsThatNameTheirLine) {
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

TEST_F(ProgramTest, ChatRendersItsTurns) {
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

TEST_F(ProgramTest, ChatGoesOnWithTheWholeConversation) {
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
  double perplexity = 0, error = 0, nats = 0, natsError = 0;
  size_t tokens = 0, got = 0;
  ASSERT_EQ(std::sscanf(outcome.out.c_str(),
                        "perplexity %lf +/- %lf (%lf +/- %lf nats a token; "
                        "%zu tokens in %zu windows of 20)",
                        &perplexity, &error, &nats, &natsError, &tokens, &got),
            6)
      << outcome.out;
  EXPECT_EQ(tokens, count);
  EXPECT_EQ(got, windows);
  EXPECT_NEAR(nats, sum / count, 1e-4);
  EXPECT_NEAR(perplexity, std::exp(sum / count), 1e-2 * perplexity);
  EXPECT_GT(error, 0);
  EXPECT_NEAR(error, perplexity * natsError, 1e-2 * error);
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
  TempFolder folder;
  std::string path = folder / "bare";
  std::filesystem::copy(LORI_FAKE_PROGRAM, path);
  std::string command = path + " -p x 2>" + path + ".err";
  EXPECT_EQ(WEXITSTATUS(std::system(command.c_str())), 1);
  std::string error = readFile(path + ".err");
  EXPECT_EQ(error.find("bare: error: " + path +
                       ": no model in this program: "
                       "it was stripped or cut"),
            0u)
      << error;
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
  std::string command = plain->path("prog") +
                        " --tokens 1,2 -n 3 >/dev/full 2>" +
                        plain->path("full.err");
  EXPECT_EQ(WEXITSTATUS(std::system(command.c_str())), 1);
  EXPECT_NE(readFile(plain->path("full.err")).find("cannot be written"),
            std::string::npos);
}

} // namespace
