// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "tools/driver/ParameterSection.h"
#include "runtime/support/Error.h"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <mutex>
#include <sys/mman.h>
#include <thread>
#include <unistd.h>

using namespace lori;
using mlir::lori::DerivedParamOp;
using mlir::lori::ParamOp;

static mlir::RankedTensorType getType(mlir::Operation *param) {
  if (auto stored = mlir::dyn_cast<ParamOp>(param))
    return mlir::cast<mlir::RankedTensorType>(stored.getType());
  return mlir::cast<mlir::RankedTensorType>(
      mlir::cast<DerivedParamOp>(param).getType());
}

static bool isStacked(mlir::Operation *param) {
  if (auto stored = mlir::dyn_cast<ParamOp>(param))
    return stored.isStacked();
  return mlir::cast<DerivedParamOp>(param).isStacked();
}

ParameterSection::ParameterSection(mlir::ModuleOp module) : module(module) {
  for (mlir::Operation &op : *module.getBody()) {
    auto offset = op.getAttrOfType<mlir::IntegerAttr>("offset");
    if (!offset || !mlir::isa<ParamOp, DerivedParamOp>(op))
      continue;
    auto begin = static_cast<uint64_t>(offset.getInt());
    mlir::RankedTensorType type = getType(&op);
    auto bytes = static_cast<uint64_t>(mlir::lori::getStorageBytes(type));
    sectionBytes = std::max(sectionBytes, begin + bytes);
    int64_t layers = isStacked(&op) ? type.getDimSize(0) : 1;
    uint64_t part = bytes / static_cast<uint64_t>(layers);
    for (int64_t layer = 0; layer < layers; ++layer)
      pieceList.push_back(
          {&op, layer, begin + static_cast<uint64_t>(layer) * part, part});
  }
  std::sort(pieceList.begin(), pieceList.end(),
            [](const ParameterPiece &a, const ParameterPiece &b) {
              return a.offset < b.offset;
            });
}

void lori::evaluateInitializer(DerivedParamOp derived, int64_t layer,
                               mlir::ModuleOp module,
                               const ParameterFiles &files, const Jit &jit,
                               std::byte *out) {
  mlir::SymbolTable symbols(module);
  // The evaluator takes its layer, the leaves and the result.
  llvm::SmallVector<mlir::lori::GetParamOp> reads =
      mlir::lori::getLeaves(derived);
  std::vector<std::vector<std::byte>> scratches(reads.size());
  std::vector<const void *> pointers;
  for (auto [get, space] : llvm::zip_equal(reads, scratches)) {
    auto leaf = symbols.lookup<ParamOp>(get.getParam());
    // lori-lower-initializers refuses what has no layer here.
    int64_t part = mlir::lori::getLeafLayer(get, layer).value_or(0);
    pointers.push_back(files.read(leaf, part, space).data());
  }
  pointers.push_back(out);
  std::vector<const void *> arguments{&layer};
  for (const void *const &pointer : pointers)
    arguments.push_back(&pointer);
  jit.invoke(*derived.getEvaluator(), arguments);
}

void ParameterSection::writePiece(const ParameterPiece &piece,
                                  const ParameterFiles &files, const Jit &jit,
                                  std::byte *out) const {
  if (auto derived = mlir::dyn_cast<DerivedParamOp>(piece.param))
    return evaluateInitializer(derived, piece.layer, module, files, jit, out);
  std::vector<std::byte> scratch;
  std::span<const std::byte> bytes =
      files.read(mlir::cast<ParamOp>(piece.param), piece.layer, scratch);
  std::memcpy(out, bytes.data(), bytes.size());
}

namespace {

/// A part of a file, mapped for writing.
class Window {
public:
  Window(int file, uint64_t offset, uint64_t bytes) : file(file) {
    const auto page = static_cast<uint64_t>(::sysconf(_SC_PAGESIZE));
    begin = offset / page * page;
    lead = offset - begin;
    length = lead + bytes;
    void *address = ::mmap(nullptr, length, PROT_READ | PROT_WRITE, MAP_SHARED,
                           file, static_cast<off_t>(begin));
    if (address == MAP_FAILED)
      throw Error(std::string("the output cannot be mapped: ") +
                  strerror(errno));
    base = static_cast<std::byte *>(address);
  }
  ~Window() {
    // Starts writing back, so that dirty pages do not pile up.
    ::sync_file_range(file, static_cast<off_t>(begin),
                      static_cast<off_t>(length), SYNC_FILE_RANGE_WRITE);
    ::munmap(base, length);
  }
  Window(const Window &) = delete;
  Window &operator=(const Window &) = delete;

  std::byte *data() const { return base + lead; }

private:
  int file;
  uint64_t begin = 0, lead = 0, length = 0;
  std::byte *base = nullptr;
};

} // namespace

void ParameterSection::write(
    const ParameterFiles &files, const Jit &jit, int file, uint64_t start,
    unsigned threads, const std::function<void(uint64_t)> &progress) const {
  std::atomic<size_t> next = 0;
  std::mutex mutex;
  uint64_t written = 0;
  std::exception_ptr failure;
  auto work = [&] {
    for (size_t i; (i = next++) < pieceList.size();) {
      const ParameterPiece &piece = pieceList[i];
      try {
        Window window(file, start + piece.offset, piece.bytes);
        writePiece(piece, files, jit, window.data());
      } catch (...) {
        std::lock_guard lock(mutex);
        failure = std::current_exception();
        next = pieceList.size();
        return;
      }
      std::lock_guard lock(mutex);
      written += piece.bytes;
      progress(written);
    }
  };
  std::vector<std::thread> helpers;
  for (unsigned i = 1; i < threads; ++i)
    helpers.emplace_back(work);
  work();
  for (std::thread &helper : helpers)
    helper.join();
  if (failure)
    std::rethrow_exception(failure);
}
