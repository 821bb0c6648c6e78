// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "SampleAdapters.h"

using namespace lori;
using namespace lori::test;

std::string lori::test::sampleAdapterConfig(const SampleFields &changes) {
  SampleFields fields = {
      {"peft_type", R"("LORA")"},
      {"base_model_name_or_path", R"("someone/base")"},
      {"task_type", R"("CAUSAL_LM")"},
      {"r", "2"},
      {"lora_alpha", "4"},
      {"lora_dropout", "0.05"},
      {"bias", R"("none")"},
      {"fan_in_fan_out", "false"},
      {"inference_mode", "true"},
      {"init_lora_weights", "true"},
      {"target_modules", R"(["q_proj", "v_proj"])"},
      {"modules_to_save", "null"},
      {"use_dora", "false"},
      {"megatron_core", R"("megatron.core")"},
  };
  for (const auto &[key, value] : changes)
    fields[key] = value;
  return jsonObject(fields);
}

std::vector<SampleTensor> lori::test::sampleHalves(const std::string &module,
                                                   int64_t in, int64_t out,
                                                   int64_t rank,
                                                   const std::string &type) {
  std::string name = "base_model.model." + module;
  return {sampleTensor(name + ".lora_A.weight", {rank, in}, type, 1),
          sampleTensor(name + ".lora_B.weight", {out, rank}, type, 2)};
}

std::vector<SampleTensor>
lori::test::sampleAdapterTensors(const std::string &type) {
  std::vector<SampleTensor> tensors;
  for (int i = 0; i < 2; ++i) {
    std::string layer = "model.layers." + std::to_string(i) + ".self_attn.";
    for (SampleTensor &half : sampleHalves(layer + "q_proj", 16, 16, 2, type))
      tensors.push_back(std::move(half));
    for (SampleTensor &half : sampleHalves(layer + "v_proj", 16, 8, 2, type))
      tensors.push_back(std::move(half));
  }
  return tensors;
}

std::string lori::test::writeSampleAdapter(
    const TemporaryFolder &folder, const std::string &name,
    const SampleFields &changes, const std::vector<SampleTensor> &tensors) {
  folder.write(name + "/adapter_config.json", sampleAdapterConfig(changes));
  folder.write(name + "/adapter_model.safetensors",
               safetensorsBytes(tensors, R"("__metadata__":{"format":"pt"})"));
  return folder / name;
}
