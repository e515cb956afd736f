#include "s3_object.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

namespace fluxora::ops {
namespace {

using outbound::AwsAnswer;
using outbound::AwsRequest;
using std::chrono::milliseconds;

constexpr unsigned max_attempts = 6;
constexpr milliseconds first_pause{500};
constexpr std::size_t max_code = 64;
constexpr std::size_t max_upload_id = 2'048;
constexpr std::size_t max_complete_answer = 1024 * 1024;
constexpr std::size_t answer_overhead = 64 * 1024;  // an error's text, where bytes were asked for

/// What stands in the first such element of S3's XML; "" where there is none or it is longer.
std::string element(std::string_view xml, std::string_view name, std::size_t longest) {
  const std::string open = "<" + std::string(name) + ">";
  const std::size_t begin = xml.find(open);
  if (begin == std::string_view::npos) return {};
  const std::size_t from = begin + open.size();
  const std::size_t end = xml.find("</" + std::string(name) + ">", from);
  if (end == std::string_view::npos || end - from > longest) return {};
  return std::string(xml.substr(from, end - from));
}

/// S3's name of an error, letters alone; "" where it says none.
std::string code_of(const AwsAnswer& answer) {
  const std::string code = element(answer.body, "Code", max_code);
  const bool is_name = std::all_of(code.begin(), code.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  });
  return is_name ? code : std::string();
}

bool is_success(const AwsAnswer& answer) {
  return answer.status >= 200 && answer.status < 300 && code_of(answer).empty();
}

bool is_of_the_moment(const AwsAnswer& answer) {
  if (answer.status == 0 || answer.status == 408 || answer.status == 429 || answer.status >= 500) return true;
  const std::string code = code_of(answer);
  constexpr std::array<std::string_view, 7> passing = {
      "XAmzContentSHA256Mismatch", "BadDigest", "IncompleteBody", "RequestTimeout", "InternalError", "SlowDown",
      "ServiceUnavailable"};
  return std::find(passing.begin(), passing.end(), code) != passing.end();
}

/// What an operator may look at, for what S3 calls it.
std::string_view advice(const std::string& code, int status) {
  if (code == "InvalidAccessKeyId") return "AWS_ACCESS_KEY_ID isn't known there.";
  if (code == "SignatureDoesNotMatch") return "AWS_SECRET_ACCESS_KEY isn't the one of AWS_ACCESS_KEY_ID.";
  if (code == "InvalidToken" || code == "ExpiredToken") return "AWS_SESSION_TOKEN isn't valid any more.";
  if (code == "NoSuchBucket") return "There is no such bucket.";
  if (code == "NoSuchKey") return "There is no such object.";
  if (code == "RequestTimeTooSkewed") return "This machine's clock is wrong.";
  if (code == "AuthorizationHeaderMalformed" || code == "PermanentRedirect") {
    return "The bucket is in another region than AWS_REGION.";
  }
  if (code == "PreconditionFailed") return "Somebody wrote the object meanwhile.";
  if (code == "AccessDenied" || status == 403) return "These credentials don't allow it.";
  return "";
}

[[noreturn]] void refuse(std::string_view purpose, const AwsAnswer& answer) {
  const std::string text(purpose);
  if (answer.status == 0) throw Failure("S3 can't be reached to " + text + ".", answer.failure);
  const std::string code = code_of(answer);
  const std::string said = std::to_string(answer.status) + (code.empty() ? "" : " " + code);
  const std::string_view hint = advice(code, answer.status);
  throw Failure("S3 refuses to " + text + "." + (hint.empty() ? "" : " ") + std::string(hint), said);
}

std::string encoded(std::string_view text) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  std::string result;
  for (const char c : text) {
    const bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                          c == '.' || c == '_' || c == '~';
    if (is_plain) {
      result += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    result += '%';
    result += digits[byte >> 4U];
    result += digits[byte & 15U];
  }
  return result;
}

/// An ETag may stand in XML and a header as it is.
bool is_etag(std::string_view text) {
  return !text.empty() && text.size() <= 256 && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '"' || c == '-' ||
           c == '_' || c == '=' || c == '+' || c == '/';
  });
}

/// "bytes 0-99/1234" → 1234.
std::optional<std::uint64_t> total_of(std::string_view range) {
  const std::size_t slash = range.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  std::uint64_t total = 0;
  const char* const end = range.data() + range.size();
  const auto [rest, error] = std::from_chars(range.data() + slash + 1, end, total);
  if (error != std::errc{} || rest != end) return std::nullopt;
  return total;
}

}  // namespace

std::string object_url(const S3Options& options, const S3Place& place) {
  if (!options.endpoint.empty()) {
    const std::string base =
        options.endpoint.back() == '/' ? options.endpoint.substr(0, options.endpoint.size() - 1) : options.endpoint;
    return base + "/" + place.bucket + "/" + place.key;
  }
  const std::string& region = options.aws.region;
  const std::string host = "s3." + region + (region.rfind("cn-", 0) == 0 ? ".amazonaws.com.cn" : ".amazonaws.com");
  // A certificate for *.s3… doesn't cover a name with a dot in it.
  if (place.bucket.find('.') != std::string::npos) return "https://" + host + "/" + place.bucket + "/" + place.key;
  return "https://" + place.bucket + "." + host + "/" + place.key;
}

AwsAnswer S3Object::try_again(const AwsRequest& request) {
  milliseconds pause = first_pause;
  for (unsigned attempt = 1;; ++attempt) {
    AwsAnswer answer = wire_.send(request);
    if (is_success(answer) || !is_of_the_moment(answer) || attempt == max_attempts) return answer;
    wire_.sleep(pause);
    pause *= 2;
  }
}

AwsAnswer S3Object::ask(const AwsRequest& request, std::string_view purpose) {
  AwsAnswer answer = try_again(request);
  if (!is_success(answer)) refuse(purpose, answer);
  return answer;
}

std::string S3Object::begin_upload() {
  AwsRequest request{"POST", url_ + "?uploads=", {{"Content-Type", "application/octet-stream"}}, {}};
  const AwsAnswer answer = ask(request, "begin an upload");
  const std::string id = element(answer.body, "UploadId", max_upload_id);
  if (id.empty()) throw Failure("S3 doesn't say which upload it has begun.");
  return id;
}

std::string S3Object::put_part(const std::string& upload, unsigned number, std::string_view bytes) {
  const std::string url = url_ + "?partNumber=" + std::to_string(number) + "&uploadId=" + encoded(upload);
  const AwsAnswer answer =
      ask({"PUT", url, {{"Content-Type", "application/octet-stream"}}, bytes}, "take a part of the upload");
  if (!is_etag(answer.etag)) throw Failure("S3 took a part of the upload without an ETag that names it.");
  return answer.etag;
}

void S3Object::complete_upload(const std::string& upload, const std::vector<std::string>& etags, std::uint64_t bytes) {
  std::string list = "<CompleteMultipartUpload>";
  for (std::size_t i = 0; i < etags.size(); ++i) {
    list += "<Part><PartNumber>" + std::to_string(i + 1) + "</PartNumber><ETag>" + etags[i] + "</ETag></Part>";
  }
  list += "</CompleteMultipartUpload>";
  AwsRequest request{"POST", url_ + "?uploadId=" + encoded(upload), {{"Content-Type", "application/xml"}}, list};
  request.max_answer_bytes = max_complete_answer;
  request.even_when_stopped = true;  // given up halfway nobody knew whether the object is there
  const AwsAnswer answer = try_again(request);
  if (is_success(answer)) return;
  // The answer to an attempt that was heard may have been lost: then the upload is gone, and the object there.
  if (code_of(answer) == "NoSuchUpload" && is_there(bytes)) return;
  refuse("put the upload together", answer);
}

bool S3Object::is_there(std::uint64_t bytes) {
  const AwsAnswer answer = try_again({"HEAD", url_, {}, {}});
  return answer.status == 200 && answer.content_length == bytes;
}

bool S3Object::abort_upload(const std::string& upload) noexcept {
  try {
    AwsRequest request{"DELETE", url_ + "?uploadId=" + encoded(upload), {}, {}};
    request.even_when_stopped = true;
    constexpr unsigned attempts = 3;
    for (unsigned attempt = 0; attempt < attempts; ++attempt) {
      const AwsAnswer answer = wire_.send(request);
      if (is_success(answer) || code_of(answer) == "NoSuchUpload") return true;
    }
  } catch (const std::exception&) {
    // As where S3 doesn't answer: parts may be left, for the bucket's own rule to remove.
  }
  return false;
}

S3Object::Range S3Object::read(std::uint64_t from, std::uint64_t length, const std::string& etag) {
  AwsRequest request{
      "GET", url_, {{"Range", "bytes=" + std::to_string(from) + "-" + std::to_string(from + length - 1)}}, {}};
  if (!etag.empty()) request.headers.emplace_back("If-Match", etag);
  request.max_answer_bytes = static_cast<std::size_t>(length) + answer_overhead;
  AwsAnswer answer = try_again(request);
  if (from == 0 && answer.status == 416) return {};  // nothing is in it
  if (!is_success(answer)) refuse("read the object", answer);
  const auto total = answer.status == 206 ? total_of(answer.content_range) : answer.content_length;
  const bool fits = total && (answer.status == 206 || from == 0) && from <= *total &&
                    answer.body.size() == std::min(length, *total - from) && is_etag(answer.etag);
  if (!fits) throw Failure("S3 answered with other bytes of the object than those that were asked for.");
  if (!etag.empty() && answer.etag != etag) throw Failure("Somebody wrote the object while it was read.");
  return {std::move(answer.body), *total, answer.etag};
}

}  // namespace fluxora::ops
