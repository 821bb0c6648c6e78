// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "tools/driver/ModelMetadata.h"

#include "dialect/lm/LmOps.h"
#include "dialect/lori/LoriOps.h"
#include "passes/transforms/ParameterUtils.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/StringSet.h"

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

AdapterInfo lori::describeAdapter(const AdapterArgument &argument,
                                  const Adapter &adapter) {
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

BankInfo lori::describeBank(mlir::ModuleOp module) {
  BankInfo info;
  for (auto bank : module.getOps<mlir::lori::AdapterBankOp>()) {
    info.panelRows = bank.getPanels().value_or(1);
    for (auto site : bank.getSites().getAsRange<mlir::lori::SiteAttr>())
      info.sites.push_back({site.getTarget().str(), site.getIn(), site.getOut(),
                            site.getLayers()});
  }
  return info;
}

static void describeText(const ModelConfig &config, const TextSources &text,
                         ModelInfo &info) {
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
}

/// The name of a model that lies at `path`.
static std::string modelName(const std::filesystem::path &path) {
  return (path.has_filename() ? path : path.parent_path()).stem().string();
}

static int64_t countParameters(const Checkpoint &checkpoint) {
  int64_t entries = 0;
  for (const StoredTensor &tensor : checkpoint.tensors())
    entries += tensor.entries();
  return entries;
}

/// Bytes of a head's keys, or values, of one position.
static int64_t headBytes(StorageType type, int64_t headDim) {
  return headDim / blockEntries(type) * blockBytes(type);
}

ModelInfo lori::describeModel(const Checkpoint &checkpoint,
                              const CompileOptions &options,
                              const ImportOptions &import,
                              const std::vector<Adapter> &adapters,
                              const TextSources &text,
                              const CpuTarget &target) {
  const ModelConfig &config = checkpoint.config();
  ModelInfo info;
  info.name = modelName(checkpoint.path());
  info.architecture = architectureName(config.architecture);
  info.parameters = countParameters(checkpoint);
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

  describeText(config, text, info);
  info.cpuFeatures = target.requiredFeatures();
  info.targetCpu = target.name();
  return info;
}

//===----------------------------------------------------------------------===//
// Modules
//===----------------------------------------------------------------------===//

/// The storage type that most entries of the linear layers' weights have.
static std::string mainWeightsType(mlir::ModuleOp graph) {
  mlir::SymbolTable symbols(graph);
  llvm::StringMap<int64_t> entries;
  graph.walk([&](mlir::lm::LinearOp linear) {
    auto type =
        mlir::cast<mlir::RankedTensorType>(linear.getWeight().getType());
    auto param = mlir::lori::getOriginalParam(linear.getWeight(), symbols);
    if (!param)
      return;
    int64_t layers = std::max<int64_t>(1, param.getSource().getLayers().size());
    entries[mlir::lori::printType(type)] += layers * type.getNumElements();
  });
  std::string main;
  int64_t most = 0;
  for (auto &entry : entries)
    if (entry.second > most) {
      most = entry.second;
      main = entry.first().str();
    }
  return main;
}

/// The parameters that adapters are made of.
static llvm::StringSet<> factorNames(mlir::ModuleOp graph) {
  llvm::StringSet<> names;
  for (auto adapter : graph.getOps<mlir::lori::AdapterOp>())
    for (auto module :
         adapter.getModules().getAsRange<mlir::lori::ModuleAttr>()) {
      names.insert(module.getShrink().getValue());
      names.insert(module.getExpand().getValue());
    }
  return names;
}

ModelInfo lori::describeGraph(mlir::ModuleOp graph,
                              const StepSignature &signature,
                              const CpuTarget &target) {
  ModelInfo info;
  llvm::StringSet<> factors = factorNames(graph);
  for (auto param : graph.getOps<mlir::lori::ParamOp>())
    if (!factors.contains(param.getSymName()))
      info.parameters +=
          mlir::cast<mlir::ShapedType>(param.getType()).getNumElements();
  info.weightsType = mainWeightsType(graph);
  info.vocabulary = info.logitsStride = signature.vocabulary;
  info.layers = signature.layers;
  info.kvHeads = signature.kvHeads;
  info.headDim = signature.headDim;
  info.kvType = mlir::lori::printType(signature.cacheType);
  info.keyPageBytes = signature.keyPageBytes;
  info.valuePageBytes = signature.valuePageBytes;
  info.maxRows = maxRows;
  info.maxSequences = signature.sequences;
  info.pagesPerSequence = signature.pagesPerSequence;
  info.cpuFeatures = target.requiredFeatures();
  info.targetCpu = target.name();
  return info;
}

void lori::describeCheckpoint(const Checkpoint &checkpoint,
                              const TextSources &text, ModelInfo &info) {
  const ModelConfig &config = checkpoint.config();
  info.name = modelName(checkpoint.path());
  info.architecture = architectureName(config.architecture);
  info.parameters = countParameters(checkpoint);
  describeText(config, text, info);
}

AdapterInfo lori::describeAdapter(const AdapterArgument &argument,
                                  mlir::lori::AdapterOp declared) {
  mlir::SymbolTable symbols(declared->getParentOp());
  AdapterInfo info;
  info.name = argument.name;
  info.scale = static_cast<float>(argument.scale);
  info.modules = static_cast<int64_t>(declared.getModules().size());
  for (auto module : declared.getModules().getAsRange<mlir::lori::ModuleAttr>())
    for (auto factor : {module.getShrink(), module.getExpand()}) {
      auto param = symbols.lookup<mlir::lori::ParamOp>(factor.getValue());
      if (!param)
        continue;
      auto type = mlir::cast<mlir::RankedTensorType>(param.getType());
      info.bytes += mlir::lori::getStorageBytes(type);
      if (factor != module.getExpand())
        continue;
      info.rank = std::max(info.rank, type.getShape().back());
      info.entries += type.getNumElements();
      info.nonzeros = info.entries;
    }
  return info;
}
