// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/formats/ByteReader.h"
#include "runtime/formats/TorchFile.h"
#include "runtime/formats/TorchStorages.h"
#include "runtime/support/Error.h"

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

using namespace lori;

namespace {

/// A value on the stack of the pickle machine.
struct Value {
  enum Kind : uint8_t {
    Mark,
    Flag,
    Number,
    Text,
    Tuple,
    Global,
    Storage,
    Tensor,
    OrderedDict,
    Dict
  };

  Kind kind = Mark;
  int64_t number = 0;
  std::string text;          ///< of Text and Global; the key of a Storage
  StorageType type{};        ///< of a Storage
  std::vector<size_t> items; ///< of a Tuple
  PickledTensor tensor;
};

/// Values live in a list and are referred to by index, so that memory grows by
/// at most one small value an instruction. References to them hold until the
/// next push.
class PickleMachine {
public:
  PickleMachine(std::span<const std::byte> pickle, const std::string &path)
      : in(pickle, path), path(path) {}

  std::vector<PickledTensor> run() {
    while (step())
      ;
    if (stack.size() != 1 || values[stack[0]].kind != Value::Dict)
      throw refuse("is something other than a dictionary of tensors");
    return std::move(result);
  }

private:
  /// Executes one instruction; false after the last.
  bool step() {
    auto op = in.read<uint8_t>();
    switch (op) {
    case 0x80: // PROTO
      if (in.read<uint8_t>() > 5)
        throw refuse("has an unknown protocol");
      return true;
    case 0x95: // FRAME
      in.read<uint64_t>();
      return true;
    case '.': // STOP
      return false;
    case '}':
      push(Value::Dict);
      if (++dictionaries > 1)
        throw refuse("holds several dictionaries");
      return true;
    case '(':
      push(Value::Mark);
      return true;
    case ')':
      push(Value::Tuple);
      return true;
    case 't':
      return makeTuple(countToMark(), true);
    case 0x85: // TUPLE1, TUPLE2, TUPLE3
    case 0x86:
    case 0x87:
      return makeTuple(op - 0x84u, false);
    case 0x88: // NEWTRUE
    case 0x89: // NEWFALSE
      push(Value::Flag).number = op == 0x88;
      return true;
    case 'K':
      return pushNumber(in.read<uint8_t>());
    case 'M':
      return pushNumber(in.read<uint16_t>());
    case 'J':
      return pushNumber(in.read<int32_t>());
    case 0x8A: // LONG1
      return pushLong();
    case 'X':
      return pushText(in.read<uint32_t>());
    case 0x8C: // SHORT_BINUNICODE
      return pushText(in.read<uint8_t>());
    case 'c':
      return pushGlobal();
    case 0x93: // STACK_GLOBAL
      return joinGlobal();
    case 'q':
      return remember(in.read<uint8_t>());
    case 'r':
      return remember(in.read<uint32_t>());
    case 0x94: // MEMOIZE
      return remember(static_cast<uint32_t>(memo.size()));
    case 'h':
      return recall(in.read<uint8_t>());
    case 'j':
      return recall(in.read<uint32_t>());
    case 'Q':
      return loadStorage();
    case 'R':
      return reduce();
    case 's':
      return setItems(2, false);
    case 'u':
      return setItems(countToMark(), true);
    default:
      throw refuse("holds the instruction " + std::to_string(op) +
                   ", which a dictionary of tensors does not need");
    }
  }

  Value &push(Value::Kind kind) {
    stack.push_back(values.size());
    values.emplace_back().kind = kind;
    return values.back();
  }

  bool pushNumber(int64_t number) {
    push(Value::Number).number = number;
    return true;
  }

  bool pushLong() {
    auto size = in.read<uint8_t>();
    if (size > 8)
      throw refuse("holds a number beyond 64 bits");
    uint64_t bits = 0;
    for (int i = 0; i < size; ++i)
      bits |= uint64_t(in.read<uint8_t>()) << (8 * i);
    if (size > 0 && size < 8 && (bits >> (8 * size - 1)) != 0)
      bits |= ~uint64_t(0) << (8 * size); // the sign
    return pushNumber(static_cast<int64_t>(bits));
  }

  bool pushText(uint64_t size) {
    push(Value::Text).text = in.readText(size);
    return true;
  }

  std::string readLine() {
    std::string line;
    for (auto c = in.read<char>(); c != '\n'; c = in.read<char>())
      line += c;
    return line;
  }

  bool pushGlobal() {
    std::string module = readLine();
    addGlobal(module + "." + readLine());
    return true;
  }

  bool joinGlobal() {
    std::string name = pop(Value::Text).text;
    addGlobal(pop(Value::Text).text + "." + name);
    return true;
  }

  void addGlobal(std::string name) {
    bool isKnown = name == "torch._utils._rebuild_tensor_v2" ||
                   name == "collections.OrderedDict" || storageNamed(name);
    if (!isKnown)
      throw refuse("refers to " + name.substr(0, 80) +
                   ", which could run code or is no tensor");
    push(Value::Global).text = std::move(name);
  }

  static const StorageType *storageNamed(std::string_view name) {
    for (const auto &[known, type] : torchStorages)
      if (name.starts_with("torch.") && name.substr(6) == known)
        return &type;
    return nullptr;
  }

  bool remember(uint32_t index) {
    need(1);
    memo[index] = stack.back();
    return true;
  }

  bool recall(uint32_t index) {
    auto found = memo.find(index);
    if (found == memo.end())
      throw refuse("recalls a value that it has not stored");
    // Recalling a dictionary would put it into itself.
    if (values[found->second].kind == Value::Dict)
      throw refuse("nests its dictionary");
    stack.push_back(found->second);
    return true;
  }

  size_t countToMark() const {
    for (size_t count = 0; count < stack.size(); ++count)
      if (values[stack[stack.size() - 1 - count]].kind == Value::Mark)
        return count;
    throw refuse("lacks a mark");
  }

  bool makeTuple(size_t count, bool hasMark) {
    need(count);
    std::vector<size_t> items(stack.end() - static_cast<int64_t>(count),
                              stack.end());
    stack.resize(stack.size() - count - hasMark);
    push(Value::Tuple).items = std::move(items);
    return true;
  }

  /// ('storage', class, key, device, entries)
  bool loadStorage() {
    const std::vector<size_t> &items = pop(Value::Tuple).items;
    if (items.size() != 5 || at(items[0], Value::Text).text != "storage")
      throw refuse("refers to something other than a storage");
    const StorageType *type = storageNamed(at(items[1], Value::Global).text);
    if (!type)
      throw refuse("has a storage of an unknown type");
    std::string_view given = at(items[2], Value::Text).text;
    if (given.size() > 64) // copied with each use
      throw refuse("has a storage with a long name");
    std::string key(given);
    int64_t entries = at(items[4], Value::Number).number;
    Value &storage = push(Value::Storage);
    storage.type = *type;
    storage.text = std::move(key);
    storage.number = entries;
    return true;
  }

  bool reduce() {
    const std::vector<size_t> &items = pop(Value::Tuple).items;
    std::string function = pop(Value::Global).text;
    if (function == "collections.OrderedDict" && items.empty()) {
      push(Value::OrderedDict);
      return true;
    }
    if (function != "torch._utils._rebuild_tensor_v2" || items.size() < 6)
      throw refuse("calls " + function + " in a way that no tensor needs");
    PickledTensor tensor;
    const Value &storage = at(items[0], Value::Storage);
    tensor.storage = storage.text;
    tensor.type = storage.type;
    tensor.storageEntries = storage.number;
    tensor.offset = at(items[1], Value::Number).number;
    tensor.shape = numbers(items[2]);
    tensor.strides = numbers(items[3]);
    push(Value::Tensor).tensor = std::move(tensor);
    return true;
  }

  std::vector<int64_t> numbers(size_t index) const {
    const std::vector<size_t> &items = at(index, Value::Tuple).items;
    if (items.size() > 8)
      throw refuse("has a tensor of more than 8 dimensions");
    std::vector<int64_t> list;
    list.reserve(items.size());
    for (size_t item : items)
      list.push_back(at(item, Value::Number).number);
    return list;
  }

  bool setItems(size_t count, bool hasMark) {
    need(count + hasMark + 1);
    if (count % 2 != 0)
      throw refuse("has a key without a value");
    size_t first = stack.size() - count;
    for (size_t i = first; i < stack.size(); i += 2) {
      const std::string &name = at(stack[i], Value::Text).text;
      if (!names.insert(name).second)
        throw refuse("has two tensors '" + name + "'");
      result.push_back(at(stack[i + 1], Value::Tensor).tensor);
      result.back().name = name;
    }
    stack.resize(first - hasMark);
    at(stack.back(), Value::Dict);
    return true;
  }

  const Value &at(size_t index, Value::Kind kind) const {
    if (values[index].kind != kind)
      throw refuse("holds other things than tensors");
    return values[index];
  }

  const Value &pop(Value::Kind kind) {
    need(1);
    size_t index = stack.back();
    stack.pop_back();
    return at(index, kind);
  }

  void need(size_t count) const {
    if (stack.size() < count)
      throw refuse("takes values that it has not made");
  }

  Error refuse(const std::string &what) const {
    return Error(path, "its pickle " + what +
                           ", only dictionaries of tensors are read, save "
                           "those with torch.save, or as safetensors");
  }

  ByteReader in;
  const std::string &path;
  std::vector<Value> values;
  std::vector<size_t> stack;
  std::unordered_map<uint32_t, size_t> memo;
  std::unordered_set<std::string> names;
  int dictionaries = 0;
  std::vector<PickledTensor> result;
};

} // namespace

std::vector<PickledTensor>
lori::readTensorPickle(std::span<const std::byte> pickle,
                       const std::string &path) {
  return PickleMachine(pickle, path).run();
}
