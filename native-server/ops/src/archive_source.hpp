#pragma once

#include <memory>
#include <string>

#include "child_process.hpp"
#include "fluxora/ops/backup.hpp"
#include "s3_object.hpp"

namespace fluxora::ops {

/// An archive to be read once, from its first byte to its last.
class ArchiveSource {
 public:
  virtual ~ArchiveSource() = default;
  /// The next bytes; empty: that was all.
  virtual std::string read() = 0;
};

class FileSource final : public ArchiveSource {
 public:
  explicit FileSource(const FilePlace& place);
  std::string read() override;

 private:
  const std::string path_;
  Descriptor file_;
};

/// Read in ranges of 16 MiB, of which each may be tried again; the object stays the one that the first was of.
class S3Source final : public ArchiveSource {
 public:
  explicit S3Source(S3Object object) : object_(std::move(object)) {}
  std::string read() override;

 private:
  S3Object object_;
  std::uint64_t read_ = 0;
  std::uint64_t total_ = 0;
  std::string etag_;
};

}  // namespace fluxora::ops
