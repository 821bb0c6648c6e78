// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef LORI_TEST_UNIT_FORMATS_PEFTADAPTERFIXTURE_H
#define LORI_TEST_UNIT_FORMATS_PEFTADAPTERFIXTURE_H

#include "SampleAdapters.h"
#include "runtime/formats/PeftAdapter.h"

#include <cstring>
#include <gtest/gtest.h>

namespace lori::test {

inline constexpr const char *q0 =
    "base_model.model.model.layers.0.self_attn.q_proj";

/// A base, and adapters written for one test.
class PeftAdapterFixture : public testing::Test {
protected:
  PeftAdapterFixture()
      : base(Checkpoint::open(writeSampleModel(folder, "base"))) {}

  PeftAdapter openWith(const std::vector<SampleTensor> &tensors,
                       const SampleFields &changes = {}) {
    return PeftAdapter::open(
        writeSampleAdapter(folder, "adapter", changes, tensors), base);
  }
  std::string errorWith(const std::vector<SampleTensor> &tensors,
                        const SampleFields &changes = {}) {
    return errorOf([&] { openWith(tensors, changes); });
  }
  std::string openError(const std::string &path) {
    return errorOf([&] { PeftAdapter::open(path, base); });
  }

  TemporaryFolder folder;
  Checkpoint base;
};

inline std::vector<SampleTensor> with(std::vector<SampleTensor> tensors,
                                      const std::vector<SampleTensor> &more) {
  tensors.insert(tensors.end(), more.begin(), more.end());
  return tensors;
}

} // namespace lori::test

#endif // LORI_TEST_UNIT_FORMATS_PEFTADAPTERFIXTURE_H
