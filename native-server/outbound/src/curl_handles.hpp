#pragma once

#include <memory>

#include <curl/curl.h>

// libcurl's handles with their owners. CURL and CURLM may be the same type: void.
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

}  // namespace fluxora::outbound
