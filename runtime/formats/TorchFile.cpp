// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/formats/TorchFile.h"
#include "runtime/formats/ZipArchive.h"
#include "runtime/support/Error.h"

#include <filesystem>

using namespace lori;

using Files = std::map<std::string, std::span<const std::byte>>;

static constexpr std::string_view pickleName = "data.pkl";

/// The folder of the archive, with its slash; torch calls it after the file.
static std::string rootOf(const Files &files, const std::string &path) {
  for (const auto &[name, content] : files)
    if (size_t slash = name.find('/');
        slash != name.npos && name.substr(slash + 1) == pickleName)
      return name.substr(0, slash + 1);
  throw Error(path, "holds no data.pkl, it is no file of torch.save (or one of "
                    "before torch 1.6), save it again");
}

static void checkByteOrder(const Files &files, const std::string &root,
                           const std::string &path) {
  auto found = files.find(root + "byteorder");
  if (found == files.end())
    return; // older files: little
  std::string order(reinterpret_cast<const char *>(found->second.data()),
                    found->second.size());
  if (order != "little")
    throw Error(path, "was saved on a machine with the byte order '" +
                          order.substr(0, 16) + "', save it again on another");
}

/// Dense tensors only: strides of a row-major tensor, ones of single entries
/// do not matter.
static bool isDense(const PickledTensor &tensor) {
  int64_t expected = 1;
  if (tensor.strides.size() != tensor.shape.size())
    return false;
  for (size_t i = tensor.shape.size(); i-- > 0;) {
    if (tensor.shape[i] != 1 && tensor.strides[i] != expected)
      return false;
    expected *= tensor.shape[i];
  }
  return true;
}

static StoredTensor locate(const PickledTensor &pickled, const Files &files,
                           const std::string &root, const MappedFile &file) {
  auto damaged = [&](const std::string &what) {
    return Error(file.path(), "tensor '" + pickled.name + "' " + what +
                                  ", save the file again");
  };
  auto storage = files.find(root + "data/" + pickled.storage);
  if (storage == files.end())
    throw damaged("lacks its data");
  auto entries = entryCount(pickled.shape);
  if (!entries || (*entries != 0 && !isDense(pickled)))
    throw damaged("is not stored row by row");
  auto stored = storageBytes(pickled.type, pickled.storageEntries);
  if (!stored || *stored != storage->second.size() || pickled.offset < 0 ||
      pickled.offset > pickled.storageEntries ||
      *entries > pickled.storageEntries - pickled.offset)
    throw damaged("lies outside of its storage");
  StoredTensor result;
  result.name = pickled.name;
  result.type = pickled.type;
  result.shape = pickled.shape;
  result.bytes = *storageBytes(pickled.type, *entries);
  result.offset =
      static_cast<uint64_t>(storage->second.data() - file.bytes().data()) +
      *storageBytes(pickled.type, pickled.offset);
  return result;
}

TorchFile::TorchFile(const std::string &path) : file(path) {
  Files files = readZipArchive(file.bytes(), path);
  std::string root = rootOf(files, path);
  checkByteOrder(files, root, path);
  for (const PickledTensor &tensor :
       readTensorPickle(files.at(root + std::string(pickleName)), path))
    tensorList.push_back(locate(tensor, files, root, file));
}

void lori::writeTorchFile(
    const std::string &path,
    const std::vector<SafetensorsWriter::Tensor> &tensors,
    const std::vector<std::span<const std::byte>> &contents) {
  NewFile file(path);
  ZipWriter zip(file);
  auto addText = [&](const std::string &name, std::string_view text) {
    zip.add(name, std::as_bytes(std::span(text)));
  };
  std::string root = std::filesystem::path(path).stem().string() + "/";
  addText(root + std::string(pickleName), writeTensorPickle(tensors));
  addText(root + ".format_version", "1");
  addText(root + ".storage_alignment", "64");
  addText(root + "byteorder", "little");
  for (size_t i = 0; i < contents.size(); ++i)
    zip.add(root + "data/" + std::to_string(i), contents[i]);
  addText(root + "version", "3\n");
  zip.finish();
  file.commit();
}
