// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Small model and adapter files for tests and fuzzers, written byte by byte
// and not by the project's own writers.

#ifndef LORI_TEST_UNIT_FORMATS_SAMPLEFILES_H
#define LORI_TEST_UNIT_FORMATS_SAMPLEFILES_H

#include "runtime/formats/StorageType.h"

#include <filesystem>
#include <functional>
#include <string>

namespace lori::test {

/// A fresh folder that disappears with its object.
class TemporaryFolder {
public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder &) = delete;
  TemporaryFolder &operator=(const TemporaryFolder &) = delete;

  std::string operator/(const std::string &name) const { return path / name; }
  /// Writes a file, with the folders on the way to it, and returns its path.
  std::string write(const std::string &name, const std::string &content) const;

  std::filesystem::path path;
};

/// The reference data beside the repository, or "" where it is absent.
std::string sharedFolder();

std::string readWhole(const std::string &path);
std::span<const std::byte> asBytes(const std::string &text);

/// Runs `action` and returns the message of the Error that it must throw;
/// "no error" if it throws none.
std::string errorOf(const std::function<void()> &action);

/// Checks that a message holds a part.
#define EXPECT_SAYS(message, part)                                             \
  EXPECT_PRED2(::lori::test::contains, message, part)
inline bool contains(const std::string &text, const std::string &part) {
  return text.find(part) != text.npos;
}

struct SampleTensor {
  std::string name, type; ///< type as safetensors spells it
  std::vector<int64_t> shape;
  std::string data;
};

/// `count` values of a type (F32, F16, BF16), all different and not 0.
std::string sampleValues(const std::string &type, int64_t count,
                         unsigned seed = 1);
/// A tensor full of such values.
SampleTensor sampleTensor(const std::string &name, std::vector<int64_t> shape,
                          const std::string &type = "F32", unsigned seed = 1);

/// The bytes of a safetensors file. `header`, if given, replaces the JSON.
std::string safetensorsBytes(const std::vector<SampleTensor> &tensors,
                             const std::string &metadata = "");
std::string safetensorsBytes(const std::string &header,
                             const std::string &data);

/// Puts a GGUF file together.
class GgufSample {
public:
  explicit GgufSample(uint32_t version = 3) : version(version) {}

  GgufSample &text(const std::string &key, const std::string &value);
  GgufSample &u32(const std::string &key, uint32_t value);
  GgufSample &f32(const std::string &key, float value);
  GgufSample &boolean(const std::string &key, bool value);
  GgufSample &strings(const std::string &key,
                      const std::vector<std::string> &values);
  GgufSample &floats(const std::string &key, const std::vector<float> &values);
  /// Any value: the type number, then its bytes as they are.
  GgufSample &raw(const std::string &key, uint32_t type,
                  const std::string &bytes);
  /// `shape` outermost first; `type` is ggml's number; `data` may be empty for
  /// zeros.
  GgufSample &tensor(const std::string &name, std::vector<int64_t> shape,
                     uint32_t type = 0, std::string data = "");

  std::string bytes() const;

private:
  struct Tensor {
    std::string name;
    std::vector<int64_t> shape;
    uint32_t type;
    std::string data;
  };
  uint32_t version;
  std::string metadata;
  uint64_t metadataCount = 0;
  std::vector<Tensor> tensors;
};

/// Appends a number's bytes.
template <typename T> void put(std::string &out, T value) {
  out.append(reinterpret_cast<const char *>(&value), sizeof(T));
}

} // namespace lori::test

#endif // LORI_TEST_UNIT_FORMATS_SAMPLEFILES_H
