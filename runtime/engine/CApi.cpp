// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The C interface over Engine: pointers are checked, exceptions become codes.

#include "runtime/engine/EngineError.h"
#include "runtime/engine/ModelCode.h"
#include "runtime/lori.h"

#include <cstring>

using namespace lori;

struct lori_model {
  std::unique_ptr<Engine> engine;
};

// Not a std::string: setting it must not fail.
static thread_local char message[1024] = "";

static lori_status fail(lori_status status, const char *text) noexcept {
  size_t size = std::min(std::strlen(text), sizeof(message) - 1);
  std::memcpy(message, text, size);
  message[size] = '\0';
  return status;
}

/// Runs `action` and turns what it throws into a status and a message.
template <typename Action>
static lori_status guarded(Action &&action) noexcept {
  try {
    action();
    return LORI_OK;
  } catch (const EngineError &error) {
    return fail(error.status(), error.what());
  } catch (const Error &error) {
    return fail(LORI_ERROR_FILE, error.what());
  } catch (const std::bad_alloc &) {
    return fail(LORI_ERROR_MEMORY, "out of memory");
  } catch (const std::exception &error) {
    return fail(LORI_ERROR_INTERNAL, error.what());
  } catch (...) {
    return fail(LORI_ERROR_INTERNAL, "unknown exception");
  }
}

template <typename... Pointers>
static void requireAll(const Pointers *...pointers) {
  if ((!pointers || ...))
    throw EngineError(LORI_ERROR_ARGUMENT, "a pointer is null");
}

static Engine &engineOf(lori_model *model) {
  requireAll(model);
  return *model->engine;
}

static const ModelInfo *infoOf(const lori_model *model) {
  return model ? &model->engine->info() : nullptr;
}

static const AdapterInfo *adapterOf(const lori_model *model, int32_t adapter) {
  return model ? model->engine->adapter(adapter) : nullptr;
}

const char *lori_message(void) { return message; }

lori_status lori_open(const char *path, lori_model **model) {
  return guarded([&] {
    requireAll(model);
    auto engine = path ? openModel(path) : openOwnModel();
    *model = new lori_model{std::move(engine)};
  });
}

void lori_close(lori_model *model) { delete model; }

int64_t lori_vocabulary(const lori_model *model) {
  return model ? infoOf(model)->vocabulary : 0;
}

int64_t lori_context(const lori_model *model) {
  return model ? infoOf(model)->context : 0;
}

int64_t lori_max_sequences(const lori_model *model) {
  return model ? model->engine->maxSequences() : 0;
}

int64_t lori_max_rows(const lori_model *model) {
  return model ? infoOf(model)->maxRows : 0;
}

int64_t lori_logits_stride(const lori_model *model) {
  return model ? infoOf(model)->logitsStride : 0;
}

const char *lori_metadata(const lori_model *model, size_t *size) {
  if (!model || !size)
    return nullptr;
  auto json = model->engine->artefact().metadata();
  *size = json.size();
  return json.data();
}

lori_status lori_tokenizer(const lori_model *model, const void **bytes,
                           size_t *size) {
  return guarded([&] {
    requireAll(model, bytes, size);
    auto blob = model->engine->artefact().tokenizer();
    *bytes = blob.data();
    *size = blob.size();
  });
}

int32_t lori_adapter_count(const lori_model *model) {
  return model ? model->engine->adapterCount() : 0;
}

const char *lori_adapter_name(const lori_model *model, int32_t adapter) {
  const AdapterInfo *info = adapterOf(model, adapter);
  return info ? info->name.c_str() : nullptr;
}

float lori_adapter_scale(const lori_model *model, int32_t adapter) {
  const AdapterInfo *info = adapterOf(model, adapter);
  return info ? info->scale : 0;
}

int32_t lori_adapter_find(const lori_model *model, const char *name) {
  return model && name ? model->engine->findAdapter(name) : -1;
}

lori_status lori_adapter_load(lori_model *model, const char *name,
                              const char *path, int32_t *adapter) {
  return guarded([&] {
    requireAll(name, path, adapter);
    *adapter = engineOf(model).loadAdapter(name, path);
  });
}

lori_status lori_adapter_unload(lori_model *model, int32_t adapter) {
  return guarded([&] { engineOf(model).unloadAdapter(adapter); });
}

lori_status lori_sequence_open(lori_model *model, lori_sequence *sequence) {
  return guarded([&] {
    requireAll(sequence);
    *sequence = engineOf(model).openSequence();
  });
}

lori_status lori_sequence_close(lori_model *model, lori_sequence sequence) {
  return guarded([&] { engineOf(model).closeSequence(sequence); });
}

int64_t lori_sequence_length(const lori_model *model, lori_sequence sequence) {
  int64_t length = -1;
  guarded([&] {
    requireAll(model);
    length = model->engine->length(sequence);
  });
  return length;
}

lori_status lori_sequence_truncate(lori_model *model, lori_sequence sequence,
                                   int64_t length) {
  return guarded([&] { engineOf(model).truncate(sequence, length); });
}

lori_status lori_sequence_adapters(lori_model *model, lori_sequence sequence,
                                   const lori_adapter_use *uses, size_t count) {
  return guarded([&] {
    if (count != 0)
      requireAll(uses);
    engineOf(model).setAdapters(sequence, {uses, count});
  });
}

lori_status lori_run(lori_model *model, const lori_part *parts, size_t count,
                     const float **logits) {
  return guarded([&] {
    requireAll(logits);
    if (count != 0)
      requireAll(parts);
    *logits = engineOf(model).run({parts, count});
  });
}
