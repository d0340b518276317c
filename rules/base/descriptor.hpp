// An open file descriptor with one owner, closed when that goes away.
#pragma once

#include <unistd.h>

#include <utility>

namespace tocsin {

class Descriptor {
 public:
  Descriptor() = default;
  // Takes what open(2) gave: a descriptor, or -1, of which errno tells why.
  explicit Descriptor(int fd) noexcept : fd_(fd) {}
  ~Descriptor() { reset(); }
  Descriptor(Descriptor&& other) noexcept : fd_(other.release()) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }

  // -1: none is open.
  [[nodiscard]] int get() const noexcept { return fd_; }
  // The caller closes it from here on, and sees whether that works.
  [[nodiscard]] int release() noexcept { return std::exchange(fd_, -1); }
  void reset() noexcept {
    if (const int fd = release(); fd >= 0) ::close(fd);
  }

 private:
  int fd_ = -1;
};

}  // namespace tocsin
