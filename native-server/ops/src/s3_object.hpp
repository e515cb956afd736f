#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "fluxora/ops/backup.hpp"

namespace fluxora::ops {

/// Most parts that S3 puts together.
inline constexpr unsigned max_parts = 10'000;

/// Bytes of part `number`, from 1 on: 16 MiB, and as much more behind each 150 parts, so that what is held in memory
/// grows with what was written and all parts together reach 5 TiB, which is S3's largest object.
[[nodiscard]] constexpr std::uint64_t part_bytes(unsigned number) noexcept {
  return (std::uint64_t{1} + (number - 1) / 150) * 16 * 1024 * 1024;
}

/// The object's address: path style at an endpoint, else Amazon's, by host where TLS certificates fit the name.
[[nodiscard]] std::string object_url(const S3Options& options, const S3Place& place);

/// How requests are sent, and how time passes between attempts; tests have their own.
struct S3Wire {
  std::function<outbound::AwsAnswer(const outbound::AwsRequest&)> send;
  std::function<void(std::chrono::milliseconds)> sleep;  ///< may throw Stopped
};

/// One object of S3, by the requests that multipart upload and ranged reading take. What fails for the moment (no
/// answer, 408, 429, 5xx, a body that arrived as another one) is tried again, six times in all within some 15 s. Throws
/// Failure, which names what S3 said and the setting that it speaks of.
class S3Object {
 public:
  S3Object(std::string url, S3Wire wire) : url_(std::move(url)), wire_(std::move(wire)) {}

  /// The upload's id.
  [[nodiscard]] std::string begin_upload();
  /// The part's ETag.
  [[nodiscard]] std::string put_part(const std::string& upload, unsigned number, std::string_view bytes);
  /// `bytes`: of all parts together.
  void complete_upload(const std::string& upload, const std::vector<std::string>& etags, std::uint64_t bytes);
  /// Removes the parts, also where the process is to end. False: they may still lie there.
  bool abort_upload(const std::string& upload) noexcept;

  struct Range {
    std::string bytes;
    std::uint64_t total = 0;  ///< of the object
    std::string etag;
  };
  /// From that byte on, as many as there are up to `length`; `etag`: of the object that it has to be; empty: any.
  [[nodiscard]] Range read(std::uint64_t from, std::uint64_t length, const std::string& etag);

 private:
  outbound::AwsAnswer try_again(const outbound::AwsRequest& request);
  outbound::AwsAnswer ask(const outbound::AwsRequest& request, std::string_view purpose);
  [[nodiscard]] bool is_there(std::uint64_t bytes);

  const std::string url_;
  const S3Wire wire_;
};

}  // namespace fluxora::ops
