#include "tools/import/Import.h"
#include "passes/pipelines/Registration.h"
int main(int argc, char **argv) {
  mlir::DialectRegistry registry; mlir::lori::registerCompilerDialects(registry);
  mlir::MLIRContext context(registry); context.loadAllAvailableDialects();
  auto c = lori::Checkpoint::open(argv[1]);
  lori::ImportOptions o; o.context = c.config().context; o.cacheType = argc > 2 ? lori::StorageType::F16 : lori::StorageType::F32;
  auto m = lori::importModel(context, c, o); m->print(llvm::outs());
}
