// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef LORI_TOOLS_DRIVER_LINKER_H
#define LORI_TOOLS_DRIVER_LINKER_H

#include <string>
#include <string_view>

namespace lori {

enum class ImageKind {
  /// A program that needs no other file, nor a dynamic linker.
  StaticProgram,
  /// A program that needs the C library of the machine that it is linked on,
  /// and can load libraries.
  DynamicProgram,
  /// A shared library with the functions of runtime/lori.h.
  SharedLibrary,
};

/// Links generated code with the prelinked runtime (runtime/program/link), by
/// lld within this process.
class Linker {
public:
  /// Takes the runtime that lies beside this program, in ../lib/lori.
  Linker();
  explicit Linker(std::string runtimeFolder)
      : runtimeFolder(std::move(runtimeFolder)) {}

  /// Returns the ELF image of `object`, an object file that defines what the
  /// runtime calls (lori_step), with the runtime. Throws Error if the runtime
  /// is not installed, or with what lld says. May be called again and from any
  /// thread; one call runs at a time.
  std::string link(std::string_view object, ImageKind kind) const;

  /// What programs are: static, but dynamic where the project was built with
  /// sanitizers, which do not work in static programs.
  static ImageKind programKind();

private:
  std::string runtimeFolder;
};

} // namespace lori

#endif // LORI_TOOLS_DRIVER_LINKER_H
