// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/formats/AdapterPath.h"
#include "runtime/formats/Gguf.h"
#include "runtime/formats/Paths.h"
#include "runtime/support/Error.h"
#include "runtime/support/MappedFile.h"

#include <charconv>
#include <cmath>
#include <cstring>

using namespace lori;
namespace fs = std::filesystem;

AdapterPath lori::parseAdapterPath(std::string_view text, char separator) {
  size_t at = text.rfind(separator);
  if (at == text.npos || at == 0)
    return {std::string(text), std::nullopt};
  double scale = 0;
  const char *end = text.data() + text.size();
  auto parsed = std::from_chars(text.data() + at + 1, end, scale);
  if (parsed.ec != std::errc() || parsed.ptr != end || !std::isfinite(scale))
    return {std::string(text), std::nullopt};
  return {std::string(text.substr(0, at)), scale};
}

static bool holdsAdapter(const fs::path &folder) {
  return pathExists(folder / "adapter_config.json") ||
         pathExists(folder / "adapter_model.safetensors") ||
         pathExists(folder / "adapter_model.bin");
}

[[noreturn]] static void refuseFile(const std::string &path) {
  MappedFile file(path); // says so if there is none
  auto bytes = file.bytes();
  if (bytes.size() > 4 && std::memcmp(bytes.data(), "GGUF", 4) == 0) {
    bool isAdapter = Gguf(bytes, path).isAdapter();
    throw Error(path, isAdapter
                          ? "is a GGUF adapter, expected a PEFT directory, "
                            "give the directory that it was converted from"
                          : "is a GGUF model, expected an adapter, give a PEFT "
                            "directory");
  }
  throw Error(path, "is a file, expected a PEFT directory with "
                    "adapter_config.json and adapter_model.safetensors, give "
                    "the directory");
}

std::string lori::findAdapterFolder(const std::string &path,
                                    std::string &note) {
  if (!isDirectory(path))
    refuseFile(path);
  if (holdsAdapter(path))
    return path;
  std::vector<std::string> found;
  for (const fs::path &entry : listDirectory(path))
    if (isDirectory(entry) && holdsAdapter(entry))
      found.push_back(entry.filename());
  if (found.empty())
    return path;
  if (found.size() > 1) {
    std::string names;
    for (const std::string &name : found)
      names += (names.empty() ? "" : ", ") + name;
    throw Error(path, "holds several adapters (" + names +
                          "), expected one, give the path of one of them");
  }
  std::string folder = fs::path(path) / found.front();
  note = path + ": the adapter in its sub-folder " + found.front() + " is used";
  return folder;
}
