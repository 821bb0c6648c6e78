// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "test/passes/codegen/PanelCase.h"

#include <cmath>
#include <cstring>

namespace lori::testing {

const char *name(Storage storage) {
  switch (storage) {
  case Storage::F32:
    return "f32";
  case Storage::F16:
    return "f16";
  case Storage::BF16:
    return "bf16";
  case Storage::Q8_0:
    return "q8_0";
  case Storage::Q4_0:
    return "q4_0";
  case Storage::Q4_1:
    return "q4_1";
  }
  return "";
}

uint16_t toF16(float value) {
  _Float16 half = static_cast<_Float16>(value);
  uint16_t bits;
  std::memcpy(&bits, &half, sizeof bits);
  return bits;
}

float fromF16(uint16_t bits) {
  _Float16 half;
  std::memcpy(&half, &bits, sizeof half);
  return static_cast<float>(half);
}

static bool isBlock(Storage storage) {
  return storage == Storage::Q8_0 || storage == Storage::Q4_0 ||
         storage == Storage::Q4_1;
}

int64_t PanelCase::blockBytes() const {
  switch (storage) {
  case Storage::Q8_0:
    return 2 * width + 32 * width;
  case Storage::Q4_0:
    return 2 * width + 16 * width;
  case Storage::Q4_1:
    return 4 * width + 16 * width;
  default:
    return 0;
  }
}

int64_t PanelCase::panelBytes() const {
  if (isBlock(storage))
    return depth / 32 * blockBytes();
  return depth * width * (storage == Storage::F32 ? 4 : 2);
}

namespace {

std::string number(int64_t value) { return std::to_string(value); }

/// The text of `pattern` with each key replaced by its value.
std::string
expand(std::string pattern,
       const std::vector<std::pair<std::string, std::string>> &values) {
  for (auto &[key, value] : values)
    for (size_t at = 0; (at = pattern.find(key, at)) != std::string::npos;
         at += value.size())
      pattern.replace(at, key.size(), value);
  return pattern;
}

const char *floatModule = R"mlir(
#x = affine_map<(m, n, l, k) -> (m, k)>
#w = affine_map<(m, n, l, k) -> (n, k, l)>
#y = affine_map<(m, n, l, k) -> (m, n, l)>
func.func @linear(%x: memref<$MxK$xf32>, %bytes: memref<$BYTES$xi8>, %flat: memref<$MxN$xf32>)
    attributes {llvm.emit_c_interface} {
  %c0 = arith.constant 0 : index
  %rows = memref.dim %x, %c0 : memref<$MxK$xf32>
  %w = memref.view %bytes[%c0][] : memref<$BYTES$xi8> to memref<$P$x$K$x$R$x$T$>
  %y = memref.expand_shape %flat [[0], [1, 2]] output_shape [$ROWS$, $P$, $R$]
    : memref<$MxN$xf32> into memref<$M$x$P$x$R$xf32>
  linalg.generic {indexing_maps = [#x, #w, #y],
      iterator_types = ["parallel", "parallel", "parallel", "reduction"]}
    ins(%x, %w : memref<$MxK$xf32>, memref<$P$x$K$x$R$x$T$>)
    outs(%y : memref<$M$x$P$x$R$xf32>) {
  ^bb0(%a: f32, %b: $T$, %c: f32):
    $WIDEN$
    %p = arith.mulf %a, %e : f32
    %s = arith.addf %c, %p : f32
    linalg.yield %s : f32
  }
  return
}
)mlir";

/// Planes of bytes of a block: scales low and high (and minima), quants.
const char *blockModule = R"mlir(
#x = affine_map<(m, n, l, $RED$) -> (m, $RED$)>
#s = affine_map<(m, n, l, $RED$) -> (n, b, l)>
#q = affine_map<(m, n, l, $RED$) -> (n, b, j, l)>
#y = affine_map<(m, n, l, $RED$) -> (m, n, l)>
!W = memref<$P$x$B$x$BS$xi8>
!S = memref<$P$x$B$x$R$xi8, strided<[$PB$, $BS$, 1], offset: ?>>
!Q1 = memref<$P$x$B$x$QR$xi8, strided<[$PB$, $BS$, 1], offset: ?>>
!Q = memref<$P$x$B$x$J$x$R$xi8, strided<[$PB$, $BS$, $R$, 1], offset: ?>>
!X = memref<$M$x$B$x$XJ$xf32>
!Y = memref<$M$x$P$x$R$xf32>
func.func @linear(%x0: memref<$MxK$xf32>, %bytes: memref<$BYTES$xi8>, %flat: memref<$MxN$xf32>)
    attributes {llvm.emit_c_interface} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant $R$ : index
  %c2 = arith.constant $2R$ : index
  %c3 = arith.constant $3R$ : index
  %cq = arith.constant $QOFF$ : index
  %rows = memref.dim %x0, %c0 : memref<$MxK$xf32>
  %w = memref.view %bytes[%c0][] : memref<$BYTES$xi8> to !W
  %lo = memref.subview %w[0, 0, %c0][$P$, $B$, $R$][1, 1, 1] : !W to !S
  %hi = memref.subview %w[0, 0, %c1][$P$, $B$, $R$][1, 1, 1] : !W to !S
  $MINIMA$
  %q1 = memref.subview %w[0, 0, %cq][$P$, $B$, $QR$][1, 1, 1] : !W to !Q1
  %q = memref.expand_shape %q1 [[0], [1], [2, 3]] output_shape [$P$, $B$, $J$, $R$] : !Q1 into !Q
  %x = memref.expand_shape %x0 [[0], [1, $XGROUP$]] output_shape [$ROWS$, $B$, $XOUT$]
    : memref<$MxK$xf32> into !X
  %y = memref.expand_shape %flat [[0], [1, 2]] output_shape [$ROWS$, $P$, $R$]
    : memref<$MxN$xf32> into !Y
  linalg.generic {indexing_maps = [#x, #s, #s, $MMAPS$ #q, #y],
      iterator_types = ["parallel", "parallel", "parallel", $REDUCTIONS$]}
    ins(%x, %lo, %hi, $MARGS$ %q : !X, !S, !S, $MTYPES$ !Q) outs(%y : !Y) {
  ^bb0(%a: f32, %l: i8, %h8: i8, $MBLOCK$ %v: i8, %c: f32):
    %c8 = arith.constant 8 : i16
    %l16 = arith.extui %l : i8 to i16
    %h16 = arith.extui %h8 : i8 to i16
    %hs = arith.shli %h16, %c8 : i16
    %bits = arith.ori %l16, %hs : i16
    %d16 = arith.bitcast %bits : i16 to f16
    %d = arith.extf %d16 : f16 to f32
    $DECODE$
    %p = arith.mulf %a, %e : f32
    %s = arith.addf %c, %p : f32
    linalg.yield %s : f32
  }
  return
}
)mlir";

const char *decodeQ8 = R"mlir(
    %i = arith.extsi %v : i8 to i32
    %f = arith.sitofp %i : i32 to f32
    %e = arith.mulf %d, %f : f32
)mlir";

const char *nibble = R"mlir(
    %half = linalg.index 4 : index
    %half8 = arith.index_cast %half : index to i8
    %four = arith.constant 4 : i8
    %shift = arith.muli %half8, %four : i8
    %moved = arith.shrui %v, %shift : i8
    %fifteen = arith.constant 15 : i8
    %n = arith.andi %moved, %fifteen : i8
    %n32 = arith.extui %n : i8 to i32
)mlir";

const char *decodeQ40 = R"mlir(
    %eight = arith.constant 8 : i32
    %i = arith.subi %n32, %eight : i32
    %f = arith.sitofp %i : i32 to f32
    %e = arith.mulf %d, %f : f32
)mlir";

const char *decodeQ41 = R"mlir(
    %m8 = arith.constant 8 : i16
    %ml16 = arith.extui %ml : i8 to i16
    %mh16 = arith.extui %mh : i8 to i16
    %mhs = arith.shli %mh16, %m8 : i16
    %mbits = arith.ori %ml16, %mhs : i16
    %m16 = arith.bitcast %mbits : i16 to f16
    %min = arith.extf %m16 : f16 to f32
    %f = arith.sitofp %n32 : i32 to f32
    %df = arith.mulf %d, %f : f32
    %e = arith.addf %df, %min : f32
)mlir";

} // namespace

std::string PanelCase::module(int64_t rows) const {
  std::string m = rows ? number(rows) : "?";
  std::vector<std::pair<std::string, std::string>> values = {
      {"$MxK$", m + "x" + number(depth)},
      {"$MxN$", m + "x" + number(columns())},
      {"$M$", m},
      {"$ROWS$", rows ? m : "%rows"},
      {"$BYTES$", number(weightBytes())},
      {"$P$", number(panels)},
      {"$K$", number(depth)},
      {"$R$", number(width)},
  };
  auto with = [&](std::vector<std::pair<std::string, std::string>> more) {
    more.insert(more.end(), values.begin(), values.end());
    return more;
  };
  if (!isBlock(storage)) {
    std::string text = floatModule;
    if (storage == Storage::F32)
      text = expand(text, {{"$WIDEN$", ""}, {"%a, %e", "%a, %b"}});
    return expand(text, with({{"$WIDEN$", "%e = arith.extf %b : $T$ to f32"},
                              {"$T$", name(storage)}}));
  }
  bool isByte = storage == Storage::Q8_0, hasMinima = storage == Storage::Q4_1;
  int64_t steps = isByte ? 32 : 16;
  std::string decode =
      isByte ? decodeQ8
             : std::string(nibble) + (hasMinima ? decodeQ41 : decodeQ40);
  return expand(
      blockModule,
      with(
          {{"$DECODE$", decode},
           {"$RED$", isByte ? "b, j" : "b, h, j"},
           {"$REDUCTIONS$", isByte
                                ? R"("reduction", "reduction")"
                                : R"("reduction", "reduction", "reduction")"},
           {"$XJ$", isByte ? "32" : "2x16"},
           {"$XOUT$", isByte ? "32" : "2, 16"},
           {"$XGROUP$", isByte ? "2" : "2, 3"},
           {"$MINIMA$",
            hasMinima
                ? "%mlo = memref.subview %w[0, 0, %c2][$P$, $B$, $R$][1, 1, 1] "
                  ": !W to !S\n  %mhi = memref.subview %w[0, 0, %c3][$P$, $B$, "
                  "$R$][1, 1, 1] : !W to !S"
                : ""},
           {"$MMAPS$", hasMinima ? "#s, #s," : ""},
           {"$MARGS$", hasMinima ? "%mlo, %mhi," : ""},
           {"$MTYPES$", hasMinima ? "!S, !S," : ""},
           {"$MBLOCK$", hasMinima ? "%ml: i8, %mh: i8," : ""},
           {"$B$", number(depth / 32)},
           {"$BS$", number(blockBytes())},
           {"$PB$", number(panelBytes())},
           {"$J$", number(steps)},
           {"$QR$", number(steps * width)},
           {"$QOFF$", number(blockBytes() - steps * width)},
           {"$2R$", number(2 * width)},
           {"$3R$", number(3 * width)}}));
}

void PanelCase::fill(std::mt19937 &random, bool dyadic, uint8_t *packed,
                     float *dense) const {
  std::uniform_real_distribution<float> real(-1.0f, 1.0f);
  std::uniform_int_distribution<int> small(-4, 4);
  auto value = [&] { return dyadic ? small(random) * 0.25f : real(random); };
  auto keep = [&](int64_t panel, int64_t lane, int64_t k, float weight) {
    if (dense)
      dense[(panel * width + lane) * depth + k] = weight;
  };
  if (!isBlock(storage)) {
    int64_t at = 0;
    for (int64_t panel = 0; panel < panels; ++panel)
      for (int64_t k = 0; k < depth; ++k)
        for (int64_t lane = 0; lane < width; ++lane, ++at) {
          float weight = value();
          uint32_t bits;
          std::memcpy(&bits, &weight, 4);
          if (storage == Storage::F32) {
            std::memcpy(packed + at * 4, &weight, 4);
          } else if (storage == Storage::BF16) {
            bits &= 0xffff0000u;
            std::memcpy(&weight, &bits, 4);
            uint16_t high = bits >> 16;
            std::memcpy(packed + at * 2, &high, 2);
          } else {
            uint16_t half = toF16(weight);
            weight = fromF16(half);
            std::memcpy(packed + at * 2, &half, 2);
          }
          keep(panel, lane, k, weight);
        }
    return;
  }
  std::uniform_int_distribution<int> byte(0, 255);
  for (int64_t panel = 0; panel < panels; ++panel)
    for (int64_t block = 0; block < depth / 32; ++block) {
      uint8_t *base = packed + panel * panelBytes() + block * blockBytes();
      bool hasMinima = storage == Storage::Q4_1;
      int64_t header = hasMinima ? 4 * width : 2 * width;
      for (int64_t lane = 0; lane < width; ++lane) {
        auto plane = [&](int64_t which) {
          uint16_t bits = toF16(dyadic ? std::ldexp(1.0f, small(random) / 4 - 2)
                                       : real(random) * 0.1f);
          base[which * width + lane] = bits & 0xff;
          base[(which + 1) * width + lane] = bits >> 8;
          return fromF16(bits);
        };
        float scale = plane(0), minimum = hasMinima ? plane(2) : 0.0f;
        if (storage == Storage::Q8_0) {
          for (int64_t k = 0; k < 32; ++k) {
            int8_t quant = static_cast<int8_t>(dyadic ? small(random)
                                                      : byte(random) - 128);
            base[header + k * width + lane] = static_cast<uint8_t>(quant);
            keep(panel, lane, block * 32 + k, scale * quant);
          }
          continue;
        }
        for (int64_t k = 0; k < 16; ++k) {
          uint8_t pair = static_cast<uint8_t>(byte(random));
          base[header + k * width + lane] = pair;
          for (int half = 0; half < 2; ++half) {
            int nibble = half ? pair >> 4 : pair & 15;
            keep(panel, lane, block * 32 + half * 16 + k,
                 hasMinima ? scale * nibble + minimum : scale * (nibble - 8));
          }
        }
      }
    }
}

} // namespace lori::testing
