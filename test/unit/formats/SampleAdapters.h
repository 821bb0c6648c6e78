// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// An adapter of rank 2 on q_proj and v_proj of the tiny Llama, which tests
// change in one place each.

#ifndef LORI_TEST_UNIT_FORMATS_SAMPLEADAPTERS_H
#define LORI_TEST_UNIT_FORMATS_SAMPLEADAPTERS_H

#include "SampleModels.h"

namespace lori::test {

/// The text of its adapter_config.json, `changes` applied.
std::string sampleAdapterConfig(const SampleFields &changes = {});

/// Both halves of one module, under PEFT's names.
std::vector<SampleTensor> sampleHalves(const std::string &module, int64_t in,
                                       int64_t out, int64_t rank,
                                       const std::string &type = "F32");

/// All of its tensors.
std::vector<SampleTensor> sampleAdapterTensors(const std::string &type = "F32");

/// Writes an adapter into `folder`/`name` and returns that path.
std::string writeSampleAdapter(const TemporaryFolder &folder,
                               const std::string &name,
                               const SampleFields &changes,
                               const std::vector<SampleTensor> &tensors);

} // namespace lori::test

#endif // LORI_TEST_UNIT_FORMATS_SAMPLEADAPTERS_H
