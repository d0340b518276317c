// The few system calls that durability rests on, behind an interface, so that a test can make the n-th of them
// fail. Return values and errno are those of the calls.
#pragma once

#include <sys/types.h>
#include <sys/uio.h>

#include <filesystem>

namespace tocsin::storage {

class Disk {
 public:
  virtual ~Disk() = default;
  virtual int open(const std::filesystem::path& file, int flags, mode_t mode);
  virtual ssize_t pwritev(int fd, const iovec* parts, int count, off_t offset);
  virtual int fdatasync(int fd);
  virtual int fsync(int fd);
  virtual int ftruncate(int fd, off_t length);
  virtual int rename(const std::filesystem::path& from, const std::filesystem::path& to);
  virtual int close(int fd);
};

}  // namespace tocsin::storage
