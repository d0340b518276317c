// The published known answers, by instruction and by table, in one piece and in two.
#include "storage/journal/crc32c.hpp"

#include <numeric>
#include <string>

#include <gtest/gtest.h>

namespace tocsin::storage {
namespace {

struct Answer {
  const char* name;
  std::string bytes;
  std::uint32_t crc;
};

std::vector<Answer> answers() {
  std::string up(32, '\0');
  std::iota(up.begin(), up.end(), '\0');
  return {{"nothing", "", 0},
          {"digits", "123456789", 0xe3069283},
          {"zeros", std::string(32, '\0'), 0x8a9136aa},
          {"ones", std::string(32, '\xff'), 0x62a8ab43},
          {"ascending", up, 0x46dd794e}};
}

TEST(Crc32c, gives_the_known_answers) {
  for (const Answer& row : answers()) {
    EXPECT_EQ(crc32c(row.bytes), row.crc) << row.name;
    EXPECT_EQ(crc32c_by_table(row.bytes), row.crc) << row.name;
    if (crc32c_has_instruction()) {
      EXPECT_EQ(crc32c_by_instruction(row.bytes), row.crc) << row.name;
    }
  }
}

TEST(Crc32c, is_the_same_in_pieces_and_in_both_ways) {
  std::string bytes;
  for (int i = 0; i < 300; ++i) bytes += static_cast<char>(i * 31 + 7);
  for (std::size_t size = 0; size <= bytes.size(); ++size) {
    const std::string_view all = std::string_view(bytes).substr(0, size);
    const std::uint32_t whole = crc32c_by_table(all);
    EXPECT_EQ(crc32c(all), whole);
    for (const std::size_t cut : {std::size_t{0}, size / 3, size / 2, size}) {
      EXPECT_EQ(crc32c(all.substr(cut), crc32c(all.substr(0, cut))), whole) << size << " cut at " << cut;
    }
  }
}

}  // namespace
}  // namespace tocsin::storage
