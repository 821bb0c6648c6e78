// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "tools/driver/Jit.h"
#include "runtime/support/Error.h"
#include "tools/driver/GeneratedCalls.h"
#include "tools/driver/LlvmModule.h"

#include "llvm/ADT/DenseSet.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ExecutionEngine/Orc/CompileUtils.h"
#include "llvm/ExecutionEngine/Orc/ExecutionUtils.h"
#include "llvm/ExecutionEngine/Orc/LLJIT.h"
#include "llvm/IR/IRBuilder.h"

using namespace lori;
namespace orc = llvm::orc;

// What goes wrong here is a defect of a lowering, but must not abort.
static void check(llvm::Error error) {
  if (error)
    throw Error("compile-time evaluation", llvm::toString(std::move(error)));
}

template <typename T> static T check(llvm::Expected<T> value) {
  check(value.takeError());
  return std::move(*value);
}

static void checkRunsHere(const CpuTarget &target) {
  CpuTarget host = CpuTarget::native();
  std::vector<std::string> missing;
  llvm::copy_if(target.features(), std::back_inserter(missing),
                [&](const std::string &feature) { return !host.has(feature); });
  if (!missing.empty())
    throw Error("--cpu=" + target.name(),
                "this machine lacks " + llvm::join(missing, ", ") +
                    ", so it cannot run such code: compile-time evaluation "
                    "takes --cpu=native");
}

static orc::JITTargetMachineBuilder machineBuilder(const CpuTarget &target) {
  orc::JITTargetMachineBuilder builder{llvm::Triple(CpuTarget::triple())};
  builder.setCPU(CpuTarget::llvmCpu());
  builder.setFeatures(target.llvmFeatures());
  builder.setRelocationModel(llvm::Reloc::PIC_);
  builder.setCodeModel(llvm::CodeModel::Small);
  builder.setCodeGenOptLevel(llvm::CodeGenOptLevel::Aggressive);
  return builder;
}

// Ours by address, since a program need not export what it is linked with; the
// system's by name, and only those on the list.
static void defineCalls(orc::LLJIT &engine) {
  orc::SymbolMap own;
  llvm::DenseSet<orc::SymbolStringPtr> system;
  for (const GeneratedCall &call : generatedCalls()) {
    orc::SymbolStringPtr name = engine.mangleAndIntern(call.name);
    if (call.address)
      own[name] = {orc::ExecutorAddr::fromPtr(call.address),
                   llvm::JITSymbolFlags::Exported |
                       llvm::JITSymbolFlags::Callable};
    else
      system.insert(name);
  }
  orc::JITDylib &library = engine.getMainJITDylib();
  check(library.define(orc::absoluteSymbols(std::move(own))));
  library.addGenerator(
      check(orc::DynamicLibrarySearchGenerator::GetForCurrentProcess(
          engine.getDataLayout().getGlobalPrefix(),
          [system](const orc::SymbolStringPtr &name) {
            return system.contains(name);
          })));
}

/// Returns the name under which `name` takes the addresses of its arguments.
static std::string packedName(std::string_view name) {
  return "packed." + std::string(name);
}

/// Adds `void packed.NAME(void **arguments)` for `function`, so that functions
/// of any number of arguments can be called alike.
static void addPackedEntry(llvm::Function &function) {
  llvm::LLVMContext &context = function.getContext();
  auto *pointer = llvm::PointerType::getUnqual(context);
  auto *type = llvm::FunctionType::get(llvm::Type::getVoidTy(context),
                                       {pointer}, /*isVarArg=*/false);
  auto *entry = llvm::Function::Create(
      type, llvm::Function::ExternalLinkage,
      packedName(std::string_view(function.getName())), function.getParent());
  llvm::IRBuilder<> b(llvm::BasicBlock::Create(context, "", entry));
  llvm::SmallVector<llvm::Value *> arguments;
  for (llvm::Argument &argument : function.args()) {
    llvm::Value *slot =
        b.CreateConstGEP1_32(pointer, entry->getArg(0), argument.getArgNo());
    arguments.push_back(
        b.CreateLoad(argument.getType(), b.CreateLoad(pointer, slot)));
  }
  b.CreateCall(&function, arguments);
  b.CreateRetVoid();
}

static void addPackedEntries(llvm::Module &module) {
  llvm::SmallVector<llvm::Function *> functions;
  for (llvm::Function &function : module)
    if (!function.isDeclaration() && function.hasExternalLinkage())
      functions.push_back(&function);
  for (llvm::Function *function : functions)
    addPackedEntry(*function);
}

Jit Jit::create(mlir::ModuleOp source, const CpuTarget &target) {
  checkRunsHere(target);
  LlvmModule code = compileToLlvm(source, target);
  auto engine = check(orc::LLJITBuilder()
                          .setJITTargetMachineBuilder(machineBuilder(target))
                          .setLinkProcessSymbolsByDefault(false)
                          // Its support code would be looked up in there.
                          .setPlatformSetUp(orc::setUpInactivePlatform)
                          .create());
  // What a lookup could not find is reported here, and only that it failed
  // comes back from it.
  auto reports = std::make_shared<std::string>();
  engine->getExecutionSession().setErrorReporter([reports](llvm::Error error) {
    *reports += (reports->empty() ? "" : "; ") + toString(std::move(error));
  });
  defineCalls(*engine);
  addPackedEntries(*code.module);
  check(engine->addIRModule(
      orc::ThreadSafeModule(std::move(code.module), std::move(code.context))));
  return Jit(std::move(engine), std::move(reports));
}

Jit::Jit(std::unique_ptr<orc::LLJIT> engine,
         std::shared_ptr<std::string> reports)
    : engine(std::move(engine)), reports(std::move(reports)) {}
Jit::Jit(Jit &&) noexcept = default;
Jit &Jit::operator=(Jit &&) noexcept = default;
Jit::~Jit() = default;

void *Jit::address(std::string_view name) const {
  llvm::Expected<orc::ExecutorAddr> symbol = engine->lookup(name);
  if (symbol)
    return symbol->toPtr<void *>();
  std::string message = toString(symbol.takeError());
  throw Error("compile-time evaluation", reports->empty() ? message : *reports);
}

void Jit::invoke(std::string_view name,
                 std::span<const void *const> arguments) const {
  lookup<void (*)(const void *const *)>(packedName(name))(arguments.data());
}
