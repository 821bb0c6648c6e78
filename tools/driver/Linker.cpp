// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "tools/driver/Linker.h"
#include "runtime/support/Error.h"
#include "runtime/support/MappedFile.h"
#include "tools/driver/MemoryFile.h"

#include "lld/Common/Driver.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"

#include <cerrno>
#include <cstring>
#include <elf.h>
#include <filesystem>
#include <link.h>
#include <mutex>
#include <unistd.h>

LLD_HAS_DRIVER(elf)

using namespace lori;

//===----------------------------------------------------------------------===//
// What is linked
//===----------------------------------------------------------------------===//

static std::string folderOfThisProgram() {
  char path[4096];
  ssize_t size = ::readlink("/proc/self/exe", path, sizeof(path));
  if (size <= 0)
    throw Error("/proc/self/exe", std::string("cannot be read: ") +
                                      strerror(errno) +
                                      ", mount /proc to link programs");
  return llvm::sys::path::parent_path({path, size_t(size)}).str();
}

Linker::Linker() {
  llvm::SmallString<256> folder(folderOfThisProgram());
  llvm::sys::path::append(folder, "..", "lib", "lori");
  llvm::sys::path::remove_dots(folder, /*remove_dot_dot=*/true);
  runtimeFolder = folder.str();
}

static const char *runtimeName(ImageKind kind) {
  switch (kind) {
  case ImageKind::StaticProgram:
    return "runtime_all.o";
  case ImageKind::DynamicProgram:
    return "runtime_dyn.o";
  case ImageKind::SharedLibrary:
    return "runtime_shared.o";
  }
}

static std::string findRuntime(const std::string &folder, ImageKind kind) {
  std::string path = folder + "/" + runtimeName(kind);
  if (::access(path.c_str(), R_OK) != 0)
    throw Error(path, std::string("cannot be read: ") + strerror(errno) +
                          ", expected the prelinked runtime that is installed "
                          "with this program; install it again");
  return path;
}

/// Returns the path of the library that this process has loaded as `name`. It
/// is the machine's own, wherever that keeps it.
static std::string loadedLibrary(const char *name) {
  std::pair<llvm::StringRef, std::string> search{name, ""};
  dl_iterate_phdr(
      [](dl_phdr_info *info, size_t, void *argument) {
        auto &[name, path] = *static_cast<decltype(search) *>(argument);
        if (llvm::sys::path::filename(info->dlpi_name) == name)
          path = info->dlpi_name;
        return path.empty() ? 0 : 1;
      },
      &search);
  if (search.second.empty())
    throw Error(name, "is not loaded by this program, so its path is unknown: "
                      "use a lori-compile that is linked dynamically");
  return search.second;
}

//===----------------------------------------------------------------------===//
// How
//===----------------------------------------------------------------------===//

static void addKind(std::vector<std::string> &arguments, ImageKind kind) {
  auto add = [&](std::initializer_list<const char *> more) {
    arguments.insert(arguments.end(), more.begin(), more.end());
  };
  switch (kind) {
  case ImageKind::StaticProgram:
    return add({"-pie", "--no-dynamic-linker", "-z", "text"});
  case ImageKind::DynamicProgram:
    add({"-pie", "-dynamic-linker", "/lib64/ld-linux-x86-64.so.2"});
#ifdef LORI_SANITIZED
    add({"--export-dynamic"}); // the sanitizer takes the C library's functions
#endif
    return;
  case ImageKind::SharedLibrary:
    // The runtime's threads never end, so its code must stay.
    return add({"-shared", "-Bsymbolic", "--no-undefined", "-z", "nodelete"});
  }
}

static constexpr llvm::StringLiteral exportedSymbols =
    "{ global: lori_*; local: *; };\n";

/// lld's diagnostics as the rest of one line; the object is called so.
static std::string describe(llvm::StringRef diagnostics,
                            llvm::StringRef objectPath) {
  llvm::SmallVector<llvm::StringRef> lines;
  diagnostics.split(lines, '\n', -1, /*KeepEmpty=*/false);
  std::string text;
  for (llvm::StringRef line : lines) {
    line.consume_front("ld.lld: ");
    line.consume_front("error: ");
    text += (text.empty() ? "" : "; ") + line.trim(" >").str();
  }
  for (size_t at; (at = text.find(objectPath)) != std::string::npos;)
    text.replace(at, objectPath.size(), "generated code");
  return text.empty() ? "failed without a message" : text;
}

static void runLld(const std::vector<std::string> &arguments,
                   llvm::StringRef objectPath) {
  static std::mutex lock;
  static bool isUsable = true;
  std::lock_guard guard(lock);
  if (!isUsable)
    throw Error("linking", "an earlier link crashed, start the program anew");
  std::vector<const char *> pointers;
  for (const std::string &argument : arguments)
    pointers.push_back(argument.c_str());
  std::string output;
  llvm::raw_string_ostream stream(output);
  lld::Result result =
      lld::lldMain(pointers, stream, stream, {{lld::Gnu, &lld::elf::link}});
  isUsable = result.canRunAgain;
  if (result.retCode != 0)
    throw Error("linking", describe(output, objectPath));
}

namespace {

/// A folder for lld's output, which it renames into place and so cannot write
/// to a memory file; removed at the end.
class TemporaryFolder {
public:
  TemporaryFolder() {
    path = (std::filesystem::temp_directory_path() / "lori-XXXXXX").string();
    if (!::mkdtemp(path.data()))
      throw Error(path, std::string("cannot be created: ") + strerror(errno));
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path, ignored);
  }
  TemporaryFolder(const TemporaryFolder &) = delete;
  TemporaryFolder &operator=(const TemporaryFolder &) = delete;

  std::string file(const char *name) const { return path + "/" + name; }

private:
  std::string path;
};

} // namespace

/// Whether `object` is an ELF file up to its section headers. lld would take
/// another file for a linker script, and ends the process over a cut one.
static bool isWholeObject(std::string_view object) {
  Elf64_Ehdr header;
  if (object.size() < sizeof(header) || !object.starts_with(ELFMAG))
    return false;
  std::memcpy(&header, object.data(), sizeof(header));
  uint64_t table = uint64_t(header.e_shnum) * header.e_shentsize;
  return header.e_shoff <= object.size() &&
         table <= object.size() - header.e_shoff;
}

std::string Linker::link(std::string_view object, ImageKind kind) const {
  std::string runtime = findRuntime(runtimeFolder, kind);
  if (!isWholeObject(object))
    throw Error("linking",
                "generated code: unknown file type, expected an ELF object");
  MemoryFile input(object), exports(exportedSymbols);
  TemporaryFolder folder;
  std::string image = folder.file("image");
  // One thread: the work is a hundredth of a second and less than starting
  // threads.
  std::vector<std::string> arguments{"ld.lld",
                                     "--threads=1",
                                     "--gc-sections",
                                     "--eh-frame-hdr",
                                     "--hash-style=gnu",
                                     "--build-id=none",
                                     "-z",
                                     "now",
                                     "--error-limit=8",
                                     "-o",
                                     image};
  addKind(arguments, kind);
  arguments.push_back(runtime);
  arguments.push_back(input.path());
  if (kind == ImageKind::SharedLibrary)
    arguments.push_back("--version-script=" + exports.path());
  if (kind != ImageKind::StaticProgram)
    for (const char *name : {"libm.so.6", "libc.so.6", "ld-linux-x86-64.so.2"})
      arguments.push_back(loadedLibrary(name));
  runLld(arguments, input.path());
  MappedFile result(image);
  std::span<const std::byte> bytes = result.bytes();
  return std::string(reinterpret_cast<const char *>(bytes.data()),
                     bytes.size());
}

ImageKind Linker::programKind() {
#ifdef LORI_SANITIZED
  return ImageKind::DynamicProgram;
#else
  return ImageKind::StaticProgram;
#endif
}
