// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "SampleInputs.h"
#include "SampleAdapters.h"

using namespace lori;
using namespace lori::test;

static std::string everyGgufType() {
  std::string number(8, '\x01'), numbers;
  put(numbers, uint32_t(4));
  put(numbers, uint64_t(2));
  GgufSample sample = sampleGguf("qwen3");
  for (uint32_t type : {0u, 1u, 2u, 3u, 5u, 10u, 11u, 12u}) {
    constexpr size_t sizes[] = {1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8};
    sample.raw("n" + std::to_string(type), type, number.substr(0, sizes[type]));
  }
  return sample.raw("bools", 9, numbers + number)
      .floats("f", {1, 2})
      .strings("s", {"a", ""})
      .u32("general.alignment", 32)
      .tensor("odd", {32}, 6, std::string(22, 0))
      .tensor("rope_freqs.weight", {4}, 0, sampleValues("F32", 4))
      .bytes();
}

std::vector<std::pair<std::string, std::string>> lori::test::sampleInputs() {
  std::string llama3 =
      R"({"rope_type": "llama3", "factor": 8, "low_freq_factor": 1,
          "high_freq_factor": 4, "original_max_position_embeddings": 32})";
  std::vector<SampleTensor> adapter = sampleAdapterTensors();
  adapter.push_back(sampleModelTensors().front());
  adapter.back().name = "base_model.model." + adapter.back().name;
  return {
      {"SafetensorsFuzzer",
       safetensorsBytes({sampleTensor("a", {2, 3}),
                         sampleTensor("b", {4}, "BF16"),
                         {"e", "I64", {0, 7}, ""},
                         {"f", "F8_E4M3", {3}, "abc"}},
                        R"("__metadata__":{"format":"pt"})")},
      {"SafetensorsFuzzer", safetensorsBytes(std::string("{}"), "")},
      {"GgufFuzzer", sampleGguf().bytes()},
      {"GgufFuzzer", sampleGguf("qwen2").bytes()},
      {"GgufFuzzer", everyGgufType()},
      {"GgufFuzzer", GgufSample(2).text("general.type", "adapter").bytes()},
      {"ModelConfigFuzzer", sampleConfig()},
      {"ModelConfigFuzzer", sampleConfig({{"rope_scaling", llama3},
                                          {"eos_token_id", "[1, 2]"},
                                          {"attention_bias", "true"}})},
      {"ModelConfigFuzzer",
       sampleConfig(
           {{"architectures", R"(["Qwen2ForCausalLM"])"},
            {"model_type", R"("qwen2")"},
            {"rope_theta", ""},
            {"rope_parameters", llama3},
            {"use_sliding_window", "true"},
            {"sliding_window", "8"},
            {"layer_types", R"(["full_attention", "sliding_attention"])"}})},
      {"PeftConfigFuzzer", sampleAdapterConfig()},
      {"PeftConfigFuzzer",
       sampleAdapterConfig({{"target_modules", R"re(".*\\.(q|down)_proj")re"},
                            {"rank_pattern", R"({"^model.*q_proj": 3})"},
                            {"alpha_pattern", R"({"q_proj": 0.5})"},
                            {"exclude_modules", R"(["lm_head"])"},
                            {"modules_to_save", R"(["norm"])"},
                            {"use_rslora", "true"}})},
      {"PeftConfigFuzzer",
       sampleAdapterConfig({{"layers_to_transform", "[0, 11]"},
                            {"layers_pattern", R"(["layers"])"}})},
      {"PeftAdapterFuzzer", safetensorsBytes(adapter)},
  };
}
