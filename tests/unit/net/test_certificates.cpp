#include "test_certificates.hpp"

#include <cstdio>
#include <filesystem>
#include <stdexcept>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <unistd.h>

namespace fluxora::net::test {

namespace {

constexpr long one_day_s = 86'400;

void require(bool ok, const char* what) {
  if (!ok) throw std::runtime_error(what);
}

EVP_PKEY* new_key() {
  EVP_PKEY* key = EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256");
  require(key != nullptr, "a key");
  return key;
}

void add_extension(X509* certificate, X509* issuer, int kind, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str());
  require(extension != nullptr, "an extension");
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

X509* new_certificate(EVP_PKEY* key, const std::string& name, long serial, Validity validity = Validity::now) {
  X509* certificate = X509_new();
  require(certificate != nullptr, "a certificate");
  X509_set_version(certificate, 2);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), serial);
  const long shift_s = validity == Validity::now ? 0 : validity == Validity::over ? -2 * one_day_s : 2 * one_day_s;
  X509_gmtime_adj(X509_getm_notBefore(certificate), shift_s - one_day_s);
  X509_gmtime_adj(X509_getm_notAfter(certificate), shift_s + one_day_s);
  X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
  X509_set_pubkey(certificate, key);
  return certificate;
}

}  // namespace

Authority::Authority() : key_(new_key()), certificate_(new_certificate(key_, "Test authority", 1)) {
  X509_set_issuer_name(certificate_, X509_get_subject_name(certificate_));
  add_extension(certificate_, certificate_, NID_basic_constraints, "critical,CA:TRUE");
  add_extension(certificate_, certificate_, NID_key_usage, "critical,keyCertSign");
  add_extension(certificate_, certificate_, NID_subject_key_identifier, "hash");
  require(X509_sign(certificate_, key_, EVP_sha256()) > 0, "a signature");

  file_ = (std::filesystem::temp_directory_path() / "fluxora-authority-XXXXXX").string();
  const int fd = ::mkstemp(file_.data());
  require(fd >= 0, "a file for the authority");
  std::FILE* stream = ::fdopen(fd, "w");
  require(stream != nullptr && PEM_write_X509(stream, certificate_) == 1, "the authority's certificate");
  std::fclose(stream);
}

Authority::~Authority() {
  std::error_code ignored;
  std::filesystem::remove(file_, ignored);
  X509_free(certificate_);
  EVP_PKEY_free(key_);
}

SSL_CTX* Authority::server_context(const std::string& names, Validity validity) const {
  EVP_PKEY* key = new_key();
  X509* certificate = new_certificate(key, "Test server", 2, validity);
  X509_set_issuer_name(certificate, X509_get_subject_name(certificate_));
  add_extension(certificate, certificate_, NID_subject_alt_name, names);
  require(X509_sign(certificate, key_, EVP_sha256()) > 0, "a signature");
  SSL_CTX* context = SSL_CTX_new(TLS_server_method());
  require(context != nullptr, "a TLS context");
  require(SSL_CTX_use_certificate(context, certificate) == 1 && SSL_CTX_use_PrivateKey(context, key) == 1,
          "the server's certificate");
  X509_free(certificate);
  EVP_PKEY_free(key);
  return context;
}

}  // namespace fluxora::net::test
