// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/engine/ModelCode.h"
#include "runtime/support/Error.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <elf.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <unistd.h>

// Weak: this library links without a model, and into static programs, which
// cannot load code and shall not carry the means to.
extern "C" {
__attribute__((weak)) decltype(lori_step) lori_step;
__attribute__((weak)) decltype(lori_write_f32) lori_write_f32;
__attribute__((weak)) decltype(lori_write_f16) lori_write_f16;
__attribute__((weak)) decltype(lori_write_bf16) lori_write_bf16;
__attribute__((weak)) decltype(dlopen) dlopen;
__attribute__((weak)) decltype(dlsym) dlsym;
__attribute__((weak)) decltype(dlerror) dlerror;
}

using namespace lori;

static const char ownProgram[] = "/proc/self/exe";

static std::string programPath() {
  char path[4096];
  ssize_t size = ::readlink(ownProgram, path, sizeof(path));
  return size > 0 ? std::string(path, static_cast<size_t>(size)) : ownProgram;
}

/// A program without an interpreter was linked statically.
static bool isStatic() { return ::getauxval(AT_BASE) == 0; }

/// Returns the file that the code of this function was mapped from.
/// /proc/self/exe is the program even when that was renamed, but it is not a
/// library, nor the program if the dynamic linker was called by name.
static std::string ownFile() {
  std::string program = programPath();
  if (isStatic())
    return program;
  std::FILE *maps = std::fopen("/proc/self/maps", "re");
  if (!maps)
    return program;
  auto address = reinterpret_cast<uintptr_t>(&ownFile);
  std::string found = program;
  char line[8192];
  while (std::fgets(line, sizeof(line), maps)) {
    // BEGIN-END PERMISSIONS OFFSET DEVICE INODE PATH, see proc(5).
    const char *path = std::strchr(line, '/');
    char *rest = nullptr;
    uintptr_t begin = std::strtoull(line, &rest, 16);
    uintptr_t end = *rest == '-' ? std::strtoull(rest + 1, nullptr, 16) : 0;
    if (!path || address < begin || address >= end)
      continue;
    found.assign(path, std::strcspn(path, "\n"));
    break;
  }
  std::fclose(maps);
  return found;
}

static ModelCode linkedCode(const std::string &name) {
  if (!lori_step)
    throw Error(name, "no model's code is linked into this program, link the "
                      "object file that lori-compile --emit=obj wrote");
  return {&lori_step, &lori_write_f32, &lori_write_f16, &lori_write_bf16};
}

std::unique_ptr<Engine> lori::openOwnModel() {
  std::string name = ownFile();
  // The link reaches the file even if it was moved or deleted meanwhile.
  std::string path = name == programPath() ? ownProgram : name;
  Artefact artefact(path, name);
  return std::make_unique<Engine>(std::move(artefact), linkedCode(name));
}

static bool isSameFile(const std::string &a, const std::string &b) {
  struct stat first = {}, second = {};
  return ::stat(a.c_str(), &first) == 0 && ::stat(b.c_str(), &second) == 0 &&
         first.st_dev == second.st_dev && first.st_ino == second.st_ino;
}

static bool isElf(const std::string &path) {
  MappedFile file(path);
  return file.bytes().size() > SELFMAG &&
         std::memcmp(file.bytes().data(), ELFMAG, SELFMAG) == 0;
}

/// Loads `path`. It stays loaded: generated code may have threads of its own.
static ModelCode loadCode(const std::string &path) {
  if (isStatic() || !dlopen || !dlsym || !dlerror)
    throw Error(path, "a static program cannot load a model's code, link it "
                      "dynamically");
  // A name without a slash would be searched for in the system's folders.
  std::string file = path.find('/') == path.npos ? "./" + path : path;
  void *library = dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!library)
    throw Error(path, std::string("cannot be loaded, expected a library made "
                                  "by lori-compile --emit=shared: ") +
                          dlerror());
  void *step = dlsym(library, "lori_step");
  if (!step)
    throw Error(path, "holds no model's code, expected a library made by "
                      "lori-compile --emit=shared");
  auto writer = [&](const char *name) {
    return reinterpret_cast<decltype(&lori_write_f32)>(dlsym(library, name));
  };
  return {reinterpret_cast<decltype(&lori_step)>(step),
          writer("lori_write_f32"), writer("lori_write_f16"),
          writer("lori_write_bf16")};
}

std::unique_ptr<Engine> lori::openModel(const std::string &path) {
  if (isSameFile(path, ownProgram) || isSameFile(path, ownFile()))
    return openOwnModel();
  Artefact artefact(path);
  ModelCode code = isElf(path) ? loadCode(path) : linkedCode(path);
  return std::make_unique<Engine>(std::move(artefact), code);
}
