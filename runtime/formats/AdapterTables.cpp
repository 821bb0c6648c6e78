// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/formats/AdapterTables.h"
#include "runtime/formats/TensorScan.h"
#include "runtime/support/Error.h"

using namespace lori;

static constexpr const char *mergeRemedy =
    ", merge the adapter into its base with PEFT's merge_and_unload, or train "
    "it without modules_to_save";

static bool isFloat(StorageType type) {
  return type == StorageType::F32 || type == StorageType::F16 ||
         type == StorageType::BF16;
}

static const StoredTensor *baseTensor(const Checkpoint &base,
                                      const std::string &name) {
  if (name == "lm_head.weight" && base.config().tiedEmbeddings)
    return base.find("model.embed_tokens.weight");
  return base.find(name);
}

/// Whether only rows for added tokens lie between the two shapes.
static bool hasAddedRows(const std::string &name,
                         const std::vector<int64_t> &found,
                         const std::vector<int64_t> &expected) {
  return (name == "lm_head.weight" || name == "model.embed_tokens.weight") &&
         found.size() == 2 && found[1] == expected[1] && found[0] > expected[0];
}

void lori::checkWholeTensor(const Checkpoint &base, const std::string &name,
                            const SafetensorsFile &adapter,
                            const StoredTensor &stored,
                            std::vector<std::string> &notes) {
  auto fail = [&](const std::string &what) {
    throw Error(adapter.path(), "tensor '" + stored.name + "' " + what);
  };
  const StoredTensor *original = baseTensor(base, name);
  if (!original)
    fail("replaces '" + name + "', which the base lacks" + mergeRemedy);
  bool added = hasAddedRows(name, stored.shape, original->shape);
  if (stored.shape != original->shape && !added)
    fail("has the shape " + shapeText(stored.shape) + ", expected " +
         shapeText(original->shape) +
         " by the base, use the base that the "
         "adapter was made for");
  if (!isFloat(stored.type))
    fail("is stored as " + std::string(storageTypeName(stored.type)) +
         ", supported are F32, F16, BF16, save the adapter again");
  // q and k of some GGUF files have their rows in another order.
  bool reordered =
      base.config().interleavedRope && (name.find(".q_proj.") != name.npos ||
                                        name.find(".k_proj.") != name.npos);
  if (!isFloat(original->type) || reordered)
    fail("cannot be compared with the base's, which is stored as " +
         std::string(storageTypeName(original->type)) +
         (reordered ? " in another order" : "") +
         ", use the base in F32, F16 or BF16 as a Hugging Face directory");
  auto difference =
      firstDifference(stored.type, adapter.bytes(stored).data(), original->type,
                      base.bytes(*original).data(), original->entries());
  if (difference) {
    int64_t row = original->shape.size() == 2 ? *difference / original->shape[1]
                                              : *difference;
    fail("differs from the base's '" + original->name + "' from row " +
         std::to_string(row) + " on, replaced modules are not supported" +
         mergeRemedy);
  }
  if (added)
    notes.push_back(adapter.path() + ": tensor '" + stored.name + "' has " +
                    std::to_string(stored.shape[0] - original->shape[0]) +
                    " rows beyond the base's vocabulary of " +
                    std::to_string(original->shape[0]) +
                    ", they are ignored; the others are the base's");
}
