// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/program/Streams.h"
#include "runtime/support/Error.h"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>

using namespace lori;

static std::string &nameStorage() {
  static std::string name = "lori";
  return name;
}

void lori::setProgramName(std::string_view path) {
  size_t slash = path.rfind('/');
  nameStorage() = path.substr(slash == path.npos ? 0 : slash + 1);
}

const std::string &lori::programName() { return nameStorage(); }

[[noreturn]] static void failOutput() {
  throw Error("standard output cannot be written: " +
              std::string(std::strerror(errno)));
}

void lori::writeOutput(std::string_view text) {
  if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size())
    failOutput();
}

void lori::flushOutput() {
  if (std::fflush(stdout) != 0)
    failOutput();
}

void lori::writeNote(std::string_view text) {
  std::string line = programName() + ": note: " + std::string(text) + "\n";
  std::fwrite(line.data(), 1, line.size(), stderr);
}

namespace {

/// A file to read, or standard input.
class Input {
public:
  explicit Input(const std::string &path) : path(path) {
    file.reset(path == "-" ? stdin : std::fopen(path.c_str(), "re"));
    if (!file)
      fail();
  }

  std::FILE *get() const { return file.get(); }
  [[noreturn]] void fail() const {
    throw Error(path == "-" ? "standard input" : path,
                std::string("cannot be read: ") + std::strerror(errno));
  }

private:
  struct Close {
    void operator()(std::FILE *file) const {
      if (file != stdin)
        std::fclose(file);
    }
  };
  std::string path;
  std::unique_ptr<std::FILE, Close> file;
};

} // namespace

std::string lori::readInput(const std::string &path) {
  Input input(path);
  std::string text;
  char buffer[1 << 16];
  while (size_t count = std::fread(buffer, 1, sizeof(buffer), input.get()))
    text.append(buffer, count);
  if (std::ferror(input.get()))
    input.fail();
  return text;
}

void lori::readLines(
    const std::string &path,
    const std::function<void(size_t, std::string_view)> &line) {
  Input input(path);
  char *buffer = nullptr;
  size_t capacity = 0, number = 0;
  std::unique_ptr<char *, void (*)(char **)> release(
      &buffer, [](char **pointer) { std::free(*pointer); });
  ssize_t size = 0;
  while ((size = ::getline(&buffer, &capacity, input.get())) >= 0) {
    std::string_view text(buffer, static_cast<size_t>(size));
    ++number;
    text = text.substr(0, text.find_last_not_of("\r\n") + 1);
    if (text.find_first_not_of(" \t") != text.npos)
      line(number, text);
  }
  if (std::ferror(input.get()))
    input.fail();
}

std::string lori::linePlace(const std::string &path, size_t number) {
  return (path == "-" ? "standard input" : path) + ": line " +
         std::to_string(number);
}
