// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "tools/adapter/DropMasks.h"
#include "runtime/support/Error.h"

#include <cstdio>
#include <cstring>

using namespace lori;

static std::string nameOf(size_t index) {
  char text[40];
  std::snprintf(text, sizeof(text), "bernoulli.%04zu", index);
  return text;
}

DropMasks::DropMasks(const std::string &path, size_t count) : file(path) {
  if (file.tensors().size() != count || !file.header().others.empty())
    throw Error(path,
                "holds " +
                    std::to_string(file.tensors().size() +
                                   file.header().others.size()) +
                    " tensors, the merge draws " + std::to_string(count) +
                    " (bernoulli.0000 and on), give the draws of this merge");
}

std::vector<uint8_t> DropMasks::get(size_t index, int64_t rows,
                                    int64_t columns) const {
  const StoredTensor &tensor = file.get(nameOf(index));
  std::vector<int64_t> shape = {rows, columns};
  if (tensor.shape != shape ||
      (tensor.type != StorageType::U8 && tensor.type != StorageType::Bool))
    throw Error(file.path(), "tensor '" + tensor.name + "' is " +
                                 std::string(storageTypeName(tensor.type)) +
                                 " " + shapeText(tensor.shape) +
                                 ", expected U8 " + shapeText(shape) +
                                 ", give the draws of this merge");
  std::vector<uint8_t> kept(tensor.bytes);
  if (!kept.empty())
    std::memcpy(kept.data(), file.bytes(tensor).data(), kept.size());
  for (uint8_t entry : kept)
    if (entry > 1)
      throw Error(file.path(), "tensor '" + tensor.name +
                                   "' holds other values than 0 and 1, give "
                                   "the draws of this merge");
  return kept;
}
