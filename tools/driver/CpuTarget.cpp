// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "tools/driver/CpuTarget.h"
#include "runtime/support/Error.h"

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/IR/Module.h"
#include "llvm/MC/MCSubtargetInfo.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/Target/TargetMachine.h"
#include "llvm/TargetParser/Host.h"

#include <unistd.h>

using namespace lori;
using llvm::StringRef;

// Instruction sets that LLVM uses on its own account or that lowerings ask for,
// the narrow ones first. runtime/engine/CpuFeatures.cpp can check all of them.
static constexpr StringRef codeFeatures[] = {
    "sse3",         "ssse3",        "sse4.1",
    "sse4.2",       "popcnt",       "cx16",
    "sahf",         "movbe",        "avx",
    "f16c",         "fma",          "avx2",
    "bmi",          "bmi2",         "lzcnt",
    "prfchw",       "gfni",         "avxvnni",
    "avxvnniint8",  "avxvnniint16", "avxifma",
    "avxneconvert", "avx512f",      "avx512cd",
    "avx512bw",     "avx512dq",     "avx512vl",
    "avx512ifma",   "avx512vbmi",   "avx512vbmi2",
    "avx512vnni",   "avx512bitalg", "avx512vpopcntdq",
    "avx512bf16",   "avx512fp16",   "amx-tile",
    "amx-int8",     "amx-bf16",     "amx-fp16",
    "amx-complex",
};

static const llvm::Target &x86() {
  static const llvm::Target *target = [] {
    LLVMInitializeX86TargetInfo();
    LLVMInitializeX86Target();
    LLVMInitializeX86TargetMC();
    LLVMInitializeX86AsmPrinter();
    LLVMInitializeX86AsmParser();
    std::string error;
    return llvm::TargetRegistry::lookupTarget(llvm::Triple(CpuTarget::triple()),
                                              error);
  }();
  if (!target)
    throw Error("this LLVM generates no code for x86-64, expected a build with "
                "the target X86");
  return *target;
}

static std::unique_ptr<llvm::MCSubtargetInfo> describe(StringRef cpu,
                                                       StringRef features) {
  return std::unique_ptr<llvm::MCSubtargetInfo>(x86().createMCSubtargetInfo(
      llvm::Triple(CpuTarget::triple()), cpu, features));
}

//===----------------------------------------------------------------------===//
// --cpu
//===----------------------------------------------------------------------===//

static std::string option(std::string_view value) {
  return "--cpu=" + std::string(value);
}

static void checkFeature(std::string_view value, StringRef part) {
  StringRef name = part.drop_front(part.empty() ? 0 : 1);
  if (part.starts_with("+") || part.starts_with("-"))
    if (llvm::is_contained(codeFeatures, name))
      return;
  throw Error(option(value),
              "'" + part.str() +
                  "' is not a feature, expected +NAME or -NAME "
                  "with one of " +
                  llvm::join(llvm::ArrayRef(codeFeatures), ", "));
}

static std::string hostFeatures() {
  llvm::SmallVector<std::string> enabled;
  for (const auto &feature : llvm::sys::getHostCPUFeatures())
    if (feature.second && llvm::is_contained(codeFeatures, feature.first()))
      enabled.push_back("+" + feature.first().str());
  return llvm::join(enabled, ",");
}

static void checkProcessor(std::string_view value, StringRef cpu) {
  if (!describe(CpuTarget::llvmCpu(), "")->isCPUStringValid(cpu))
    throw Error(option(value),
                "'" + cpu.str() +
                    "' is no processor known to LLVM, expected "
                    "native, x86-64-v3, x86-64-v4 or a name such as haswell, "
                    "znver4 or sapphirerapids");
}

static void checkMinimum(std::string_view value, const CpuTarget &target) {
  llvm::SmallVector<std::string> missing;
  for (const char *feature : {"avx2", "fma", "f16c"})
    if (!target.has(feature))
      missing.push_back(feature);
  if (!missing.empty())
    throw Error(option(value),
                "lacks " + llvm::join(missing, ", ") +
                    ", expected a processor "
                    "with avx2, fma and f16c: x86-64-v3 or a later one");
}

/// Returns what the system says, or `otherwise` where it does not know.
static int64_t systemValue(int name, int64_t otherwise) {
  long value = sysconf(name);
  return value > 0 ? value : otherwise;
}

CpuTarget CpuTarget::parse(std::string_view value) {
  CpuTarget target;
  target.value = value;
  llvm::SmallVector<StringRef> parts;
  StringRef(value).split(parts, ',');
  StringRef cpu = parts.front();
  bool isNative = cpu == "native";
  if (!isNative)
    checkProcessor(value, cpu);

  std::string wanted = isNative ? hostFeatures() : "";
  for (StringRef part : llvm::drop_begin(parts)) {
    checkFeature(value, part);
    wanted += "," + part.str();
  }
  // LLVM knows which features imply, or need, which.
  auto description = describe(isNative ? llvmCpu() : cpu, wanted);
  llvm::StringSet<> has;
  for (const auto &feature : description->getEnabledProcessorFeatures())
    has.insert(feature.Key);
  for (StringRef feature : codeFeatures)
    if (has.contains(feature))
      target.enabled.push_back(feature.str());
  checkMinimum(value, target);

  target.tuneCpu = !isNative            ? cpu.str()
                   : target.hasAvx512() ? "x86-64-v4"
                                        : "x86-64-v3";
  if (isNative) {
    target.level1 = systemValue(_SC_LEVEL1_DCACHE_SIZE, target.level1);
    target.level2 = systemValue(_SC_LEVEL2_CACHE_SIZE, target.level2);
  }
  return target;
}

//===----------------------------------------------------------------------===//
// Features
//===----------------------------------------------------------------------===//

static bool isTileFeature(StringRef feature) {
  return feature.starts_with("amx-");
}

bool CpuTarget::has(std::string_view feature) const {
  return llvm::is_contained(enabled, feature);
}

bool CpuTarget::hasAvx512() const {
  return llvm::all_of(
      std::initializer_list<const char *>{"avx512f", "avx512cd", "avx512bw",
                                          "avx512dq", "avx512vl"},
      [&](const char *feature) { return has(feature); });
}

std::vector<std::string> CpuTarget::requiredFeatures() const {
  std::vector<std::string> required;
  llvm::copy_if(enabled, std::back_inserter(required),
                [](StringRef feature) { return !isTileFeature(feature); });
  return required;
}

std::vector<std::string> CpuTarget::tileFeatures() const {
  std::vector<std::string> tiles;
  llvm::copy_if(enabled, std::back_inserter(tiles), isTileFeature);
  return tiles;
}

std::string CpuTarget::llvmFeatures() const {
  return "+" + llvm::join(enabled, ",+");
}

//===----------------------------------------------------------------------===//
// Code generation
//===----------------------------------------------------------------------===//

std::unique_ptr<llvm::TargetMachine> CpuTarget::createMachine() const {
  llvm::TargetOptions options;
  // One section a function, so that a program keeps only what it uses.
  options.FunctionSections = true;
  options.DataSections = true;
  // Contraction is allowed where the IR says so and nowhere else.
  options.AllowFPOpFusion = llvm::FPOpFusion::Standard;
  return std::unique_ptr<llvm::TargetMachine>(x86().createTargetMachine(
      llvm::Triple(triple()), llvmCpu(), llvmFeatures(), options,
      llvm::Reloc::PIC_, llvm::CodeModel::Small,
      llvm::CodeGenOptLevel::Aggressive));
}

void CpuTarget::applyTo(llvm::Module &module,
                        const llvm::TargetMachine &machine) const {
  module.setTargetTriple(machine.getTargetTriple());
  module.setDataLayout(machine.createDataLayout());
  module.setPICLevel(llvm::PICLevel::BigPIC);
  for (llvm::Function &function : module) {
    if (function.isIntrinsic())
      continue;
    function.addFnAttr("target-cpu", llvmCpu());
    function.addFnAttr("tune-cpu", tuneCpu);
    function.addFnAttr("target-features", llvmFeatures());
    function.addFnAttr("prefer-vector-width", std::to_string(vectorBits()));
  }
}
