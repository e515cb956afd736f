#include "fluxora/outbound/aws_request.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <stdexcept>

#include "curl_handles.hpp"
#include "fluxora/core/bytes.hpp"
#include "fluxora/core/sha256.hpp"

namespace fluxora::outbound {
namespace {

constexpr long patience_ms = 60'000;
constexpr long bytes_a_second = 256 * 1024;  // slower than this a request is given up
constexpr std::size_t max_header_bytes = 64 * 1024;
constexpr std::size_t max_failure_bytes = 256;

/// The value of a header line where it is that header's; names are compared without case.
std::optional<std::string> value_of(std::string_view line, std::string_view name) {
  if (line.size() <= name.size() || line[name.size()] != ':') return std::nullopt;
  const bool same = std::equal(name.begin(), name.end(), line.begin(), [](char left, char right) {
    return left == (right >= 'A' && right <= 'Z' ? static_cast<char>(right - 'A' + 'a') : right);
  });
  if (!same) return std::nullopt;
  line.remove_prefix(name.size() + 1);
  const auto begin = line.find_first_not_of(" \t");
  const auto end = line.find_last_not_of(" \t\r\n");
  return begin == std::string_view::npos ? std::string() : std::string(line.substr(begin, end - begin + 1));
}

}  // namespace

class AwsClient::Impl {
 public:
  Impl(AwsOptions options, std::function<bool()> stopped)
      : options_(std::move(options)),
        stopped_(std::move(stopped)),
        credentials_(options_.access_key_id + ":" + options_.secret_access_key),
        signature_("aws:amz:" + options_.region + ":s3") {
    static const CURLcode started = curl_global_init(CURL_GLOBAL_DEFAULT);
    easy_.reset(curl_easy_init());
    if (started != CURLE_OK || easy_ == nullptr) throw std::runtime_error("libcurl can't be started");
  }

  AwsAnswer send(const AwsRequest& request) {
    answer_ = {};
    request_ = &request;
    header_bytes_ = 0;
    const HeaderList headers = header_list(request);
    set_options(request, headers.get());
    const CURLcode result = curl_easy_perform(easy_.get());
    if (result != CURLE_OK) {
      answer_ = {};
      answer_.failure = failure_of(result);
      return std::move(answer_);
    }
    long status = 0;
    curl_easy_getinfo(easy_.get(), CURLINFO_RESPONSE_CODE, &status);
    answer_.status = static_cast<int>(status);
    return std::move(answer_);
  }

 private:
  template <class Value>
  void set(CURLoption option, Value value) {
    set_option(easy_.get(), option, value);
  }

  [[nodiscard]] HeaderList header_list(const AwsRequest& request) const {
    HeaderList list;
    // libcurl takes the hash for the signature from here, and would otherwise sign that the body isn't signed.
    append_line(list, "x-amz-content-sha256: " + core::hex_encode(core::sha256(core::as_bytes(request.body))));
    if (!options_.session_token.empty()) append_line(list, "x-amz-security-token: " + options_.session_token);
    for (const auto& [name, value] : request.headers) append_line(list, name + ": " + value);
    return list;
  }

  void set_options(const AwsRequest& request, curl_slist* headers) {
    curl_easy_reset(easy_.get());
    error_[0] = '\0';
    set(CURLOPT_ERRORBUFFER, error_.data());
    set(CURLOPT_URL, request.url.c_str());
    set(CURLOPT_PATH_AS_IS, 1L);
    set(CURLOPT_HTTPHEADER, headers);
    set(CURLOPT_USERPWD, credentials_.c_str());
    set(CURLOPT_AWS_SIGV4, signature_.c_str());
    set_method(request);
    set(CURLOPT_HEADERFUNCTION, &Impl::on_header);
    set(CURLOPT_HEADERDATA, static_cast<void*>(this));
    set(CURLOPT_WRITEFUNCTION, &Impl::on_body);
    set(CURLOPT_WRITEDATA, static_cast<void*>(this));
    set(CURLOPT_NOPROGRESS, 0L);
    set(CURLOPT_XFERINFOFUNCTION, &Impl::on_progress);
    set(CURLOPT_XFERINFODATA, static_cast<void*>(this));

    set_request_rules(easy_.get(), options_.ca_file, options_.user_agent);
    const auto bytes = static_cast<long>(std::max(request.body.size(), request.max_answer_bytes));
    set(CURLOPT_TIMEOUT_MS, patience_ms + bytes / bytes_a_second * 1'000);
    set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(options_.connect_timeout_ms));
  }

  void set_method(const AwsRequest& request) {
    if (request.method == "PUT" || request.method == "POST") {
      set(CURLOPT_POST, 1L);
      set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
      set(CURLOPT_POSTFIELDS, request.body.empty() ? "" : request.body.data());  // null would ask stdin
    } else {
      set(CURLOPT_HTTPGET, 1L);
    }
    if (request.method == "HEAD") set(CURLOPT_NOBODY, 1L);
    set(CURLOPT_CUSTOMREQUEST, request.method.c_str());
  }

  [[nodiscard]] std::string failure_of(CURLcode result) const {
    if (result == CURLE_WRITE_ERROR) return "the answer is longer than it may be";
    if (result == CURLE_ABORTED_BY_CALLBACK) return "stopped";
    std::string text = error_[0] == '\0' ? curl_easy_strerror(result) : error_.data();
    if (text.size() > max_failure_bytes) text.resize(max_failure_bytes);
    return text;
  }

  static std::size_t on_header(char* data, std::size_t, std::size_t size, void* self) {
    auto& impl = *static_cast<Impl*>(self);
    impl.header_bytes_ += size;
    if (impl.header_bytes_ > max_header_bytes) return 0;
    const std::string_view line(data, size);
    if (line.rfind("HTTP/", 0) == 0) impl.answer_ = {};  // an interim answer was before it
    if (const auto etag = value_of(line, "etag")) impl.answer_.etag = *etag;
    if (const auto range = value_of(line, "content-range")) impl.answer_.content_range = *range;
    if (const auto length = value_of(line, "content-length")) {
      std::uint64_t number = 0;
      const auto [end, error] = std::from_chars(length->data(), length->data() + length->size(), number);
      if (error == std::errc{} && end == length->data() + length->size()) impl.answer_.content_length = number;
    }
    return size;
  }

  static std::size_t on_body(char* data, std::size_t, std::size_t size, void* self) {
    auto& impl = *static_cast<Impl*>(self);
    if (size > impl.request_->max_answer_bytes - impl.answer_.body.size()) return 0;
    impl.answer_.body.append(data, size);
    return size;
  }

  static int on_progress(void* self, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
    auto& impl = *static_cast<Impl*>(self);
    return !impl.request_->even_when_stopped && impl.stopped_() ? 1 : 0;
  }

  const AwsOptions options_;
  const std::function<bool()> stopped_;
  const std::string credentials_;
  const std::string signature_;  // what libcurl is told of it: both providers' names, region and service
  EasyHandle easy_;
  std::array<char, CURL_ERROR_SIZE> error_{};
  const AwsRequest* request_ = nullptr;
  std::size_t header_bytes_ = 0;
  AwsAnswer answer_;
};

AwsClient::AwsClient(AwsOptions options, std::function<bool()> stopped)
    : impl_(std::make_unique<Impl>(std::move(options), std::move(stopped))) {}

AwsClient::~AwsClient() = default;

AwsAnswer AwsClient::send(const AwsRequest& request) {
  return impl_->send(request);
}

}  // namespace fluxora::outbound
