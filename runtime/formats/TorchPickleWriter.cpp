// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/formats/TorchFile.h"
#include "runtime/formats/TorchStorages.h"

#include <algorithm>
#include <unordered_map>

using namespace lori;

namespace {

/// Writes what Python's pickler writes: each new object is put into the memo,
/// one seen before is fetched from there.
class PickleWriter {
public:
  std::string write(const std::vector<SafetensorsWriter::Tensor> &tensors) {
    out = "\x80\x02}";
    put();
    // Python writes items in batches of 1000, a single one without a mark.
    for (size_t first = 0; first < tensors.size(); first += 1000) {
      size_t count = std::min<size_t>(1000, tensors.size() - first);
      if (count > 1)
        out += '(';
      for (size_t i = first; i < first + count; ++i)
        item(tensors[i], std::to_string(i));
      out += count > 1 ? 'u' : 's';
    }
    return out + ".";
  }

private:
  void item(const SafetensorsWriter::Tensor &tensor, const std::string &key) {
    newText(tensor.name);
    known("torch._utils\n_rebuild_tensor_v2", 'c');
    out += "((";
    known("storage", 'X');
    for (const auto &[name, type] : torchStorages)
      if (type == tensor.type)
        known("torch\n" + std::string(name), 'c');
    newText(key);
    known("cpu", 'X');
    number(*entryCount(tensor.shape));
    out += 't';
    put();
    out += 'Q';
    number(0);
    tuple(tensor.shape);
    tuple(contiguousStrides(tensor.shape));
    out += '\x89'; // requires_grad = False
    known("collections\nOrderedDict", 'c');
    out += ")R";
    put();
    out += 't';
    put();
    out += 'R';
    put();
  }

  static std::vector<int64_t>
  contiguousStrides(const std::vector<int64_t> &shape) {
    std::vector<int64_t> strides(shape.size(), 1);
    for (size_t i = shape.size(); i-- > 1;)
      strides[i - 1] = strides[i] * std::max<int64_t>(1, shape[i]);
    return strides;
  }

  void tuple(const std::vector<int64_t> &list) {
    if (list.empty()) {
      out += ')';
      return;
    }
    if (list.size() > 3)
      out += '(';
    for (int64_t one : list)
      number(one);
    out += list.size() > 3 ? 't' : static_cast<char>(0x84 + list.size());
    put();
  }

  void number(int64_t n) {
    if (n >= 0 && n < 0x100)
      bytes('K', static_cast<uint8_t>(n));
    else if (n >= 0 && n < 0x10000)
      bytes('M', static_cast<uint16_t>(n));
    else if (n >= INT32_MIN && n <= INT32_MAX)
      bytes('J', static_cast<int32_t>(n));
    else {
      size_t size = 5; // the fewest bytes that keep the sign
      while (size < 8 && (n >> (8 * size - 1)) != 0)
        ++size;
      out += '\x8a';
      out += static_cast<char>(size);
      out.append(reinterpret_cast<const char *>(&n), size);
    }
  }

  void newText(const std::string &text) {
    bytes('X', static_cast<uint32_t>(text.size()));
    out += text;
    put();
  }

  void known(const std::string &text, char op) {
    auto [at, isNew] = memo.try_emplace(text, memoised);
    if (!isNew) {
      if (at->second < 256)
        bytes('h', static_cast<uint8_t>(at->second));
      else
        bytes('j', at->second);
      return;
    }
    if (op == 'X')
      return newText(text);
    out += op + text + "\n";
    put();
  }

  void put() {
    if (memoised < 256)
      bytes('q', static_cast<uint8_t>(memoised));
    else
      bytes('r', memoised);
    ++memoised;
  }

  template <typename T> void bytes(char op, T value) {
    out += op;
    out.append(reinterpret_cast<const char *>(&value), sizeof(T));
  }

  std::string out;
  uint32_t memoised = 0;
  std::unordered_map<std::string, uint32_t> memo;
};

} // namespace

std::string
lori::writeTensorPickle(const std::vector<SafetensorsWriter::Tensor> &tensors) {
  return PickleWriter().write(tensors);
}
