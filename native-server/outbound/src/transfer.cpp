#include "transfer.hpp"

#include <algorithm>
#include <chrono>
#include <stdexcept>

#include <netinet/in.h>
#include <sys/socket.h>

#include "readable_text.hpp"
#include "target.hpp"

namespace fluxora::outbound {
namespace {

constexpr std::size_t max_head_bytes = 64 * 1024;  // of all heads of an answer, 1xx ones included
constexpr std::size_t max_body_bytes = 16 * 1024;
constexpr std::size_t max_detail_bytes = 256;
constexpr unsigned first_final_status = 200;
constexpr unsigned last_status = 599;
// As core::RetrySchedule takes it.
constexpr curl_off_t max_retry_after_s = 7 * 24 * 3'600;
// Then a new connection looks the name up again: receivers move.
constexpr long max_connection_life_s = 600;

/// None: a family that nothing is sent over.
std::optional<core::IpAddress> address_of(const curl_sockaddr& target) {
  core::IpAddress address;
  if (target.family == AF_INET) {
    const auto& v4 = reinterpret_cast<const sockaddr_in&>(target.addr);
    const auto* bytes = reinterpret_cast<const std::uint8_t*>(&v4.sin_addr);
    address.bytes[10] = address.bytes[11] = 0xff;
    std::copy(bytes, bytes + sizeof v4.sin_addr, address.bytes.begin() + 12);
    return address;
  }
  if (target.family == AF_INET6) {
    const auto& v6 = reinterpret_cast<const sockaddr_in6&>(target.addr);
    const auto* bytes = reinterpret_cast<const std::uint8_t*>(&v6.sin6_addr);
    std::copy(bytes, bytes + sizeof v6.sin6_addr, address.bytes.begin());
    return address;
  }
  return std::nullopt;
}

bool is_tls_error(CURLcode result) {
  switch (result) {
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_INVALIDCERTSTATUS:
    case CURLE_USE_SSL_FAILED: return true;
    default: return false;
  }
}

}  // namespace

Transfer::Transfer(const CurlTransportOptions& options, std::vector<CURL*>& refused)
    : options_(options), refused_(refused), easy_(curl_easy_init()), url_(curl_url()) {
  if (easy_ == nullptr || url_ == nullptr) throw std::runtime_error("libcurl has no memory for a request");
  set_common_options();
}

template <class Value>
void Transfer::set(CURLoption option, Value value) {
  set_option(easy_.get(), option, value);
}

// Set anew each time: libcurl counts over all requests of a handle how often a kept connection turned out to be closed,
// and gives up at the sixth, unless the handle is reset.
void Transfer::set_common_options() {
  curl_easy_reset(easy_.get());
  set(CURLOPT_PRIVATE, static_cast<void*>(this));
  set(CURLOPT_ERRORBUFFER, error_.data());
  set(CURLOPT_OPENSOCKETFUNCTION, &Transfer::on_open_socket);
  set(CURLOPT_OPENSOCKETDATA, static_cast<void*>(this));
  set(CURLOPT_HEADERFUNCTION, &Transfer::on_head);
  set(CURLOPT_HEADERDATA, static_cast<void*>(this));
  set(CURLOPT_WRITEFUNCTION, &Transfer::on_body);
  set(CURLOPT_WRITEDATA, static_cast<void*>(this));

  set_request_rules(easy_.get(), options_.ca_file, options_.user_agent);
  // A lookup that outlasts its request ends on its own thread: waiting for it would hold up everybody else.
  set(CURLOPT_QUICK_EXIT, 1L);
  set(CURLOPT_MAXLIFETIME_CONN, max_connection_life_s);
  set(CURLOPT_TIMEOUT_MS, static_cast<long>(options_.timeout_ms));
  set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(std::min(options_.connect_timeout_ms, options_.timeout_ms)));
  set(CURLOPT_POST, 1L);
}

HeaderList Transfer::header_list() const {
  HeaderList list;
  // libcurl would ask for permission before it sends a large body, and wait for it.
  append_line(list, "Expect:");
  for (const auto& [name, value] : job_.request.headers) {
    append_line(list, value.empty() ? name + ";" : name + ": " + value);  // "name:" would leave it out
  }
  return list;
}

bool Transfer::begin(Job job, core::UnixMillis now) {
  job_ = std::move(job);
  started_at_ = now;
  error_[0] = '\0';
  refusal_.clear();
  excess_.clear();
  address_refused_ = socket_opened_ = has_head_ = false;
  status_ = 0;
  head_bytes_ = body_bytes_ = 0;
  body_begin_.clear();
  if (auto problem = read_target(url_.get(), job_.request.url, options_.targets)) {
    refusal_ = "The URL " + *problem;
    return false;
  }
  headers_ = header_list();
  set_common_options();
  set(CURLOPT_CURLU, url_.get());
  set(CURLOPT_HTTPHEADER, headers_.get());
  set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(job_.request.body->size()));
  set(CURLOPT_POSTFIELDS, job_.request.body->data());
  return true;
}

ports::WebhookAnswer Transfer::finish(CURLcode result) {
  if (!refusal_.empty()) return failed(ports::TransportFailure::target_refused, refusal_);
  if (has_head_) return answered();
  const ports::TransportFailure failure = failure_of(result);
  if (failure == ports::TransportFailure::target_refused)
    return failed(failure, "The host has no address that may be connected to.");
  if (!excess_.empty()) return failed(failure, excess_);
  // libcurl's own words name the file.
  if (result == CURLE_SSL_CACERT_BADFILE) return failed(failure, "WEBHOOK_CA_FILE can't be used.");
  if (error_[0] != '\0') return failed(failure, error_.data());
  if (result == CURLE_OK) return failed(failure, "The answer ended before its head did.");
  return failed(failure, curl_easy_strerror(result));
}

ports::WebhookAnswer Transfer::cancel() {
  return failed(ports::TransportFailure::cancelled, "The service is ending.");
}

std::function<void(ports::WebhookAnswer)> Transfer::take_done() {
  auto done = std::move(job_.done);
  job_ = {};
  return done;
}

Transfer& Transfer::of(CURL* handle) {
  char* self = nullptr;
  curl_easy_getinfo(handle, CURLINFO_PRIVATE, &self);
  return *reinterpret_cast<Transfer*>(self);
}

ports::WebhookAnswer Transfer::failed(ports::TransportFailure failure, std::string_view detail) const {
  ports::WebhookAnswer answer;
  answer.failure = failure;
  answer.detail = readable_text(detail, max_detail_bytes);
  answer.started_at = started_at_;
  if (!refusal_.empty()) return answer;  // the handle knows the request before
  curl_off_t duration_us = 0;
  curl_easy_getinfo(easy_.get(), CURLINFO_TOTAL_TIME_T, &duration_us);
  answer.duration_ms = duration_us / 1'000;
  return answer;
}

ports::WebhookAnswer Transfer::answered() const {
  ports::WebhookAnswer answer = failed(ports::TransportFailure::none, {});
  answer.status = status_;
  answer.response = readable_text(body_begin_, ports::response_excerpt);
  curl_off_t retry_after_s = 0;
  curl_easy_getinfo(easy_.get(), CURLINFO_RETRY_AFTER, &retry_after_s);
  if (retry_after_s > 0) answer.retry_after_ms = std::min(retry_after_s, max_retry_after_s) * 1'000;
  return answer;
}

ports::TransportFailure Transfer::failure_of(CURLcode result) const {
  using ports::TransportFailure;
  if (is_tls_error(result)) return TransportFailure::tls_failed;
  switch (result) {
    case CURLE_COULDNT_RESOLVE_HOST: return TransportFailure::resolve_failed;
    case CURLE_COULDNT_CONNECT:
      return address_refused_ && !socket_opened_ ? TransportFailure::target_refused : TransportFailure::connect_failed;
    case CURLE_OPERATION_TIMEDOUT: return TransportFailure::timed_out;
    default: return TransportFailure::protocol_failed;
  }
}

// The very address that is about to be connected to: what the name's servers say at another time doesn't matter.
curl_socket_t Transfer::open_socket(const curl_sockaddr& target) {
  const auto address = address_of(target);
  if (!address || !options_.targets.allow(*address)) {
    address_refused_ = true;
    refused_.push_back(easy_.get());
    return CURL_SOCKET_BAD;
  }
  socket_opened_ = true;
  return ::socket(target.family, target.socktype | SOCK_CLOEXEC, target.protocol);
}

bool Transfer::take_head(std::string_view line) {
  head_bytes_ += line.size();
  if (head_bytes_ > max_head_bytes) {
    excess_ = "The answer's head is larger than 64 KiB.";
    return false;
  }
  if (has_head_) return true;  // trailers
  if (line.starts_with("HTTP/")) {
    long status = 0;
    curl_easy_getinfo(easy_.get(), CURLINFO_RESPONSE_CODE, &status);
    status_ = static_cast<unsigned>(status);
    if (status_ >= 100 && status_ <= last_status) return true;
    excess_ = "The answer's status isn't one of HTTP.";
    return false;
  }
  has_head_ = (line == "\r\n" || line == "\n") && status_ >= first_final_status;
  return true;
}

bool Transfer::take_body(std::string_view bytes) {
  body_bytes_ += bytes.size();
  const std::size_t room = readable_from(ports::response_excerpt) - body_begin_.size();
  body_begin_ += bytes.substr(0, room);
  return body_bytes_ <= max_body_bytes;
}

curl_socket_t Transfer::on_open_socket(void* self, curlsocktype, curl_sockaddr* address) {
  return static_cast<Transfer*>(self)->open_socket(*address);
}

std::size_t Transfer::on_head(char* bytes, std::size_t size, std::size_t count, void* self) {
  const std::string_view line(bytes, size * count);
  return static_cast<Transfer*>(self)->take_head(line) ? line.size() : 0;
}

std::size_t Transfer::on_body(char* bytes, std::size_t size, std::size_t count, void* self) {
  const std::string_view piece(bytes, size * count);
  return static_cast<Transfer*>(self)->take_body(piece) ? piece.size() : 0;
}

}  // namespace fluxora::outbound
