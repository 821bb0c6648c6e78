// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "tools/adapter/MergeFiles.h"
#include "runtime/formats/JsonWriter.h"
#include "runtime/formats/SafetensorsWriter.h"
#include "runtime/support/Error.h"
#include "runtime/support/NewFolder.h"
#include "tools/adapter/DropMasks.h"
#include "tools/adapter/Parallel.h"

#include <algorithm>
#include <cassert>

using namespace lori;

/// Widens the factors to `rank` with zeros.
static void padRank(Factors &factors, int64_t rank) {
  assert(rank >= factors.rank);
  if (rank == factors.rank)
    return;
  factors.a.resize(static_cast<size_t>(rank * factors.columns), 0.0f);
  std::vector<float> wide(static_cast<size_t>(factors.rows * rank), 0.0f);
  for (int64_t row = 0; row < factors.rows; ++row)
    std::copy_n(factors.b.begin() + row * factors.rank, factors.rank,
                wide.begin() + row * rank);
  factors.b = std::move(wide);
  factors.rank = rank;
}

namespace {

class MergeWriter {
public:
  MergeWriter(const std::vector<AdapterInput> &inputs, const MergePlan &plan,
              const std::string &dropMasks)
      : inputs(inputs), plan(plan) {
    if (!dropMasks.empty())
      masks.emplace(dropMasks, plan.drops);
  }

  void write(const std::string &output, unsigned threads) {
    NewFolder folder(output);
    NewFile config(folder / "adapter_config.json");
    config.write(jsonText(plan.config, 2) + "\n");
    config.commit();
    writeTensors(folder / "adapter_model.safetensors", threads);
    folder.commit();
  }

private:
  void writeTensors(const std::string &path, unsigned threads) {
    NewFile file(path);
    SafetensorsWriter writer(file, layOut(), {{"format", "pt"}});
    file.resize(writer.size());
    forEachInParallel(plan.modules.size(), threads, [&](size_t i) {
      Factors merged = merge(plan.modules[i]);
      padRank(merged, plan.modules[i].rank);
      file.writeAt(writer.offset(placeOfA[i]),
                   std::as_bytes(std::span(merged.a)));
      file.writeAt(writer.offset(placeOfA[i] + 1),
                   std::as_bytes(std::span(merged.b)));
    });
    const SafetensorsFile &owner = inputs[plan.wholeTensorsOwner].file();
    for (size_t i = 0; i < plan.wholeTensors.size(); ++i)
      file.writeAt(writer.offset(2 * plan.modules.size() + i),
                   owner.bytes(*plan.wholeTensors[i]));
    writer.finish();
    file.commit();
  }

  /// Modules by name, as PEFT's files have them; in each A comes before B.
  std::vector<SafetensorsWriter::Tensor> layOut() {
    std::vector<size_t> order(plan.modules.size());
    for (size_t i = 0; i < order.size(); ++i)
      order[i] = i;
    std::ranges::sort(order, {}, [&](size_t i) -> const std::string & {
      return plan.modules[i].module.path;
    });
    std::vector<SafetensorsWriter::Tensor> tensors;
    placeOfA.resize(order.size());
    for (size_t i : order) {
      const AdaptableModule &module = plan.modules[i].module;
      bool isEmbedding = module.kind == AdaptableModule::Kind::Embedding;
      std::string name = "base_model.model." + module.path + ".lora_" +
                         (isEmbedding ? "embedding_" : "");
      std::string suffix = isEmbedding ? "" : ".weight";
      placeOfA[i] = tensors.size();
      tensors.push_back({name + "A" + suffix,
                         StorageType::F32,
                         {plan.modules[i].rank, module.in}});
      tensors.push_back({name + "B" + suffix,
                         StorageType::F32,
                         {module.out, plan.modules[i].rank}});
    }
    for (const StoredTensor *whole : plan.wholeTensors)
      tensors.push_back({whole->name, whole->type, whole->shape});
    return tensors;
  }

  Factors merge(const PlannedModule &planned) const {
    std::vector<std::vector<float>> as, bs;
    std::vector<MergeInput> parts;
    for (const PlannedModule::Part &part : planned.parts) {
      as.push_back(inputs[part.adapter].a(*part.module));
      bs.push_back(inputs[part.adapter].b(*part.module));
      parts.push_back({part.module->rank, as.back(), bs.back(),
                       part.module->scaling,
                       plan.options.weights[part.adapter]});
    }
    // Vectors move when the outer one grows, their contents do not.
    try {
      return mergeModule(planned.module, parts, plan.options,
                         [&](size_t index, int64_t rows, int64_t columns) {
                           return drop(planned.firstDrop + index, rows,
                                       columns);
                         });
    } catch (const MergeError &error) {
      throw Error(inputs[planned.parts.front().adapter].path(), error.what());
    }
  }

  std::vector<uint8_t> drop(size_t index, int64_t rows, int64_t columns) const {
    return masks ? masks->get(index, rows, columns)
                 : drawKept(plan, index, rows, columns);
  }

  const std::vector<AdapterInput> &inputs;
  const MergePlan &plan;
  std::optional<DropMasks> masks;
  std::vector<size_t> placeOfA; ///< of each module among the file's tensors
};

} // namespace

void lori::mergeToDirectory(const std::vector<AdapterInput> &inputs,
                            const MergePlan &plan, const std::string &dropMasks,
                            const std::string &output, unsigned threads) {
  useOneThreadForLinearAlgebra();
  MergeWriter(inputs, plan, dropMasks).write(output, threads);
}
