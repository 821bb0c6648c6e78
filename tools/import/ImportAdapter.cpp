// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dialect/lori/LoriOps.h"
#include "runtime/support/Error.h"
#include "tools/import/Import.h"

#include "mlir/IR/Builders.h"
#include "llvm/ADT/MapVector.h"

using llvm::StringRef;

namespace {

/// The modules of one name, over all layers.
struct Stack {
  std::vector<const lori::AdapterModule *> layers;
  int64_t rank = 0;
};

/// Writes the declarations of one adapter.
class AdapterImporter {
public:
  AdapterImporter(mlir::ModuleOp module, StringRef name,
                  const lori::Adapter &adapter, const lori::ModelConfig &config)
      : module(module), builder(module.getContext()), name(name),
        adapter(adapter), config(config) {
    builder.setInsertionPointToStart(module.getBody());
  }

  void run(double weight);

private:
  std::string target(const std::string &pattern) const;
  mlir::lori::ModuleAttr declare(const std::string &pattern,
                                 const Stack &stack);
  mlir::FlatSymbolRefAttr declareFactor(const std::string &pattern,
                                        StringRef factor, const Stack &stack);

  mlir::ModuleOp module;
  mlir::OpBuilder builder;
  StringRef name;
  const lori::Adapter &adapter;
  const lori::ModelConfig &config;
};

} // namespace

/// Returns `path` with a `*` for its layer.
static std::string toPattern(const lori::AdaptableModule &module) {
  std::string path = module.path;
  if (module.layer < 0)
    return path;
  std::string number = "." + std::to_string(module.layer) + ".";
  return path.replace(path.find(number), number.size(), ".*.");
}

std::string AdapterImporter::target(const std::string &pattern) const {
  // A tied lm_head reads the embedding's table.
  if (pattern == "lm_head" && config.tiedEmbeddings)
    return "model.embed_tokens.weight";
  return pattern + ".weight";
}

mlir::FlatSymbolRefAttr
AdapterImporter::declareFactor(const std::string &pattern, StringRef factor,
                               const Stack &stack) {
  bool isShrink = factor == "lora_A";
  llvm::SmallVector<int64_t> numbers;
  mlir::Type element;
  for (auto [layer, part] : llvm::enumerate(stack.layers)) {
    numbers.push_back(part ? static_cast<int64_t>(layer) : -1);
    if (!part)
      continue;
    const lori::StoredTensor &tensor = isShrink ? part->a : part->b;
    mlir::Type type = lori::toElementType(module.getContext(), tensor.type);
    if (element && type != element)
      throw lori::Error(adapter.path(),
                        "tensor '" + tensor.name +
                            "' is stored in another type than the same factor "
                            "of other layers; store all in one type");
    element = type;
  }
  const lori::AdapterModule &any =
      **llvm::find_if(stack.layers, [](auto *part) { return part != nullptr; });
  bool isStack = any.module.layer >= 0;
  llvm::SmallVector<int64_t> shape;
  if (isStack)
    shape.push_back(static_cast<int64_t>(stack.layers.size()));
  if (isShrink)
    shape.append({stack.rank, any.module.in});
  else
    shape.append({any.module.out, stack.rank});
  std::string source = pattern + "." + factor.str() + ".weight";
  auto param = mlir::lori::ParamOp::create(
      builder, mlir::NameLoc::get(builder.getStringAttr(source)),
      (name + ":" + pattern + "." + factor).str(),
      mlir::RankedTensorType::get(shape, element),
      mlir::lori::SourceAttr::get(module.getContext(),
                                  builder.getStringAttr(name),
                                  builder.getStringAttr(source),
                                  builder.getDenseI64ArrayAttr(
                                      isStack ? llvm::ArrayRef<int64_t>(numbers)
                                              : llvm::ArrayRef<int64_t>())));
  return mlir::FlatSymbolRefAttr::get(param);
}

mlir::lori::ModuleAttr AdapterImporter::declare(const std::string &pattern,
                                                const Stack &stack) {
  // Absent layers have zero factors, so that their scale does not matter.
  const lori::AdapterModule &any =
      **llvm::find_if(stack.layers, [](auto *part) { return part != nullptr; });
  llvm::SmallVector<double> scales;
  for (const lori::AdapterModule *part : stack.layers)
    scales.push_back(part ? part->scaling : any.scaling);
  if (llvm::all_equal(scales))
    scales.resize(1);
  return mlir::lori::ModuleAttr::get(module.getContext(),
                                     builder.getStringAttr(target(pattern)),
                                     declareFactor(pattern, "lora_A", stack),
                                     declareFactor(pattern, "lora_B", stack),
                                     builder.getDenseF64ArrayAttr(scales));
}

void AdapterImporter::run(double weight) {
  llvm::MapVector<StringRef, Stack> stacks;
  std::vector<std::string> patterns;
  for (const lori::AdapterModule &part : adapter.modules())
    patterns.push_back(toPattern(part.module));
  for (auto [part, pattern] : llvm::zip_equal(adapter.modules(), patterns)) {
    if (part.module.kind == lori::AdaptableModule::Kind::Embedding)
      throw lori::Error(adapter.path(),
                        "adapts the embedding (" + part.module.path +
                            "), which this version cannot; train the adapter "
                            "without it, or merge it into the base with PEFT");
    Stack &stack = stacks[pattern];
    size_t count =
        part.module.layer < 0 ? 1 : static_cast<size_t>(config.layers);
    stack.layers.resize(count);
    stack.layers[part.module.layer < 0
                     ? 0
                     : static_cast<size_t>(part.module.layer)] = &part;
    stack.rank = std::max(stack.rank, part.rank);
  }
  llvm::SmallVector<mlir::Attribute> modules;
  for (auto &[pattern, stack] : stacks)
    modules.push_back(declare(pattern.str(), stack));
  builder.setInsertionPoint(&module.getBody()->back());
  mlir::lori::AdapterOp::create(builder, module.getLoc(), name,
                                llvm::APFloat(weight),
                                builder.getArrayAttr(modules));
}

void lori::importAdapter(mlir::ModuleOp module, llvm::StringRef name,
                         double weight, const Adapter &adapter,
                         const ModelConfig &config) {
  AdapterImporter(module, name, adapter, config).run(weight);
}
