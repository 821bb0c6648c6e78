// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// usage: new-architecture WEIGHTS.safetensors OUT.mlir
//
// Describes a decoder that no importer knows, and writes it as a module that
// lori-compile takes. Attention and MLP of a block read the same normalised
// input and are added to the residual stream together; positions are not
// encoded at all; the MLP is half as wide in its first block.

#include "dialect/lm/ModelBuilder.h"
#include "dialect/lori/LoriDialect.h"
#include "runtime/formats/Safetensors.h"
#include "tools/import/Import.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Verifier.h"
#include "llvm/Support/FileSystem.h"

#include <cstdio>
#include <filesystem>

namespace lm = mlir::lm;
using mlir::RankedTensorType;
using mlir::Value;

static constexpr double epsilon = 1e-6;

/// The architecture, in the words of its checkpoint.
static void describe(lm::ModelBuilder &m) {
  auto block = [&](Value x) {
    Value h = m.rmsNorm(x, "norm", epsilon);
    Value attended = m.attention(m.linear(h, "query"), m.linear(h, "key"),
                                 m.linear(h, "value"));
    Value gated = m.gatedActivation(m.linear(h, "gate"), m.linear(h, "up"));
    x = m.add(x, m.linear(attended, "out"));
    return m.add(x, m.linear(gated, "down"));
  };
  Value x = m.embedding("tokens");
  x = m.layers("blocks", x, block);
  x = m.rmsNorm(m.selectRows(x), "norm", epsilon);
  m.finish(m.linear(x, "logits"));
}

namespace {

/// The tensors of one safetensors file.
class FileTensors final : public lm::TensorSource {
public:
  FileTensors(mlir::MLIRContext &context, const lori::SafetensorsFile &file)
      : context(context), file(file) {}

  RankedTensorType lookup(llvm::StringRef name) override {
    const lori::StoredTensor *tensor = file.find(std::string_view(name));
    return tensor ? typeOf(*tensor) : RankedTensorType();
  }

  std::string signature(llvm::StringRef prefix) override {
    std::map<std::string, RankedTensorType> types; // by name, in one order
    for (const lori::StoredTensor &tensor : file.tensors())
      if (llvm::StringRef name(tensor.name); name.consume_front(prefix))
        types[name.str()] = typeOf(tensor);
    std::string text;
    llvm::raw_string_ostream stream(text);
    for (const auto &[name, type] : types)
      stream << name << ' ' << type << '\n';
    return text;
  }

private:
  RankedTensorType typeOf(const lori::StoredTensor &tensor) {
    return RankedTensorType::get(tensor.shape,
                                 lori::toElementType(&context, tensor.type));
  }

  mlir::MLIRContext &context;
  const lori::SafetensorsFile &file;
};

} // namespace

/// Names the file that the parameters come from: the module refers to tensors
/// by `base` and their names.
static void nameFile(mlir::ModuleOp module, const std::string &path) {
  mlir::Builder builder(module.getContext());
  auto file = mlir::lori::FileAttr::get(
      module.getContext(), builder.getStringAttr("base"),
      builder.getStringAttr(path), builder.getStringAttr(""));
  module->setAttr(mlir::lori::LoriDialect::getFilesAttrName(),
                  builder.getArrayAttr(file));
}

static void write(const std::string &weights, const std::string &out) {
  mlir::MLIRContext context;
  context.loadDialect<lm::LmDialect, mlir::lori::LoriDialect,
                      mlir::func::FuncDialect, mlir::arith::ArithDialect,
                      mlir::scf::SCFDialect, mlir::tensor::TensorDialect>();
  lori::SafetensorsFile file(weights);
  FileTensors tensors(context, file);
  lm::StepShape shape;
  shape.layers = 3;
  shape.kvHeads = 2;
  shape.headDim = 16;
  shape.context = 64;
  shape.cacheType = mlir::Float32Type::get(&context);

  auto module = mlir::ModuleOp::create(mlir::UnknownLoc::get(&context));
  mlir::OwningOpRef<mlir::ModuleOp> owner(module);
  lm::ModelBuilder builder(module, shape, tensors);
  describe(builder);
  nameFile(module, std::filesystem::absolute(weights).string());
  if (mlir::failed(mlir::verify(module)))
    throw std::runtime_error("the module is not valid");

  std::error_code error;
  llvm::raw_fd_ostream stream(out, error);
  module.print(stream);
  stream.close();
  if (error || stream.has_error())
    throw std::runtime_error(out + ": cannot be written");
}

int main(int argc, char **argv) {
  if (argc != 3) {
    std::fprintf(stderr,
                 "usage: new-architecture WEIGHTS.safetensors OUT.mlir\n");
    return 2;
  }
  try {
    write(argv[1], argv[2]);
    return 0;
  } catch (const std::exception &error) {
    std::fprintf(stderr, "new-architecture: error: %s\n", error.what());
    return 1;
  }
}
