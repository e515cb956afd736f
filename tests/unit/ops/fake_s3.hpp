#pragma once

#include <chrono>
#include <deque>
#include <string>
#include <vector>

#include "s3_object.hpp"

namespace fluxora::ops {

/// What an S3Object sends, and what it is answered: one answer a request, in order; behind the last of them 500.
struct FakeS3 {
  struct Sent {
    std::string method;
    std::string url;
    std::string body;
    std::vector<std::pair<std::string, std::string>> headers;
    bool even_when_stopped = false;
  };

  [[nodiscard]] S3Wire wire() {
    return {[this](const outbound::AwsRequest& request) {
              sent.push_back(
                  {request.method, request.url, std::string(request.body), request.headers, request.even_when_stopped});
              if (answers.empty()) return answer(500);
              outbound::AwsAnswer next = answers.front();
              answers.pop_front();
              return next;
            },
            [this](std::chrono::milliseconds pause) { pauses.push_back(pause.count()); }};
  }

  static outbound::AwsAnswer answer(int status, const std::string& body = {}, const std::string& etag = {}) {
    outbound::AwsAnswer made;
    made.status = status;
    made.body = body;
    made.etag = etag;
    return made;
  }
  static outbound::AwsAnswer error(int status, const std::string& code) {
    return answer(status, "<?xml version=\"1.0\"?><Error><Code>" + code + "</Code><Message>secret</Message></Error>");
  }
  static outbound::AwsAnswer upload(const std::string& id) {
    return answer(200,
                  "<InitiateMultipartUploadResult><UploadId>" + id + "</UploadId></InitiateMultipartUploadResult>");
  }
  static outbound::AwsAnswer range(const std::string& bytes, const std::string& content_range,
                                   const std::string& etag = "\"e\"") {
    outbound::AwsAnswer made = answer(206, bytes, etag);
    made.content_range = content_range;
    return made;
  }

  std::deque<outbound::AwsAnswer> answers;
  std::vector<Sent> sent;
  std::vector<long> pauses;
};

}  // namespace fluxora::ops
