#include "archive_sink.hpp"

#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

namespace fluxora::ops {
namespace {

[[noreturn]] void fail(const std::string& what) {
  throw Failure(what, std::strerror(errno));
}

/// Whether it is still what stands under that name.
bool is_at(int file, const std::string& path) {
  struct stat opened{};
  struct stat there{};
  return ::fstat(file, &opened) == 0 && ::lstat(path.c_str(), &there) == 0 && opened.st_dev == there.st_dev &&
         opened.st_ino == there.st_ino;
}

std::string folder_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

}  // namespace

FileSink::FileSink(const FilePlace& place) : path_(place.path), partial_path_(place.path + ".partial") {
  struct stat there{};
  if (::stat(path_.c_str(), &there) == 0 && !S_ISREG(there.st_mode)) {
    throw Failure(path_ + " is no ordinary file.");
  }
  Descriptor file(::open(partial_path_.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, S_IRUSR | S_IWUSR));
  if (!file.is_open()) fail(partial_path_ + " can't be written.");
  // One that has ended between opening and locking has renamed the file: it is a backup now.
  if (::flock(file.get(), LOCK_EX | LOCK_NB) != 0 || !is_at(file.get(), partial_path_)) {
    throw Failure("Another backup writes " + partial_path_ + ".");
  }
  // What a backup that was killed has left.
  if (::ftruncate(file.get(), 0) != 0 || ::fchmod(file.get(), S_IRUSR | S_IWUSR) != 0) {
    fail(partial_path_ + " can't be written.");
  }
  file_ = std::move(file);
}

FileSink::~FileSink() {
  if (file_.is_open() && !finished_) ::unlink(partial_path_.c_str());
}

void FileSink::write(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::write(file_.get(), bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) fail(partial_path_ + " can't be written.");
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
}

void FileSink::finish() {
  if (::fsync(file_.get()) != 0) fail(partial_path_ + " can't be brought to the disk.");
  if (::rename(partial_path_.c_str(), path_.c_str()) != 0) fail(partial_path_ + " can't be renamed.");
  finished_ = true;
  const Descriptor folder(::open(folder_of(path_).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder.is_open() || ::fsync(folder.get()) != 0)
    fail("The folder of " + path_ + " can't be brought to the disk.");
}

S3Sink::S3Sink(S3Object object, std::function<std::uint64_t(unsigned)> part_bytes)
    : object_(std::move(object)), part_bytes_(std::move(part_bytes)), upload_(object_.begin_upload()) {}

S3Sink::~S3Sink() {
  if (!upload_.empty()) object_.abort_upload(upload_);
}

void S3Sink::write(std::string_view bytes) {
  while (!bytes.empty()) {
    const std::size_t whole = part_bytes_(static_cast<unsigned>(etags_.size() + 1));
    const std::string_view now = bytes.substr(0, whole - part_.size());
    part_.append(now);
    bytes.remove_prefix(now.size());
    if (part_.size() == whole) put_part();
  }
}

void S3Sink::put_part() {
  if (etags_.size() == max_parts) throw Failure("The backup is larger than an object of S3 can be.");
  etags_.push_back(object_.put_part(upload_, static_cast<unsigned>(etags_.size() + 1), part_));
  bytes_ += part_.size();
  part_.clear();
}

void S3Sink::finish() {
  if (!part_.empty()) put_part();
  object_.complete_upload(upload_, etags_, bytes_);
  upload_.clear();
}

}  // namespace fluxora::ops
