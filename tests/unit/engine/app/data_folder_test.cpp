// Nobody else reads the data: what is made is private, what an earlier release left open is closed, what is not ours stays.
#include "engine/app/data_folder.hpp"

#include <sys/stat.h>

#include <fstream>

#include <gtest/gtest.h>

#include "tests/support/temporary_directory.hpp"

namespace tocsin::engine {
namespace {

namespace fs = std::filesystem;

mode_t mode_of(const fs::path& path) {
  struct stat found{};
  EXPECT_EQ(::lstat(path.c_str(), &found), 0) << path;
  return found.st_mode & 07777;
}

void make_file(const fs::path& file, mode_t mode) {
  spit(file, "x");
  ASSERT_EQ(::chmod(file.c_str(), mode), 0);
}

class DataFolder : public testing::Test {
 protected:
  void SetUp() override {
    before_ = ::umask(022);
    ASSERT_EQ(::chmod(room_.path().c_str(), 0755), 0);
  }
  void TearDown() override { ::umask(before_); }

  Result<void> open(const fs::path& dir) {
    return open_data_folder(dir, [this](const std::string& line) { told_.push_back(line); });
  }

  TemporaryDirectory room_;
  std::vector<std::string> told_;
  mode_t before_ = 0;
};

TEST_F(DataFolder, ANewOneIsPrivateAndSoAreItsFiles) {
  const fs::path dir = room_ / "new/data";
  ASSERT_TRUE(open(dir));
  EXPECT_EQ(mode_of(dir), 0700U);
  std::ofstream(dir / "tocsin.db") << "x";
  EXPECT_EQ(mode_of(dir / "tocsin.db"), 0600U);
  EXPECT_TRUE(told_.empty());
}

TEST_F(DataFolder, OneOfAnEarlierReleaseIsClosedAndSaidSo) {
  const fs::path dir = room_ / "data";
  ASSERT_TRUE(fs::create_directory(dir));
  ASSERT_EQ(::chmod(dir.c_str(), 0755), 0);
  for (const char* name : {"tocsin.db", "tocsin.db-wal", "tocsin.db-shm"}) make_file(dir / name, 0644);
  ASSERT_TRUE(open(dir));
  EXPECT_EQ(mode_of(dir), 0700U);
  for (const char* name : {"tocsin.db", "tocsin.db-wal", "tocsin.db-shm"}) EXPECT_EQ(mode_of(dir / name), 0600U) << name;
  ASSERT_EQ(told_.size(), 1U);
  EXPECT_NE(told_[0].find("closed to them now"), std::string::npos) << told_[0];
  told_.clear();
  ASSERT_TRUE(open(dir));
  EXPECT_TRUE(told_.empty());
}

TEST_F(DataFolder, AFolderWithoutOurDataIsLeftOpenAndWarnedOf) {
  const fs::path dir = room_ / "shared";
  ASSERT_TRUE(fs::create_directory(dir));
  ASSERT_EQ(::chmod(dir.c_str(), 01777), 0);
  make_file(dir / "somebody-elses", 0644);
  ASSERT_TRUE(open(dir));
  EXPECT_EQ(mode_of(dir), 01777U);
  EXPECT_EQ(mode_of(dir / "somebody-elses"), 0644U);
  ASSERT_EQ(told_.size(), 1U);
  EXPECT_NE(told_[0].find("may look into"), std::string::npos) << told_[0];
}

TEST_F(DataFolder, ALinkInPlaceOfADatabaseIsNotFollowed) {
  const fs::path dir = room_ / "data", elsewhere = room_ / "elsewhere";
  ASSERT_TRUE(fs::create_directory(dir));
  make_file(elsewhere, 0644);
  fs::create_symlink(elsewhere, dir / "tocsin.db");
  ASSERT_TRUE(open(dir));
  EXPECT_EQ(mode_of(elsewhere), 0644U);
}

TEST_F(DataFolder, AFileInItsPlaceIsAnError) {
  make_file(room_ / "data", 0644);
  auto done = open(room_ / "data");
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, Errc::kIo);
}

}  // namespace
}  // namespace tocsin::engine
