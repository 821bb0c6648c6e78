// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "test/unit/program/FakeProgram.h"
#include "runtime/text/TokenizerSpec.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace lori;

Tokenizer fake::tokenizer() {
  TokenizerSpec spec;
  spec.file = "fake";
  spec.byteLevel = true;
  spec.tokens.resize(vocabulary);
  auto set = [&](size_t id, const std::string &text, bool special) {
    TokenSpec &token = spec.tokens[id];
    token.text = token.shown = text;
    token.exists = true;
    token.inModel = !special;
    token.special = special;
    if (special) {
      AddedTokenSpec added;
      added.id = static_cast<int32_t>(id);
      added.content = text;
      added.special = true;
      spec.added.push_back(added);
    }
  };
  for (int byte = 0; byte < 256; ++byte) {
    set(3 + byte, std::string(1, static_cast<char>(byte)), false);
    spec.byteTokens[byte] = 3 + byte;
  }
  set(259, "he", false);
  spec.merges.push_back({3 + 'h', 3 + 'e', 0, 259});
  set(1, "<s>", true);
  set(2, "</s>", true);
  set(260, "<|u|>", true);
  return buildTokenizer(spec);
}

ModelInfo fake::textInfo() {
  ModelInfo info = fake::info();
  info.bos = 1;
  info.addBos = true;
  info.bosToken = "<s>";
  info.eosToken = "</s>";
  info.chatTemplate =
      "{% for message in messages %}{{'<|im_start|>' + message['role'] + "
      "'\\n' + message['content'] + '<|im_end|>' + '\\n'}}{% endfor %}{% if "
      "add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}";
  return info;
}

fake::Program::Program(const ModelInfo &info, bool withTokenizer) {
  std::string blob;
  if (withTokenizer) {
    Tokenizer text = tokenizer();
    auto bytes = text.serialize();
    blob.assign(reinterpret_cast<const char *>(bytes.data()), bytes.size());
  }
  write(path("prog"), info, readFile(LORI_FAKE_PROGRAM), blob,
        /*executable=*/true);
}

fake::Program::Program() {
  std::filesystem::copy(LORI_FAKE_PROGRAM, path("prog"));
}

/// Runs in the child.
[[noreturn]] static void execute(const std::vector<std::string> &arguments,
                                 const std::string &folder,
                                 const std::string &output) {
  auto redirect = [&](const std::string &path, int flags, int target) {
    int file = ::open(path.c_str(), flags, 0666);
    if (file < 0 || ::dup2(file, target) < 0)
      ::_exit(99);
  };
  redirect(folder + "in", O_RDONLY, 0);
  redirect(output, O_WRONLY | O_CREAT | O_TRUNC, 1);
  redirect(folder + "err", O_WRONLY | O_CREAT | O_TRUNC, 2);
  std::vector<char *> argv;
  std::string program = folder + "prog";
  argv.push_back(program.data());
  for (const std::string &argument : arguments)
    argv.push_back(const_cast<char *>(argument.c_str()));
  argv.push_back(nullptr);
  ::execv(program.c_str(), argv.data());
  ::_exit(98);
}

fake::Outcome fake::Program::run(const std::vector<std::string> &arguments,
                                 const std::string &input,
                                 const std::string &output) const {
  writeFile(path("in"), input);
  std::string out = output.empty() ? path("out") : output;
  pid_t child = ::fork();
  if (child == 0)
    execute(arguments, path(""), out);
  int status = 0;
  ::waitpid(child, &status, 0);
  return {WIFEXITED(status) ? WEXITSTATUS(status) : -1,
          output.empty() ? readFile(out) : "", readFile(path("err"))};
}
