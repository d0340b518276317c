// What may be closed is told from what is not ours to close by the database in it: `--data /tmp` must not close /tmp.
#include "engine/app/data_folder.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>

namespace tocsin::engine {

namespace fs = std::filesystem;

namespace {

constexpr mode_t kOthers = S_IRWXG | S_IRWXO;
constexpr const char* kDatabase = "tocsin.db";

bool is_ours_and_open(const fs::path& path, mode_t kind) {
  struct stat found{};
  if (::lstat(path.c_str(), &found) != 0) return false;
  return (found.st_mode & S_IFMT) == kind && found.st_uid == ::geteuid() && (found.st_mode & kOthers) != 0;
}

}  // namespace

void keep_files_private() { ::umask(kOthers); }

Result<void> open_data_folder(const fs::path& dir, const std::function<void(const std::string&)>& tell) {
  keep_files_private();
  std::error_code ec;
  const bool is_new = fs::create_directories(dir, ec);
  if (ec) return fail(Errc::kIo, "the data directory cannot be made: " + ec.message(), dir.string(), "name another one with --data");
  if (is_new) return {};
  struct stat found{};
  if (::stat(dir.c_str(), &found) != 0) return fail(Errc::kIo, std::string("the data directory cannot be looked at: ") + std::strerror(errno), dir.string());
  const bool holds_data = fs::exists(dir / kDatabase, ec);
  if (holds_data) {
    for (const char* ending : {"", "-wal", "-shm", ".lock"}) {
      const fs::path file = dir / (std::string(kDatabase) + ending);
      if (is_ours_and_open(file, S_IFREG)) static_cast<void>(::chmod(file.c_str(), S_IRUSR | S_IWUSR));
    }
  }
  if ((found.st_mode & kOthers) == 0) return {};
  if (holds_data && found.st_uid == ::geteuid() && ::chmod(dir.c_str(), S_IRWXU) == 0) {
    if (tell) tell("other users of this machine could look into " + dir.string() + "; it is closed to them now (mode 0700)");
    return {};
  }
  if (tell) tell("other users of this machine may look into " + dir.string() + "; new files in it are for this user only, but better give Tocsin a directory of its own (chmod 700)");
  return {};
}

}  // namespace tocsin::engine
