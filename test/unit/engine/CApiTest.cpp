// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/lori.h"
#include "test/unit/engine/FakeModel.h"
#include "test/unit/engine/TempFolder.h"

#include <algorithm>
#include <cstring>
#include <dlfcn.h>
#include <thread>

using namespace lori;

// Compiled as C99, see Header.c.
extern "C" int lori_test_from_c(const char *path, int32_t token);

namespace {

class CApiTest : public testing::Test {
protected:
  void SetUp() override {
    fake::write(folder / "model", fake::info(), "", "tok");
    ASSERT_EQ(lori_open((folder / "model").c_str(), &model), LORI_OK)
        << lori_message();
  }
  void TearDown() override { lori_close(model); }

  TempFolder folder;
  lori_model *model = nullptr;
};

TEST_F(CApiTest, TellsWhatTheModelIs) {
  EXPECT_EQ(lori_vocabulary(model), 300);
  EXPECT_EQ(lori_context(model), 128);
  EXPECT_EQ(lori_max_sequences(model), 4);
  EXPECT_EQ(lori_max_rows(model), 24);
  EXPECT_EQ(lori_logits_stride(model), 304);
  size_t size = 0;
  const char *json = lori_metadata(model, &size);
  EXPECT_EQ(std::string(json, size), toJson(fake::info()));
  const void *blob = nullptr;
  EXPECT_EQ(lori_tokenizer(model, &blob, &size), LORI_OK);
  EXPECT_EQ(std::string(static_cast<const char *>(blob), size), "tok");
}

TEST_F(CApiTest, ListsAdapters) {
  ASSERT_EQ(lori_adapter_count(model), 3);
  EXPECT_STREQ(lori_adapter_name(model, 1), "minus");
  EXPECT_EQ(lori_adapter_scale(model, 1), 0.5f);
  EXPECT_EQ(lori_adapter_find(model, "third"), 2);
  EXPECT_EQ(lori_adapter_find(model, "none"), -1);
  EXPECT_EQ(lori_adapter_name(model, 3), nullptr);
  EXPECT_EQ(lori_adapter_name(model, -1), nullptr);
}

TEST_F(CApiTest, RunsFromC) {
  std::vector<int32_t> want = fake::greedy({1, 2, 3}, 1);
  EXPECT_EQ(lori_test_from_c((folder / "model").c_str(), want[0]), 0);
}

TEST_F(CApiTest, NullPointersAreErrorsAndNotCrashes) {
  lori_sequence sequence = 0;
  const float *logits = nullptr;
  const void *bytes = nullptr;
  size_t size = 0;
  EXPECT_EQ(lori_open("x", nullptr), LORI_ERROR_ARGUMENT);
  lori_close(nullptr);
  EXPECT_EQ(lori_vocabulary(nullptr), 0);
  EXPECT_EQ(lori_context(nullptr), 0);
  EXPECT_EQ(lori_max_sequences(nullptr), 0);
  EXPECT_EQ(lori_max_rows(nullptr), 0);
  EXPECT_EQ(lori_logits_stride(nullptr), 0);
  EXPECT_EQ(lori_metadata(nullptr, &size), nullptr);
  EXPECT_EQ(lori_metadata(model, nullptr), nullptr);
  EXPECT_EQ(lori_tokenizer(nullptr, &bytes, &size), LORI_ERROR_ARGUMENT);
  EXPECT_EQ(lori_tokenizer(model, nullptr, &size), LORI_ERROR_ARGUMENT);
  EXPECT_EQ(lori_tokenizer(model, &bytes, nullptr), LORI_ERROR_ARGUMENT);
  EXPECT_EQ(lori_adapter_count(nullptr), 0);
  EXPECT_EQ(lori_adapter_find(nullptr, "x"), -1);
  EXPECT_EQ(lori_adapter_find(model, nullptr), -1);
  EXPECT_EQ(lori_adapter_scale(nullptr, 0), 0);
  EXPECT_EQ(lori_sequence_open(nullptr, &sequence), LORI_ERROR_ARGUMENT);
  EXPECT_EQ(lori_sequence_open(model, nullptr), LORI_ERROR_ARGUMENT);
  EXPECT_EQ(lori_sequence_close(nullptr, 0), LORI_ERROR_ARGUMENT);
  EXPECT_EQ(lori_sequence_length(nullptr, 0), -1);
  EXPECT_EQ(lori_sequence_truncate(nullptr, 0, 0), LORI_ERROR_ARGUMENT);
  EXPECT_EQ(lori_sequence_adapters(nullptr, 0, nullptr, 0),
            LORI_ERROR_ARGUMENT);
  EXPECT_EQ(lori_run(nullptr, nullptr, 0, &logits), LORI_ERROR_ARGUMENT);
  EXPECT_EQ(lori_run(model, nullptr, 1, &logits), LORI_ERROR_ARGUMENT);
  EXPECT_EQ(lori_run(model, nullptr, 0, nullptr), LORI_ERROR_ARGUMENT);
  ASSERT_EQ(lori_sequence_open(model, &sequence), LORI_OK);
  lori_part part = {sequence, nullptr, 2, 1};
  EXPECT_EQ(lori_run(model, &part, 1, &logits), LORI_ERROR_ARGUMENT);
  EXPECT_EQ(lori_sequence_adapters(model, sequence, nullptr, 1),
            LORI_ERROR_ARGUMENT);
  EXPECT_EQ(logits, nullptr);
}

TEST_F(CApiTest, ClosedSequencesAreErrors) {
  lori_sequence sequence = 0;
  ASSERT_EQ(lori_sequence_open(model, &sequence), LORI_OK);
  EXPECT_EQ(lori_sequence_length(model, sequence), 0);
  ASSERT_EQ(lori_sequence_close(model, sequence), LORI_OK);
  EXPECT_EQ(lori_sequence_close(model, sequence), LORI_ERROR_ARGUMENT);
  EXPECT_EQ(lori_sequence_length(model, sequence), -1);
  EXPECT_STREQ(lori_message(), "no such sequence is open");
  EXPECT_EQ(lori_sequence_truncate(model, sequence, 0), LORI_ERROR_ARGUMENT);
}

TEST_F(CApiTest, FilesWithoutAModelAreErrorsThatNameThem) {
  lori_model *other = model;
  EXPECT_EQ(lori_open((folder / "none").c_str(), &other), LORI_ERROR_FILE);
  EXPECT_EQ(std::string(lori_message()).find(folder / "none"), 0u);
  EXPECT_EQ(other, model);
  writeFile(folder / "text", "hello");
  EXPECT_EQ(lori_open((folder / "text").c_str(), &other), LORI_ERROR_FILE);
  EXPECT_NE(std::strstr(lori_message(), "no model in this file"), nullptr);
  // This test itself is a program that carries none.
  EXPECT_EQ(lori_open(nullptr, &other), LORI_ERROR_FILE);
  EXPECT_NE(std::strstr(lori_message(), "no model in this program"), nullptr);
}

TEST_F(CApiTest, AnotherProgramsCodeIsNotLoaded) {
  lori_model *other = nullptr;
  fake::write(folder / "prog", fake::info(), readFile("/proc/self/exe"));
  EXPECT_EQ(lori_open((folder / "prog").c_str(), &other), LORI_ERROR_FILE);
  EXPECT_NE(std::strstr(lori_message(), "--emit=shared"), nullptr)
      << lori_message();
}

int32_t firstToken(decltype(&lori_open) open, decltype(&lori_run) run,
                   decltype(&lori_sequence_open) openSequence,
                   decltype(&lori_close) close, const char *path) {
  lori_model *model = nullptr;
  lori_sequence sequence = 0;
  const float *logits = nullptr;
  const int32_t ids[] = {1, 2, 3};
  EXPECT_EQ(open(path, &model), LORI_OK) << lori_message();
  EXPECT_EQ(openSequence(model, &sequence), LORI_OK);
  lori_part part = {sequence, ids, 3, 1};
  EXPECT_EQ(run(model, &part, 1, &logits), LORI_OK);
  int32_t best = -1;
  if (logits)
    best =
        static_cast<int32_t>(std::max_element(logits, logits + 300) - logits);
  close(model);
  return best;
}

TEST_F(CApiTest, ASharedLibrarysCodeIsLoaded) {
  std::string path = folder / "model.so";
  fake::write(path, fake::info(), readFile(LORI_FAKE_LIBRARY));
  size_t before = fake::calls.size();
  EXPECT_EQ(firstToken(lori_open, lori_run, lori_sequence_open, lori_close,
                       path.c_str()),
            fake::greedy({1, 2, 3}, 1)[0]);
  EXPECT_EQ(fake::calls.size(), before) << "ran the test's code";
}

TEST_F(CApiTest, ASharedLibraryOpensItselfByNull) {
  std::string path = folder / "model.so";
  fake::write(path, fake::info(), readFile(LORI_FAKE_LIBRARY));
  void *library = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  ASSERT_NE(library, nullptr) << ::dlerror();
  auto find = [&]<typename F>(F *, const char *name) {
    return reinterpret_cast<F *>(::dlsym(library, name));
  };
  EXPECT_EQ(firstToken(find(lori_open, "lori_open"), find(lori_run, "lori_run"),
                       find(lori_sequence_open, "lori_sequence_open"),
                       find(lori_close, "lori_close"), nullptr),
            fake::greedy({1, 2, 3}, 1)[0]);
}

TEST_F(CApiTest, ALibraryWithoutCodeIsAnError) {
  lori_model *other = nullptr;
  fake::write(folder / "broken.so", fake::info(),
              "\x7f"
              "ELF and nothing else");
  EXPECT_EQ(lori_open((folder / "broken.so").c_str(), &other), LORI_ERROR_FILE);
  EXPECT_NE(std::strstr(lori_message(), "broken.so: cannot be loaded"), nullptr)
      << lori_message();
}

TEST_F(CApiTest, MessagesBelongToTheirThread) {
  lori_model *other = nullptr;
  ASSERT_EQ(lori_open("/no/such/file", &other), LORI_ERROR_FILE);
  std::string elsewhere = "unset";
  std::thread([&] { elsewhere = lori_message(); }).join();
  EXPECT_EQ(elsewhere, "");
  EXPECT_NE(std::string(lori_message()), "");
}

TEST_F(CApiTest, TwoModelsLiveSideBySide) {
  lori_model *other = nullptr;
  ASSERT_EQ(lori_open((folder / "model").c_str(), &other), LORI_OK);
  lori_sequence mine = 0, theirs = 0;
  ASSERT_EQ(lori_sequence_open(model, &mine), LORI_OK);
  ASSERT_EQ(lori_sequence_open(other, &theirs), LORI_OK);
  const int32_t ids[] = {1, 2, 3};
  const float *a = nullptr, *b = nullptr;
  lori_part part = {mine, ids, 3, 1}, otherPart = {theirs, ids, 2, 1};
  ASSERT_EQ(lori_run(model, &part, 1, &a), LORI_OK);
  ASSERT_EQ(lori_run(other, &otherPart, 1, &b), LORI_OK);
  EXPECT_EQ(std::vector<float>(a, a + 300), fake::logitsAfter({{1}, {2}, {3}}));
  EXPECT_EQ(std::vector<float>(b, b + 300), fake::logitsAfter({{1}, {2}}));
  lori_close(other);
}

} // namespace
