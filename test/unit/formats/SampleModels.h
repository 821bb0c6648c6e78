// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A tiny Llama (2 layers, hidden 16, 4 heads of 4, 2 key heads, vocabulary 24)
// in both forms, which tests change in one place each.

#ifndef LORI_TEST_UNIT_FORMATS_SAMPLEMODELS_H
#define LORI_TEST_UNIT_FORMATS_SAMPLEMODELS_H

#include "SampleFiles.h"

#include <map>

namespace lori::test {

/// Fields of a JSON object, as text; "" leaves a field out.
using SampleFields = std::map<std::string, std::string>;

std::string jsonObject(const SampleFields &fields);

/// The fields of the tiny model's config.json, `changes` applied.
std::string sampleConfig(const SampleFields &changes = {});

/// Its tensors under their Hugging Face names.
std::vector<SampleTensor> sampleModelTensors(const std::string &type = "F32",
                                             bool tied = true);

/// Writes config.json and model.safetensors into `folder`/`name`, and returns
/// that path.
std::string writeSampleModel(const TemporaryFolder &folder,
                             const std::string &name,
                             const SampleFields &changes = {},
                             const std::string &type = "F32");

/// The tiny model as GGUF without its tensors.
GgufSample sampleGgufMetadata(const std::string &architecture = "llama");
/// The same with its tensors, whose data is zero but for the norms.
GgufSample sampleGguf(const std::string &architecture = "llama");

} // namespace lori::test

#endif // LORI_TEST_UNIT_FORMATS_SAMPLEMODELS_H
