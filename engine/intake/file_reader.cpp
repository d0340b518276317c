// A file as frames: read, unpack if it is gzip, recognise, frame. One buffer each, reused.
#include "engine/intake/file_reader.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace tocsin::engine {
namespace {

constexpr std::size_t kChunk = 64 * 1024;

class Reader final : public FileReader {
 public:
  Reader(int fd, std::string name, const ReadOptions& options)
      : fd_(fd), name_(std::move(name)), format_(options.format), limits_(options.gzip) {}
  ~Reader() override {
    if (fd_ > 2) ::close(fd_);
  }
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;

  Result<void> begin() {
    struct stat info {};
    if (::fstat(fd_, &info) == 0 && S_ISREG(info.st_mode)) total_ = static_cast<std::uint64_t>(info.st_size);
    // Sample: enough to recognise, or all there is. An error in it counts when its place is reached.
    while (sample_.size() < (format_.empty() ? kRecognitionSample : 1) && !ended_ && !failure_) {
      fill(sample_);
      if (!S_ISREG(info.st_mode) && recognise(sample_)) break;  // a pipe may not bring more for a long time
    }
    if (format_.empty()) {
      auto found = recognise(sample_);
      if (found) {
        format_ = found->format;
        reason_ = found->reason;
      } else if (failure_ && sample_.empty()) {
        return tl::unexpected<Error>(*failure_);
      } else if (found.error().code != Errc::kUnavailable || !sample_.empty()) {
        Error error = std::move(found).error();
        error.where = name_;
        if (error.code == Errc::kUnavailable) error.code = Errc::kInvalid;
        return tl::unexpected<Error>(std::move(error));
      }
    }
    framer_.emplace(framing_of(format_));
    framer_->add(sample_);
    sample_.clear();
    sample_.shrink_to_fit();
    return {};
  }

  Result<std::optional<Frame>> next() override {
    for (;;) {
      if (auto frame = framer_->next()) return std::optional<Frame>(std::move(*frame));
      if (finished_) return std::optional<Frame>();
      if (failure_) {
        // What stands before the damage and has no end is not a record.
        finished_ = true;
        return tl::unexpected<Error>(std::move(*failure_));
      }
      if (ended_) {
        finished_ = true;
        framer_->finish();
        continue;
      }
      chunk_.clear();
      fill(chunk_);
      framer_->add(chunk_);
    }
  }

  const std::string& format() const noexcept override { return format_; }
  const std::string& reason() const noexcept override { return reason_; }
  std::uint64_t bytes_read() const noexcept override { return read_; }
  std::uint64_t bytes_total() const noexcept override { return total_; }

 private:
  // Appends the next bytes of the stream to `out`, or sets ended_ or failure_.
  void fill(std::string& out) {
    raw_.resize(kChunk);
    std::size_t have = 0;
    do {
      const ssize_t n = ::read(fd_, raw_.data() + have, raw_.size() - have);
      if (n < 0) {
        if (errno == EINTR) continue;
        set_failure(Error{Errc::kIo, std::string("cannot be read: ") + std::strerror(errno), {}, {}});
        return;
      }
      if (n == 0) {
        ended_ = true;
        break;
      }
      have += static_cast<std::size_t>(n);
    } while (have < 2);  // the first two bytes say whether it is gzip
    read_ += have;
    const std::string_view bytes(raw_.data(), have);
    if (!looked_) {
      looked_ = true;
      if (looks_like_gzip(bytes)) gunzip_.emplace(limits_);
    }
    if (!gunzip_) {
      out += bytes;
      return;
    }
    if (auto done = gunzip_->add(bytes, out); !done) {
      set_failure(std::move(done).error());
    } else if (ended_) {
      if (auto last = gunzip_->finish(); !last) set_failure(std::move(last).error());
    }
  }

  void set_failure(Error error) {
    error.where = error.where.empty() ? name_ : name_ + ", " + error.where;
    failure_ = std::move(error);
  }

  int fd_;
  std::string name_;
  std::string format_;
  std::string reason_;
  GzipLimits limits_;
  std::uint64_t read_ = 0, total_ = 0;
  bool looked_ = false, ended_ = false, finished_ = false;
  std::optional<Error> failure_;
  std::optional<Gunzip> gunzip_;
  std::optional<Framer> framer_;
  std::string raw_, chunk_, sample_;
};

}  // namespace

Result<std::unique_ptr<FileReader>> FileReader::open(const std::string& path, const ReadOptions& options) {
  int fd = 0;
  const std::string name = path == "-" ? "standard input" : path;
  if (path != "-") {
    fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
      const int why = errno;
      if (why == ENOENT) return fail(Errc::kNotFound, "there is no such file", name, "check the name");
      if (why == EACCES) {
        return fail(Errc::kIo, "may not be read by this user", name,
                    "give the user read permission (on Debian: add it to the group adm), or run as another one");
      }
      return fail(Errc::kIo, std::string("cannot be opened: ") + std::strerror(why), name);
    }
    struct stat info {};
    if (::fstat(fd, &info) == 0 && S_ISDIR(info.st_mode)) {
      ::close(fd);
      return fail(Errc::kInvalid, "is a directory", name, "name the files in it");
    }
  }
  auto reader = std::make_unique<Reader>(fd, name, options);
  if (auto begun = reader->begin(); !begun) return pass(std::move(begun));
  return std::unique_ptr<FileReader>(std::move(reader));
}

}  // namespace tocsin::engine
