// The real system calls.
#include "storage/journal/disk.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cstdio>

namespace tocsin::storage {

int Disk::open(const std::filesystem::path& file, int flags, mode_t mode) { return ::open(file.c_str(), flags, mode); }
ssize_t Disk::pwritev(int fd, const iovec* parts, int count, off_t offset) { return ::pwritev(fd, parts, count, offset); }
int Disk::fdatasync(int fd) { return ::fdatasync(fd); }
int Disk::fsync(int fd) { return ::fsync(fd); }
int Disk::ftruncate(int fd, off_t length) { return ::ftruncate(fd, length); }
int Disk::rename(const std::filesystem::path& from, const std::filesystem::path& to) {
  return std::rename(from.c_str(), to.c_str());
}
int Disk::close(int fd) { return ::close(fd); }

}  // namespace tocsin::storage
