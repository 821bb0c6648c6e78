// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "tools/adapter/Fuse.h"
#include "runtime/formats/Paths.h"
#include "runtime/formats/SafetensorsWriter.h"
#include "runtime/formats/TensorValues.h"
#include "runtime/support/Error.h"
#include "runtime/support/NewFolder.h"
#include "tools/adapter/LowRank.h"
#include "tools/adapter/Parallel.h"

#include <algorithm>
#include <cmath>
#include <map>

using namespace lori;
namespace fs = std::filesystem;

// Rows of so many entries are fused at once: they stay in the caches.
static constexpr int64_t blockEntriesWanted = 1 << 17;

/// What stands beside the weights of a model: configuration, tokenizer,
/// licence.
static bool isCompanion(const fs::path &path) {
  constexpr std::string_view kinds[] = {".json", ".txt", ".model", ".jinja",
                                        ".tiktoken"};
  std::string name = path.filename();
  return std::ranges::any_of(kinds,
                             [&](auto kind) { return name.ends_with(kind); }) ||
         name.starts_with("LICENSE") || name.starts_with("NOTICE");
}

namespace {

/// One adapter's factors for a matrix of the base, [rows, columns] as stored.
struct Update {
  int64_t rank;
  float factor;
  bool isTransposed; ///< of an embedding: W is [in, out], its delta (B A)^T
  std::vector<float> a, b;
};

class Fuser {
public:
  Fuser(const Checkpoint &base, const std::vector<ScaledAdapter> &adapters,
        const FuseOptions &options)
      : base(base), options(options) {
    if (base.gguf())
      throw Error(base.path(),
                  "is a GGUF file, expected a Hugging Face directory to fuse "
                  "into, give that form of the model");
    for (const ScaledAdapter &adapter : adapters) {
      refuseTied(adapter.input);
      for (const AdapterModule &module : adapter.input.modules())
        updates[module.module.path + ".weight"].emplace_back(&adapter, &module);
    }
  }

  void write(const std::string &output) {
    NewFolder folder(output);
    for (const MappedFile &file : base.files())
      writeShard(file, folder / fs::path(file.path()).filename().string());
    for (const fs::path &path : listDirectory(base.path()))
      if (isCompanion(path) && !isDirectory(path))
        copyFile(path, folder / path.filename().string());
    folder.commit();
  }

private:
  // A copy of the shared matrix would be needed, and a configuration that says
  // so.
  void refuseTied(const AdapterInput &input) const {
    if (!base.config().tiedEmbeddings)
      return;
    for (const AdapterModule &module : input.modules())
      if (module.module.kind != AdaptableModule::Kind::Linear)
        throw Error(input.path(),
                    "adapts '" + module.module.path +
                        "', which the base shares between input and output, so "
                        "that it cannot be fused for one of them, compile the "
                        "adapter live (lori-compile --adapter)");
  }

  static void copyFile(const fs::path &from, const std::string &to) {
    MappedFile source(from);
    NewFile copy(to);
    copy.write(source.bytes());
    copy.commit();
  }

  void writeShard(const MappedFile &shard, const std::string &path) {
    SafetensorsHeader header =
        readSafetensorsHeader(shard.bytes(), shard.path());
    for (const auto &[name, type] : header.others)
      throw Error(shard.path(), "tensor '" + name + "' has the type " + type +
                                    ", which cannot be copied, remove it");
    std::vector<SafetensorsWriter::Tensor> tensors;
    tensors.reserve(header.tensors.size());
    for (const StoredTensor &tensor : header.tensors)
      tensors.push_back({tensor.name, tensor.type, tensor.shape});
    NewFile file(path);
    SafetensorsWriter writer(file, tensors, header.metadata);
    file.resize(writer.size());
    for (size_t i = 0; i < tensors.size(); ++i) {
      const StoredTensor &tensor = header.tensors[i];
      auto bytes = shard.bytes().subspan(tensor.offset, tensor.bytes);
      auto update = updates.find(tensor.name);
      if (update == updates.end())
        file.writeAt(writer.offset(i), bytes);
      else
        fuse(tensor, bytes, load(update->second), file, writer.offset(i));
      shard.drop(tensor.offset, tensor.bytes);
    }
    writer.finish();
    file.commit();
  }

  using Source = std::pair<const ScaledAdapter *, const AdapterModule *>;

  static std::vector<Update> load(const std::vector<Source> &sources) {
    std::vector<Update> loaded;
    loaded.reserve(sources.size());
    for (const auto &[adapter, module] : sources)
      loaded.push_back({module->rank,
                        static_cast<float>(module->scaling * adapter->scale),
                        module->module.kind == AdaptableModule::Kind::Embedding,
                        adapter->input.a(*module), adapter->input.b(*module)});
    return loaded;
  }

  void fuse(const StoredTensor &tensor, std::span<const std::byte> bytes,
            const std::vector<Update> &loaded, NewFile &file,
            uint64_t offset) const {
    int64_t rows = tensor.shape[0], columns = tensor.shape[1];
    int64_t step = std::max<int64_t>(1, blockEntriesWanted / columns);
    auto rowBytes = static_cast<size_t>(columns * blockBytes(tensor.type));
    auto blocks = static_cast<size_t>((rows + step - 1) / step);
    forEachInParallel(blocks, options.threads, [&](size_t block) {
      int64_t first = static_cast<int64_t>(block) * step;
      int64_t count = std::min(step, rows - first);
      size_t start = static_cast<size_t>(first) * rowBytes;
      std::vector<std::byte> fused(static_cast<size_t>(count) * rowBytes);
      std::vector<float> weights =
          loadFloats(tensor.type, bytes.subspan(start, fused.size()));
      addUpdates(tensor, loaded, first, count, columns, weights);
      storeFloats(tensor.type, weights, fused);
      file.writeAt(offset + start, fused);
    });
  }

  void addUpdates(const StoredTensor &tensor, const std::vector<Update> &loaded,
                  int64_t first, int64_t count, int64_t columns,
                  std::vector<float> &weights) const {
    std::vector<float> delta(weights.size()), sum(weights.size());
    for (const Update &update : loaded) {
      multiplyRows(update.isTransposed
                       ? RowProduct{update.a, true, update.b, true}
                       : RowProduct{update.b, false, update.a, false},
                   update.rank, first, count, columns, update.factor, delta);
      for (size_t i = 0; i < sum.size(); ++i)
        if (options.safeMerge)
          weights[i] = roundFloat(
              tensor.type, weights[i] + roundFloat(tensor.type, delta[i]));
        else
          sum[i] += delta[i];
    }
    bool isFinite = true;
    for (size_t i = 0; i < sum.size(); ++i) {
      weights[i] += sum[i];
      isFinite &= std::isfinite(roundFloat(tensor.type, weights[i]));
    }
    if (!isFinite)
      throw Error(base.path(), "tensor '" + tensor.name + "' overflows " +
                                   std::string(storageTypeName(tensor.type)) +
                                   " with the adapters added, give a smaller "
                                   "@SCALE, or convert the base to BF16 or "
                                   "F32");
  }

  const Checkpoint &base;
  FuseOptions options;
  std::map<std::string, std::vector<Source>> updates; ///< by tensor
};

} // namespace

void lori::fuseToDirectory(const Checkpoint &base,
                           const std::vector<ScaledAdapter> &adapters,
                           const std::string &output,
                           const FuseOptions &options) {
  useOneThreadForLinearAlgebra();
  Fuser(base, adapters, options).write(output);
}
