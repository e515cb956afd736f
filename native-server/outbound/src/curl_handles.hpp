#pragma once

#include <memory>
#include <stdexcept>
#include <string>

#include <curl/curl.h>

// libcurl's handles with their owners, and what every request of ours goes by. CURL and CURLM may be the same type:
// void.
namespace fluxora::outbound {

struct FreeEasy {
  void operator()(CURL* handle) const noexcept { curl_easy_cleanup(handle); }
};
struct FreeMulti {
  void operator()(CURLM* handle) const noexcept { curl_multi_cleanup(handle); }
};
struct FreeUrl {
  void operator()(CURLU* handle) const noexcept { curl_url_cleanup(handle); }
};
struct FreeList {
  void operator()(curl_slist* list) const noexcept { curl_slist_free_all(list); }
};
struct FreeText {
  void operator()(char* text) const noexcept { curl_free(text); }
};

using EasyHandle = std::unique_ptr<CURL, FreeEasy>;
using MultiHandle = std::unique_ptr<CURLM, FreeMulti>;
using UrlHandle = std::unique_ptr<CURLU, FreeUrl>;
using HeaderList = std::unique_ptr<curl_slist, FreeList>;
using CurlText = std::unique_ptr<char, FreeText>;

/// Throws std::runtime_error where libcurl doesn't take it.
template <class Value>
void set_option(CURL* handle, CURLoption option, Value value) {
  const CURLcode result = curl_easy_setopt(handle, option, value);
  if (result != CURLE_OK) throw std::runtime_error(std::string("libcurl: ") + curl_easy_strerror(result));
}

/// Adds a line to a list of headers. Throws std::bad_alloc.
void append_line(HeaderList& list, const std::string& line);

/// What every request goes by: HTTP/1.1 over TCP or TLS 1.2 and newer, to whom the URL names and nobody else. No proxy,
/// no redirect, no .netrc. `ca_file`: who is trusted instead of the system's authorities; empty: those. Throws
/// std::runtime_error.
void set_request_rules(CURL* handle, const std::string& ca_file, const std::string& user_agent);

}  // namespace fluxora::outbound
