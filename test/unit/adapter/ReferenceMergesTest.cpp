// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Every merge that was made with PEFT 0.21.2 and 0.12.0, tensor by tensor, and
// every fused weight.

#include "runtime/formats/TensorValues.h"
#include "runtime/support/Error.h"
#include "test/unit/formats/SampleFiles.h"
#include "tools/adapter/Fuse.h"
#include "tools/adapter/MaskFiles.h"
#include "tools/adapter/MergeFiles.h"

#include <cmath>
#include <gtest/gtest.h>

using namespace lori;
using namespace lori::test;

namespace {

class ReferenceMergesTest : public testing::Test {
protected:
  void SetUp() override {
    if (sharedFolder().empty())
      GTEST_SKIP() << "the reference data is not beside the repository";
    data = sharedFolder() + "/data/";
  }

  /// Returns what merges one row, "" for success.
  std::string merge(const JsonValue &row, PeftVersion compat,
                    const std::string &draws) {
    return errorOf([&] {
      const std::string &name = *row.find("combination_type")->text();
      auto type = mergeTypeByName(name);
      if (!type)
        throw Error(name, "unknown");
      MergeOptions options;
      options.type = *type;
      options.compat = compat;
      for (const JsonValue &weight : *row.find("weights")->array())
        options.weights.push_back(*weight.number());
      if (const JsonValue *density = row.find("density"))
        options.density = density->number();
      if (const JsonValue *sign = row.find("majority_sign_method");
          sign && sign->text() && *sign->text() == "frequency")
        options.election = SignElection::Frequency;
      if (const JsonValue *rank = row.find("svd_rank"))
        options.svdRank = rank->integer();
      std::vector<AdapterInput> inputs;
      for (const JsonValue &adapter : *row.find("adapters")->array())
        inputs.push_back(
            AdapterInput::open(data + "merge/adapters/" + *adapter.text()));
      std::filesystem::remove_all(folder / "out");
      mergeToDirectory(inputs, planMerge(inputs, options), draws,
                       folder / "out", 2);
    });
  }

  /// The draws among the expected tensors, as a file of their own; "" for none.
  std::string drawsOf(const SafetensorsFile &expected) {
    std::vector<SampleTensor> draws;
    for (const StoredTensor &tensor : expected.tensors())
      if (tensor.name.starts_with("bernoulli.")) {
        auto bytes = expected.bytes(tensor);
        draws.push_back(
            {tensor.name,
             "U8",
             tensor.shape,
             {reinterpret_cast<const char *>(bytes.data()), bytes.size()}});
      }
    return draws.empty()
               ? ""
               : folder.write("draws.safetensors", safetensorsBytes(draws));
  }

  static double worst(const std::vector<float> &got,
                      const std::vector<float> &want, double factor) {
    if (got.size() != want.size())
      return 1e9;
    double difference = 0, largest = 1e-12;
    for (size_t i = 0; i < got.size(); ++i) {
      difference = std::max(difference, std::fabs(got[i] - factor * want[i]));
      largest = std::max(largest, std::fabs(factor * want[i]));
    }
    return difference / largest;
  }

  void compare(const SafetensorsFile &expected, const std::string &name) {
    AdapterInput result = AdapterInput::open(folder / "out");
    size_t compared = 0;
    for (const AdapterModule &module : result.modules()) {
      const std::string &path = module.module.path;
      std::vector<float> a = result.a(module), b = result.b(module);
      auto want = [&](const std::string &suffix) {
        const StoredTensor &tensor = expected.get(path + suffix);
        return loadFloats(tensor.type, expected.bytes(tensor));
      };
      if (expected.find(path + ".delta")) {
        std::vector<float> delta(
            static_cast<size_t>(module.module.out * module.module.in));
        multiply({module.module.out, module.module.in, module.rank, b, a},
                 static_cast<float>(module.scaling), delta);
        EXPECT_LT(worst(delta, want(".delta"), 1), 1e-4) << name << " " << path;
      } else {
        EXPECT_LT(worst(a, want(".lora_A.weight"), 1), 1e-5)
            << name << " " << path;
        EXPECT_LT(worst(b, want(".lora_B.weight"), 1), 1e-5)
            << name << " " << path;
      }
      ++compared;
    }
    EXPECT_GE(compared, 10u) << name;
  }

  void run(const std::string &cases, const std::string &folderName,
           PeftVersion compat) {
    JsonValue rows = parseJsonFile(data + "merge/" + cases);
    size_t merged = 0, refused = 0;
    for (const JsonValue &row : *rows.array()) {
      const std::string &name = *row.find("name")->text();
      std::string file =
          data + "merge/" + folderName + "/" + name + ".safetensors";
      if (!std::filesystem::exists(file)) // where the versions agree
        file = data + "merge/expected/" + name + ".safetensors";
      const JsonValue *error = row.find("peft_error");
      if (error && !error->isNull()) {
        EXPECT_NE(merge(row, compat, ""), "no error") << name;
        ++refused;
        continue;
      }
      SafetensorsFile expected(file);
      ASSERT_EQ(merge(row, compat, drawsOf(expected)), "no error") << name;
      compare(expected, name);
      ++merged;
    }
    EXPECT_GT(merged, 20u);
    EXPECT_GT(refused, 5u);
  }

  std::string data;
  TemporaryFolder folder;
};

TEST_F(ReferenceMergesTest, Peft021) { run("cases.json", "expected", {0, 21}); }

TEST_F(ReferenceMergesTest, Peft012) {
  run("cases_peft012.json", "expected_peft012", {0, 12});
}

TEST_F(ReferenceMergesTest, FusedWeights) {
  for (const auto &[adapter, base, file] :
       {std::tuple("ts_lora_r8_f32", "tinystories-260k", "merged"),
        std::tuple("ts_rank_alpha_pattern", "tinystories-260k", "merged"),
        std::tuple("sharded_lora_r4", "llama-sharded-f32", "merged"),
        std::tuple("gqa_lora_r8_bf16", "llama-gqa-tied-bf16",
                   "merged_bf16_base")}) {
    Checkpoint model = Checkpoint::open(data + "models/" + base);
    std::string path = data + "adapters/" + adapter;
    std::vector<ScaledAdapter> adapters;
    adapters.push_back({AdapterInput::open(path, model), 1});
    std::filesystem::remove_all(folder / "fused");
    fuseToDirectory(model, adapters, folder / "fused", {.threads = 2});
    Checkpoint fused = Checkpoint::open(folder / "fused");
    SafetensorsFile expected(path + "/" + file + ".safetensors");
    size_t compared = 0;
    for (const StoredTensor &tensor : expected.tensors())
      if (const StoredTensor *got = fused.find(tensor.name)) {
        EXPECT_LT(worst(loadFloats(got->type, fused.bytes(*got)),
                        loadFloats(tensor.type, expected.bytes(tensor)), 1),
                  1e-6)
            << adapter << " " << tensor.name;
        ++compared;
      }
    EXPECT_EQ(compared, expected.tensors().size()) << adapter;
  }
}

TEST_F(ReferenceMergesTest, Masks) {
  for (const char *name : {"ts_lori_d_r8", "ts_lori_d_safety"}) {
    std::string path = data + "adapters/" + name;
    Masks made = makeMasks(AdapterInput::open(path), {});
    for (const char *file :
         {"/masks/0.9_mask.pt", "/masks/0.9_mask.safetensors"}) {
      Masks official = readMasks(path + file);
      ASSERT_EQ(official.size(), made.size());
      for (const auto &[module, mask] : official)
        EXPECT_EQ(mask.keep, made.at(module).keep) << module;
    }
  }
}

} // namespace
