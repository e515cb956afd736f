#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "child_process.hpp"
#include "fluxora/ops/backup.hpp"
#include "s3_object.hpp"

namespace fluxora::ops {

/// Where an archive is written to. What is destroyed before finish() leaves the place as it was.
class ArchiveSink {
 public:
  virtual ~ArchiveSink() = default;
  virtual void write(std::string_view bytes) = 0;
  /// From now on the place has it.
  virtual void finish() = 0;
};

/// FILE.partial, readable for its owner alone, renamed to FILE when it is on the disk. Throws Failure where another
/// process writes the same one.
class FileSink final : public ArchiveSink {
 public:
  explicit FileSink(const FilePlace& place);
  ~FileSink() override;
  void write(std::string_view bytes) override;
  void finish() override;

 private:
  const std::string path_;
  const std::string partial_path_;
  Descriptor file_;
  bool finished_ = false;
};

/// An object that appears with its last part. It holds one part in memory.
class S3Sink final : public ArchiveSink {
 public:
  /// `part_bytes`: bytes of the part of that number.
  S3Sink(S3Object object, std::function<std::uint64_t(unsigned)> part_bytes);
  ~S3Sink() override;
  void write(std::string_view bytes) override;
  void finish() override;

 private:
  void put_part();

  S3Object object_;
  const std::function<std::uint64_t(unsigned)> part_bytes_;
  std::string upload_;  // empty: none is begun, or it is over
  std::vector<std::string> etags_;
  std::string part_;
  std::uint64_t bytes_ = 0;
};

}  // namespace fluxora::ops
