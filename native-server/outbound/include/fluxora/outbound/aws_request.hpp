#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// Requests to a service that the operator names, signed with AWS Signature Version 4: S3 and what speaks like it.
/// SPEC section 11.
namespace fluxora::outbound {

struct AwsOptions {
  std::string access_key_id;
  std::string secret_access_key;
  std::string session_token;  ///< of temporary credentials; empty: none
  std::string region;
  std::string ca_file;  ///< PEM; empty: the system's
  std::string user_agent = "Fluxora";
  int connect_timeout_ms = 10'000;
};

struct AwsRequest {
  std::string method;  ///< GET, HEAD, PUT, POST or DELETE
  /// As it is signed and sent: nothing in it needs encoding, and the query's parameters are in order, each with "=".
  std::string url;
  std::vector<std::pair<std::string, std::string>> headers;  ///< none of them without a value
  std::string_view body;                                     ///< outlives the call
  std::size_t max_answer_bytes = 64 * 1024;                  ///< an answer with a longer body is a failure
  bool even_when_stopped = false;                            ///< it isn't given up when the process is to end
};

struct AwsAnswer {
  int status = 0;       ///< 0: there was no answer
  std::string failure;  ///< then: why, as a sentence's part, without the URL's query or any credential
  std::string etag;
  std::string content_range;
  std::optional<std::uint64_t> content_length;
  std::string body;
};

/// One request after another over libcurl, HTTP/1.1 on a kept connection, TLS 1.2 at least with chain and name
/// verified. Each names the SHA-256 of its body, which is signed too: a service that checks it takes no byte that isn't
/// ours. Redirects aren't followed; proxies, cookies and .netrc aren't looked at. For one thread.
class AwsClient {
 public:
  /// `stopped` is asked at least once a second while a request runs: true gives it up. Throws std::runtime_error where
  /// libcurl can't be used.
  AwsClient(AwsOptions options, std::function<bool()> stopped);
  ~AwsClient();
  AwsClient(const AwsClient&) = delete;
  AwsClient& operator=(const AwsClient&) = delete;

  /// One attempt. It may take a minute, and a second more for each 256 KiB that are sent or awaited.
  [[nodiscard]] AwsAnswer send(const AwsRequest& request);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace fluxora::outbound
