// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "tools/driver/ObjectEmitter.h"
#include "test/unit/driver/TestModule.h"
#include "tools/driver/GeneratedCalls.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <regex>

using namespace lori;
using namespace lori::test;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

namespace {

std::string textFor(const char *module, const char *cpu) {
  return ObjectEmitter(TestModule(module), CpuTarget::parse(cpu)).text();
}

const char addText[] = R"(
llvm.func @add(%n: i64, %x: !llvm.ptr {llvm.noalias}, %y: !llvm.ptr {llvm.noalias}) {
  %zero = llvm.mlir.constant(0 : i64) : i64
  %one = llvm.mlir.constant(1 : i64) : i64
  llvm.br ^loop(%zero : i64)
^loop(%i: i64):
  %from = llvm.getelementptr %x[%i] : (!llvm.ptr, i64) -> !llvm.ptr, f32
  %to = llvm.getelementptr %y[%i] : (!llvm.ptr, i64) -> !llvm.ptr, f32
  %a = llvm.load %from : !llvm.ptr -> f32
  %b = llvm.load %to : !llvm.ptr -> f32
  %c = llvm.fadd %a, %b : f32
  llvm.store %c, %to : f32, !llvm.ptr
  %next = llvm.add %i, %one : i64
  %again = llvm.icmp "slt" %next, %n : i64
  llvm.cond_br %again, ^loop(%next : i64), ^done
^done:
  llvm.return
}
)";

TEST(ObjectEmitterTest, LoopsGetVectorsOfTheTargetsLength) {
  std::string narrow = textFor(addText, "x86-64-v3");
  EXPECT_THAT(narrow, HasSubstr("fadd <8 x float>"));
  EXPECT_THAT(narrow, Not(HasSubstr("<16 x float>")));
  EXPECT_THAT(textFor(addText, "x86-64-v4"), HasSubstr("fadd <16 x float>"));
}

TEST(ObjectEmitterTest, EachFunctionCarriesTheTarget) {
  std::string text = textFor(stepText, "x86-64-v4");
  EXPECT_THAT(text, HasSubstr("target triple = \"x86_64-unknown-linux-gnu\""));
  // The outlined region is a function of its own.
  std::regex definition("\ndefine [^\n]*(#[0-9]+)[^\n]*\\{");
  int functions = 0;
  for (std::sregex_iterator it(text.begin(), text.end(), definition), end;
       it != end; ++it, ++functions) {
    size_t at = text.find("\nattributes " + (*it)[1].str() + " = {");
    ASSERT_NE(at, std::string::npos);
    std::string attributes = text.substr(at, text.find('}', at) - at);
    EXPECT_THAT(attributes, HasSubstr("\"target-cpu\"=\"x86-64\""));
    EXPECT_THAT(attributes, HasSubstr("\"tune-cpu\"=\"x86-64-v4\""));
    EXPECT_THAT(attributes, HasSubstr("+avx512vl"));
    EXPECT_THAT(attributes, HasSubstr("\"prefer-vector-width\"=\"512\""));
  }
  EXPECT_EQ(functions, 2);
}

TEST(ObjectEmitterTest, ObjectIsElfAndLeavesTheTextAsItIs) {
  TestModule module(stepText);
  ObjectEmitter emitter(module, CpuTarget::parse("x86-64-v3"));
  std::string text = emitter.text();
  EXPECT_THAT(emitter.object(), StartsWith("\177ELF"));
  EXPECT_EQ(emitter.object(), emitter.object());
  EXPECT_THAT(emitter.bitcode(), StartsWith("BC"));
  EXPECT_EQ(emitter.text(), text);
}

TEST(ObjectEmitterTest, FunctionThatProgramsLackIsAnErrorThatNamesIt) {
  TestModule module(R"(
    llvm.func @memrefCopy(i64)
    llvm.func @lori_step(%n: i64) {
      llvm.call @memrefCopy(%n) : (i64) -> ()
      llvm.return
    }
  )");
  ObjectEmitter emitter(module, CpuTarget::parse("x86-64-v3"));
  EXPECT_THAT(messageOf([&] { emitter.object(); }),
              HasSubstr("generated code: calls memrefCopy, which programs do "
                        "not have"));
}

TEST(ObjectEmitterTest, ForbiddenCallsOfSomethingElseThanAnObjectAreAnError) {
  EXPECT_THAT(messageOf([] { forbiddenCalls("#!/bin/sh", "FILE"); }),
              AllOf(StartsWith("FILE: "), HasSubstr("expected an object")));
}

TEST(ObjectEmitterTest, ModuleThatIsNotLoweredIsAnErrorWithTheDiagnostic) {
  TestModule module(R"(
    llvm.func @f(%x: f32) {
      %y = builtin.unrealized_conversion_cast %x : f32 to index
      %z = builtin.unrealized_conversion_cast %y : index to i64
      llvm.return
    }
  )");
  EXPECT_THAT(
      messageOf([&] { ObjectEmitter(module, CpuTarget::parse("x86-64-v3")); }),
      AllOf(HasSubstr("cannot be translated to LLVM IR: "),
            HasSubstr("unrealized_conversion_cast")));
}

//===----------------------------------------------------------------------===//
// Barriers
//===----------------------------------------------------------------------===//

size_t count(const std::string &text, const std::string &part) {
  size_t found = 0;
  for (size_t at = 0; (at = text.find(part, at)) != std::string::npos; ++at)
    ++found;
  return found;
}

TEST(ObjectEmitterTest, LoopAtTheEndOfARegionHasNoBarrierOfItsOwn) {
  std::string text = textFor(stepText, "x86-64-v3");
  EXPECT_EQ(count(text, "call void @__kmpc_barrier"), 0u);
  EXPECT_EQ(count(text, "call void (ptr, i32, ptr, ...) @__kmpc_fork_call"),
            1u);
}

TEST(ObjectEmitterTest, LoopBeforeAnotherKeepsItsBarrier) {
  const char loop[] = R"(
    omp.wsloop {
      omp.loop_nest (%i) : i64 = (%zero) to (%n) step (%one) {
        %at = llvm.getelementptr %x[%i] : (!llvm.ptr, i64) -> !llvm.ptr, i64
        %old = llvm.load volatile %at : !llvm.ptr -> i64
        llvm.store volatile %i, %at : i64, !llvm.ptr
        omp.yield
      }
    }
  )";
  std::string module = std::string(R"(
    llvm.func @f(%n: i64, %x: !llvm.ptr) {
      %zero = llvm.mlir.constant(0 : i64) : i64
      %one = llvm.mlir.constant(1 : i64) : i64
      omp.parallel {
  )") + loop + loop + R"(
        omp.terminator
      }
      llvm.return
    }
  )";
  std::string text = textFor(module.c_str(), "x86-64-v3");
  EXPECT_EQ(count(text, "call void @__kmpc_for_static_init_8u"), 2u);
  EXPECT_EQ(count(text, "call void @__kmpc_barrier"), 1u);
}

} // namespace
