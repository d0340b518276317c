// Whole files, written so that a crash leaves the old one or the new one.
#include "storage/files/durable_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <utility>

#include "rules/base/descriptor.hpp"

namespace tocsin::storage {
namespace {

std::filesystem::path parent_of(const std::filesystem::path& file) {
  return file.has_parent_path() ? file.parent_path() : std::filesystem::path(".");
}

}  // namespace

tl::unexpected<Error> system_failure(int number, std::string_view doing, const std::filesystem::path& file) {
  Errc code = Errc::kIo;
  std::string remedy;
  switch (number) {
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
      code = Errc::kTooLarge;
      remedy = "the disk is full: free some space";
      break;
    case ENOENT: code = Errc::kNotFound; break;
    case EACCES:
    case EPERM:
      code = Errc::kForbidden;
      remedy = "check owner and mode of the file";
      break;
    default: break;
  }
  return fail(code, std::string("cannot ") + std::string(doing) + ": " + std::strerror(number), file.string(),
              std::move(remedy));
}

Result<void> sync_directory(const std::filesystem::path& directory) {
  const Descriptor fd(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (fd.get() < 0) return system_failure(errno, "open directory", directory);
  if (::fsync(fd.get()) != 0) return system_failure(errno, "sync directory", directory);
  return {};
}

Result<void> make_directories(const std::filesystem::path& directory) {
  std::error_code ec;
  if (directory.empty() || std::filesystem::is_directory(directory, ec)) return {};
  if (auto parent = make_directories(directory.parent_path()); !parent) return parent;
  if (::mkdir(directory.c_str(), 0750) != 0 && errno != EEXIST) {
    return system_failure(errno, "create directory", directory);
  }
  return sync_directory(parent_of(directory));
}

Result<void> write_durably(const std::filesystem::path& file, std::string_view bytes, unsigned mode,
                           bool sync_parent) {
  static std::atomic<unsigned> counter{0};
  const std::filesystem::path directory = parent_of(file);
  const std::filesystem::path temporary =
      directory / (std::string(kTemporaryPrefix) + std::to_string(::getpid()) + "-" + std::to_string(counter++));
  Descriptor fd(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode));
  if (fd.get() < 0) return system_failure(errno, "create", temporary);
  const auto give_up = [&](int number, std::string_view doing) {
    ::unlink(temporary.c_str());
    return system_failure(number, doing, file);
  };
  std::size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t n = ::write(fd.get(), bytes.data() + done, bytes.size() - done);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return give_up(n == 0 ? ENOSPC : errno, "write");
    done += static_cast<std::size_t>(n);
  }
  if (::fsync(fd.get()) != 0) return give_up(errno, "sync");
  if (::close(fd.release()) != 0) return give_up(errno, "close");
  if (::rename(temporary.c_str(), file.c_str()) != 0) return give_up(errno, "rename into place");
  if (sync_parent) return sync_directory(directory);
  return {};
}

Result<std::string> read_whole(const std::filesystem::path& file, std::uint64_t limit) {
  const Descriptor fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
  if (fd.get() < 0) return system_failure(errno, "open", file);
  struct stat info {};
  if (::fstat(fd.get(), &info) != 0) return system_failure(errno, "read", file);
  if (!S_ISREG(info.st_mode)) return fail(Errc::kIo, "not an ordinary file", file.string());
  if (static_cast<std::uint64_t>(info.st_size) > limit) {
    return fail(Errc::kTooLarge, "the file is larger than " + std::to_string(limit) + " bytes", file.string());
  }
  std::string out;
  out.resize(static_cast<std::size_t>(info.st_size));
  std::size_t done = 0;
  while (done < out.size()) {
    const ssize_t n = ::read(fd.get(), out.data() + done, out.size() - done);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return system_failure(errno, "read", file);
    if (n == 0) break;
    done += static_cast<std::size_t>(n);
  }
  out.resize(done);
  return out;
}

}  // namespace tocsin::storage
