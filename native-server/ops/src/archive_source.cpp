#include "archive_source.hpp"

#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace fluxora::ops {
namespace {

constexpr std::size_t file_chunk_bytes = 1024 * 1024;
constexpr std::uint64_t range_bytes = std::uint64_t{16} * 1024 * 1024;

}  // namespace

FileSource::FileSource(const FilePlace& place)
    : path_(place.path), file_(::open(place.path.c_str(), O_RDONLY | O_CLOEXEC)) {
  if (!file_.is_open()) throw Failure(path_ + " can't be read.", std::strerror(errno));
  struct stat facts{};
  if (::fstat(file_.get(), &facts) != 0 || !S_ISREG(facts.st_mode)) throw Failure(path_ + " is no ordinary file.");
}

std::string FileSource::read() {
  std::string bytes(file_chunk_bytes, '\0');
  ssize_t count = 0;
  do {
    count = ::read(file_.get(), bytes.data(), bytes.size());
  } while (count < 0 && errno == EINTR);
  if (count < 0) throw Failure(path_ + " can't be read.", std::strerror(errno));
  bytes.resize(static_cast<std::size_t>(count));
  return bytes;
}

std::string S3Source::read() {
  if (!etag_.empty() && read_ == total_) return {};
  S3Object::Range range = object_.read(read_, range_bytes, etag_);
  total_ = range.total;
  etag_ = range.etag;
  read_ += range.bytes.size();
  return std::move(range.bytes);
}

}  // namespace fluxora::ops
