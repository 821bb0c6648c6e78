// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/engine/Artefact.h"
#include "runtime/engine/ArtefactWriter.h"
#include "runtime/support/Error.h"
#include "test/unit/engine/TempFolder.h"

#include <cstring>
#include <random>
#include <unistd.h>

using namespace lori;

namespace {

using testing::Test;

class ArtefactTest : public Test {
protected:
  const std::string elfImage = "\x7f"
                               "ELF" +
                               std::string(5000, 'x');

  /// Writes a whole artefact and returns its bytes.
  std::string write(const std::string &image, const std::string &parameters) {
    std::string path = folder / "out";
    NewFile file(path);
    file.write(image);
    ArtefactWriter writer(file);
    size_t start = writer.reserveParameters(parameters.size());
    EXPECT_EQ(::pwrite(file.descriptor(), parameters.data(), parameters.size(),
                       static_cast<off_t>(start)),
              static_cast<ssize_t>(parameters.size()));
    writer.finish("{\"a\":1}", std::as_bytes(std::span("tok", 3)));
    file.commit();
    return readFile(path);
  }

  static ArtefactView view(const std::string &bytes) {
    return {std::as_bytes(std::span(bytes)), "prog"};
  }

  /// The bytes with their trailer changed and its checksum made right again.
  template <typename Change>
  static std::string withTrailer(std::string bytes, Change &&change) {
    ArtefactTrailer trailer;
    char *place = bytes.data() + bytes.size() - sizeof(trailer);
    std::memcpy(&trailer, place, sizeof(trailer));
    change(trailer);
    trailer.trailerChecksum = artefactTrailerChecksum(trailer);
    std::memcpy(place, &trailer, sizeof(trailer));
    return bytes;
  }

  TempFolder folder;
};

std::string text(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char *>(bytes.data()), bytes.size()};
}

TEST_F(ArtefactTest, ReadsWhatWasWrittenBehindTheProgram) {
  std::string parameters(10000, '\0');
  for (size_t i = 0; i < parameters.size(); ++i)
    parameters[i] = static_cast<char>(i * 7);
  std::string bytes = write(elfImage, parameters);
  EXPECT_EQ(bytes.substr(0, elfImage.size()), elfImage);
  Artefact artefact(folder / "out");
  EXPECT_EQ(artefact->metadata(), "{\"a\":1}");
  EXPECT_EQ(text(artefact->tokenizer()), "tok");
  EXPECT_EQ(text(artefact->parameters()), parameters);
  auto address = reinterpret_cast<uintptr_t>(artefact->parameters().data());
  EXPECT_EQ(address % artefactPage, 0u);
}

TEST_F(ArtefactTest, AModelMayHaveNoParametersAndNoTokenizer) {
  NewFile file(folder / "out");
  ArtefactWriter(file).finish("{}", {});
  file.commit();
  Artefact artefact(folder / "out");
  EXPECT_TRUE(artefact->parameters().empty());
  EXPECT_TRUE(artefact->tokenizer().empty());
  EXPECT_EQ(artefact->metadata(), "{}");
}

TEST_F(ArtefactTest, AStrippedProgramSaysThatItsModelIsMissing) {
  EXPECT_EQ(messageOf([&] { view(elfImage); }),
            "prog: no model in this program: it was stripped or cut, an "
            "artefact of lori-compile carries one at its end, compile it "
            "again");
  EXPECT_EQ(messageOf([] { view("no program"); }),
            "prog: no model in this file: expected an artefact of "
            "lori-compile, whole");
}

TEST_F(ArtefactTest, EveryCutIsAnError) {
  std::string bytes = write(elfImage, std::string(100, 'p'));
  for (size_t size = 0; size < bytes.size(); ++size)
    EXPECT_NE(messageOf([&] { view(bytes.substr(0, size)); }), "") << size;
}

TEST_F(ArtefactTest, EveryFlippedBitOfTrailerAndMetadataIsAnError) {
  const std::string bytes = write("", std::string(64, 'p'));
  size_t metadata = bytes.find("{\"a\":1}");
  size_t trailer = bytes.size() - sizeof(ArtefactTrailer);
  for (size_t i = 0; i < bytes.size(); ++i) {
    if (i < trailer && (i < metadata || i >= metadata + 7))
      continue;
    for (int bit = 0; bit < 8; ++bit) {
      std::string damaged = bytes;
      damaged[i] = static_cast<char>(damaged[i] ^ 1 << bit);
      EXPECT_NE(messageOf([&] { view(damaged); }), "") << i << " bit " << bit;
    }
  }
}

TEST_F(ArtefactTest, ADamagedTokenizerIsAnErrorOnlyWhereTextIsUsed) {
  std::string bytes = write("", "");
  bytes[bytes.find("tok")] = 'T';
  ArtefactView artefact = view(bytes);
  EXPECT_EQ(artefact.metadata(), "{\"a\":1}");
  EXPECT_NE(messageOf([&] { artefact.tokenizer(); }).find("tokenizer is dam"),
            std::string::npos);
}

TEST_F(ArtefactTest, AnotherFormatIsNamed) {
  std::string bytes = withTrailer(
      write("", ""), [](ArtefactTrailer &trailer) { trailer.version = 7; });
  EXPECT_EQ(messageOf([&] { view(bytes); }),
            "prog: the model has format 7, this runtime reads format 1, "
            "compile it again");
}

TEST_F(ArtefactTest, SectionsOutsideOfTheFileAreErrors) {
  const std::string bytes = write("", std::string(5000, 'p'));
  const uint64_t bad[][2] = {{0, ~0ull},         {~0ull, 1},
                             {~0ull - 100, 200}, {bytes.size(), 1},
                             {0, bytes.size()},  {bytes.size() + 1, 0}};
  for (auto [offset, size] : bad)
    for (auto member : {&ArtefactTrailer::metadata, &ArtefactTrailer::tokenizer,
                        &ArtefactTrailer::parameters}) {
      std::string changed = withTrailer(bytes, [&](ArtefactTrailer &trailer) {
        trailer.*member = {offset, size};
      });
      EXPECT_NE(messageOf([&] { view(changed); }).find("outside"),
                std::string::npos);
    }
}

TEST_F(ArtefactTest, ParametersOffAPageAreAnError) {
  std::string bytes = withTrailer(
      write("", std::string(5000, 'p')),
      [](ArtefactTrailer &trailer) { trailer.parameters = {64, 64}; });
  EXPECT_NE(messageOf([&] { view(bytes); }), "");
}

TEST_F(ArtefactTest, RandomTrailersWithRightChecksumsNeverReachOutside) {
  const std::string bytes = write(elfImage, std::string(300, 'p'));
  std::mt19937_64 random(11);
  int accepted = 0;
  for (int i = 0; i < 20000; ++i) {
    std::string changed = withTrailer(bytes, [&](ArtefactTrailer &trailer) {
      auto place = [&](ArtefactSection &section) {
        uint64_t wild = random() >> (random() % 64);
        (random() % 2 ? section.offset : section.size) = wild;
      };
      place(random() % 2 ? trailer.tokenizer : trailer.parameters);
    });
    std::string error = messageOf([&] {
      ArtefactView artefact = view(changed);
      uint64_t sum = 0;
      for (std::byte byte : artefact.parameters())
        sum += static_cast<uint64_t>(byte);
      volatile uint64_t sink = sum;
      (void)sink;
      ++accepted;
      artefact.tokenizer();
    });
    (void)error;
  }
  EXPECT_GT(accepted, 100);
  EXPECT_LT(accepted, 19900);
}

} // namespace
