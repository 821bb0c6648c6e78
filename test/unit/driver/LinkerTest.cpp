// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "tools/driver/Linker.h"
#include "runtime/support/NewFile.h"
#include "test/unit/driver/TestModule.h"
#include "tools/driver/ObjectEmitter.h"

#include "llvm/Object/ELFObjectFile.h"

#include <chrono>
#include <cmath>
#include <dlfcn.h>
#include <fcntl.h>
#include <filesystem>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

using namespace lori;
using namespace lori::test;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;
namespace fs = std::filesystem;

namespace {

struct Ending {
  int status = -1;
  std::string output;
};

class LinkerTest : public testing::Test {
protected:
  void SetUp() override {
    folder = fs::path(testing::TempDir()) /
             ("lori-linker-" + std::to_string(getpid()));
    fs::create_directories(folder / "empty");
  }
  void TearDown() override { fs::remove_all(folder); }

  static const std::string &object() {
    static const std::string bytes =
        ObjectEmitter(TestModule(stepText), CpuTarget::parse("x86-64-v3"))
            .object();
    return bytes;
  }

  fs::path write(const std::string &name, const std::string &image) {
    NewFile file(folder / name, /*executable=*/true);
    file.write(image);
    file.commit();
    return folder / name;
  }

  // Runs `program` in a folder that it takes for the whole file system, where
  // this process may do that; `alone` says whether it could.
  Ending run(const fs::path &program, bool isolate, bool *alone = nullptr) {
    int channel[2], report[2];
    EXPECT_EQ(pipe2(channel, O_CLOEXEC) | pipe2(report, O_CLOEXEC), 0);
    pid_t child = fork();
    if (child == 0) {
      dup2(channel[1], 1);
      int file = open(program.c_str(), O_RDONLY | O_CLOEXEC);
      bool isAlone = isolate &&
                     (geteuid() == 0 || unshare(CLONE_NEWUSER) == 0) &&
                     chroot((folder / "empty").c_str()) == 0 && chdir("/") == 0;
      (void)!::write(report[1], &isAlone, 1);
      const char *arguments[] = {"program", "arguments", nullptr};
      fexecve(file, const_cast<char **>(arguments), environ);
      _exit(127);
    }
    close(channel[1]);
    close(report[1]);
    Ending ending;
    bool isAlone = false;
    EXPECT_EQ(read(report[0], &isAlone, 1), 1);
    if (alone)
      *alone = isAlone;
    char buffer[256];
    for (ssize_t got; (got = read(channel[0], buffer, sizeof(buffer))) > 0;)
      ending.output.append(buffer, size_t(got));
    close(channel[0]);
    close(report[0]);
    int status = -1;
    EXPECT_EQ(waitpid(child, &status, 0), child);
    ending.status = WIFEXITED(status) ? WEXITSTATUS(status) : -status;
    return ending;
  }

  Linker linker{LORI_TEST_RUNTIME};
  fs::path folder;
};

/// What the dynamic linker would read of an image.
struct Dynamics {
  std::vector<std::string> needed, exported;
  bool hasInterpreter = false;
};

Dynamics dynamicsOf(const std::string &image) {
  auto file = llvm::cantFail(llvm::object::ObjectFile::createELFObjectFile(
      llvm::MemoryBufferRef(image, "image")));
  const auto &elf =
      llvm::cast<llvm::object::ELF64LEObjectFile>(*file).getELFFile();
  Dynamics result;
  for (const auto &segment : llvm::cantFail(elf.program_headers()))
    result.hasInterpreter |= segment.p_type == llvm::ELF::PT_INTERP;
  llvm::StringRef strings;
  for (const auto &entry : llvm::cantFail(elf.dynamicEntries()))
    if (entry.d_tag == llvm::ELF::DT_STRTAB)
      strings = reinterpret_cast<const char *>(
          llvm::cantFail(elf.toMappedAddr(entry.d_un.d_ptr)));
  for (const auto &entry : llvm::cantFail(elf.dynamicEntries()))
    if (entry.d_tag == llvm::ELF::DT_NEEDED)
      result.needed.push_back(strings.data() + entry.d_un.d_val);
  for (const auto &symbol : llvm::cast<llvm::object::ELFObjectFileBase>(*file)
                                .getDynamicSymbolIterators())
    if (!(llvm::cantFail(symbol.getFlags()) &
          llvm::object::SymbolRef::SF_Undefined))
      result.exported.push_back(llvm::cantFail(symbol.getName()).str());
  return result;
}

#ifndef LORI_SANITIZED

TEST_F(LinkerTest, StaticProgramRunsWithoutAnyOtherFile) {
  ASSERT_EQ(Linker::programKind(), ImageKind::StaticProgram);
  std::string image = linker.link(object(), ImageKind::StaticProgram);
  Dynamics dynamics = dynamicsOf(image);
  EXPECT_FALSE(dynamics.hasInterpreter);
  EXPECT_THAT(dynamics.needed, ElementsAre());

  fs::path program = write("static", image);
  bool alone = false;
  Ending ending = run(program, /*isolate=*/true, &alone);
  EXPECT_EQ(ending.status, 0);
  EXPECT_EQ(ending.output, "works with arguments\n");
  if (!alone)
    GTEST_SKIP() << "may not chroot here; ran beside the machine's files";
}

TEST_F(LinkerTest, StaticProgramIsSmallAndStartsAtOnce) {
  using Clock = std::chrono::steady_clock;
  auto begin = Clock::now();
  std::string image = linker.link(object(), ImageKind::StaticProgram);
  std::chrono::duration<double, std::milli> linking = Clock::now() - begin;
  fs::path program = write("static", image);
  double least = 1e9;
  for (int i = 0; i < 10; ++i) {
    begin = Clock::now();
    EXPECT_EQ(run(program, /*isolate=*/false).status, 0);
    std::chrono::duration<double, std::milli> running = Clock::now() - begin;
    least = std::min(least, running.count());
  }
  std::printf("linked in %.1f ms; %zu KiB; runs in %.1f ms\n", linking.count(),
              image.size() >> 10, least);
  EXPECT_LT(image.size(), 4u << 20);
}

#endif

TEST_F(LinkerTest, DynamicProgramNeedsTheCLibraryOnly) {
  std::string image = linker.link(object(), ImageKind::DynamicProgram);
  Dynamics dynamics = dynamicsOf(image);
  EXPECT_TRUE(dynamics.hasInterpreter);
  for (const std::string &library : dynamics.needed)
    EXPECT_THAT(library, testing::AnyOf("libc.so.6", "libm.so.6",
                                        "ld-linux-x86-64.so.2"));
  Ending ending = run(write("dynamic", image), /*isolate=*/false);
  EXPECT_EQ(ending.status, 0);
  EXPECT_EQ(ending.output, "works with arguments\n");
}

TEST_F(LinkerTest, SharedLibraryExportsOurFunctionsOnly) {
  std::string image = linker.link(object(), ImageKind::SharedLibrary);
  Dynamics dynamics = dynamicsOf(image);
  EXPECT_FALSE(dynamics.hasInterpreter);
  EXPECT_THAT(dynamics.exported, Contains("lori_step"));
  EXPECT_THAT(dynamics.exported, Contains("lori_test_exp"));
  EXPECT_THAT(dynamics.exported, Contains("lori_set_threads"));
  for (const std::string &name : dynamics.exported)
    EXPECT_THAT(name, StartsWith("lori_"));
}

#ifndef LORI_SANITIZED // a sanitizer cannot be loaded later

TEST_F(LinkerTest, SharedLibraryIsLoadedAndUnloaded) {
  std::string image = linker.link(object(), ImageKind::SharedLibrary);
  void *library = dlopen(write("lib.so", image).c_str(), RTLD_NOW | RTLD_LOCAL);
  ASSERT_NE(library, nullptr) << dlerror();
  auto exp =
      reinterpret_cast<float (*)(float)>(dlsym(library, "lori_test_exp"));
  ASSERT_NE(exp, nullptr);
  EXPECT_FLOAT_EQ(exp(1), std::exp(1.0f));
  EXPECT_EQ(exp(-1), -1);
  // Its threads are still there.
  dlclose(library);
  EXPECT_FLOAT_EQ(exp(2), std::exp(2.0f));
}

#endif

TEST_F(LinkerTest, LinksAgainAndFromSeveralThreads) {
  std::string first = linker.link(object(), ImageKind::DynamicProgram);
  std::vector<std::thread> threads;
  std::atomic<int> equal{0};
  for (int i = 0; i < 3; ++i)
    threads.emplace_back([&] {
      equal += linker.link(object(), ImageKind::DynamicProgram) == first;
    });
  for (std::thread &thread : threads)
    thread.join();
  EXPECT_EQ(equal, 3);
}

TEST_F(LinkerTest, MissingRuntimeIsAnErrorThatNamesTheFile) {
  Linker nowhere((folder / "empty").string());
  EXPECT_THAT(
      messageOf([&] { nowhere.link(object(), ImageKind::StaticProgram); }),
      AllOf(StartsWith((folder / "empty/runtime_all.o").string() +
                       ": cannot be read: No such file"),
            HasSubstr("install it again")));
  EXPECT_THAT(
      messageOf([&] { nowhere.link(object(), ImageKind::SharedLibrary); }),
      HasSubstr("runtime_shared.o: cannot be read"));
}

TEST_F(LinkerTest, RuntimeIsSoughtBesideThisProgram) {
  std::string message =
      messageOf([] { Linker().link("no object", ImageKind::SharedLibrary); });
  fs::path beside = fs::read_symlink("/proc/self/exe").parent_path();
  EXPECT_THAT(
      message,
      testing::AnyOf(HasSubstr("unknown file type"),
                     StartsWith((beside.parent_path() / "lib/lori").string())));
}

TEST_F(LinkerTest, WhatTheRuntimeCallsMustBeDefined) {
  TestModule module("llvm.func @other_step() { llvm.return }");
  std::string other =
      ObjectEmitter(module, CpuTarget::parse("x86-64-v3")).object();
  testing::internal::CaptureStderr();
  std::string message =
      messageOf([&] { linker.link(other, ImageKind::DynamicProgram); });
  EXPECT_THAT(message, AllOf(StartsWith("linking: undefined symbol: lori_step"),
                             Not(HasSubstr("\n"))));
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
  EXPECT_THAT(linker.link(object(), ImageKind::DynamicProgram),
              StartsWith("\177ELF"));
}

TEST_F(LinkerTest, BytesThatAreNoObjectAreAnError) {
  for (size_t size : {size_t(0), size_t(20), object().size() / 2})
    EXPECT_THAT(messageOf([&] {
                  linker.link(object().substr(0, size),
                              ImageKind::DynamicProgram);
                }),
                AllOf(StartsWith("linking: "), HasSubstr("generated code"),
                      Not(HasSubstr("/proc/"))));
}

} // namespace
