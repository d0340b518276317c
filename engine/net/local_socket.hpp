// What both ends of a unix socket share: where it lies, and whose that place must be. Private to engine/net.
#pragma once

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <string>

#include "rules/base/descriptor.hpp"
#include "rules/base/result.hpp"

namespace tocsin::engine {

inline constexpr std::size_t kMaxSocketPath = sizeof(sockaddr_un::sun_path);

// The socket's path, short enough for the kernel however deep the data directory lies: by way of the open directory
// where it has to be. Valid while this lives.
struct SocketPlace {
  SocketPlace(const std::filesystem::path& folder, const std::filesystem::path& name) {
    path = (folder / name).string();
    if (path.size() < kMaxSocketPath) return;
    directory = Descriptor(::open(folder.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (directory.get() < 0) error = errno;
    else path = "/proc/self/fd/" + std::to_string(directory.get()) + "/" + name.string();
  }
  std::string path;
  Descriptor directory;
  int error = 0;
};

// Makes the folder, or takes one that is there: a folder of our own that nobody else may enter. A link is refused.
[[nodiscard]] inline Result<void> own_folder(const std::filesystem::path& folder) {
  if (::mkdir(folder.c_str(), S_IRWXU) != 0 && errno != EEXIST) return fail(Errc::kIo, "cannot be made", folder.string());
  struct stat found{};
  if (::lstat(folder.c_str(), &found) != 0) return fail(Errc::kIo, "cannot be looked at", folder.string());
  if (!S_ISDIR(found.st_mode) || found.st_uid != ::geteuid()) {
    return fail(Errc::kForbidden, "this is not a folder of the user that runs Tocsin", folder.string(), "remove it");
  }
  if ((found.st_mode & (S_IRWXG | S_IRWXO)) != 0 && ::chmod(folder.c_str(), S_IRWXU) != 0) {
    return fail(Errc::kIo, "others may enter it, and that cannot be changed", folder.string());
  }
  return {};
}

}  // namespace tocsin::engine
