// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "tools/driver/ModelMetadata.h"

#include "dialect/lm/LmOps.h"
#include "dialect/lori/LoriOps.h"
#include "llvm/ADT/StringExtras.h"

#include <filesystem>
#include <map>

using namespace lori;

/// Rows that one call of the step function takes at most: long prompts run in
/// chunks of them.
static constexpr int64_t maxRows = 512;

/// The storage type that most entries of the matrices have.
static std::string mainWeightsType(const Checkpoint &checkpoint) {
  std::map<StorageType, int64_t> entries;
  for (const StoredTensor &tensor : checkpoint.tensors())
    if (tensor.shape.size() == 2)
      entries[tensor.type] += tensor.entries();
  auto most = std::max_element(
      entries.begin(), entries.end(),
      [](const auto &a, const auto &b) { return a.second < b.second; });
  return llvm::StringRef(storageTypeName(most->first)).lower();
}

static AdapterInfo describeAdapter(const AdapterArgument &argument,
                                   const PeftAdapter &adapter) {
  AdapterInfo info;
  info.name = argument.name;
  info.scale = static_cast<float>(argument.scale);
  info.modules = static_cast<int64_t>(adapter.modules().size());
  for (const AdapterModule &module : adapter.modules()) {
    info.rank = std::max(info.rank, module.rank);
    info.entries += module.b.entries();
    info.nonzeros += module.b.entries() - module.zeros;
    info.bytes += static_cast<int64_t>(module.a.bytes + module.b.bytes);
  }
  return info;
}

/// Bytes of a head's keys, or values, of one position.
static int64_t headBytes(StorageType type, int64_t headDim) {
  return headDim / blockEntries(type) * blockBytes(type);
}

static BankInfo describeBank(mlir::ModuleOp module) {
  BankInfo info;
  for (auto bank : module.getOps<mlir::lori::AdapterBankOp>()) {
    info.panelRows = bank.getPanels().value_or(1);
    for (auto site : bank.getSites().getAsRange<mlir::lori::SiteAttr>())
      info.sites.push_back({site.getTarget().str(), site.getIn(), site.getOut(),
                            site.getLayers()});
  }
  return info;
}

ModelInfo
lori::describeModel(mlir::ModuleOp module, const Checkpoint &checkpoint,
                    const CompileOptions &options, const ImportOptions &import,
                    const std::vector<PeftAdapter> &adapters,
                    const TextSources &text, const CpuTarget &target) {
  const ModelConfig &config = checkpoint.config();
  ModelInfo info;
  std::filesystem::path path(checkpoint.path());
  info.name = (path.has_filename() ? path : path.parent_path()).stem().string();
  info.architecture = architectureName(config.architecture);
  for (const StoredTensor &tensor : checkpoint.tensors())
    info.parameters += tensor.entries();
  info.weightsType = options.weightsType == "auto" ? mainWeightsType(checkpoint)
                                                   : options.weightsType;
  info.vocabulary = info.logitsStride = config.vocabulary;
  info.context = import.context;
  info.layers = config.layers;
  info.kvHeads = config.kvHeads;
  info.headDim = config.headDim;
  info.kvType = llvm::StringRef(storageTypeName(import.cacheType)).lower();
  info.keyPageBytes = info.valuePageBytes =
      config.layers * config.kvHeads * mlir::lm::pageTokens *
      headBytes(import.cacheType, config.headDim);
  info.maxRows = maxRows;
  info.maxSequences = import.sequences;
  info.pagesPerSequence =
      (import.context + mlir::lm::pageTokens - 1) / mlir::lm::pageTokens;
  for (size_t i = 0; i < adapters.size(); ++i) {
    if (options.mode == AdapterMode::Live)
      info.adapters.push_back(
          describeAdapter(options.adapters[i], adapters[i]));
    else
      info.fused.push_back(options.adapters[i].name);
  }

  info.bank = describeBank(module);

  if (config.bosToken)
    info.bos = static_cast<int32_t>(*config.bosToken);
  for (int64_t token : config.eosTokens)
    info.eos.push_back(static_cast<int32_t>(token));
  if (text.tokenizer) {
    if (!info.bos)
      info.bos = text.tokenizer->bos();
    if (info.eos.empty())
      info.eos.assign(text.tokenizer->eos().begin(),
                      text.tokenizer->eos().end());
    info.addBos = config.addBos.value_or(text.tokenizer->addBos());
    // The tokens that end a turn in the usual chat formats.
    for (const char *name : {"<|im_end|>", "<|eot_id|>", "<|end_of_turn|>"})
      if (auto id = text.tokenizer->findToken(name);
          id && text.chatTemplate &&
          text.chatTemplate->find(name) != std::string::npos &&
          !llvm::is_contained(info.eos, *id))
        info.eos.push_back(*id);
  }
  info.addBos = info.addBos && info.bos.has_value();
  info.chatTemplate = text.chatTemplate;
  info.bosToken = text.bosToken;
  info.eosToken = text.eosToken;
  info.cpuFeatures = target.requiredFeatures();
  info.targetCpu = target.name();
  return info;
}
