// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/support/Error.h"
#include "tools/driver/Compiler.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"

#include <cmath>

namespace cl = llvm::cl;
using namespace lori;

namespace {

/// A malformed value: exit code 2, unlike bad input.
class UsageError : public std::runtime_error {
public:
  using std::runtime_error::runtime_error;
};

/// Takes away the options that LLVM's libraries register for themselves: they
/// are not ours, and some have the names of ours.
struct NoLibraryOptions {
  NoLibraryOptions() {
    llvm::SmallVector<cl::Option *> known;
    for (auto &entry : cl::getRegisteredOptions())
      if (!entry.first.starts_with("help") && entry.first != "version")
        known.push_back(entry.second);
    for (cl::Option *option : known)
      option->removeArgument();
  }
};

/// The command line. Options live here, and not as globals.
struct CommandLine {
  NoLibraryOptions first;
  cl::OptionCategory category{"Compiling"};
  cl::opt<std::string> model{
      cl::Positional, cl::Required, cl::cat(category), cl::value_desc("model"),
      cl::desc("MODEL: a Hugging Face directory, a .gguf file, or a module in "
               "MLIR (.mlir, .mlirbc)")};
  cl::opt<std::string> output{"o", cl::cat(category), cl::value_desc("file"),
                              cl::desc("Output (default: the model's name)")};
  cl::list<std::string> adapters{
      "adapter", cl::cat(category), cl::value_desc("NAME=PATH[@SCALE]"),
      cl::desc("Add an adapter: a PEFT directory, repeatable")};
  cl::opt<AdapterMode> mode{
      "mode", cl::cat(category), cl::desc("What becomes of the adapters:"),
      cl::values(
          clEnumValN(AdapterMode::Live, "live",
                     "chosen and scaled when the program runs (default)"),
          clEnumValN(AdapterMode::Fuse, "fuse", "added to the weights")),
      cl::init(AdapterMode::Live)};
  cl::opt<std::string> weightsType{
      "weights-type", cl::cat(category), cl::init("auto"),
      cl::value_desc("auto|f32|f16|bf16|q8_0|q4_0|q4_1"),
      cl::desc("Storage of the weights (auto: as in the checkpoint)")};
  cl::opt<std::string> fuseType{
      "fuse-type", cl::cat(category), cl::init("auto"),
      cl::value_desc("auto|f32|f16|bf16|base"),
      cl::desc("Storage of fused weights (auto: f32 for f32 bases, else f16; "
               "base: that of the base's weights)")};
  cl::opt<double> maxFuseError{
      "max-fuse-error", cl::cat(category), cl::init(0), cl::value_desc("E"),
      cl::desc("Leave adapters live where the fused weight's relative error "
               "would exceed E")};
  cl::opt<bool> safeMerge{
      "safe-merge", cl::cat(category),
      cl::desc("Fuse as PEFT's safe_merge does: each update rounded to the "
               "weight's type, then each sum")};
  cl::opt<std::string> kvType{
      "kv-type", cl::cat(category), cl::init("auto"),
      cl::value_desc("auto|f32|f16|bf16|q8_0"),
      cl::desc("Storage of keys and values (auto: f32 for f32 weights, else "
               "f16)")};
  cl::opt<int64_t> contextLength{
      "context", cl::cat(category), cl::init(0), cl::value_desc("tokens"),
      cl::desc("Positions a sequence can have (default: the model's)")};
  cl::opt<std::string> cpu{"cpu", cl::cat(category), cl::init("native"),
                           cl::value_desc("native|x86-64-v3|x86-64-v4|..."),
                           cl::desc("Processor to generate code for")};
  cl::opt<EmitKind> emit{
      "emit", cl::cat(category), cl::desc("What to write:"),
      cl::values(
          clEnumValN(EmitKind::Executable, "exe", "a program (default)"),
          clEnumValN(EmitKind::Shared, "shared",
                     "a shared library with the interface of runtime/lori.h"),
          clEnumValN(EmitKind::Object, "obj", "an object with lori_step"),
          clEnumValN(EmitKind::Llvm, "llvm", "LLVM IR"),
          clEnumValN(EmitKind::Mlir, "mlir",
                     "the model graph, adapters resolved")),
      cl::init(EmitKind::Executable)};
  cl::opt<PipelineKind> pipeline{
      "pipeline", cl::cat(category), cl::desc("How to lower the model:"),
      cl::values(clEnumValN(PipelineKind::Optimized, "optimized",
                            "packed weights, vector kernels (default)"),
                 clEnumValN(PipelineKind::Reference, "reference",
                            "plain loops: slow, simple, always right")),
      cl::init(PipelineKind::Optimized)};
  cl::opt<unsigned> threads{
      "threads", cl::cat(category), cl::init(0), cl::value_desc("N"),
      cl::desc("Threads of the compiler (default: the CPUs it may use)")};
  cl::opt<bool> remarks{
      "remarks", cl::cat(category),
      cl::desc("Say what the passes did, and where they could not")};
  cl::opt<bool> quiet{"quiet", cl::cat(category),
                      cl::desc("No warnings, notes and progress")};

  CompileOptions options() const;
};

} // namespace

static void requireOneOf(llvm::StringRef option, llvm::StringRef value,
                         llvm::ArrayRef<llvm::StringRef> known) {
  if (llvm::is_contained(known, value))
    return;
  throw UsageError(("--" + option + " is '" + value + "', expected " +
                    llvm::join(known, ", "))
                       .str());
}

/// Reads NAME=PATH[@SCALE]; a scale is a number behind the last `@`.
static AdapterArgument parseAdapter(llvm::StringRef text) {
  auto [name, path] = text.split('=');
  if (name.empty() || path.empty())
    throw UsageError(
        ("--adapter is '" + text + "', expected NAME=PATH[@SCALE]").str());
  AdapterArgument argument{name.str(), path.str(), 1};
  auto [head, tail] = path.rsplit('@');
  double scale;
  if (!tail.empty() && !head.empty() && !tail.getAsDouble(scale)) {
    if (!std::isfinite(scale))
      throw UsageError(("--adapter " + name + " has the scale '" + tail +
                        "', expected a finite number")
                           .str());
    argument.path = head.str();
    argument.scale = scale;
  }
  return argument;
}

/// The file name of the model without its ending.
static std::string defaultOutput(llvm::StringRef model, EmitKind emit) {
  llvm::StringRef stem = llvm::sys::path::stem(model.rtrim('/'));
  switch (emit) {
  case EmitKind::Executable:
    return stem.str();
  case EmitKind::Shared:
    return (stem + ".so").str();
  case EmitKind::Object:
    return (stem + ".o").str();
  case EmitKind::Llvm:
    return (stem + ".ll").str();
  case EmitKind::Mlir:
    return (stem + ".mlir").str();
  }
  llvm_unreachable("unknown kind of output");
}

CompileOptions CommandLine::options() const {
  requireOneOf("weights-type", weightsType,
               {"auto", "f32", "f16", "bf16", "q8_0", "q4_0", "q4_1"});
  requireOneOf("fuse-type", fuseType, {"auto", "f32", "f16", "bf16", "base"});
  requireOneOf("kv-type", kvType, {"auto", "f32", "f16", "bf16", "q8_0"});
  if (contextLength < 0)
    throw UsageError("--context is " + std::to_string(contextLength) +
                     ", expected a positive number of tokens");
  if (maxFuseError.getNumOccurrences() != 0 &&
      !(maxFuseError > 0 && std::isfinite(maxFuseError)))
    throw UsageError("--max-fuse-error is " + std::to_string(maxFuseError) +
                     ", expected a positive number");
  CompileOptions options;
  options.model = model;
  options.output =
      output.empty() ? defaultOutput(model, emit) : output.getValue();
  for (const std::string &adapter : adapters) {
    options.adapters.push_back(parseAdapter(adapter));
    for (size_t i = 0; i + 1 < options.adapters.size(); ++i)
      if (options.adapters[i].name == options.adapters.back().name)
        throw UsageError("--adapter " + options.adapters[i].name +
                         " is given twice, expected different names");
  }
  options.mode = mode;
  options.weightsType = weightsType;
  options.fuseType = fuseType;
  options.maxFuseError = maxFuseError;
  options.safeMerge = safeMerge;
  options.kvType = kvType;
  options.context = contextLength;
  options.cpu = cpu;
  options.emit = emit;
  options.pipeline = pipeline;
  options.threads = threads;
  options.quiet = quiet;
  options.remarks = remarks;
  return options;
}

int main(int argc, char **argv) {
  CommandLine commandLine;
  cl::HideUnrelatedOptions(commandLine.category);
  std::string usage;
  llvm::raw_string_ostream stream(usage);
  if (!cl::ParseCommandLineOptions(
          argc, argv,
          "Compiles a language model and its adapters into one program.\n",
          &stream)) {
    llvm::errs() << usage;
    return 2;
  }
  try {
    compileModel(commandLine.options());
    return 0;
  } catch (const UsageError &error) {
    llvm::errs() << "lori-compile: error: " << error.what() << '\n';
    return 2;
  } catch (const std::exception &error) {
    llvm::errs() << "lori-compile: error: " << error.what() << '\n';
    return 1;
  }
}
