// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The C interface for C++: what it returns as codes is thrown, what it opens
// is closed.

#ifndef LORI_RUNTIME_ENGINE_MODEL_H
#define LORI_RUNTIME_ENGINE_MODEL_H

#include "runtime/engine/EngineError.h"
#include "runtime/engine/ModelInfo.h"
#include "runtime/lori.h"

#include <memory>
#include <span>
#include <utility>

namespace lori {

inline void throwUnlessOk(lori_status status) {
  if (status != LORI_OK)
    throw EngineError(status, lori_message());
}

/// Rows of logits, valid until the model runs again.
class Logits {
public:
  Logits(const float *start, int64_t stride, int64_t vocabulary)
      : start(start), stride(stride), vocabulary(vocabulary) {}

  std::span<const float> operator[](size_t row) const {
    return {start + row * static_cast<size_t>(stride),
            static_cast<size_t>(vocabulary)};
  }

private:
  const float *start;
  int64_t stride, vocabulary;
};

/// An open model; see lori.h for the meaning of its functions.
class Model {
public:
  /// Opens the model this code is linked with, or that of `path`. Throws
  /// EngineError.
  explicit Model(const char *path = nullptr) {
    lori_model *opened = nullptr;
    throwUnlessOk(lori_open(path, &opened));
    handle.reset(opened);
    description = parseModelInfo(metadata(), "the model");
  }

  lori_model *get() const { return handle.get(); }
  const ModelInfo &info() const { return description; }
  int64_t maxSequences() const { return lori_max_sequences(get()); }

  std::string_view metadata() const {
    size_t size = 0;
    const char *json = lori_metadata(get(), &size);
    return {json, size};
  }
  /// Empty if the model has no tokenizer.
  std::span<const std::byte> tokenizer() const {
    const void *bytes = nullptr;
    size_t size = 0;
    throwUnlessOk(lori_tokenizer(get(), &bytes, &size));
    return {static_cast<const std::byte *>(bytes), size};
  }

  Logits run(std::span<const lori_part> parts) {
    const float *logits = nullptr;
    throwUnlessOk(lori_run(get(), parts.data(), parts.size(), &logits));
    return {logits, description.logitsStride, description.vocabulary};
  }

private:
  struct Close {
    void operator()(lori_model *model) const { lori_close(model); }
  };
  std::unique_ptr<lori_model, Close> handle;
  ModelInfo description;
};

/// An open sequence of a model that outlives it.
class Sequence {
public:
  explicit Sequence(Model &model) : model(&model) {
    throwUnlessOk(lori_sequence_open(model.get(), &handle));
  }
  Sequence(Sequence &&other) noexcept
      : model(std::exchange(other.model, nullptr)), handle(other.handle) {}
  Sequence &operator=(Sequence &&other) noexcept {
    std::swap(model, other.model);
    std::swap(handle, other.handle);
    return *this;
  }
  ~Sequence() {
    if (model)
      lori_sequence_close(model->get(), handle);
  }

  lori_sequence get() const { return handle; }
  int64_t length() const { return lori_sequence_length(model->get(), handle); }
  void truncate(int64_t length) {
    throwUnlessOk(lori_sequence_truncate(model->get(), handle, length));
  }
  void setAdapters(std::span<const lori_adapter_use> uses) {
    throwUnlessOk(
        lori_sequence_adapters(model->get(), handle, uses.data(), uses.size()));
  }

private:
  Model *model;
  lori_sequence handle = 0;
};

} // namespace lori

#endif // LORI_RUNTIME_ENGINE_MODEL_H
