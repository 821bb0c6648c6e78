// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "tools/driver/Jit.h"
#include "runtime/engine/CpuFeatures.h"
#include "runtime/threads/Threads.h"
#include "test/unit/driver/TestModule.h"

#include <cmath>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

using namespace lori;
using namespace lori::test;
using testing::HasSubstr;

namespace {

class JitTest : public testing::Test {
protected:
  void SetUp() override {
    std::string message = messageOf([] { CpuTarget::native(); });
    if (!message.empty())
      GTEST_SKIP() << message;
  }
};

Jit compile(const char *text) {
  return Jit::create(TestModule(text), CpuTarget::native());
}

TEST_F(JitTest, ParallelLoopRunsOnTheThreadsOfThisProcess) {
  Jit jit = compile(stepText);
  auto step =
      jit.lookup<void (*)(int64_t, const float *, float *)>("lori_step");
  for (int threads : {1, 2, 5}) {
    lori_set_threads(threads);
    std::vector<float> x(777), y(777);
    for (size_t i = 0; i < x.size(); ++i)
      x[i] = float(i) / 100 - 4;
    step(int64_t(x.size()), x.data(), y.data());
    for (size_t i = 0; i < x.size(); ++i)
      ASSERT_NEAR(y[i], std::exp(x[i]), 1e-6 * y[i]);
  }
}

TEST_F(JitTest, TheCompiledModuleIsNotNeededAnyMore) {
  auto module = std::make_unique<TestModule>(R"(
    llvm.func @twice(%x: i64) -> i64 {
      %y = llvm.add %x, %x : i64
      llvm.return %y : i64
    }
  )");
  Jit first = Jit::create(*module, CpuTarget::native());
  Jit second = Jit::create(*module, CpuTarget::native());
  module.reset();
  Jit moved = std::move(first);
  EXPECT_EQ(moved.lookup<int64_t (*)(int64_t)>("twice")(21), 42);
  EXPECT_EQ(second.lookup<int64_t (*)(int64_t)>("twice")(4), 8);
}

// a * b has 47 significant bits, so that only fma sees the difference.
TEST_F(JitTest, OnlyOperationsThatAllowItAreContracted) {
  Jit jit = compile(R"(
    llvm.func @apart(%a: f32, %b: f32, %c: f32) -> f32 {
      %ab = llvm.fmul %a, %b : f32
      %sum = llvm.fadd %ab, %c : f32
      llvm.return %sum : f32
    }
    llvm.func @together(%a: f32, %b: f32, %c: f32) -> f32 {
      %ab = llvm.fmul %a, %b {fastmathFlags = #llvm.fastmath<contract>} : f32
      %sum = llvm.fadd %ab, %c {fastmathFlags = #llvm.fastmath<contract>} : f32
      llvm.return %sum : f32
    }
  )");
  using Function = float (*)(float, float, float);
  volatile float a = 1 + 0x1p-23f, b = 1 - 0x1p-23f, c = -1;
  EXPECT_EQ(jit.lookup<Function>("apart")(a, b, c), 0.0f);
  EXPECT_EQ(jit.lookup<Function>("together")(a, b, c), -0x1p-46f);
}

TEST_F(JitTest, NotANumberAndInfinityKeepTheirMeaning) {
  Jit jit = compile(R"(
    llvm.func @differs(%x: f32) -> i1 {
      %d = llvm.fcmp "une" %x, %x : f32
      llvm.return %d : i1
    }
    llvm.func @minus(%x: f32) -> f32 {
      %d = llvm.fsub %x, %x : f32
      llvm.return %d : f32
    }
  )");
  EXPECT_TRUE(jit.lookup<bool (*)(float)>("differs")(NAN));
  EXPECT_TRUE(std::isnan(jit.lookup<float (*)(float)>("minus")(INFINITY)));
}

TEST_F(JitTest, ConversionsWithoutAnInstructionWork) {
  Jit jit = compile(R"(
    llvm.func @bf16(%x: f64) -> i16 {
      %y = llvm.fptrunc %x : f64 to bf16
      %bits = llvm.bitcast %y : bf16 to i16
      llvm.return %bits : i16
    }
    llvm.func @f16(%x: f64) -> i16 {
      %y = llvm.fptrunc %x : f64 to f16
      %bits = llvm.bitcast %y : f16 to i16
      llvm.return %bits : i16
    }
  )");
  // Just above half way: rounding to f32 first would lose that.
  double value = 1 + 0x1p-8 + 0x1p-40;
  EXPECT_EQ(jit.lookup<uint16_t (*)(double)>("bf16")(value), 0x3f81);
  value = 1 + 0x1p-11 + 0x1p-40;
  EXPECT_EQ(jit.lookup<uint16_t (*)(double)>("f16")(value), 0x3c01);
}

TEST_F(JitTest, UnknownFunctionIsAnError) {
  testing::internal::CaptureStderr();
  EXPECT_THAT(
      messageOf([] {
        compile(R"(
      llvm.func @getenv(!llvm.ptr) -> !llvm.ptr
      llvm.func @f(%x: !llvm.ptr) -> !llvm.ptr {
        %y = llvm.call @getenv(%x) : (!llvm.ptr) -> !llvm.ptr
        llvm.return %y : !llvm.ptr
      }
    )")
            .lookup<void (*)()>("f");
      }),
      AllOf(HasSubstr("compile-time evaluation: "), HasSubstr("getenv")));
  Jit jit = compile("llvm.func @f() { llvm.return }");
  EXPECT_THAT(messageOf([&] { jit.lookup<void (*)()>("g"); }),
              HasSubstr("compile-time evaluation: "));
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

TEST_F(JitTest, TargetBeyondThisMachineIsRefused) {
  CpuTarget target = CpuTarget::parse("diamondrapids,+avxvnniint16");
  auto missing = missingCpuFeatures(target.features());
  if (missing.empty())
    GTEST_SKIP() << "this machine has everything";
  EXPECT_THAT(messageOf([&] {
                Jit::create(TestModule("llvm.func @f() { llvm.return }"),
                            target);
              }),
              AllOf(HasSubstr("--cpu=diamondrapids,+avxvnniint16: this machine "
                              "lacks "),
                    HasSubstr(missing.front())));
}

} // namespace
