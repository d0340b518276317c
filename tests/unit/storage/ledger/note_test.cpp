// Signed notes and checkpoints against published examples and the worked example of our own reference.
#include "storage/ledger/note.hpp"

#include <numeric>

#include <gtest/gtest.h>

namespace tocsin::storage {
namespace {

constexpr const char* kLogKey = "tocsin.example/log+3376d26c+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4";
constexpr const char* kText = "tocsin.example/log\n8\nXcnaeacGWamtVZy3Ad7ZoqudgjqtL0lgz+Nw7/RgQyg=\n";
constexpr const char* kLogLine =
    "— tocsin.example/log "
    "M3bSbIGA0hjaAvnS7jMEYNKqm8Xe17E0DFB5vkdxOrBV6ugb97prV7/qBMlsY0QaNDukYJE+lQrg7ODvvv82tvx1YAo=\n";
constexpr const char* kWitnessLine =
    "— tocsin.example/witness-1 "
    "8D9UIQAAAABlU/EASFAdxN3zGGM3NJ/HRY+2T8fM2/XRhxN9I0Js/+SiiiMMG1Q8yWcZ3IKcJpJlrCm0Trz5b1zQ/ElDVXWjG+i7BQ==\n";

Signer example_signer() {
  std::array<std::uint8_t, 32> seed{};
  std::iota(seed.begin(), seed.end(), std::uint8_t{0});
  auto signer = Signer::from_seed("tocsin.example/log", seed.data());
  EXPECT_TRUE(signer);
  return std::move(*signer);
}

TEST(Note, makes_the_worked_example) {
  const Signer signer = example_signer();
  EXPECT_EQ(signer.verifier().text(), kLogKey);
  EXPECT_EQ(signer.sign(kText), std::string(kText) + "\n" + kLogLine);
}

TEST(Note, opens_the_worked_example_with_its_witness) {
  const auto key = VerifierKey::parse(kLogKey);
  ASSERT_TRUE(key);
  const std::string note = std::string(kText) + "\n" + kLogLine + kWitnessLine;
  auto text = open_note(note, *key);
  ASSERT_TRUE(text) << text.error().text();
  EXPECT_EQ(*text, kText);
  auto checkpoint = Checkpoint::parse(*text);
  ASSERT_TRUE(checkpoint);
  EXPECT_EQ(checkpoint->origin, "tocsin.example/log");
  EXPECT_EQ(checkpoint->size, 8U);
  EXPECT_EQ(to_hex(checkpoint->root), "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328");
  EXPECT_EQ(checkpoint->text(), kText);
}

TEST(Note, reads_the_public_example_key) {
  constexpr const char* kPublic = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";
  auto key = VerifierKey::parse(kPublic);
  ASSERT_TRUE(key) << key.error().text();
  EXPECT_EQ(key->text(), kPublic);
}

TEST(Note, refuses_keys_that_are_not_what_they_say) {
  for (const char* bad : {"", "a", "a+b", "a+b+c", "+3376d26c+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4",
                          "tocsin.example/log+3376D26C+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4",
                          "tocsin.example/log+3376d26d+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4",
                          "tocsin.example/lag+3376d26c+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4",
                          "tocsin.example/log+3376d26c+AgOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4",
                          "tocsin.example/log+3376d26c+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG",
                          "tocsin example/log+3376d26c+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4"}) {
    EXPECT_FALSE(VerifierKey::parse(bad)) << bad;
  }
}

TEST(Note, notices_every_changed_byte) {
  const auto key = VerifierKey::parse(kLogKey);
  const std::string note = std::string(kText) + "\n" + kLogLine;
  for (std::size_t i = 0; i < note.size(); ++i) {
    for (const int bit : {0, 1, 2, 5, 7}) {
      std::string changed = note;
      changed[i] = static_cast<char>(changed[i] ^ (1 << bit));
      EXPECT_FALSE(open_note(changed, *key)) << "byte " << i << " bit " << bit;
    }
  }
  for (std::size_t length = 0; length < note.size(); ++length) {
    EXPECT_FALSE(open_note(note.substr(0, length), *key)) << "cut at " << length;
  }
}

TEST(Note, passes_over_the_lines_of_others_only) {
  const auto key = VerifierKey::parse(kLogKey);
  const std::string head = std::string(kText) + "\n";
  EXPECT_TRUE(open_note(head + kWitnessLine + kLogLine, *key));
  EXPECT_FALSE(open_note(head + kWitnessLine, *key)) << "no known key";
  // The right name and id with a wrong signature spoils the note even beside a right one.
  std::string wrong = kLogLine;
  wrong[40] = wrong[40] == 'A' ? 'B' : 'A';
  EXPECT_FALSE(open_note(head + kLogLine + wrong, *key));
  // Only one of name and id agreeing is somebody else.
  const auto other = VerifierKey::parse("example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k");
  EXPECT_FALSE(open_note(head + kLogLine, *other));
}

TEST(Note, refuses_names_that_a_note_cannot_carry) {
  const std::array<std::uint8_t, 32> seed{};
  for (const char* bad : {"", "a b", "a+b", "a\tb", "a\xc2\xa0" "b", "a\xe3\x80\x80" "b", "\xff"}) {
    EXPECT_FALSE(Signer::from_seed(bad, seed.data())) << bad;
  }
}

TEST(Checkpoint, is_read_strictly) {
  const std::string root = "XcnaeacGWamtVZy3Ad7ZoqudgjqtL0lgz+Nw7/RgQyg=\n";
  EXPECT_TRUE(Checkpoint::parse("o\n8\n" + root));
  EXPECT_TRUE(Checkpoint::parse("o\n8\n" + root + "extension\n"));
  EXPECT_TRUE(Checkpoint::parse("o\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n"));
  const struct {
    const char* name;
    std::string text;
  } bad[] = {
      {"nothing", ""},
      {"no-origin", "\n8\n" + root},
      {"leading-zero", "o\n08\n" + root},
      {"negative", "o\n-8\n" + root},
      {"not-a-number", "o\n8x\n" + root},
      {"too-large", "o\n99999999999999999999\n" + root},
      {"no-size", "o\n\n" + root},
      {"short-root", "o\n8\nXcnaeacGWamtVZy3Ad7ZoqudgjqtL0lgz+Nw7/RgQw==\n"},
      {"loose-root", "o\n8\nXcnaeacGWamtVZy3Ad7ZoqudgjqtL0lgz+Nw7/RgQyh=\n"},
      {"cut-root", "o\n8\nXcnaeacGWamtVZy3Ad7ZoqudgjqtL0lgz+Nw7/RgQyg="},
      {"empty-line", "o\n8\n" + root + "\n"},
      {"empty-tree-with-a-root", "o\n0\n" + root},
  };
  for (const auto& row : bad) EXPECT_FALSE(Checkpoint::parse(row.text)) << row.name;
}

}  // namespace
}  // namespace tocsin::storage
