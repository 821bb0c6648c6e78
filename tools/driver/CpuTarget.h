// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef LORI_TOOLS_DRIVER_CPUTARGET_H
#define LORI_TOOLS_DRIVER_CPUTARGET_H

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace llvm {
class Module;
class TargetMachine;
} // namespace llvm

namespace lori {

/// The x86-64 processor that code is generated for: what it has, and what a
/// program must therefore check before it runs such code.
///
/// Code uses no instruction set but those of features(), whatever else the
/// named processor has, so that the check is exact.
class CpuTarget {
public:
  /// Reads the value of --cpu: `native`, `x86-64-v3`, `x86-64-v4` or LLVM's
  /// name of a processor, then `,+FEATURE` or `,-FEATURE` any number of times.
  /// Throws Error for an unknown name and for a processor without AVX2, FMA or
  /// F16C.
  static CpuTarget parse(std::string_view value);

  /// Returns this machine, by what CPUID and the operating system allow and not
  /// by the processor's name, which virtual machines make up. Throws Error.
  static CpuTarget native() { return parse("native"); }

  /// Instruction sets beyond plain x86-64, by LLVM's names, tiles included.
  const std::vector<std::string> &features() const { return enabled; }

  /// features() without tiles (amx-*): what any code for this target may use,
  /// and a program must check when it starts.
  std::vector<std::string> requiredFeatures() const;
  /// The tiles among features(). Code uses them only where a lowering asks for
  /// them; a program then checks them too and requests them from the system.
  std::vector<std::string> tileFeatures() const;

  bool has(std::string_view feature) const;
  /// AVX-512 with F, CD, BW, DQ and VL, as in x86-64-v4.
  bool hasAvx512() const;
  bool hasAvx512Bf16() const { return hasAvx512() && has("avx512bf16"); }
  /// 8-bit dot products in either encoding.
  bool hasVnni() const { return hasAvx512Vnni() || has("avxvnni"); }
  bool hasAvx512Vnni() const { return hasAvx512() && has("avx512vnni"); }
  bool hasAmxBf16() const { return has("amx-tile") && has("amx-bf16"); }
  bool hasAmxInt8() const { return has("amx-tile") && has("amx-int8"); }

  /// The vector length to write kernels for, in bits: 512 or 256.
  unsigned vectorBits() const { return hasAvx512() ? 512 : 256; }

  /// Bytes of a core's caches: this machine's for `native`, where it tells
  /// them; else what most processors have at least.
  int64_t l1Bytes() const { return level1; }
  int64_t l2Bytes() const { return level2; }

  /// What --cpu said, for messages and metadata.
  const std::string &name() const { return value; }
  static const char *triple() { return "x86_64-unknown-linux-gnu"; }
  /// The attributes `target-cpu`, `tune-cpu` and `target-features` of code.
  static const char *llvmCpu() { return "x86-64"; }
  const std::string &llvmTuneCpu() const { return tuneCpu; }
  std::string llvmFeatures() const;

  /// Returns LLVM's code generator for this target, optimizing fully.
  std::unique_ptr<llvm::TargetMachine> createMachine() const;

  /// Sets the target of `module` and of every function in it.
  void applyTo(llvm::Module &module, const llvm::TargetMachine &machine) const;

private:
  std::string value, tuneCpu;
  std::vector<std::string> enabled;
  int64_t level1 = 32 << 10, level2 = 1 << 20;
};

} // namespace lori

#endif // LORI_TOOLS_DRIVER_CPUTARGET_H
