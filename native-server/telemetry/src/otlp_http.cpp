#include "fluxora/telemetry/otlp_http.hpp"

#include <charconv>

#include <nlohmann/json.hpp>

namespace fluxora::telemetry {
namespace {

using Kind = ExportOutcome::Kind;

/// A collector's answer is a few words.
constexpr std::size_t max_answer_bytes = 64 * 1024;

/// partialSuccess.rejectedSpans: a 64-bit integer, as a text or as a number.
std::uint64_t rejected_spans(const std::string& body) {
  const nlohmann::json answer = nlohmann::json::parse(body, nullptr, /*allow_exceptions=*/false);
  if (!answer.is_object()) return 0;
  const auto partial = answer.find("partialSuccess");
  if (partial == answer.end() || !partial->is_object()) return 0;
  const auto count = partial->find("rejectedSpans");
  if (count == partial->end()) return 0;
  if (count->is_number_unsigned()) return count->get<std::uint64_t>();
  if (!count->is_string()) return 0;
  const auto& text = count->get_ref<const std::string&>();
  std::uint64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

class OtlpHttp final : public SpanTransport {
 public:
  explicit OtlpHttp(OtlpHttpOptions options)
      : headers_(std::move(options.headers)),
        url_(net::parse_url(options.endpoint)),
        http_(url_, {options.timeout_ms, options.timeout_ms, max_answer_bytes, options.ca_file}) {
    target_ = url_.target.substr(0, url_.target.find('?'));
    if (!target_.ends_with('/')) target_ += '/';
    target_ += "v1/traces";
  }

  ExportOutcome send(const std::string& body) noexcept override {
    try {
      return outcome_of(http_.post(target_, "application/json", body, headers_));
    } catch (const net::HttpClientError& error) {
      const bool cancelled = error.kind() == net::HttpClientError::Kind::cancelled;
      return {cancelled ? Kind::refused : Kind::try_again, 0, {}, error.what()};
    } catch (const std::exception& error) {
      return {Kind::refused, 0, {}, error.what()};
    }
  }

  void cancel() noexcept override { http_.cancel(); }

 private:
  static ExportOutcome outcome_of(const net::HttpClientResponse& response) {
    const unsigned status = response.status;
    if (status >= 200 && status < 300) {
      const std::uint64_t rejected = rejected_spans(response.body);
      const bool all = rejected == 0;
      return {Kind::accepted, rejected, {}, all ? "" : "the collector rejected spans"};
    }
    const bool later = status == 429 || status == 502 || status == 503 || status == 504;
    return {later ? Kind::try_again : Kind::refused, 0, net::retry_after(response),
            "the collector answered HTTP " + std::to_string(status)};
  }

  net::HeaderFields headers_;
  net::Url url_;
  std::string target_;
  net::HttpClient http_;
};

}  // namespace

std::unique_ptr<SpanTransport> make_otlp_http(OtlpHttpOptions options) {
  return std::make_unique<OtlpHttp>(std::move(options));
}

}  // namespace fluxora::telemetry
