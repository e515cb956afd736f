#include "fluxora/net/ca_file.hpp"

#include <memory>

#include <openssl/err.h>
#include <openssl/pem.h>

namespace fluxora::net {
namespace {

struct FreeBio {
  void operator()(BIO* bio) const noexcept { BIO_free(bio); }
};
struct FreeInfos {
  void operator()(STACK_OF(X509_INFO) * infos) const noexcept { sk_X509_INFO_pop_free(infos, X509_INFO_free); }
};

}  // namespace

// As OpenSSL reads it when a connection is made: all of the file has to be right.
bool holds_certificates(const std::string& path) {
  const std::unique_ptr<BIO, FreeBio> file(BIO_new_file(path.c_str(), "r"));
  const std::unique_ptr<STACK_OF(X509_INFO), FreeInfos> infos(
      file ? PEM_X509_INFO_read_bio(file.get(), nullptr, nullptr, nullptr) : nullptr);
  ERR_clear_error();
  if (!infos) return false;
  for (int i = 0; i < sk_X509_INFO_num(infos.get()); ++i) {
    if (sk_X509_INFO_value(infos.get(), i)->x509 != nullptr) return true;
  }
  return false;
}

}  // namespace fluxora::net
