// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "SampleFiles.h"
#include "runtime/support/Error.h"
#include "runtime/support/HalfFloat.h"

#include <cstdlib>
#include <fstream>
#include <random>
#include <sstream>

using namespace lori;
using namespace lori::test;
namespace fs = std::filesystem;

TemporaryFolder::TemporaryFolder() {
  std::string name = fs::temp_directory_path() / "lori-test-XXXXXX";
  if (!::mkdtemp(name.data()))
    std::abort();
  path = name;
}

TemporaryFolder::~TemporaryFolder() { fs::remove_all(path); }

std::string TemporaryFolder::write(const std::string &name,
                                   const std::string &content) const {
  fs::path file = path / name;
  fs::create_directories(file.parent_path());
  fs::remove(file); // truncating makes ext4 flush, which takes 5 ms
  std::ofstream(file, std::ios::binary) << content;
  return file;
}

std::string lori::test::sharedFolder() {
  const char *given = std::getenv("LORI_SHARED");
  fs::path folder =
      given ? fs::path(given) : fs::path(LORI_SOURCE_DIR) / ".." / "shared";
  return fs::is_directory(folder / "data") ? folder.string() : "";
}

std::string lori::test::readWhole(const std::string &path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

std::span<const std::byte> lori::test::asBytes(const std::string &text) {
  return std::as_bytes(std::span(text));
}

std::string lori::test::errorOf(const std::function<void()> &action) {
  try {
    action();
  } catch (const Error &error) {
    return error.what();
  }
  return "no error";
}

std::string lori::test::sampleValues(const std::string &type, int64_t count,
                                     unsigned seed) {
  std::mt19937 random(seed);
  std::string out;
  for (int64_t i = 0; i < count; ++i) {
    float value = 0.01f + static_cast<float>(random() % 1000) / 1000.0f;
    if (type == "F32")
      put(out, value);
    else
      put(out, type == "F16" ? f32ToF16(value) : f32ToBf16(value));
  }
  return out;
}

SampleTensor lori::test::sampleTensor(const std::string &name,
                                      std::vector<int64_t> shape,
                                      const std::string &type, unsigned seed) {
  std::string data = sampleValues(type, *entryCount(shape), seed);
  return {name, type, std::move(shape), std::move(data)};
}

std::string
lori::test::safetensorsBytes(const std::vector<SampleTensor> &tensors,
                             const std::string &metadata) {
  std::string header = metadata, data;
  for (const SampleTensor &tensor : tensors) {
    std::string shape;
    for (int64_t size : tensor.shape)
      shape += (shape.empty() ? "" : ",") + std::to_string(size);
    header += (header.empty() ? "\"" : ",\"") + tensor.name +
              "\":{\"dtype\":\"" + tensor.type + "\",\"shape\":[" + shape +
              "],\"data_offsets\":[" + std::to_string(data.size()) + "," +
              std::to_string(data.size() + tensor.data.size()) + "]}";
    data += tensor.data;
  }
  return safetensorsBytes("{" + header + "}", data);
}

std::string lori::test::safetensorsBytes(const std::string &header,
                                         const std::string &data) {
  std::string out;
  put(out, static_cast<uint64_t>(header.size()));
  return out + header + data;
}

static void putText(std::string &out, const std::string &text) {
  put(out, static_cast<uint64_t>(text.size()));
  out += text;
}

GgufSample &GgufSample::raw(const std::string &key, uint32_t type,
                            const std::string &bytes) {
  putText(metadata, key);
  put(metadata, type);
  metadata += bytes;
  ++metadataCount;
  return *this;
}

GgufSample &GgufSample::text(const std::string &key, const std::string &value) {
  std::string bytes;
  putText(bytes, value);
  return raw(key, 8, bytes);
}

GgufSample &GgufSample::u32(const std::string &key, uint32_t value) {
  std::string bytes;
  put(bytes, value);
  return raw(key, 4, bytes);
}

GgufSample &GgufSample::f32(const std::string &key, float value) {
  std::string bytes;
  put(bytes, value);
  return raw(key, 6, bytes);
}

GgufSample &GgufSample::boolean(const std::string &key, bool value) {
  return raw(key, 7, std::string(1, value ? 1 : 0));
}

GgufSample &GgufSample::strings(const std::string &key,
                                const std::vector<std::string> &values) {
  std::string bytes;
  put(bytes, uint32_t(8));
  put(bytes, static_cast<uint64_t>(values.size()));
  for (const std::string &value : values)
    putText(bytes, value);
  return raw(key, 9, bytes);
}

GgufSample &GgufSample::floats(const std::string &key,
                               const std::vector<float> &values) {
  std::string bytes;
  put(bytes, uint32_t(6));
  put(bytes, static_cast<uint64_t>(values.size()));
  for (float value : values)
    put(bytes, value);
  return raw(key, 9, bytes);
}

GgufSample &GgufSample::tensor(const std::string &name,
                               std::vector<int64_t> shape, uint32_t type,
                               std::string data) {
  if (data.empty()) {
    static const std::pair<uint32_t, StorageType> types[] = {
        {0, StorageType::F32},   {1, StorageType::F16},
        {2, StorageType::Q4_0},  {3, StorageType::Q4_1},
        {8, StorageType::Q8_0},  {12, StorageType::Q4_K},
        {13, StorageType::Q5_K}, {14, StorageType::Q6_K},
        {30, StorageType::BF16}};
    for (auto [number, storage] : types)
      if (number == type)
        data.assign(storageBytes(storage, *entryCount(shape)).value_or(0), 0);
  }
  tensors.push_back({name, std::move(shape), type, std::move(data)});
  return *this;
}

std::string GgufSample::bytes() const {
  std::string out = "GGUF";
  put(out, version);
  put(out, static_cast<uint64_t>(tensors.size()));
  put(out, metadataCount);
  out += metadata;
  auto padded = [](size_t size) { return (size + 31) / 32 * 32; };
  uint64_t offset = 0;
  for (const Tensor &tensor : tensors) {
    putText(out, tensor.name);
    put(out, static_cast<uint32_t>(tensor.shape.size()));
    for (size_t i = tensor.shape.size(); i-- > 0;)
      put(out, static_cast<uint64_t>(tensor.shape[i]));
    put(out, tensor.type);
    put(out, offset);
    offset += padded(tensor.data.size());
  }
  for (const Tensor &tensor : tensors) {
    out.resize(padded(out.size()));
    out += tensor.data;
  }
  return out;
}
