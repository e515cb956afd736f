#pragma once

#include <array>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "curl_handles.hpp"
#include "fluxora/outbound/webhook_transport.hpp"

namespace fluxora::outbound {

/// A request that was asked for.
struct Job {
  ports::WebhookRequest request;
  std::function<void(ports::WebhookAnswer)> done;
};

/// One request at a time on a handle of libcurl that is used again and again.
class Transfer {
 public:
  /// Both outlive it. Handles that were refused an address are added to `refused`. Throws std::runtime_error where
  /// libcurl has no handle, or lacks something.
  Transfer(const CurlTransportOptions& options, std::vector<CURL*>& refused);
  Transfer(const Transfer&) = delete;
  Transfer& operator=(const Transfer&) = delete;

  /// Takes the request up. False: nothing may be sent there, and finish() says why.
  [[nodiscard]] bool begin(Job job, core::UnixMillis now);
  /// What became of it; libcurl has let go of the handle.
  [[nodiscard]] ports::WebhookAnswer finish(CURLcode result);
  [[nodiscard]] ports::WebhookAnswer cancel();
  /// Whom to tell; once.
  [[nodiscard]] std::function<void(ports::WebhookAnswer)> take_done();

  [[nodiscard]] CURL* handle() const noexcept { return easy_.get(); }
  [[nodiscard]] static Transfer& of(CURL* handle);

 private:
  template <class Value>
  void set(CURLoption option, Value value);
  void set_common_options();
  [[nodiscard]] HeaderList header_list() const;
  [[nodiscard]] ports::WebhookAnswer failed(ports::TransportFailure failure, std::string_view detail) const;
  [[nodiscard]] ports::WebhookAnswer answered() const;
  [[nodiscard]] ports::TransportFailure failure_of(CURLcode result) const;

  [[nodiscard]] curl_socket_t open_socket(const curl_sockaddr& address);
  [[nodiscard]] bool take_head(std::string_view line);
  [[nodiscard]] bool take_body(std::string_view bytes);

  static curl_socket_t on_open_socket(void* self, curlsocktype purpose, curl_sockaddr* address);
  static std::size_t on_head(char* bytes, std::size_t size, std::size_t count, void* self);
  static std::size_t on_body(char* bytes, std::size_t size, std::size_t count, void* self);

  const CurlTransportOptions& options_;
  std::vector<CURL*>& refused_;
  EasyHandle easy_;
  UrlHandle url_;
  std::array<char, CURL_ERROR_SIZE> error_{};

  Job job_;
  HeaderList headers_;
  core::UnixMillis started_at_ = 0;
  std::string refusal_;  ///< nothing was sent, for that reason
  std::string excess_;   ///< why we ended it
  bool address_refused_ = false;
  bool socket_opened_ = false;
  unsigned status_ = 0;    ///< of the newest status line
  bool has_head_ = false;  ///< the final answer's is complete
  std::size_t head_bytes_ = 0;
  std::size_t body_bytes_ = 0;
  std::string body_begin_;
};

}  // namespace fluxora::outbound
