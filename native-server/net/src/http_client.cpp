#include "fluxora/net/http_client.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <charconv>
#include <chrono>
#include <memory>
#include <optional>
#include <system_error>
#include <thread>
#include <utility>

#include <boost/asio/buffer.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>

#include "asio_types.hpp"
#include "http_wire.hpp"

namespace fluxora::net {

namespace {

using Kind = HttpClientError::Kind;
using asio::ip::tcp;

constexpr std::size_t max_head_bytes = 64 * 1024;
constexpr std::size_t read_bytes = 16 * 1024;
constexpr int max_interim_responses = 8;

bool is_ip_address(const std::string& host) {
  ErrorCode error;
  asio::ip::make_address(host, error);
  return !error;
}

/// The connection ended before the answer's first byte: worth another try when it was a kept one.
struct StaleConnection : HttpClientError {
  using HttpClientError::HttpClientError;
};

}  // namespace

std::optional<std::chrono::seconds> retry_after(const HttpClientResponse& response) {
  for (const auto& [name, value] : response.headers) {
    if (!equal_ignoring_case(name, "Retry-After")) continue;
    std::uint32_t seconds = 0;
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), seconds);
    if (error == std::errc{} && end == value.data() + value.size()) return std::chrono::seconds(seconds);
  }
  return std::nullopt;
}

class HttpClient::Impl {
 public:
  Impl(Url origin, HttpClientOptions options)
      : origin_(std::move(origin)), options_(std::move(options)), resolver_(std::in_place, *context_) {
    host_header_ = origin_.host.find(':') == std::string::npos ? origin_.host : "[" + origin_.host + "]";
    if (origin_.port != (origin_.secure ? "443" : "80")) host_header_ += ":" + origin_.port;
    if (origin_.secure) set_up_tls();
  }

  /// The context's end waits for the thread that looks names up, and no lookup can be ended: the C library may take its
  /// time for one. So where one is under way still, the context is left to a thread that waits for it alone.
  ~Impl() {
    disconnect();
    if (context_->stopped()) context_->restart();
    context_->poll();  // what a lookup that has come back since has to say
    if (!lookup_ || lookup_->done) return;
    resolver_.reset();
    try {
      std::thread([context = std::move(context_)]() mutable { context.reset(); }).detach();
    } catch (const std::system_error&) {
      return;  // no thread to be had: it was waited for here
    }
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  HttpClientResponse post(std::string_view target, std::string_view content_type, std::string_view body,
                          const HeaderFields& headers) {
    if (!is_field_value(content_type)) throw std::invalid_argument("the request's content type is malformed");
    std::string fields = "Content-Type: ";
    fields.append(content_type).append("\r\nContent-Length: ").append(std::to_string(body.size())).append("\r\n");
    return request(request_head("POST", target, fields, headers), body);
  }

  HttpClientResponse get(std::string_view target, const HeaderFields& headers) {
    return request(request_head("GET", target, "", headers), "");
  }

  void cancel() noexcept {
    cancelled_.store(true);
    try {
      asio::post(*context_, [] {});  // wakes wait()
    } catch (...) {
      // Out of memory: the request ends at its deadline instead.
      return;
    }
  }

 private:
  using Stream = asio::ssl::stream<tcp::socket>;

  HttpClientResponse request(const std::string& head, std::string_view body) {
    if (stream_) {
      try {
        return exchange(head, body);
      } catch (const StaleConnection&) {
        disconnect();
      }
    }
    connect();
    return exchange(head, body);
  }

  /// What an operation leaves behind; shared, for a resolver may come back after we have gone on.
  struct Outcome {
    bool done = false;
    ErrorCode error;
    std::size_t bytes = 0;
    tcp::resolver::results_type addresses;
  };

  void set_up_tls() {
    try {
      tls_.emplace(asio::ssl::context::tls_client);
      tls_->set_options(asio::ssl::context::default_workarounds | asio::ssl::context::no_tlsv1 |
                        asio::ssl::context::no_tlsv1_1);
      if (options_.ca_file.empty())
        tls_->set_default_verify_paths();
      else
        tls_->load_verify_file(options_.ca_file);
      tls_->set_verify_mode(asio::ssl::verify_peer);
      tls_->set_verify_callback(asio::ssl::host_name_verification(origin_.host));
    } catch (const boost::system::system_error& error) {
      throw HttpClientError(Kind::tls, "the certificate authorities can't be read: " + error.code().message());
    }
  }

  /// `fields`: lines about the body, if there is one.
  std::string request_head(std::string_view method, std::string_view target, std::string_view fields,
                           const HeaderFields& headers) const {
    const bool sound = target.starts_with('/') &&
                       std::all_of(target.begin(), target.end(), [](char c) { return c > 0x20 && c < 0x7f; });
    if (!sound) throw std::invalid_argument("the request's target is malformed");
    std::string head(method);
    head.append(" ").append(target).append(" HTTP/1.1\r\nHost: ").append(host_header_);
    head.append("\r\nUser-Agent: fluxora\r\nAccept: */*\r\n").append(fields);
    for (const auto& [name, value] : headers) {
      if (!is_token(name) || !is_field_value(value)) throw std::invalid_argument("a request's header is malformed");
      head.append(name).append(": ").append(value).append("\r\n");
    }
    head.append("\r\n");
    return head;
  }

  // Waiting: every operation is started, and then the context runs until it is done, or time or patience is up.

  void check_cancelled() {
    if (!cancelled_.load()) return;
    disconnect();
    throw HttpClientError(Kind::cancelled, "the request was cancelled");
  }

  std::string where() const { return origin_.host + ":" + origin_.port; }

  /// Throws timeout or cancelled; the connection is closed then.
  void wait(const std::shared_ptr<Outcome>& outcome, const char* what) {
    if (context_->stopped()) context_->restart();
    while (!outcome->done && !cancelled_.load() && SteadyClock::now() < deadline_) context_->run_one_until(deadline_);
    if (outcome->done && !cancelled_.load()) return;
    const bool cancelled = cancelled_.load();
    disconnect();
    if (cancelled) throw HttpClientError(Kind::cancelled, "the request was cancelled");
    throw HttpClientError(Kind::timeout, std::string(what) + " " + where() + " took too long");
  }

  tcp::socket& socket() { return stream_->next_layer(); }

  /// Runs what the closed socket's operations still have to say: they refer to our buffers.
  void disconnect() {
    resolver_->cancel();
    if (!stream_) return;
    ErrorCode ignored;
    socket().close(ignored);
    if (context_->stopped()) context_->restart();
    context_->poll();
    stream_.reset();
    in_.clear();
  }

  // Connecting.

  void connect() {
    check_cancelled();
    deadline_ = SteadyClock::now() + std::chrono::milliseconds(options_.connect_timeout_ms);
    const auto addresses = resolve();
    // Without TLS only the socket inside is used.
    if (!tls_) tls_.emplace(asio::ssl::context::tls_client);
    stream_.emplace(*context_, *tls_);

    const auto connected = std::make_shared<Outcome>();
    asio::async_connect(socket(), addresses, [connected](const ErrorCode& error, const tcp::endpoint&) {
      connected->error = error;
      connected->done = true;
    });
    wait(connected, "connecting to");
    if (connected->error) {
      disconnect();
      throw HttpClientError(Kind::connect, "connecting to " + where() + ": " + connected->error.message());
    }
    ErrorCode ignored;
    socket().set_option(tcp::no_delay(true), ignored);
    if (origin_.secure) handshake();
  }

  tcp::resolver::results_type resolve() {
    ErrorCode error;
    const auto address = asio::ip::make_address(origin_.host, error);
    if (!error) {
      const auto port = static_cast<std::uint16_t>(std::stoul(origin_.port));
      return tcp::resolver::results_type::create(tcp::endpoint(address, port), origin_.host, origin_.port);
    }
    const auto resolved = lookup_ = std::make_shared<Outcome>();
    resolver_->async_resolve(origin_.host, origin_.port,
                             [resolved](const ErrorCode& failed, tcp::resolver::results_type results) {
                               resolved->error = failed;
                               resolved->addresses = std::move(results);
                               resolved->done = true;
                             });
    wait(resolved, "resolving");
    if (resolved->error)
      throw HttpClientError(Kind::resolve, "resolving " + origin_.host + ": " + resolved->error.message());
    return resolved->addresses;
  }

  void handshake() {
    // SNI, which names hosts only (RFC 6066 section 3); SSL_set_tlsext_host_name is this with a C cast.
    if (!is_ip_address(origin_.host))
      SSL_ctrl(stream_->native_handle(), SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, origin_.host.data());
    const auto shaken = std::make_shared<Outcome>();
    stream_->async_handshake(asio::ssl::stream_base::client, [shaken](const ErrorCode& error) {
      shaken->error = error;
      shaken->done = true;
    });
    wait(shaken, "the TLS handshake with");
    if (!shaken->error) return;
    const long verdict = SSL_get_verify_result(stream_->native_handle());
    const std::string why = verdict == X509_V_OK ? shaken->error.message() : X509_verify_cert_error_string(verdict);
    disconnect();
    throw HttpClientError(Kind::tls, "the TLS handshake with " + where() + ": " + why);
  }

  // One request and its answer.

  template <class Start>
  Outcome run(const char* what, Start start) {
    const auto outcome = std::make_shared<Outcome>();
    start([outcome](const ErrorCode& error, std::size_t bytes) {
      outcome->error = error;
      outcome->bytes = bytes;
      outcome->done = true;
    });
    wait(outcome, what);
    return *outcome;
  }

  [[noreturn]] void fail(Kind kind, const std::string& message) {
    disconnect();
    throw HttpClientError(kind, message + " (" + where() + ")");
  }

  HttpClientResponse exchange(std::string_view head, std::string_view body) {
    check_cancelled();
    deadline_ = SteadyClock::now() + std::chrono::milliseconds(options_.request_timeout_ms);
    received_ = 0;
    const std::array<asio::const_buffer, 2> request = {asio::buffer(head), asio::buffer(body)};
    const Outcome written = run("writing to", [&](auto done) {
      if (origin_.secure)
        asio::async_write(*stream_, request, std::move(done));
      else
        asio::async_write(socket(), request, std::move(done));
    });
    // A server may answer, and close, before it has read everything: its answer counts, if there is one.
    write_error_ = written.error;

    HttpClientResponse response;
    Framing framing;
    for (int interim = 0;; ++interim) {
      response = {};
      framing = {};
      read_head(response, framing);
      if (response.status >= 200) break;
      if (response.status == 101 || interim == max_interim_responses)
        fail(Kind::protocol, "an answer to something else than was asked");
    }
    const bool delimited = read_body(response, framing);
    if (framing.close || !delimited || !in_.empty() || write_error_) disconnect();
    return response;
  }

  /// Appends what arrives next to in_; false at the connection's end.
  bool read_more() {
    if (received_ >= options_.max_response_bytes) fail(Kind::too_large, "the answer is too large");
    const std::size_t room = std::min(read_bytes, options_.max_response_bytes - received_ + 1);
    const std::size_t before = in_.size();
    in_.resize(before + room);
    const Outcome read = run("the answer of", [&](auto done) {
      const auto buffer = asio::buffer(in_.data() + before, room);
      if (origin_.secure)
        stream_->async_read_some(buffer, std::move(done));
      else
        socket().async_read_some(buffer, std::move(done));
    });
    in_.resize(before + read.bytes);
    received_ += read.bytes;
    if (received_ > options_.max_response_bytes) fail(Kind::too_large, "the answer is too large");
    if (!read.error) return true;
    if (read.error == asio::error::eof && received_ > 0) return false;
    const std::string message = "the connection ended before the answer: " + read.error.message();
    disconnect();
    if (received_ == 0) throw StaleConnection(Kind::protocol, message + " (" + where() + ")");
    throw HttpClientError(Kind::protocol, message + " (" + where() + ")");
  }

  void read_head(HttpClientResponse& response, Framing& framing) {
    HeadScanner scanner(max_head_bytes);
    while (true) {
      switch (scanner.scan(in_)) {
        case HeadScanner::State::failed: fail(Kind::protocol, "the answer is malformed"); break;
        case HeadScanner::State::need_more:
          if (!read_more()) fail(Kind::protocol, "the connection ended within the answer");
          continue;
        case HeadScanner::State::complete: break;
      }
      break;
    }
    const std::string_view head = std::string_view(in_).substr(scanner.begin(), scanner.end() - scanner.begin());
    if (const auto error = parse_response_head(head, response.status, response.headers, framing))
      fail(Kind::protocol, "the answer is malformed: " + std::string(error->detail));
    in_.erase(0, scanner.end());
  }

  /// Gives whether the body's end was said, and not just where the connection ended.
  bool read_body(HttpClientResponse& response, const Framing& framing) {
    if (response.status == 204 || response.status == 304) return true;
    if (framing.chunked) {
      ChunkedDecoder decoder;
      while (true) {
        const auto result = decoder.decode(in_, response.body, options_.max_response_bytes);
        in_.erase(0, result.consumed);
        if (result.state == ChunkedDecoder::State::complete) return true;
        if (result.state == ChunkedDecoder::State::too_large) fail(Kind::too_large, "the answer is too large");
        if (result.state == ChunkedDecoder::State::failed) fail(Kind::protocol, "the answer's chunks are malformed");
        if (!read_more()) fail(Kind::protocol, "the connection ended within the answer");
      }
    }
    if (framing.content_length) {
      if (*framing.content_length > options_.max_response_bytes) fail(Kind::too_large, "the answer is too large");
      const auto length = static_cast<std::size_t>(*framing.content_length);
      while (in_.size() < length)
        if (!read_more()) fail(Kind::protocol, "the connection ended within the answer");
      if (in_.size() == length) {
        response.body = std::exchange(in_, {});
      } else {
        response.body = in_.substr(0, length);
        in_.erase(0, length);
      }
      return true;
    }
    while (read_more()) continue;
    response.body = std::exchange(in_, {});
    return false;
  }

  Url origin_;
  HttpClientOptions options_;
  std::string host_header_;
  std::atomic<bool> cancelled_{false};
  SteadyClock::time_point deadline_{};
  ErrorCode write_error_;
  std::size_t received_ = 0;  ///< of this answer, head included
  std::string in_;            ///< received and not used yet

  std::shared_ptr<Outcome> lookup_;  ///< the last one
  std::unique_ptr<asio::io_context> context_ = std::make_unique<asio::io_context>(1);
  std::optional<tcp::resolver> resolver_;
  std::optional<asio::ssl::context> tls_;
  std::optional<Stream> stream_;  ///< none: not connected
};

HttpClient::HttpClient(Url origin, HttpClientOptions options)
    : impl_(std::make_unique<Impl>(std::move(origin), std::move(options))) {}
HttpClient::~HttpClient() = default;

HttpClientResponse HttpClient::post(std::string_view target, std::string_view content_type, std::string_view body,
                                    const HeaderFields& headers) {
  return impl_->post(target, content_type, body, headers);
}

HttpClientResponse HttpClient::get(std::string_view target, const HeaderFields& headers) {
  return impl_->get(target, headers);
}

void HttpClient::cancel() noexcept {
  impl_->cancel();
}

}  // namespace fluxora::net
