#pragma once

#include <string>

#include <openssl/ssl.h>

namespace fluxora::net::test {

/// Of a certificate, by the clock: now, or a day that is over, or one that is to come.
enum class Validity { now, over, to_come };

/// A certificate authority made for one test; its certificate is in a file that goes with it.
class Authority {
 public:
  Authority();
  ~Authority();
  Authority(const Authority&) = delete;
  Authority& operator=(const Authority&) = delete;

  [[nodiscard]] const std::string& file() const { return file_; }
  /// A TLS server's context with a new certificate for `names`, as in "DNS:localhost,IP:127.0.0.1".
  [[nodiscard]] SSL_CTX* server_context(const std::string& names, Validity validity = Validity::now) const;

 private:
  EVP_PKEY* key_;
  X509* certificate_;
  std::string file_;
};

}  // namespace fluxora::net::test
