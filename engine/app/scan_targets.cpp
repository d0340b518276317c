// The walk. Directories are entered by hand, not by recursive_directory_iterator, which leaves out in silence what it may not
// open. Links to directories can make a circle, so a directory is entered once, known by device and number.
#include "engine/app/scan_targets.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <optional>
#include <set>
#include <system_error>

namespace tocsin::engine {
namespace {

namespace fs = std::filesystem;
using Why = NotScanned::Why;

class Walk {
 public:
  Walk(bool follow, std::uint64_t& bytes, std::vector<NotScanned>& left_out, std::vector<ScanTarget>& out)
      : follow_(follow), bytes_(bytes), left_out_(left_out), out_(out) {}

  void named(const std::string& path) {
    struct stat status {};
    // What cannot be looked at is told when it is opened.
    if (path == "-" || ::stat(path.c_str(), &status) != 0 || !S_ISDIR(status.st_mode)) {
      if (S_ISREG(status.st_mode)) bytes_ += static_cast<std::uint64_t>(status.st_size);
      out_.push_back({path, false});
      return;
    }
    entered_.insert({status.st_dev, status.st_ino});
    directory(path, 0);
  }

 private:
  void directory(const std::string& path, int depth) {
    if (depth > kMaxScanDepth) return leave(path, Why::kUnreadable, "lies more than " + std::to_string(kMaxScanDepth) + " directories deep");
    std::error_code ec;
    std::vector<std::string> entries;
    fs::directory_iterator it(path, ec);
    for (; !ec && it != fs::directory_iterator(); it.increment(ec)) entries.push_back(it->path().string());
    if (ec) leave(path, Why::kUnreadable, "cannot be listed: " + ec.message());
    std::sort(entries.begin(), entries.end());
    for (const auto& entry : entries) this->entry(entry, depth);
  }

  void entry(const std::string& path, int depth) {
    struct stat status {};
    if (::lstat(path.c_str(), &status) != 0) return leave(path, Why::kUnreadable, std::string("cannot be looked at: ") + std::strerror(errno));
    if (S_ISLNK(status.st_mode)) {
      if (!follow_) return leave(path, Why::kLink, "a link; --follow reads what it leads to");
      if (::stat(path.c_str(), &status) != 0) {
        return errno == ENOENT ? leave(path, Why::kLink, "a link that leads to nothing")
                               : leave(path, Why::kUnreadable, std::string("a link that cannot be followed: ") + std::strerror(errno));
      }
      const bool again = !S_ISDIR(status.st_mode) && !files_.insert({status.st_dev, status.st_ino}).second;
      if (again) return leave(path, Why::kLink, "a link to a file that is read already");
    } else if (follow_ && S_ISREG(status.st_mode) && !files_.insert({status.st_dev, status.st_ino}).second) {
      return leave(path, Why::kLink, "the same file as one that is read already");
    }
    if (S_ISDIR(status.st_mode)) {
      if (fs::path(path).filename() == ".git") return leave(path, Why::kGit, "git's own files");
      if (!entered_.insert({status.st_dev, status.st_ino}).second) return leave(path, Why::kLink, "a directory where the walk has been");
      return directory(path, depth + 1);
    }
    if (!S_ISREG(status.st_mode)) {
      const char* const what = S_ISFIFO(status.st_mode) ? "a pipe" : S_ISSOCK(status.st_mode) ? "a socket" : "a device";
      return leave(path, Why::kSpecial, what);
    }
    bytes_ += static_cast<std::uint64_t>(status.st_size);
    out_.push_back({path, true});
  }

  void leave(const std::string& path, Why why, std::string reason) { left_out_.push_back({path, why, std::move(reason)}); }

  using Id = std::pair<dev_t, ino_t>;
  bool follow_;
  std::uint64_t& bytes_;
  std::vector<NotScanned>& left_out_;
  std::vector<ScanTarget>& out_;
  std::set<Id> entered_;
  std::set<Id> files_;  // only where links are followed
};

}  // namespace

std::vector<ScanTarget> scan_targets(const std::vector<std::string>& named, bool follow, std::uint64_t& bytes, std::vector<NotScanned>& left_out) {
  std::vector<ScanTarget> out;
  Walk walk(follow, bytes, left_out, out);
  for (const auto& path : named) walk.named(path);
  return out;
}

}  // namespace tocsin::engine
